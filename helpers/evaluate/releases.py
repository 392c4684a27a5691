"""Records of releases: how each golden question was answered by a version that was shipped.

`.course/releases/<name>.json`. The next version is compared with the last release question by
question, because two averages hide which answers were lost. The record also holds the figures that
were measured of the release, so that `course ship-check` can show them beside those of today.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.evaluate.evidence import Figure, refuse_fast_mode, save_json
from helpers.evaluate.version import AGENT, Version, current_version
from helpers.paths import course_dir

if TYPE_CHECKING:  # a record is read without the rooms that it is about
    from helpers.evaluate.compare import Verdicts
    from helpers.shop import Question


Figures = Mapping[str, Mapping[str, Figure]]
"""Figures by the checklist's item and their own name."""


class ReleaseError(ValueError):
    """A release cannot be recorded or read; the message says why."""


@dataclass(frozen=True)
class Release:
    """One release: its version, and question by question whether its answer was right.

    `questions` is a digest of the questions that were asked; verdicts on others cannot be
    compared. A verdict is None after an error or a timeout. `figures` are those that had been
    measured of the release when it was recorded.
    """

    name: str
    version: Version
    recorded: datetime
    questions: str
    verdicts: "Verdicts"
    figures: Figures = field(default_factory=dict)


def digest_of_questions(questions: "Sequence[Question]") -> str:
    """A digest of the questions with everything that they are scored by."""
    text = json.dumps([asdict(question) for question in questions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def folder(home: Path | None = None) -> Path:
    """Where the records are: `.course/releases`, or the releases of another home."""
    return (home or course_dir()) / "releases"


def check_name(name: str) -> None:
    """Raise `ReleaseError` for a name that cannot be a file's, or is taken already."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        raise ReleaseError(
            f"{name!r} cannot name a release: use letters, digits, dots and dashes, such as v1.2."
        )
    if (folder() / f"{name}.json").exists():
        raise ReleaseError(f"There is a release {name} already: choose another name.")


def record(
    name: str,
    questions: "Sequence[Question]",
    verdicts: "Verdicts",
    *,
    command: str,
    version: Version | None = None,
    now: datetime | None = None,
    figures: Figures | None = None,
) -> Path:
    """Record a release. Raises `ReleaseError` for a bad name and `FastMode` in fast mode.

    Raises ValueError when the verdicts are not those of the questions.
    """
    refuse_fast_mode(command)
    check_name(name)
    if {question.id for question in questions} != verdicts.keys():
        raise ValueError("The verdicts are not those of the questions.")
    content = {
        "name": name,
        "recorded": (now or datetime.now(UTC)).astimezone(UTC).isoformat(),
        "questions": digest_of_questions(questions),
        "verdicts": dict(verdicts),
        "version": {"parts": dict((version or current_version()).parts)},
        "figures": {
            item: {figure: asdict(value) for figure, value in found.items()}
            for item, found in (figures or {}).items()
        },
    }
    return save_json(folder() / f"{name}.json", content)


def releases(home: Path | None = None) -> list[Release]:
    """All recorded releases, the oldest first. Raises `ReleaseError` for a file it cannot read."""
    found = [_read(path) for path in folder(home).glob("*.json")]
    return sorted(found, key=lambda release: release.recorded)


def last_release(version: Version, home: Path | None = None) -> Release | None:
    """The latest release of another agent than this version's, None where there is none.

    An agent is never compared with itself, so recording it as a release before it is checked, or
    changing only what is around it, hides no regression.
    """
    agent = version.only(AGENT)
    others = [each for each in releases(home) if each.version.only(AGENT) != agent]
    return others[-1] if others else None


def _read(path: Path) -> Release:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return Release(
            name=str(found["name"]),
            version=Version(dict(found["version"]["parts"])),
            recorded=datetime.fromisoformat(found["recorded"]),
            questions=str(found["questions"]),
            verdicts={str(name): verdict for name, verdict in found["verdicts"].items()},
            figures={
                str(item): {name: Figure.of(Figure(**value)) for name, value in each.items()}
                for item, each in found.get("figures", {}).items()  # earlier records have none
            },
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise ReleaseError(f"{path.name} cannot be read ({problem!r}): remove it.") from problem
