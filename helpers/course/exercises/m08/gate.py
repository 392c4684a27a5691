"""Rules judged on the lab's held-out days, and what is asked of them in exercise 08.6."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from helpers.course.exercises.words import kind
from helpers.monitor.testing import INSTRUMENTS, Judged, RulesError, read_rules
from helpers.monitor.testing.joined import judge_joined, lab_days, without_incidents
from helpers.service.testing.joined import APART, joined_database

FEWEST_FOUND: Final = 9
MINUTES: Final = 60
MOST_FALSE: Final = 1
_MOST_NAMED: Final = 4
_FAST_CALM: Final = 3
"""Incidents that are replayed without it in fast mode: without these, 9 cannot be reached."""


@dataclass(frozen=True)
class Found:
    """What rules made of the days: of clean ones, and of those with an incident."""

    clean: list[Judged]
    incidents: list[Judged]
    unseen: list[str]

    @property
    def in_time(self) -> list[Judged]:
        """The incidents that were detected in time."""
        return [one for one in self.detected if (one.minutes or 0.0) <= MINUTES]

    @property
    def detected(self) -> list[Judged]:
        """The incidents that were detected."""
        return [one for one in self.incidents if one.minutes is not None]

    @property
    def false_alarms(self) -> list[str]:
        """The alerts of the false alarms."""
        return [alarm.alert for one in self.clean for alarm in one.false_alarms]


class Tried:
    """A submission, judged at most once."""

    def __init__(self, text: Any, *, fast: bool) -> None:
        self._text, self._fast = text, fast

    def alerts(self) -> list[str]:
        """The names of its alerts. Raises `RulesError`, or `MissingProgram` without Prometheus."""
        if not isinstance(self._text, str):
            raise RulesError(f"The text of a rule file is expected; this is {kind(self._text)}.")
        return [rule.name for rule in read_rules(self._text).alerts]

    def judged(self) -> Found:
        """What it made of the days. Raises as `alerts` does."""
        self.alerts()
        return self._found

    @cached_property
    def _found(self) -> Found:
        days = lab_days("heldout", fast=self._fast)
        database = joined_database(days, instruments=INSTRUMENTS)
        # At the same times, so that neither a date nor an hour tells it from the incident.
        many = _FAST_CALM if self._fast else sum(day.incident is not None for day in days)
        calm = joined_database(without_incidents(days[:many]), instruments=INSTRUMENTS)
        judged = judge_joined(self._text, days, database, apart=APART, calm=calm, calm_days=many)
        return Found(
            clean=[one for one in judged if one.incident is None],
            incidents=[one for one in judged if one.incident is not None],
            unseen=list(judged[0].unseen),
        )


def clean_days(*, fast: bool) -> str:
    """The clean days in words."""
    if fast:
        return "parts of 4 clean days"
    return f"{sum(day.incident is None for day in lab_days('heldout'))} clean days"


def quiet(found: Found) -> bool | str:
    """Whether few enough alarms are false."""
    if len(found.false_alarms) <= MOST_FALSE:
        return True
    return f"Most of them by {_most(found.false_alarms)}."


def told_of_clean(found: Found) -> str:
    """The false alarms, by alert."""
    alarms = found.false_alarms
    return f"{len(alarms)} false alarms" + (f": {_most(alarms)}" if alarms else "")


def _most(alerts: list[str]) -> str:
    most = Counter(alerts).most_common(_MOST_NAMED)
    return ", ".join(f"{name} ({count})" for name, count in most)


def fires_always(found: Found) -> bool:
    """Whether one alert fires on nearly all clean days."""
    fired = Counter(
        name for one in found.clean for name in {alarm.alert for alarm in one.false_alarms}
    )
    return any(count >= len(found.clean) - 1 for count in fired.values())


def finds(found: Found) -> bool | str:
    """Whether enough incidents are detected in time."""
    if len(found.in_time) >= FEWEST_FOUND:
        return True
    missed = [one.day for one in found.incidents if one not in found.in_time]
    told = f"Not detected in time: {', '.join(missed)}."
    return f"{told} No series is {', '.join(found.unseen)}." if found.unseen else told


def found_late(found: Found) -> bool:
    """Whether enough incidents are detected, but too late."""
    return len(found.detected) >= FEWEST_FOUND > len(found.in_time)


def fires_anyway(found: Found) -> bool:
    """Whether an alert fires on a day with an incident just as it does without it."""
    return any(one.anyway for one in found.incidents)


def told_of_incidents(found: Found) -> str:
    """How many were detected, and by which alert each."""
    by = ", ".join(f"{one.day} by {one.by} after {one.minutes:.0f} min" for one in found.in_time)
    return f"{len(found.in_time)} of {len(found.incidents)}" + (f": {by}" if by else "")
