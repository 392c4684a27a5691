"""Files of evidence: what was measured of which version, when, by which command.

`.course/evidence/<item>.json`, one for each item of the checklist. A room that measures something
writes it; `course ship-check` reads it. Where two rooms measure for one item, the second writes
`<item>.<part>.json`, and both are read as one. A file is no proof against a person who edits it.

A *home* is a folder like `.course`: where a function takes one, it works in that folder's
`evidence` instead of your own.
"""

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.evaluate.estimate import Estimate
from helpers.evaluate.proportion import Proportion
from helpers.evaluate.version import Version, current_version
from helpers.paths import course_dir


class FastMode(RuntimeError):  # noqa: N818 (named after what is the matter)
    """Evidence was to be written in fast mode, whose samples are too small to decide on."""


class EvidenceError(ValueError):
    """A file of evidence cannot be read; the message names it."""


@dataclass(frozen=True)
class Figure:
    """A measured figure.

    Attributes:
        value: a share from 0 to 1, seconds, dollars or a number, as its name says.
        count: how many observations it rests on.
        low: lower end of its interval, None where there is none or it is open.
        high: upper end of it.
        confidence: of the interval.
    """

    value: float
    count: int
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95

    @classmethod
    def of(cls, figure: "Figure | Proportion | Estimate") -> "Figure":
        """The figure of a proportion or an estimate.

        Raises ValueError for a value that is no finite number, and for a proportion of nothing.
        """
        if isinstance(figure, Proportion):
            if figure.rate is None or figure.interval is None:
                raise ValueError("A proportion without counts is no figure: leave it out.")
            found = cls(figure.rate, figure.total, *figure.interval, figure.confidence)
        elif isinstance(figure, Estimate):
            low = figure.low if math.isfinite(figure.low) else None
            high = figure.high if math.isfinite(figure.high) else None
            found = cls(figure.value, figure.count, low, high, figure.confidence)
        else:
            found = figure
        if not math.isfinite(found.value) or found.count < 0:
            raise ValueError(f"{found} is no figure.")
        return found


@dataclass(frozen=True)
class Evidence:
    """The content of one file: figures that a command measured, or what a person states.

    `by` names the person of a statement and is None for a measurement; a statement has no figures.
    """

    item: str
    version: Version
    command: str
    written: datetime
    figures: Mapping[str, Figure]
    statement: str | None = None
    by: str | None = None

    @property
    def stated(self) -> bool:
        """Whether a person states it, as opposed to a command having measured it."""
        return self.by is not None

    def as_json(self) -> dict[str, Any]:
        """The content of a file of evidence."""
        return {
            "item": self.item,
            "written": self.written.astimezone(UTC).isoformat(timespec="seconds"),
            "command": self.command,
            "statement": self.statement,
            "by": self.by,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "version": self.version.as_json(),
        }

    @classmethod
    def of_json(cls, found: Any) -> "Evidence":
        """What `as_json` gave. Raises ValueError, TypeError, KeyError or AttributeError."""
        statement, by = (
            None if found[key] is None else str(found[key]) for key in ("statement", "by")
        )
        return cls(
            item=str(found["item"]),
            version=Version({str(k): str(v) for k, v in found["version"]["parts"].items()}),
            command=str(found["command"]),
            written=datetime.fromisoformat(found["written"]),
            figures={
                str(name): Figure.of(Figure(**figure)) for name, figure in found["figures"].items()
            },
            statement=statement,
            by=by,
        )


def fast_mode() -> bool:
    """Whether `COURSE_FAST` is on: samples are small then, and no evidence is written."""
    return os.environ.get("COURSE_FAST", "").strip() not in {"", "0"}


def refuse_fast_mode(command: str) -> None:
    """Raise `FastMode` when `COURSE_FAST` is on, with the sentence that says what to do."""
    if fast_mode():
        raise FastMode(
            "Evidence is not written in fast mode, because its samples are too small to decide "
            f"on: unset COURSE_FAST and run `{command}` again."
        )


