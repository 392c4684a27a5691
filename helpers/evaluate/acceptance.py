"""Accepted risks: a person ships although a threshold is missed, by name and until a date.

`HOME/acceptances/<item>.json`, one for an item at most. An acceptance is about the misses that it
lists, in one version of the parts that the item depends on. It lapses by itself: after its date,
with another version, with a worse figure, or with another missed threshold. What was withdrawn or
replaced stays in `HOME/acceptances/withdrawn`, so that nobody can renew a risk unseen.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from helpers.evaluate.evidence import Figure, save_json
from helpers.evaluate.threshold import End, Sense, Threshold, shown
from helpers.evaluate.version import Version
from helpers.paths import course_dir

MOST_DAYS = 90
"""For how long a risk may be accepted at once, in days."""
FEWEST_WORDS = 5
"""How many words a reason has at least."""


class AcceptanceError(ValueError):
    """A risk cannot be accepted, or an acceptance cannot be read; the message says why."""


@dataclass(frozen=True)
class Miss:
    """A threshold, and the figure that misses it."""

    threshold: Threshold
    figure: Figure

    @property
    def value(self) -> float:
        """What is compared with the limit: the figure's value, or an end of its interval."""
        found = self.threshold.of(self.figure)
        if found is None:
            raise ValueError(f"The figure {self.threshold.figure} has no such end.")
        return found

    def same_threshold(self, other: "Miss") -> bool:
        """Whether both miss the same limit in the same way."""
        mine, its = self.threshold, other.threshold
        return (mine.figure, mine.sense, mine.limit, mine.end) == (
            its.figure,
            its.sense,
            its.limit,
            its.end,
        )

    def __str__(self) -> str:
        return f"{shown(self.threshold.figure, self.figure)}, wanted {self.threshold.wanted}"


@dataclass(frozen=True)
class Acceptance:
    """One accepted risk.

    Attributes:
        item: of the checklist.
        digest: of the whole version that it was accepted for.
        parts: those parts of that version on which the item depends.
        written: when, with a time zone.
        by: the person's name.
        until: the last day on which it counts (UTC).
        reason: in words.
        missed: the thresholds that are missed, with the figures that are accepted.
    """

    item: str
    digest: str
    parts: Version
    written: datetime
    by: str
    until: date
    reason: str
    missed: tuple[Miss, ...]

    @property
    def day(self) -> date:
        """The day on which it was written (UTC)."""
        return self.written.astimezone(UTC).date()

    def days_left(self, now: datetime) -> int:
        """How many more days it counts after today: 0 on its last day, negative after it."""
        return (self.until - now.astimezone(UTC).date()).days

    def __str__(self) -> str:
        return f"accepted by {self.by} on {self.written:%Y-%m-%d} until {self.until}"


def check(by: str, reason: str, until: date, today: date) -> None:
    """Raise `AcceptanceError` unless name, reason and date are such as an acceptance needs."""
    if not any(c.isalpha() for c in by) or not by.isprintable():
        raise AcceptanceError("An accepted risk needs the name of the person who accepts it.")
    words = [word for word in reason.split() if any(c.isalnum() for c in word)]
    if len(words) < FEWEST_WORDS or not reason.isprintable():
        raise AcceptanceError(
            f"An accepted risk needs a reason of at least {FEWEST_WORDS} words on one line."
        )
    last = today + timedelta(days=MOST_DAYS)
    if not today < until <= last:
        raise AcceptanceError(
            f"A risk is accepted until a day after today ({today}) and at most {MOST_DAYS} days "
            f"ahead ({last}), not until {until}."
        )


