"""`course incidents`: the alerts on replayed days, and the numbers that they have to reach.

What a subcommand does not need is not imported.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from helpers.columns import aligned

if TYPE_CHECKING:
    from helpers.monitor.testing import Judged, Totals

COMMAND: Final = "course incidents"
RULES: Final = Path(__file__).with_name("rules.yml")
NAIVE: Final = Path(__file__).with_name("naive.yml")
MISSED: Final = 1
"""Kinds of incidents that may stay undetected."""
MOST_MINUTES: Final = 10.0
"""The median time until detection, at most."""
MOST_A_DAY: Final = 1 / 20
"""False alarms a clean day, at most."""
_SHOWN: Final = 3


def incidents(argv: Sequence[str]) -> int:
    """Print the table; 1 when the numbers are not reached, 2 when nothing could be judged."""
    options = _options(argv)
    from helpers.faults import EquipmentError
    from helpers.monitor.testing import RulesError, Totals, never_seen

    # Asked to stop, it ends its servers as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        judged = measure(options.part, options.rules.read_text("utf-8"), fast=options.fast)
    except (OSError, UnicodeDecodeError) as problem:
        return _stopped(f"{options.rules} cannot be read ({problem}): give --rules FILE.")
    except (RulesError, EquipmentError) as problem:
        return _stopped(str(problem))
    finally:
        signal.signal(signal.SIGTERM, before)
    totals = Totals.of(judged)
    print(as_json(judged, totals) if options.json else as_text(judged, totals))
    for selector in never_seen(judged):
        print(
            f"{COMMAND}: no series matched {selector} on any day. An alert that waits for it "
            "cannot fire: look for a typing error.",
            file=sys.stderr,
        )
    return int(bool(shortfalls(totals)))


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Replay days of Fernhill, most of them clean and some with an incident, and "
        "see which incidents the alerts find, how soon, and how often they fire for nothing. Days "
        "are kept: the first run takes 5 to 10 minutes, later ones one minute.",
    )
    parser.add_argument(
        "--part",
        choices=("visible", "heldout"),
        default="visible",
        help="days to tune rules on (the default), or those to judge them by, once",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--rules", type=Path, metavar="FILE", default=RULES, help="your own rules")
    which.add_argument(
        "--naive",
        action="store_const",
        const=NAIVE,
        dest="rules",
        help="the thresholds that people write first",
    )
    parser.add_argument("--fast", action="store_true", help="three and a half hours of each day")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser.parse_args(argv)


def _stopped(why: str) -> int:
    print(f"{COMMAND}: {why}", file=sys.stderr)
    return 2


def measure(part: Any, rules_text: str, *, fast: bool = False) -> "list[Judged]":
    """Judge rules on the days of a part, with a progress bar on a terminal.

    Args:
        part: "visible" or "heldout".
        rules_text: YAML, as Prometheus reads it.
        fast: whether an excerpt of each day is enough.

    Raises:
        RulesError: the rules do not parse, have no alert or cannot be evaluated.
        MissingProgram: there is no Prometheus.
    """
    from tqdm import tqdm

    from helpers.monitor.testing import INSTRUMENTS, judge_day, read_rules
    from helpers.service.testing import database_of
    from helpers.testbed.replay import days

    rules, judged = read_rules(rules_text), []
    with tqdm([*days(part)], unit="day", disable=None) as bar:
        for day in bar:
            bar.set_postfix_str(day.name)
            asked = day.hours() if fast else day
            judged.append(judge_day(rules, asked, database_of(asked, instruments=INSTRUMENTS)))
    return judged


def shortfalls(totals: "Totals") -> list[str]:
    """The numbers that are not reached, each in a sentence."""
    found = []
    if totals.detected < totals.incidents - MISSED:
        found.append(
            f"{totals.detected} of {totals.incidents} incidents are detected: at most {MISSED} may "
            "be missed."
        )
    if totals.median_minutes is None or totals.median_minutes > MOST_MINUTES:
        found.append(f"The median time until detection is over {MOST_MINUTES:g} minutes.")
    if totals.false_alarms > MOST_A_DAY * totals.clean_days:
        found.append(
            f"Too many false alarms: at most one in {1 / MOST_A_DAY:g} clean days is allowed."
        )
    return found


def as_text(judged: "Sequence[Judged]", totals: "Totals") -> str:
    """The table for a terminal."""
    rows = [("day", "begins", "detected", "minutes", "by", "false alarms")]
    for one in judged:
        begins = f"{one.incident.begins:%H:%M}" if one.incident else ""
        found = ("yes" if one.detected else "no") if one.incident else ""
        minutes = "" if one.minutes is None else f"{one.minutes:.0f}"
        rows.append((one.day, begins, found, minutes, one.by or "", _alarms(one)))
    middle = "none" if totals.median_minutes is None else f"{totals.median_minutes:g} minutes"
    a_day = "" if totals.a_day is None else f": {totals.a_day:.2g} a day"
    lines = [
        *aligned(rows),
        "",
        f"Detected: {totals.detected} of {totals.incidents}, median {middle}.",
        f"False alarms: {totals.false_alarms} in {totals.clean_days:.3g} clean days{a_day}.",
    ]
    if totals.a_day and totals.a_day > 1:
        lines.append(
            f"An alert every {24 / totals.a_day:.1f} hours of a clean day: many of the detections "
            "above are due to chance."
        )
    return "\n".join([*lines, *(shortfalls(totals) or ["All targets are met."])])


def _alarms(one: "Judged") -> str:
    first = ", ".join(f"{alarm.alert} {alarm.at:%H:%M}" for alarm in one.false_alarms[:_SHOWN])
    left = len(one.false_alarms) - _SHOWN
    return f"{first} and {left} more" if left > 0 else first or "none"


def as_json(judged: "Sequence[Judged]", totals: "Totals") -> str:
    """The same as JSON."""
    rows = [
        {
            "day": one.day,
            "incident": asdict(one.incident) | {"truth": one.incident.truth}
            if one.incident
            else None,
            "detected": one.detected,
            "minutes": one.minutes,
            "by": one.by,
            "false_alarms": [[alarm.alert, alarm.at.isoformat()] for alarm in one.false_alarms],
        }
        for one in judged
    ]
    found = {"days": rows, **asdict(totals), "shortfalls": shortfalls(totals)}
    return json.dumps(found, ensure_ascii=False)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"incidents": incidents}
