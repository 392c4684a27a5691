"""Answers that the local model wrote, labelled by a written rule: what detectors are measured on.

`data/answers.json` says in its head how the answers were made, by which rule they were labelled
and how; `write_answers` makes the file.
"""

import json
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, Literal, get_args

from helpers.shop import questions

FILE: Final = Path(__file__).parent / "data" / "answers.json"

Label = Literal["yes", "no", "none"]
"""Grounded, not grounded, or without any claim that could be either."""
Part = Literal["tune", "test"]
LABELS: Final[tuple[Label, ...]] = get_args(Label)


class AnswersError(ValueError):
    """The file of answers is missing or breaks its format; the message names the answer."""


@dataclass(frozen=True)
class Answer:
    """One answer with what its model was given to read.

    Attributes:
        id: "a001" and so on, in an order that says nothing about how the answer was made.
        question_id: the golden question of the dev or lab part that was asked.
        question: its words, from the golden questions.
        prompt: which of the prompts in `write_answers` the model was given.
        passage: where the text came from: "found", the best document of the search; "missing",
            that document without its best sentence; "next", the second-best document.
        source: the text.
        answer: what the model wrote.
        lengths: characters of each token of the answer.
        logprobs: natural logarithm of each token's probability, at temperature 1.
        part: "tune" to choose thresholds on, "test" to judge them on. All answers to one question
            are in the same part.
        first: the label of the first pass.
        second: the label of the second pass.
        label: the label that holds.
        note: why, where the two passes differ.
    """

    id: str
    question_id: str
    question: str
    prompt: str
    passage: str
    source: str
    answer: str
    lengths: tuple[int, ...]
    logprobs: tuple[float, ...]
    part: Part
    first: Label
    second: Label
    label: Label
    note: str = ""

    @property
    def grounded(self) -> bool:
        """Whether the label that holds is "yes"."""
        return self.label == "yes"

    @property
    def tokens(self) -> list[str]:
        """The tokens of the answer, one for each of `logprobs`."""
        ends = list(accumulate(self.lengths))
        return [self.answer[end - n : end] for n, end in zip(self.lengths, ends, strict=True)]


def all_answers(file: Path = FILE) -> list[Answer]:
    """All answers, those without a claim too. Raises `AnswersError` for a file it cannot read."""
    return list(_load(file))


def labelled_answers(part: Part | None = None) -> list[Answer]:
    """The answers that claim something, of one part or of both. Raises as `all_answers` does."""
    return [a for a in _load(FILE) if a.label != "none" and part in (None, a.part)]


@cache
def _load(file: Path) -> tuple[Answer, ...]:
    try:
        rows = list(json.loads(file.read_text(encoding="utf-8"))["answers"])
    except FileNotFoundError:
        raise AnswersError(f"{file} is missing: restore it from the repository.") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise AnswersError(f"{file.name} has no list of answers ({problem}): restore it.") from None
    found = tuple(_parse(row, f"{file.name}, answer {at}") for at, row in enumerate(rows, start=1))
    if len({answer.id for answer in found}) < len(found):
        raise AnswersError(f"{file.name}: an id occurs twice.")
    return found


def _parse(row: dict[str, Any], where: str) -> Answer:
    try:
        found = Answer(**{
            **row,
            "question": _questions()[row["question_id"]],
            "lengths": tuple(map(int, row["lengths"])),
            "logprobs": tuple(map(float, row["logprobs"])),
        })  # fmt: skip
    except (KeyError, TypeError, ValueError) as problem:
        raise AnswersError(f"{where}: a field is missing, unknown or wrong ({problem}).") from None
    if not {found.first, found.second, found.label} <= set(LABELS):
        raise AnswersError(f"{where}: a label is none of {', '.join(LABELS)}.")
    if found.part not in get_args(Part):
        raise AnswersError(f"{where}: the part is none of {', '.join(get_args(Part))}.")
    if not found.lengths or len(found.lengths) != len(found.logprobs):
        raise AnswersError(f"{where}: each token needs one log-probability.")
    if sum(found.lengths) != len(found.answer):
        raise AnswersError(f"{where}: the tokens are not as long as the answer.")
    return found


@cache
def _questions() -> dict[str, str]:
    parts = (*questions("dev"), *questions("lab"))
    return {question.id: question.question for question in parts}
