"""The days to replay: ordinary ones, and those that are unusual and still well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal, get_args

from helpers.shop.records import TODAY
from helpers.shop.traffic import COUNT, Request, day

Shape = Literal["ordinary", "weekend", "newsletter", "holiday"]
SHAPES: Final[tuple[Shape, ...]] = get_args(Shape)

MIDNIGHT: Final = datetime.combine(TODAY, time(), UTC)
"""When a day begins."""

_NEWSLETTER: Final = time(12, 30)
_WEEKEND_SHARE, _WEEKEND_LATER = 0.6, timedelta(minutes=75)
_HOLIDAY_SHARE: Final = 0.75


@dataclass(frozen=True)
class Excerpt:
    """The part of a day that is replayed, in hours: `Excerpt(9, 12)` is 9:00 to 12:00."""

    begin: float = 0.0
    end: float = 24.0

    def __post_init__(self) -> None:
        if not 0 <= self.begin < self.end <= 24:
            raise ValueError(
                f"There is nothing between {self.begin} and {self.end}: give hours of one day, "
                "the first smaller than the second, such as Excerpt(9, 12)."
            )

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return MIDNIGHT + timedelta(hours=self.begin)

    @property
    def stop(self) -> datetime:
        """Its last moment."""
        return MIDNIGHT + timedelta(hours=self.end)


def traffic(shape: Shape, *, seed: int, count: int = COUNT) -> list[Request]:
    """The requests of a day, in the order in which they are asked.

    Args:
        shape: "weekend" has fewer requests, and later; "newsletter" has a mailing at 12:30 that
            the ordinary day has not; "holiday" has three quarters more, all day.
        seed: another seed gives another day.
        count: requests of an ordinary day.

    Raises:
        ValueError: there is no such shape, or `count` is below 100.
    """
    if shape not in SHAPES:
        raise ValueError(f"There is no day {shape!r}: take one of {', '.join(SHAPES)}.")
    if count < 100:
        raise ValueError(f"A day to replay has at least 100 requests, not {count}.")
    # A visit that begins before midnight may go on after it: that belongs to the next day.
    made = [one for one in _MADE[shape](seed, count) if one.at < MIDNIGHT + timedelta(days=1)]
    ordered = sorted(made, key=lambda one: (one.at, one.session))
    return [replace(one, id=f"T-{n:05}") for n, one in enumerate(ordered, start=1)]


def _ordinary(seed: int, count: int) -> list[Request]:
    return day(count, seed=seed)


def _weekend(seed: int, count: int) -> list[Request]:
    fewer = day(round(count * _WEEKEND_SHARE), seed=seed)
    return [replace(one, at=one.at + _WEEKEND_LATER) for one in fewer]


def _newsletter(seed: int, count: int) -> list[Request]:
    """An ordinary day, and the evening's mailing of another one at noon."""
    sent = MIDNIGHT.replace(hour=18, minute=40)
    moved = datetime.combine(TODAY, _NEWSLETTER, UTC) - sent
    burst = [
        replace(one, at=one.at + moved, session=f"N{one.session}")
        for one in day(count, seed=seed + 500_000)
        if sent <= one.at < sent + timedelta(minutes=20)
    ]
    return [*day(count, seed=seed), *burst]


def _holiday(seed: int, count: int) -> list[Request]:
    more = day(max(50, round(count * _HOLIDAY_SHARE)), seed=seed + 500_000)
    ordinary = [replace(one, session=f"H{one.session}") for one in more if one.caller == "ordinary"]
    return [*day(count, seed=seed), *ordinary]


_MADE: Final[Mapping[Shape, Callable[[int, int], list[Request]]]] = {
    "ordinary": _ordinary,
    "weekend": _weekend,
    "newsletter": _newsletter,
    "holiday": _holiday,
}
