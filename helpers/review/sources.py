"""The evidence that an answer cites: what is there, what is missing, and what is not current."""

import difflib
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from helpers.evaluate import evidence
from helpers.evaluate.checklist import gaps, item
from helpers.evaluate.evidence import Evidence, EvidenceError, Figure
from helpers.evaluate.packed import version_and_time
from helpers.evaluate.version import Version
from helpers.paths import course_dir

STATEMENT = "statement"
"""How the evidence of a statement is cited, which has no figures: `[rollback: statement]`."""


@dataclass
class Sources:
    """A home's evidence, each file read once.

    Attributes:
        home: a folder like `.course`; None for your own.
        version: of which agent it is to be evidence.
        now: when that is judged.
    """

    home: Path | None
    version: Version
    now: datetime
    _read: dict[str, Evidence | EvidenceError | None] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Path | None) -> "Sources":
        """A home's evidence; a packed home brings its own version and date.

        Raises PackError when the home's `release.json` cannot be read.
        """
        return cls(home, *version_and_time(home))

    def evidence(self, name: str) -> Evidence | None:
        """The evidence of an item, None where there is none that can be read.

        A file that another command wrote for an item ("monitoring.alerts") is read with the item.
        """
        found = self._found(name)
        return found if isinstance(found, Evidence) else None

    def figure(self, name: str, figure: str) -> Figure | None:
        """A figure by its name, in any case; None where it is not there."""
        found = self.evidence(name)
        named = figure_of(found, figure) if found else None
        return named[1] if named else None

    def there(self, name: str, figure: str) -> bool:
        """Whether a citation leads to something: a figure, or a person's statement."""
        found = self.evidence(name)
        if found is not None and found.stated:
            return plain(figure) == STATEMENT
        return self.figure(name, figure) is not None

    def missing(self, name: str, figure: str) -> str:
        """Why a citation leads to nothing and what to do, as a sentence; "" where it leads."""
        found = self._found(name)
        if isinstance(found, EvidenceError):
            return f"{_why(found)} Write it again: {_command(name)}."
        if found is None:
            return f"There is no evidence {name!r}{self._where}{self._instead(name)}."
        if self.there(name, figure):
            return ""
        if found.stated:
            return f"{name} is a person's statement without figures: cite [{name}: {STATEMENT}]."
        if ";" in figure:
            each = figure.split(";")
            brackets = [
                f"[{one.strip() if ':' in one else f'{name}: {one.strip()}'}]" for one in each
            ]
            return f"One figure a bracket: write {' and '.join(brackets)}, each after its number."
        near = difflib.get_close_matches(plain(figure), list(found.figures), n=3, cutoff=0.5)
        there = "; ".join([*near, *(one for one in found.figures if one not in near)])
        return f"The evidence {name!r} has no figure {figure!r}; it has: {there}."

    def _instead(self, name: str) -> str:
        """What to do where there is no such evidence."""
        if command := _command_of_item(name):
            return f"; to write it, run: {command}"
        folder = evidence.folder(self.home)
        there = sorted({base(file.name) for file in folder.glob("*.json")})
        near = difflib.get_close_matches(name, there, n=1)
        first = [*near, *(one for one in there if one not in near)]
        return f"; there is: {', '.join(first)}" if first else ", and no other either"

    def outdated(self, name: str) -> str:
        """Why evidence is not current, as a sentence; "" where it is, or where there is none."""
        found = self.evidence(name)
        if found is None:
            return ""
        reasons = gaps(base(name), found, self.version, now=self.now)
        if not reasons:
            return ""
        return f"{name} is not current: {'; '.join(reasons)}. Write it again: {_command(name)}."

    @property
    def _where(self) -> str:
        home = self.home or course_dir()
        return f" in {home.name}/evidence"

    def _found(self, name: str) -> Evidence | EvidenceError | None:
        of = base(name)
        if of not in self._read:
            try:
                self._read[of] = evidence.read(of, self.home)
            except EvidenceError as error:
                self._read[of] = error
        return self._read[of]


def figure_of(found: Evidence, name: str) -> tuple[str, Figure] | None:
    """A figure of evidence with its name there, by the name as it is cited; None without one."""
    return next((pair for pair in found.figures.items() if plain(pair[0]) == plain(name)), None)


def base(name: str) -> str:
    """The item whose evidence a cited file belongs to: "monitoring" for "monitoring.alerts"."""
    return name.partition(".")[0]


def plain(name: str) -> str:
    """A figure's name as citations are compared: in lower case, with single spaces."""
    return " ".join(name.lower().split())


def _why(error: EvidenceError) -> str:
    """Why a file of evidence cannot be read, without Python's words for it."""
    if isinstance(error.__cause__, json.JSONDecodeError | UnicodeDecodeError | OSError | None):
        return str(error)
    keys = "item, written, command, statement, by, figures, version"
    return (
        f"{str(error).partition(' ')[0]} is no file of evidence, which has the keys {keys}, and a "
        "value and a count for each figure."
    )


def _command(name: str) -> str:
    """What writes the evidence of this name."""
    return _command_of_item(name) or "course ship-check"


def _command_of_item(name: str) -> str:
    try:
        return item(base(name)).command
    except KeyError:
        return "the cell with keep(...)" if name.startswith("own_") else ""