def iso_date(text: str) -> date:
    """The date of "2026-12-24". Raises `AcceptanceError` for every other way to write one."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise AcceptanceError(f"{text!r} is no date: write it as year-month-day, 2026-12-24.")
    return found


def lapses(
    acceptance: Acceptance, missed: Sequence[Miss], parts: Version, now: datetime
) -> list[str]:
    """Why an acceptance no longer counts; an empty list where it does.

    Args:
        acceptance: as it was written.
        missed: the thresholds that the item misses now.
        parts: of the version that is about to be shipped, those that the item depends on.
        now: when, with a time zone.
    """
    return list(_lapses(acceptance, missed, parts, now))


def _lapses(
    acceptance: Acceptance, missed: Sequence[Miss], parts: Version, now: datetime
) -> Iterator[str]:
    if acceptance.days_left(now) < 0:
        yield f"it expired on {acceptance.until}"
    if acceptance.written > now + timedelta(minutes=5):
        yield f"it is dated in the future ({acceptance.written:%Y-%m-%d %H:%M} UTC)"
    if changed := parts.changed(acceptance.parts):
        yield f"it is of another version; since then changed: {', '.join(changed)}"
    for each in missed:
        before = next((one for one in acceptance.missed if one.same_threshold(each)), None)
        if before is None:
            yield f"another threshold is missed: {each}"
        elif each.threshold.worse(each.value, before.value):
            yield f"a figure got worse: {each}; accepted was {before.value:.4g}"


def folder(home: Path | None = None) -> Path:
    """Where the files are: `.course/acceptances`, or the acceptances of another home."""
    return (home or course_dir()) / "acceptances"


def path(item: str, home: Path | None = None) -> Path:
    """The file of one item's acceptance."""
    return folder(home) / f"{item}.json"


def save(acceptance: Acceptance, home: Path | None = None) -> Path:
    """Write an acceptance; one that it replaces is kept as `withdraw` keeps it."""
    if path(acceptance.item, home).exists():
        withdraw(acceptance.item, home, now=acceptance.written)
    return save_json(
        path(acceptance.item, home),
        {
            "item": acceptance.item,
            "written": acceptance.written.astimezone(UTC).isoformat(timespec="seconds"),
            "by": acceptance.by,
            "until": acceptance.until.isoformat(),
            "reason": acceptance.reason,
            "missed": [
                {"threshold": asdict(each.threshold), "figure": asdict(each.figure)}
                for each in acceptance.missed
            ],
            "version": {"digest": acceptance.digest, "parts": dict(acceptance.parts.parts)},
        },
    )


def withdraw(item: str, home: Path | None = None, *, now: datetime | None = None) -> Path:
    """Take an acceptance back, a file that cannot be read too; returns where it is kept, dated.

    Raises `AcceptanceError` where there is none.
    """
    file = path(item, home)
    if not file.exists():
        raise AcceptanceError(f"No risk is accepted for {item}: there is nothing to withdraw.")
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    kept = folder(home) / "withdrawn" / f"{item}.{moment:%Y%m%dT%H%M%S%f}Z.json"
    number = 1
    while kept.exists():  # the clock of a packed home stands still
        number += 1
        kept = kept.with_name(f"{item}.{moment:%Y%m%dT%H%M%S%f}Z.{number}.json")
    kept.parent.mkdir(parents=True, exist_ok=True)
    return file.replace(kept)


def read(item: str, home: Path | None = None) -> Acceptance | None:
    """The acceptance of an item, None where there is none.

    Raises `AcceptanceError` when the file cannot be understood, or breaks a rule of `check`.
    """
    file = path(item, home)
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        acceptance = Acceptance(
            item=str(found["item"]),
            digest=str(found["version"]["digest"]),
            parts=Version({str(k): str(v) for k, v in found["version"]["parts"].items()}),
            written=datetime.fromisoformat(found["written"]),
            by=str(found["by"]),
            until=iso_date(found["until"]),
            reason=str(found["reason"]),
            missed=tuple(_miss(each) for each in found["missed"]),
        )
        if acceptance.item != item or not acceptance.missed or not acceptance.parts.parts:
            raise ValueError("another item, no version or no missed threshold")
        if acceptance.written.tzinfo is None:
            raise ValueError("no time zone")
        check(acceptance.by, acceptance.reason, acceptance.until, acceptance.day)
    except FileNotFoundError:
        return None
    except AcceptanceError as problem:
        raise AcceptanceError(f"The acceptance {file.name} is not valid. {problem}") from problem
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise AcceptanceError(
            f"The acceptance {file.name} cannot be read ({problem!r}): withdraw it."
        ) from problem
    return acceptance


def _miss(found: Any) -> Miss:
    threshold = Threshold(**found["threshold"])
    if threshold.sense not in get_args(Sense) or threshold.end not in get_args(End):
        raise ValueError(f"no such threshold: {threshold}")
    miss = Miss(threshold, Figure.of(Figure(**found["figure"])))
    if threshold.met(miss.figure) or threshold.of(miss.figure) is None:
        raise ValueError(f"not missed: {miss}")
    return miss
