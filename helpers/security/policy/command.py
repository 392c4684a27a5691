"""`course policies`: what a compromised agent can still do under each policy."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

ITEM: Final = "privacy"
_COMMAND: Final = "course policies"
_QUICK: Final = ("banking", "slack")
_CHOICES: Final = ("banking", "slack", "workspace", "travel", "all")
_PAIRS: Final = 120


def policies(argv: Sequence[str]) -> int:
    """Print the tables of policies and write the evidence for `privacy`; 1 if data got out."""
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="Run AgentDojo's suites with an agent that obeys every order it reads, under "
        "each policy, and let a compromised agent of Fernhill reach for orders of others. No model "
        "is asked. By default banking and slack, in seconds; workspace takes a minute.",
    )
    parser.add_argument("--suite", choices=_CHOICES, help="one suite, or all (banking and slack)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    names = _QUICK if options.suite is None else (options.suite,)
    report = _measure(_CHOICES[:-1] if options.suite == "all" else names)
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        from helpers.security.policy.report import as_text

        print(as_text(report))
    return int(any(each["disclosed"]["successes"] for each in report["privacy"].values()))


def _measure(names: Sequence[Any]) -> dict[str, Any]:
    from helpers.evaluate.version import current_version
    from helpers.security.policy import report
    from helpers.security.policy.adaptive import ADAPTIVE
    from helpers.security.policy.policies import NoPolicy
    from helpers.security.policy.privacy import measure_privacy
    from helpers.security.policy.table import adaptive_table, policy_table
    from helpers.security.policy.unseen import UNSEEN

    version = current_version()
    tables = {}
    suites = []
    for name in names:
        tables[name] = policy_table(name, progress=_bar(name))
        adaptive = adaptive_table(name) if name in ADAPTIVE else None
        unseen = adaptive_table(name, UNSEEN[name]) if name in UNSEEN else None
        suites.append(report.suite_report(name, tables[name], adaptive, unseen))
    targeted = {name: tables[name] for name in report.TARGET if name in tables}
    around = measure_privacy(_PAIRS, progress=_bar("privacy"))
    without = measure_privacy(_PAIRS, policy=NoPolicy())
    return {
        "version": version.digest,
        "suites": suites,
        "suites_together": " + ".join(targeted),
        "together": report.together_report(targeted) if len(targeted) > 1 else [],
        "privacy": report.privacy_report(around, without),
        "notes": [
            _file(max((around, without), key=lambda each: each.disclosed.successes), version)
        ],
    }


def _file(found: Any, version: Any) -> str:
    """File the evidence; a sentence on it.

    It is the worse of the two rows: the agent may be served without the policy around it, so the
    evidence must hold without it, too.
    """
    from helpers.evaluate import evidence

    if evidence.fast_mode():
        return "COURSE_FAST is on, so no evidence was filed."
    figures = {"data of others disclosed": found.disclosed}
    path = evidence.write(ITEM, figures, command=_COMMAND, version=version)
    return f"Evidence of {ITEM}: {path}"


def _bar(name: str) -> Callable[[Sequence[Any]], Iterable[Any]]:
    from tqdm import tqdm

    return lambda some: tqdm(some, desc=name, file=sys.stderr, leave=False)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"policies": policies}