def folder(home: Path | None = None) -> Path:
    """Where the files are: `.course/evidence`, or the evidence of another home."""
    return (home or course_dir()) / "evidence"


def path(item: str, part: str | None = None, home: Path | None = None) -> Path:
    """The file of one item, or of a part of it."""
    return folder(home) / (f"{item}.{part}.json" if part else f"{item}.json")


def write(
    item: str,
    figures: Mapping[str, Figure | Proportion | Estimate],
    *,
    command: str,
    version: Version | None = None,
    now: datetime | None = None,
    part: str | None = None,
) -> Path:
    """Write what was measured, replacing the item's earlier evidence in one step.

    Args:
        item: the checklist's name of the item, such as "functional_quality".
        figures: by the names that the checklist's thresholds use.
        command: what a person types to measure it again.
        version: what was measured; take it before measuring. By default the agent as it is now.
        now: when, by default the present.
        part: a name of these figures, where another command measures the item's other ones.

    Raises:
        FastMode: `COURSE_FAST` is on.
        ValueError: there are no figures, or one is no finite number.
    """
    refuse_fast_mode(command)
    if not figures:
        raise ValueError(f"There are no figures for {item}: evidence needs at least one.")
    found = {name: Figure.of(figure) for name, figure in figures.items()}
    return _save(
        Evidence(item, version or current_version(), command, now or datetime.now(UTC), found), part
    )


def state(
    item: str,
    text: str,
    *,
    by: str,
    command: str,
    version: Version | None = None,
    now: datetime | None = None,
) -> Path:
    """Write what a person states of an item, with name and date.

    Raises `FastMode` as `write` does, and ValueError when the text or the name is empty.
    """
    refuse_fast_mode(command)
    if not text.strip() or not by.strip():
        raise ValueError("A statement needs its words and the name of the person who makes it.")
    return _save(
        Evidence(
            item,
            version or current_version(),
            command,
            now or datetime.now(UTC),
            {},
            statement=text.strip(),
            by=by.strip(),
        )
    )


def read(item: str, home: Path | None = None) -> Evidence | None:
    """The evidence of an item, None where there is none.

    Raises `EvidenceError` when a file cannot be understood or is of another item.
    """
    files = [path(item, home=home), *sorted(folder(home).glob(f"{item}.*.json"))]
    parts = [found for file in files if (found := _read(item, file)) is not None]
    return _joined(parts) if parts else None


def _read(item: str, file: Path) -> Evidence | None:
    try:
        evidence = Evidence.of_json(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise EvidenceError(f"{file.name} cannot be read ({problem!r}).") from problem
    if evidence.item != item or evidence.written.tzinfo is None:
        raise EvidenceError(f"{file.name} holds evidence of {evidence.item!r} or has no time zone.")
    return evidence


def _joined(parts: Sequence[Evidence]) -> Evidence:
    """Several commands' evidence of one item: as old as the oldest, and of one version or of none.

    Where they measured different versions of a part, its digest is that of no version.
    """
    first = parts[0]
    if len(parts) == 1 or first.stated:
        return first
    names = {name for each in parts for name in each.version.parts}
    digests = {name: {each.version.parts.get(name, "") for each in parts} for name in names}
    return Evidence(
        item=first.item,
        version=Version({name: " or ".join(sorted(found)) for name, found in digests.items()}),
        command=" and ".join(each.command for each in parts),
        written=min(each.written for each in parts),
        figures={name: figure for each in parts for name, figure in each.figures.items()},
    )


def _save(evidence: Evidence, part: str | None = None) -> Path:
    return save_json(path(evidence.item, part), evidence.as_json())


def save_json(file: Path, content: Mapping[str, Any]) -> Path:
    """Write the file whole or not at all: a reader never sees half of it."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return save_bytes(file, text.encode())


def save_bytes(file: Path, content: bytes) -> Path:
    """Write bytes as `save_json` does its text."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f"{file.stem}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return file
