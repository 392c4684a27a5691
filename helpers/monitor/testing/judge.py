"""How good alerting rules are: incidents that they find, how soon, and their false alarms.

An incident is detected by the first alert that begins to fire while it lasts, and would not have
done so on the same day without it: what only knows the time finds nothing. An alert that begins
to fire outside an incident and its aftermath (`AFTERMATH`: windows still hold what went wrong) is a
false alarm, counted once however many label sets of it fire together: that is one message.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from helpers.monitor.testing.evaluation import Evaluated, Firing, evaluate
from helpers.monitor.testing.rules import Rules, read_rules
from helpers.testbed.replay import Incident, PlannedDay

AFTERMATH: Final = timedelta(hours=1)


class Alarm(NamedTuple):
    """An alert that begins to fire."""

    alert: str
    at: datetime


@dataclass(frozen=True)
class Judged:
    """What the rules made of one day.

    Attributes:
        day: its name.
        incident: what went wrong, None for a clean day.
        minutes: from the incident's beginning to the first alert that began to fire while it
            lasted; None where none did, and on a clean day.
        by: that alert.
        false_alarms: alerts that began to fire at any other time, the aftermath left out.
        unseen: selectors of the rules that matched no series on this day.
        hours: how long it is.
        anyway: whether nothing found the incident, and what fired while it lasted also fires on
            the same day without it.
    """

    day: str
    incident: Incident | None
    minutes: float | None
    by: str | None
    false_alarms: tuple[Alarm, ...]
    unseen: tuple[str, ...]
    hours: float = 24.0
    anyway: bool = False

    @property
    def detected(self) -> bool:
        """Whether an alert found the incident."""
        return self.minutes is not None


def judge(
    rules_text: str,
    days: Sequence[PlannedDay],
    *,
    database_of: Callable[[PlannedDay], Path],
    aftermath: timedelta = AFTERMATH,
) -> list[Judged]:
    """Judge the text of a rule file on days, in their order.

    Args:
        rules_text: YAML, as Prometheus reads it.
        days: see `helpers.testbed.replay.days`; `PlannedDay.hours` makes an excerpt of one.
        database_of: the database of a day: `helpers.service.testing.database_of` with
            `INSTRUMENTS`. It is not changed.
        aftermath: how long after an incident an alert that begins to fire is no false alarm.

    Raises:
        MissingProgram: there is no `prometheus` or no `promtool`.
        RulesError: the rules do not parse, have no alert or cannot be evaluated.
    """
    rules = read_rules(rules_text)
    return [judge_day(rules, day, database_of(day), aftermath=aftermath) for day in days]


def judge_day(
    rules: Rules, day: PlannedDay, database: Path, *, aftermath: timedelta = AFTERMATH
) -> Judged:
    """Judge rules on one day. Raises as `judge` does."""
    return judged(day, evaluate(rules, database, day.start, day.stop), aftermath)


def judged(
    day: PlannedDay,
    found: Evaluated,
    aftermath: timedelta = AFTERMATH,
    without: Evaluated | None = None,
) -> Judged:
    """What it means that this fired on a day, and `without` on the same day with no incident.

    What begins to fire on that one too, while the incident would last, does not detect it.
    """
    incident = day.incident
    by: Firing | None = None
    during: list[Firing] = []
    if incident:
        begins, ends = incident.begins.timestamp(), incident.ends.timestamp()
        during = [one for one in found.firings if begins <= one.begins <= ends]
        anyway = {
            (one.alert, one.labels)
            for one in (without.firings if without else ())
            if begins <= one.begins <= ends
        }
        by = next((one for one in during if (one.alert, one.labels) not in anyway), None)
        until = ends + aftermath.total_seconds()
        false = [at for at in _beginnings(found.firings) if not begins <= at[1] <= until]
    else:
        false = _beginnings(found.firings)
    return Judged(
        day=day.name,
        incident=incident,
        minutes=(by.begins - begins) / 60 if by else None,
        by=by.alert if by else None,
        false_alarms=tuple(Alarm(name, datetime.fromtimestamp(at, UTC)) for name, at in false),
        unseen=tuple(found.unseen),
        hours=(day.stop - day.start) / timedelta(hours=1),
        anyway=bool(during) and by is None,
    )


def _beginnings(firings: Iterable[Firing]) -> list[tuple[str, float]]:
    """When each alert begins to fire, its label sets taken together."""
    until: dict[str, float] = {}
    found = []
    for one in firings:
        if one.begins > until.get(one.alert, -1.0):
            found.append((one.alert, one.begins))
        until[one.alert] = max(one.ends, until.get(one.alert, -1.0))
    return found


@dataclass(frozen=True)
class Totals:
    """What the rules made of all days.

    Attributes:
        incidents: days with one.
        detected: of these, those on which it was found.
        median_minutes: until detection, of those that were found; None where none was.
        clean_days: days without an incident; excerpts count for their part of a day.
        false_alarms: on these days.
    """

    incidents: int
    detected: int
    median_minutes: float | None
    clean_days: float
    false_alarms: int

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> "Totals":
        """Count."""
        judged = list(judged)
        clean = [one for one in judged if one.incident is None]
        minutes = [one.minutes for one in judged if one.minutes is not None]
        return cls(
            incidents=len(judged) - len(clean),
            detected=len(minutes),
            median_minutes=median(minutes) if minutes else None,
            clean_days=sum(one.hours for one in clean) / 24,
            false_alarms=sum(len(one.false_alarms) for one in clean),
        )

    @property
    def a_day(self) -> float | None:
        """False alarms a clean day; None without a clean day."""
        return self.false_alarms / self.clean_days if self.clean_days else None


def never_seen(judged: Sequence[Judged]) -> list[str]:
    """Selectors that matched no series on any day: an alert on what is spelt wrong never fires."""
    first = judged[0].unseen if judged else ()
    return [each for each in first if all(each in one.unseen for one in judged)]
