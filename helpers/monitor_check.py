"""`course monitor-check`: what the alerts find on held-out days, as evidence for the checklist.

It joins two rooms: `service` replays the days, `monitor` judges the rules on them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.evaluate.evidence import Figure
    from helpers.monitor.testing import Judged
    from helpers.testbed.replay import PlannedDay

COMMAND = "course monitor-check"
ITEM, PART = "monitoring", "alerts"
RULES = Path(__file__).parent / "monitor" / "rules.yml"


def main(argv: Sequence[str]) -> int:
    """Replay, judge, print and write; 1 when it cannot be done, else 0."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Replay the 31 held-out days (about ten minutes; days that are kept from "
        "before take seconds), judge the alerts on them, and write the evidence for the "
        "checklist's item monitoring. Traces are the other half of it: course trace-check.",
    )
    parser.add_argument(
        "--rules",
        type=Path,
        default=RULES,
        metavar="FILE",
        help="your rules instead of the course's",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    from helpers.evaluate import evidence
    from helpers.evaluate.version import current_version
    from helpers.faults import EquipmentError
    from helpers.monitor.testing import RulesError, median_minutes
    from helpers.testbed.replay import days

    try:
        evidence.refuse_fast_mode(COMMAND)
        text = options.rules.read_text("utf-8")
        version = current_version()
        judged = check(text, days("heldout"))
        found = figures(judged)
        file = evidence.write(ITEM, found, command=COMMAND, version=version, part=PART)
    except (evidence.FastMode, EquipmentError, RulesError) as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as problem:
        print(f"{COMMAND}: {problem}: give a file of rules, --rules FILE.", file=sys.stderr)
        return 1
    if options.json:
        report = {
            "days": [_as_json(each) for each in judged],
            "figures": {name: [one.value, one.count] for name, one in found.items()},
            "median_minutes": median_minutes(judged),
            "evidence": str(file),
        }
        print(json.dumps(report, indent=1))
    else:
        print("\n".join([*as_lines(judged, found), "", f"Evidence: {file}"]))
    return 0


def check(rules_text: str, on: "Sequence[PlannedDay]") -> "list[Judged]":
    """Judge rules on days, which are replayed where that has not been done.

    Says on standard error how far it is. Raises `RulesError` and `MissingProgram`.
    """
    from helpers.monitor.testing import INSTRUMENTS, judge_day, read_rules
    from helpers.service.testing import database_of

    rules = read_rules(rules_text)
    database = partial(database_of, instruments=INSTRUMENTS)
    found = []
    for number, day in enumerate(on, 1):
        print(f"{COMMAND}: day {number} of {len(on)}, {day.name}", file=sys.stderr, flush=True)
        found.append(judge_day(rules, day, database(day)))
    return found


def figures(judged: "Sequence[Judged]") -> "dict[str, Figure]":
    """The checklist's figures; a figure without days is left out."""
    from helpers.evaluate.evidence import Figure

    broken = [each for each in judged if each.incident]
    clean = [each for each in judged if not each.incident]
    found = {}
    if broken:
        missed = {each.incident.kind for each in broken if each.incident and not each.detected}
        kinds = {each.incident.kind for each in broken if each.incident}
        found["kinds of incident missed"] = Figure(len(missed), len(kinds))
    if clean:
        alarms = sum(len(each.false_alarms) for each in clean)
        found["false alarms a clean day"] = Figure(alarms / len(clean), len(clean))
    return found


def as_lines(judged: "Sequence[Judged]", found: "dict[str, Figure]") -> list[str]:
    """The report for a terminal."""
    from helpers.columns import aligned

    rows = [["day", "found after", "by", "false alarms"]]
    for each in judged:
        after = f"{each.minutes:.0f} min" if each.minutes is not None else "missed"
        rows.append(
            [
                each.day,
                after if each.incident else "",
                each.by or "",
                ", ".join(f"{name} {at:%H:%M}" for name, at in each.false_alarms),
            ]
        )
    counted = [
        ["", "", "n"],
        *([name, f"{one.value:g}", str(one.count)] for name, one in found.items()),
    ]
    return [*aligned(rows), "", *aligned(counted)]


def _as_json(each: "Judged") -> dict[str, object]:
    return {
        "day": each.day,
        "incident": each.incident.kind if each.incident else None,
        "minutes": each.minutes,
        "by": each.by,
        "false_alarms": [[name, at.isoformat()] for name, at in each.false_alarms],
    }


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"monitor-check": main}
