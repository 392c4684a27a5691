"""Rules judged on many days at once: the days are joined in one database, each in a place of its own.

One server and one look at the rules serve all of them, so twenty days take as long as three.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from helpers.monitor.testing.evaluation import Evaluated, evaluate_each
from helpers.monitor.testing.judge import AFTERMATH, Judged, judged
from helpers.monitor.testing.rules import read_rules
from helpers.testbed.replay import Excerpt, Part, PlannedDay, days


def judge_joined(
    rules_text: str,
    on: Sequence[PlannedDay],
    database: Path,
    *,
    apart: timedelta,
    aftermath: timedelta = AFTERMATH,
) -> list[Judged]:
    """Judge the text of a rule file on days, as `judge` does.

    Args:
        rules_text: YAML, as Prometheus reads it.
        on: the days, in the order in which they were joined.
        database: `helpers.service.testing.joined.joined_database` makes it. It is not changed.
        apart: how much later each day is than the one before.
        aftermath: as for `judge`.

    Raises:
        MissingProgram: there is no `prometheus` or no `promtool`.
        RulesError: the rules do not parse, have no alert or cannot be evaluated.
    """
    moved = [number * apart for number in range(len(on))]
    windows = [(day.start + by, day.stop + by) for day, by in zip(on, moved, strict=True)]
    found = evaluate_each(read_rules(rules_text), database, windows)
    return [
        judged(day, _back(one, by.total_seconds()), aftermath)
        for day, one, by in zip(on, found, moved, strict=True)
    ]


def _back(found: Evaluated, by_s: float) -> Evaluated:
    """What fired, at the times of the day itself."""
    firings = [
        replace(one, begins=one.begins - by_s, ends=one.ends - by_s) for one in found.firings
    ]
    return replace(found, firings=firings)


def lab_days(part: Part, *, fast: bool = False) -> list[PlannedDay]:
    """The days that module 08's lab tries rules on: excerpts with an incident, and clean days.

    An excerpt lasts from 75 minutes before the beginning of its incident to 66 minutes after it. Of
    the clean days of a part every second one is taken, so that all shapes are among them.

    Args:
        part: "visible" gives 5 clean days, "heldout" 10.
        fast: three hours of each of four clean days instead.
    """
    found = [day.hours(before=1.25, after=1.1) for day in days(part) if day.incident]
    clean = [day for day in days(part) if not day.incident][part == "visible" :: 2]
    if fast:
        places = [0, -4, -2, -1] if part == "heldout" else [0, 2, 3, 4]
        hours = (Excerpt(2, 5), Excerpt(9, 12), Excerpt(12, 15), Excerpt(18, 21))
        clean = [
            replace(clean[at], excerpt=excerpt) for at, excerpt in zip(places, hours, strict=True)
        ]
    return [*found, *clean]
