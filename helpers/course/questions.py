"""The quiz files: `quizzes/NN.yaml`, one for each module.

A file is a list of questions:

    - id: what-a-thread-is            # stays the same for good: progress is recorded under it
      question: What happens when ...?
      choices:
        - text: A wrong choice.
          why: Why it is wrong, and what would be true.
        - text: The right choice.
          right: true                 # exactly one choice of a question
          why: Why it is right.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("quizzes")

# The same loader in C, where PyYAML was built with it: a tenth of the time for thirteen quizzes.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class QuizError(ValueError):
    """A quiz is missing or breaks the format; the message says where and what to change."""


@dataclass(frozen=True)
class Choice:
    """One answer to choose, and why it is right or wrong."""

    text: str
    why: str
    right: bool


@dataclass(frozen=True)
class QuizQuestion:
    """One question; exactly one of its choices is right."""

    id: str
    question: str
    choices: tuple[Choice, ...]


def modules(folder: Path = FOLDER) -> list[str]:
    """The modules that have a quiz: ["00", "01", ...]."""
    return sorted(file.stem for file in folder.glob("[0-9][0-9].yaml"))


def load(module: str, folder: Path = FOLDER) -> tuple[QuizQuestion, ...]:
    """The questions of one module's quiz.

    Raises:
        QuizError: there is no such quiz, or its file breaks the format.
    """
    file = folder / f"{module}.yaml"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = ", ".join(modules(folder)) or "none"
        raise QuizError(f"There is no quiz {module!r}; there are: {there}.") from None
    try:
        raw = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise QuizError(f"{file.name} is not YAML: {error}") from None
    if not isinstance(raw, list) or not raw:
        raise QuizError(f"{file.name} should be a list of questions, each beginning with '- id:'.")
    found = tuple(
        _question(one, f"{file.name}, question {number}") for number, one in enumerate(raw, start=1)
    )
    ids = [question.id for question in found]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise QuizError(f"{file.name} has two questions with the id {min(twice)!r}.")
    return found


def _question(raw: Any, where: str) -> QuizQuestion:
    fields = _fields(raw, where, {"id", "question", "choices"}, set())
    name = _text(fields["id"], f"{where}: id")
    where = f"{where} ({name})"
    if not _ID.fullmatch(name):
        raise QuizError(
            f"{where}: an id is lower-case words with hyphens, like 'what-a-thread-is'."
        )
    choices = fields["choices"]
    if not isinstance(choices, list) or len(choices) < 2:
        raise QuizError(f"{where}: choices should be a list of at least two.")
    made = tuple(
        _choice(one, f"{where}, choice {number}") for number, one in enumerate(choices, start=1)
    )
    if (right := sum(choice.right for choice in made)) != 1:
        raise QuizError(f"{where} has {right} right choices: mark exactly one with 'right: true'.")
    if len({choice.text for choice in made}) != len(made):
        raise QuizError(f"{where} has the same choice twice.")
    return QuizQuestion(name, _text(fields["question"], f"{where}: question"), made)


def _choice(raw: Any, where: str) -> Choice:
    fields = _fields(raw, where, {"text", "why"}, {"right"})
    right = fields.get("right", False)
    if not isinstance(right, bool):
        raise QuizError(f"{where}: right is true or false, not {right!r}.")
    return Choice(
        text=_text(fields["text"], f"{where}: text"),
        why=_text(fields["why"], f"{where}: why"),
        right=right,
    )


def _fields(raw: Any, where: str, needed: set[str], optional: set[str]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise QuizError(
            f"{where} should have the keys {', '.join(sorted(needed))}, not be {raw!r}."
        )
    keys = {str(key) for key in raw}
    if missing := needed - keys:
        raise QuizError(f"{where} has no {min(missing)!r}.")
    if strange := keys - needed - optional:
        raise QuizError(
            f"{where} has {min(strange)!r}, which means nothing here; the keys are "
            f"{', '.join(sorted(needed | optional))}."
        )
    return raw


def _text(value: Any, where: str) -> str:
    # YAML reads `text: yes` as a truth value and `text: 28` as a number; both would print oddly.
    if not isinstance(value, str) or not value.strip():
        raise QuizError(f"{where} should be text, not {value!r}; put it in quotation marks.")
    return value.strip()
