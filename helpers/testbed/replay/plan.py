"""The days that rules are tried on: those to write them with, and those to judge them by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from helpers.shop.traffic import COUNT, Request
from helpers.testbed.replay.days import Excerpt, Shape, traffic
from helpers.testbed.replay.incidents import INCIDENTS, Incident, Part

_WHOLE: Final = Excerpt()


@dataclass(frozen=True)
class PlannedDay:
    """A day to replay, or some hours of one.

    `replay(day.requests(), incident=day.incident, seed=day.seed, excerpt=day.excerpt)` does it.
    `incident` is None for a clean day, on which every alarm is a false one; `count` are the
    requests of an ordinary day. It lasts from `start` to `stop`.
    """

    name: str
    shape: Shape
    seed: int
    incident: Incident | None = None
    count: int = COUNT
    excerpt: Excerpt = _WHOLE

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return self.excerpt.start

    @property
    def stop(self) -> datetime:
        """Its last moment."""
        return self.excerpt.stop

    def hours(self, *, before: float = 1.5, after: float = 2.0, noon: float = 12.0) -> "PlannedDay":
        """The hours around the beginning of its incident, or around `noon` on a clean day.

        Counters begin at 0 in an excerpt, and windows that reach back beyond its start see less.
        """
        middle = self.incident.at if self.incident else noon
        return replace(self, excerpt=Excerpt(max(0.0, middle - before), min(24.0, middle + after)))

    def requests(self) -> list[Request]:
        """Its traffic, without what the incident adds."""
        return traffic(self.shape, seed=self.seed, count=self.count)


_CLEAN: Final[Mapping[Part, tuple[Shape, ...]]] = {
    "visible": (*("ordinary",) * 5, "weekend", "weekend", "newsletter", "newsletter", "holiday"),
    "heldout": (
        *("ordinary",) * 10,
        *("weekend",) * 4,
        *("newsletter",) * 3,
        *("holiday",) * 3,
    ),
}
_FIRST_SEED: Final[Mapping[Part, int]] = {"visible": 20_270_100, "heldout": 20_280_100}


def days(part: Part) -> list[PlannedDay]:
    """The days of a part: one for each kind of incident, then the clean ones.

    No two days have a seed in common, also across the parts. There are 11 days with an incident and
    10 clean ones to see, 11 and 20 held out.

    Raises:
        ValueError: there is no such part.
    """
    if part not in INCIDENTS:
        raise ValueError(f"There is no part {part!r}: take one of {', '.join(INCIDENTS)}.")
    first = _FIRST_SEED[part]
    found = [
        PlannedDay(incident.kind, "ordinary", first + number, incident)
        for number, incident in enumerate(INCIDENTS[part])
    ]
    for number, shape in enumerate(_CLEAN[part]):
        found.append(PlannedDay(f"clean: {shape}", shape, first + 50 + number))
    return found
