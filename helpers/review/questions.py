"""The review questions, from `questions.yaml`: what each asks and what a full answer contains."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from helpers.course.checked import MODULE_OF_REVIEWS


class UnknownQuestionError(LookupError):
    """There is no question of this id; the message says which there are."""


@dataclass(frozen=True)
class Part:
    """A part of a full answer: the fewest words of one's own, and the fewest cited figures."""

    name: str
    what: str
    words: int = 0
    figures: int = 0


@dataclass(frozen=True)
class Names:
    """What has to be dealt with by name: label -> the words that count as it."""

    what: str
    fewest: int
    of: Mapping[str, tuple[str, ...]]
    part: str | None = None


@dataclass(frozen=True)
class RubricLine:
    """A line that a reader answers with yes or no; its level is know, apply or judge."""

    line: str
    level: str


@dataclass(frozen=True)
class Question:
    """A review question. `items` is the fewest files of evidence over the whole answer."""

    id: str
    title: str
    question: str
    minutes: int
    parts: tuple[Part, ...]
    items: int
    rubric: tuple[RubricLine, ...]
    names: Names | None = None
    level: str = ""
    where: tuple[str, ...] = ()

    @property
    def exercise(self) -> str:
        """The number of its exercise: "12.1" for "Q1"."""
        return f"{MODULE_OF_REVIEWS}.{self.id[1:]}"

    def template(self) -> str:
        """An empty answer to copy: a heading for each part, and what belongs there as a comment."""
        return "\n\n".join(f"## {part.name}\n\n<!-- {part.what} -->" for part in self.parts)


def questions() -> tuple[Question, ...]:
    """All questions, in order."""
    return _load(Path(__file__).with_name("questions.yaml"))


def question(question_id: str) -> Question:
    """The question of this id, in any case. Raises UnknownQuestionError."""
    for one in questions():
        if one.id.lower() == str(question_id).strip().lower():
            return one
    there = ", ".join(one.id for one in questions())
    raise UnknownQuestionError(
        f"There is no review question {question_id!r}: choose one of {there}."
    )


@cache
def _load(file: Path) -> tuple[Question, ...]:
    import yaml

    return tuple(_question(entry) for entry in yaml.safe_load(file.read_text("utf-8")))


def _question(entry: dict[str, Any]) -> Question:
    names = entry.get("names")
    return Question(
        id=entry["id"],
        title=entry["title"],
        question=" ".join(entry["question"].split()),
        minutes=int(entry["minutes"]),
        parts=tuple(Part(**part) for part in entry["parts"]),
        items=int(entry.get("items", 0)),
        rubric=tuple(RubricLine(**line) for line in entry["rubric"]),
        names=names and Names(**{**names, "of": {k: tuple(v) for k, v in names["of"].items()}}),
        level=str(entry.get("level", "")),
        where=tuple(map(str, entry.get("where", ()))),
    )
