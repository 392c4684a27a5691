"""The reference runbook as a script: its times are what the course compares a person's with.

`python -m helpers.operate.testing.runbook` writes them to `data/drills.json`, in some CPU seconds.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from helpers.operate.testing.console import Console
from helpers.operate.testing.drill import Drilled, run_drill
from helpers.operate.testing.drill_plan import KINDS, QUIET, draw

STORED: Final = Path(__file__).parents[1] / "data" / "drills.json"
SEEDS: Final = (1, 2, 3)
"""Of the stored drills, three for each kind."""
_LOUD: Final = 0.3
"""Of the answers in ten minutes: a customer with more of them is one to look at."""


async def operator(console: Console) -> None:
    """Look each minute; for each page follow the runbook; act once."""
    while await console.wait(1):
        if not (fired := {page.alert for page in console.pages()}):
            continue
        answers = console.answers(10)
        lied = [one["document"] for one in answers if one["addresses"] and one["document"]]
        asked = Counter(one["customer"] for one in answers if one["customer"])
        loudest, times = asked.most_common(1)[0] if asked else ("", 0)
        if "MostAnswersFail" in fired:
            todo = "model down", "switch-model", ""
        elif lied:
            todo = "poisoned document", "withdraw", lied[-1]
        elif "CanaryWrong" in fired:
            todo = "bad release", "rollback", ""
        elif "SpendingFast" in fired and times > _LOUD * len(answers):
            todo = "cost spike", "limit", loudest
        else:
            continue
        kind, action, about = todo
        console.notice(", ".join(sorted(fired)))
        console.diagnose(kind)
        console.act(action, about)
        return


def row(found: Drilled) -> dict[str, Any]:
    """A drill's times, in minutes of the shop after the incident began."""
    return {
        "kind": found.plan.kind,
        "seed": found.plan.seed,
        **{
            name: None if (value := getattr(found, name)) is None else round(value, 1)
            for name in ("noticed", "diagnosed", "ended")
        },
        "harmed": found.harmed,
        "wrong": len(found.wrong_diagnoses) + len(found.wrong_actions),
    }


def stored() -> list[dict[str, Any]]:
    """The drills that come with the course, a dict each as `row` makes it."""
    found: list[dict[str, Any]] = json.loads(STORED.read_text("utf-8"))
    return found


def main() -> None:
    """Run the stored drills, and write what came of them."""
    plans = [draw(seed, kind) for kind in (*KINDS, QUIET) for seed in SEEDS]
    rows = [row(run_drill(operator, plan)) for plan in plans]
    STORED.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
