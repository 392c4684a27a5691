"""`course monitor-check`: what the alerts find on held-out days, as evidence for the checklist.

What a subcommand does not need is not imported.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from helpers.monitor.command_incidents import RULES, as_json, as_text, measure

if TYPE_CHECKING:
    from helpers.evaluate.evidence import Figure
    from helpers.monitor.testing import Totals

COMMAND: Final = "course monitor-check"
ITEM: Final = "monitoring"
PART: Final = "alerts"
"""Its figures stand beside those of `course trace-check`, which writes the same item."""


def monitor_check(argv: Sequence[str]) -> int:
    """Replay, judge, print and write; 1 when it cannot be done, else 0."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Judge the alerts on the held-out days, as `course incidents --part heldout` "
        "does, and write the evidence for the checklist's item monitoring. Traces are the other "
        "half of it: course trace-check. Days are kept: the first run takes about ten minutes.",
    )
    parser.add_argument("--rules", type=Path, metavar="FILE", default=RULES, help="your own rules")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    from helpers.evaluate import evidence
    from helpers.evaluate.version import current_version
    from helpers.faults import EquipmentError
    from helpers.monitor.testing import RulesError, Totals

    # Asked to stop, it ends its servers as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        evidence.refuse_fast_mode(COMMAND)
        text = options.rules.read_text("utf-8")
        version = current_version()
        judged = measure("heldout", text)
        totals = Totals.of(judged)
        file = evidence.write(ITEM, figures(totals), command=COMMAND, version=version, part=PART)
    except (evidence.FastMode, EquipmentError, RulesError) as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as problem:
        print(f"{COMMAND}: {problem}: give a file of rules, --rules FILE.", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    print(as_json(judged, totals) if options.json else as_text(judged, totals))
    if not options.json:
        print(f"Evidence: {file}")
    return 0


def figures(totals: "Totals") -> "dict[str, Figure]":
    """The checklist's figures; one that rests on no day is left out."""
    from helpers.evaluate.evidence import Figure

    found = {}
    if totals.incidents:
        missed = totals.incidents - totals.detected
        found["kinds of incident missed"] = Figure(missed, totals.incidents)
    if totals.a_day is not None:
        found["false alarms a clean day"] = Figure(totals.a_day, round(totals.clean_days))
    if totals.median_minutes is not None:
        found["minutes until detection, median"] = Figure(totals.median_minutes, totals.detected)
    return found


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"monitor-check": monitor_check}
