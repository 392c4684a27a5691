"""What happens in a drill: when the shift begins, what goes wrong, and what only looks so.

Everything follows from a seed. Every shift has changes that do no harm (releases, edits), so that a
change alone proves nothing.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Final, Literal, get_args

from helpers.shop.traffic import Request
from helpers.testbed.replay import MIDNIGHT, Excerpt, Incident, traffic

Kind = Literal["model down", "bad release", "cost spike", "poisoned document"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
QUIET: Final = "none"
"""The kind of a shift in which nothing goes wrong."""

LONGEST: Final = 10.0
"""Hours of a shift, at most: it must end on its day."""
_DOCUMENTS: Final = ("returns", "refunds", "delivery", "payment", "repair-service")
"""Those that a canary question asks for every 17 minutes: what is wrong in them always shows."""
_EDITED: Final = ("warranty", "gift-cards", "price-match", "trail-club", "privacy")
_ALL: Final = 99
"""Sentences of a document: every one."""
_QUIET_MINUTES: Final = (20, 45)
"""Before something goes wrong: the shift begins on a day like any other."""


@dataclass(frozen=True)
class Change:
    """What the team has changed: a release, or an edit of a document.

    Attributes:
        minute: of the shift; below 0 for one from before it.
        what: "release" or "edit".
        about: the release's name, or the document.
    """

    minute: float
    what: Literal["release", "edit"]
    about: str


@dataclass(frozen=True)
class Plan:
    """A shift.

    Attributes:
        seed: of all that is left to chance.
        hour: when it begins.
        minutes: how long it lasts; minutes are always the shop's.
        kind: what goes wrong, "none" for nothing.
        incident: the same for the testbed.
        changes: what the team changes meanwhile.
        busy: the minute in which a mailing sends many customers at once, None for none.
    """

    seed: int
    hour: float
    minutes: float
    kind: str
    incident: Incident | None
    changes: tuple[Change, ...]
    busy: float | None = None

    @property
    def excerpt(self) -> Excerpt:
        """Its place in the day."""
        return Excerpt(self.hour, self.hour + self.minutes / 60)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return self.excerpt.start

    def clock(self, minute: float) -> str:
        """The shop's time of day in a minute of the shift, such as "14:05"."""
        at = self.start + timedelta(minutes=minute)
        return f"{at:%H:%M}" + (" the day before" if at.date() < self.start.date() else "")

    @property
    def begins(self) -> float | None:
        """The minute in which it goes wrong, None where nothing does."""
        return None if self.incident is None else (self.incident.at - self.hour) * 60

    @property
    def about(self) -> str:
        """The customer or document that it is about, where there is one."""
        return self.incident.about if self.incident else ""

    @property
    def truth(self) -> str:
        """What happened, in a sentence."""
        if self.kind == "poisoned document":
            return (
                f"An intruder edited the document {self.about}: it sends customers to a stranger."
            )
        if self.incident is not None:
            return self.incident.truth
        return "Nothing was wrong: after a mailing many customers asked at once."

    def requests(self) -> list[Request]:
        """What customers ask in the shift, with what the incident or the mailing adds."""
        # Without the day's own costly callers: each would be an incident of its own.
        day = traffic("ordinary", seed=self.seed)
        asked = [one for one in day if one.caller == "ordinary"]
        if self.busy is not None:
            asked = [*asked, *_burst(self.seed, MIDNIGHT + timedelta(hours=self.hour), self.busy)]
        if self.incident is not None:
            asked = self.incident.traffic(asked)
        inside = [one for one in asked if self.excerpt.start <= one.at < self.excerpt.stop]
        return sorted(inside, key=lambda one: (one.at, one.session))


def draw(seed: int, kind: str | None = None, *, minutes: float = 240.0) -> Plan:
    """Draw a shift; without `kind` it also draws which of the four incidents happens.

    Args:
        seed: another seed gives another shift.
        kind: one of `KINDS`, or "none".
        minutes: of the shift.

    Raises:
        ValueError: there is no such kind, or the shift is shorter than 90 minutes or too long.
    """
    random = Random(seed)
    drawn = random.choice(KINDS)
    kind = drawn if kind is None else kind
    if kind not in (*KINDS, QUIET):
        raise ValueError(f"There is no incident {kind!r}: take one of {', '.join(KINDS)}, none.")
    if not 90 <= minutes <= LONGEST * 60:
        raise ValueError(f"A shift has 90 to {LONGEST * 60:g} minutes, not {minutes:g}.")
    hour = random.randrange(9 * 4, 1 + round(min(14.0, 24 - minutes / 60) * 4)) / 4
    begins = random.uniform(*_QUIET_MINUTES)
    at = hour + begins / 60
    hours = (minutes - begins) / 60
    size, document = random.uniform(0.75, 1.0), random.choice(_DOCUMENTS)
    customer = random.choice(_customers(seed))
    incident = {
        "model down": Incident("dead model", at, hours, round(size, 2)),
        "bad release": Incident("bad release", at, hours, 1.0, document),
        "cost spike": Incident("looping client", at, hours, random.randrange(6, 9), customer),
        "poisoned document": Incident("poisoned document", at, hours, _ALL, document),
        QUIET: None,
    }[kind]
    changes = [
        Change(-random.uniform(60, 600), "release", f"r{random.randrange(200, 240)}"),
        Change(random.uniform(3, 15), "edit", random.choice(_EDITED)),
    ]
    if kind == "bad release":
        changes.append(Change(begins, "release", f"r{random.randrange(240, 260)}"))
    else:
        # A harmless one shortly before, so that a release alone proves nothing.
        changes.append(Change(begins - 4, "release", f"r{random.randrange(240, 260)}"))
    if kind == "poisoned document":
        changes.append(Change(begins, "edit", document))
    # And one shortly after, so that the last edit is not the one to withdraw.
    changes.append(Change(begins + 0.5, "edit", random.choice(_EDITED)))
    ordered = tuple(sorted(changes, key=lambda one: one.minute))
    return Plan(seed, hour, minutes, kind, incident, ordered, begins if kind == QUIET else None)


@cache
def _customers(seed: int) -> list[str]:
    """Customers who ask something on the day, and are not its most frequent ones."""
    asked = Counter(one.customer for one in traffic("ordinary", seed=seed) if one.customer)
    return sorted(customer for customer, times in asked.items() if times <= 6)


def _burst(seed: int, start: datetime, minute: float) -> list[Request]:
    """Ninety more requests within 20 minutes, from as many visits."""
    moved = start + timedelta(minutes=minute)
    more = traffic("ordinary", seed=seed + 700_000)
    sent = [one for one in more if one.caller == "ordinary" and one.at.hour >= 9][:90]
    gap = timedelta(minutes=20) / len(sent)
    return [
        replace(one, at=moved + number * gap, session=f"M{one.session}")
        for number, one in enumerate(sent)
    ]
