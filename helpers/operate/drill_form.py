"""What is left of a drill: its figures as JSON, and a form for runbook and review in Markdown.

Both are in `.course/drills`, one pair a drill. A form that is there is never written again: it is
the learner's as soon as it exists.

The questions of the review are those of a blameless postmortem: what happened and why it seemed
right, not who did it (Site Reliability Engineering, chapter 15,
https://sre.google/sre-book/postmortem-culture/).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.paths import course_dir

Row = Mapping[str, Any]
Seen = tuple[float, str, str, str]
"""Of the timeline: the shift's minute, the time of day, what, detail."""


def keep(row: Row, truth: str, events: Sequence[Seen]) -> Path:
    """Write the figures of a drill, and its form; returns the form.

    Args:
        row: seed, kind, noticed, diagnosed, ended, harmed, wrong.
        truth: what happened, in a sentence.
        events: the timeline.

    Raises:
        OSError: the folder cannot be written.
    """
    kept_in = folder()
    name, number = f"{datetime.now():%Y-%m-%d-%H%M%S}-seed-{row['seed']}", 1
    while (kept_in / f"{name}.md").exists():
        number += 1
        name = f"{name.removesuffix(f'-{number - 1}')}-{number}"
    kept = {**row, "truth": truth, "events": [list(one) for one in events]}
    (kept_in / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    written = kept_in / f"{name}.md"
    write_form(written, row, truth, events)
    return written


def folder() -> Path:
    """Where drills are kept; made where it is missing. Raises OSError where it cannot be."""
    found = course_dir() / "drills"
    found.mkdir(exist_ok=True)
    return found


def write_form(path: Path, row: Row, truth: str, events: Sequence[Seen]) -> None:
    """Write the form to a new file. Raises FileExistsError where there is one."""
    with path.open("x", encoding="utf-8") as file:
        file.write(form(row, truth, events))


def form(row: Row, truth: str, events: Sequence[Seen]) -> str:
    """The form: what the drill knows is filled in, the rest is asked."""
    lines = [f"| {time} | {what} | {detail} |" for _, time, what, detail in events]
    return _FORM.format(
        seed=row["seed"],
        kind=row["kind"],
        truth=f"{_left(events)}{truth}",
        harmed=row["harmed"],
        wrong=row["wrong"],
        timeline="\n".join(lines) or "| | | |",
        **{name: _minutes(row[name]) for name in ("noticed", "diagnosed", "ended")},
    )


def _left(events: Sequence[Seen]) -> str:
    """What is to be known of an operator who left before the end."""
    happened = {what: time for _, time, what, _ in events}
    if "left" not in happened or "ended" in happened:
        return ""
    begun = "" if "began" in happened else ", before the incident began"
    return f"The operator left the shift early, at {happened['left']}{begun}.\n\n"


def _minutes(value: float | None) -> str:
    return "never" if value is None else f"after {value:.1f} minutes"


_FORM = """# Drill, seed {seed}

## What happened

{truth}

Noticed {noticed}, diagnosed {diagnosed}, ended {ended}. Answers harmed: {harmed}. Wrong diagnoses
and actions: {wrong}. Minutes are the shop's.

| time | what | detail |
|---|---|---|
{timeline}

## Runbook: {kind}

Write it for a colleague who is woken by this page at night and has never seen it.

| | |
|---|---|
| The page that fires | |
| What customers see meanwhile | |
| Where to look first: which figure, log or answers | |
| What distinguishes it from the other incidents | |
| Action, and what it costs | |
| How you see that it has ended | |
| Whom to tell, and when | |

## Review, without blame

Name roles and systems, not people. "Why did it seem right at that moment?" is the question.

1. What did customers notice, how many, for how long?
2. Which sign came first, and which alert should have come sooner?
3. Which look misled you, and what would have shown the cause at once?
4. What went well, and was it luck?
5. What would have made the incident impossible, or its effect smaller?
6. Actions: what, who, by when, and how will you see that it works?

| action | owner (a role) | by | how it is checked |
|---|---|---|---|
| | | | |
"""
