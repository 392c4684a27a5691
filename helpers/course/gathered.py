"""Evidence that a learner has gathered, by module: files of `.course/evidence`, read as they are.

Commands write these files (`course eval`, `course attack` ...), and `keep` of lab 12 those that
begin with `own_`. They are shown here, and judged elsewhere: `course ship-check`.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.paths import course_dir

OWN = "own_"
MODULE_OF_ITEM = {
    "functional_quality": "02",
    "regression": "02",
    "latency": "02",
    "rollback": "02",
    "documentation": "02",
    "ownership": "02",
    "security": "03",
    "privacy": "04",
    "load": "05",
    "failure_modes": "05",
    "rollout": "07",
    "monitoring": "09",
    "cost": "10",
}
"""The module that has the command for an item of the release checklist."""

_NOTEBOOK = re.compile(r"\b(0\d|1[0-2])_[a-z]|\bmodule (\d\d)\b")


@dataclass(frozen=True)
class Figure:
    """One figure: its value in the unit that its name says, and how many observations it has."""

    name: str
    value: float
    count: int


@dataclass(frozen=True)
class Gathered:
    """One file of evidence.

    Attributes:
        name: the file's name without `.json`, such as "load" or "monitoring.alerts".
        module: the module that it belongs to; None where nothing says so.
        written: when; None for a file that cannot be read.
        command: what measured it.
        figures: what was measured; none where a person states it.
        statement: what a person states, with the name; empty for a measurement.
    """

    name: str
    module: str | None
    written: datetime | None
    command: str
    figures: tuple[Figure, ...]
    statement: str

    @property
    def readable(self) -> bool:
        """Whether the file could be read."""
        return self.written is not None


def names() -> dict[str, list[str]]:
    """Module -> the names of its files; "" has those of no module. No file is opened but `own_`."""
    found: dict[str, list[str]] = {}
    for file in _files():
        found.setdefault(_module(file) or "", []).append(file.stem)
    return found


def gathered() -> list[Gathered]:
    """All files, by name. One that is damaged is listed without figures."""
    return [_read(file) for file in _files()]


def _files() -> list[Path]:
    try:
        return sorted((course_dir() / "evidence").glob("*.json"))
    except OSError:
        return []


def _read(file: Path) -> Gathered:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        by = found.get("by")
        return Gathered(
            file.stem,
            _module(file),
            datetime.fromisoformat(found["written"]),
            str(found["command"]),
            tuple(_figure(name, one) for name, one in found["figures"].items()),
            f"{found['statement']} ({by})" if by else "",
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Gathered(file.stem, _module(file), None, "", (), "")


def _figure(name: str, found: Any) -> Figure:
    value = float(found["value"])
    if not math.isfinite(value):
        raise ValueError(name)
    return Figure(name, value, int(found["count"]))


def _module(file: Path) -> str | None:
    item = file.stem.partition(".")[0]
    if not item.startswith(OWN):
        return MODULE_OF_ITEM.get(item)
    # A figure of one's own says where it was measured in words of one's own: "05_serve..., cell 3".
    try:
        command = str(json.loads(file.read_text(encoding="utf-8"))["command"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    where = _NOTEBOOK.search(command)
    return (where[1] or where[2]) if where else None
