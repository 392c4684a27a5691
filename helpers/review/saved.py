"""Your reviewed answers: `.course/answers/Q1.json`, and dated copies of earlier ones."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.evaluate.evidence import save_json
from helpers.paths import course_dir
from helpers.review.answer import Answer
from helpers.review.judge import Finding
from helpers.review.questions import Question, questions


class SavedAnswerError(ValueError):
    """A saved answer cannot be read; the message says what to do."""


@dataclass(frozen=True)
class SavedAnswer:
    """An answer as it was reviewed last: its home (None for your own), when, what was found."""

    question: str
    text: str
    home: str | None
    written: datetime
    findings: tuple[Finding, ...]

    @property
    def answer(self) -> Answer:
        """The answer, to judge it again."""
        return Answer(self.text, self.home)


def folder() -> Path:
    """Where they are kept: `.course/answers`."""
    return course_dir() / "answers"


def save(
    question: Question,
    answer: Answer,
    findings: Sequence[Finding],
    now: datetime | None = None,
) -> Path:
    """Keep an answer with what was found; an earlier one with another text gets a dated copy."""
    file = folder() / f"{question.id}.json"
    try:
        before = load(question.id)
    except SavedAnswerError:
        before = None
        file.replace(file.with_suffix(".unreadable.json"))
    if before is not None and before.text != answer.text:
        stamp = f"{before.written.astimezone(UTC):%Y-%m-%dT%H-%M-%S}"
        save_json(folder() / f"{question.id}.{stamp}.json", _content(before))
    home = None if answer.home is None else str(answer.home)
    when = (now or datetime.now(UTC)).astimezone(UTC)
    saved = SavedAnswer(question.id, answer.text, home, when, tuple(findings))
    return save_json(file, _content(saved))


def load(question_id: str) -> SavedAnswer | None:
    """The answer to a question as it was reviewed last, None where there is none.

    Raises SavedAnswerError when its file cannot be read.
    """
    file = folder() / f"{question_id}.json"
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        return SavedAnswer(
            question=str(found["question"]),
            text=str(found["text"]),
            home=None if found["home"] is None else str(found["home"]),
            written=datetime.fromisoformat(found["written"]),
            findings=tuple(Finding(**one) for one in found["findings"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise SavedAnswerError(
            f"{file.name} cannot be read ({problem!r}): run the cell with review(...) again."
        ) from problem


def saved_answers() -> list[SavedAnswer]:
    """All saved answers, in the order of the questions. Raises SavedAnswerError."""
    return [found for one in questions() if (found := load(one.id)) is not None]


def _content(saved: SavedAnswer) -> dict[str, Any]:
    return {
        "question": saved.question,
        "text": saved.text,
        "home": saved.home,
        "written": saved.written.isoformat(timespec="seconds"),
        "findings": [asdict(finding) for finding in saved.findings],
    }
