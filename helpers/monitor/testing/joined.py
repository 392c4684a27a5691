"""Rules judged on many days at once: all days are in one database, each at a time of its own.

One server and one look at the rules serve all of them, so twenty days take as long as three.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest
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
    calm: Path | None = None,
    calm_days: int = 0,
) -> list[Judged]:
    """Judge the text of a rule file on days, as `judge` does.

    With `calm`, an alert that begins to fire there too while the incident would last does not
    detect it: it has not seen the incident, and may only know the time.

    Args:
        rules_text: YAML, as Prometheus reads it.
        on: the days, in the order in which they were joined.
        database: `helpers.service.testing.joined.joined_database` makes it. It is not changed.
        apart: how much later each day is than the one before.
        aftermath: as for `judge`.
        calm: the database of the first `calm_days` of the days without their incidents, in the
            same places.

    Raises:
        MissingProgram: there is no `prometheus` or no `promtool`.
        RulesError: the rules do not parse, have no alert or cannot be evaluated.
    """
    moved = [number * apart for number in range(len(on))]
    windows = [(day.start + by, day.stop + by) for day, by in zip(on, moved, strict=True)]
    rules = read_rules(rules_text)
    found = evaluate_each(rules, database, windows)
    anyway = evaluate_each(rules, calm, windows[:calm_days]) if calm else []
    return [
        judged(
            day,
            _back(one, by.total_seconds()),
            aftermath,
            _back(without, by.total_seconds()) if without else None,
        )
        for day, one, without, by in zip_longest(on, found, anyway, moved)
    ]


def _back(found: Evaluated, by_s: float) -> Evaluated:
    """What fired, at the times of the day itself."""
    firings = [
        replace(one, begins=one.begins - by_s, ends=one.ends - by_s) for one in found.firings
    ]
    return replace(found, firings=firings)


def without_incidents(days: Sequence[PlannedDay]) -> list[PlannedDay]:
    """These days without their incidents."""
    return [replace(day, incident=None) for day in days]


def lab_days(part: Part, *, fast: bool = False) -> list[PlannedDay]:
    """The days that module 08's lab tries rules on: excerpts with an incident, and clean days.

    An excerpt lasts from 75 minutes before the beginning of its incident to 66 minutes after it. Of
    the clean days of a part every second one is taken, so that all shapes are among them.

    Args:
        part: "visible" gives 5 clean days, "heldout" 10.
        fast: shorter excerpts, two hours of four clean days, and of the visible part only four
            days in all.
    """
    before = 0.75 if fast else 1.25
    found = [day.hours(before=before, after=1.1) for day in days(part) if day.incident]
    clean = [day for day in days(part) if not day.incident][part == "visible" :: 2]
    if fast:
        of_each_shape = {day.shape: day for day in clean}.values()
        hours = (Excerpt(6, 8), Excerpt(9, 11), Excerpt(12, 14), Excerpt(18, 20))
        clean = [replace(day, excerpt=at) for day, at in zip(of_each_shape, hours, strict=True)]
        if part == "visible":
            found, clean = found[:3], clean[-1:]
    return [*found, *clean]
