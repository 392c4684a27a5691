"""Answers that were read and labelled by hand: what an automatic scorer is measured against."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

FILE: Final = Path(__file__).parent / "labels" / "answers.jsonl"
Origin = Literal["model", "written"]


class LabelError(ValueError):
    """The file of labels breaks its format; the message names the line."""


@dataclass(frozen=True)
class Labelled:
    """One labelled answer.

    Attributes:
        question_id: the golden question of the dev part that was asked.
        question: its words.
        source: what the model was given to read.
        answer: what was answered.
        grounded: everything that the answer claims stands in the source or in the question.
        right: the answer gives the customer the right fact and contradicts it nowhere.
        origin: "model" for an answer of the local model, "written" for one that was made up to
            be hard: the same fact in other words, or a small change that makes it false.
        note: why, where it is not plain.
    """

    question_id: str
    question: str
    source: str
    answer: str
    grounded: bool
    right: bool
    origin: Origin
    note: str = ""


def labelled_answers() -> list[Labelled]:
    """All labelled answers; `labels/README.md` gives the rules that they were labelled by.

    Raises `LabelError` when the file is missing or breaks its format.
    """
    return list(_load())


@cache
def _load() -> tuple[Labelled, ...]:
    try:
        lines = FILE.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise LabelError(f"{FILE} is missing: restore it from the repository.") from None
    return tuple(_parse(line, number) for number, line in enumerate(lines, start=1))


def _parse(line: str, number: int) -> Labelled:
    try:
        found = Labelled(**json.loads(line))
    except (ValueError, TypeError) as problem:
        raise LabelError(f"{FILE.name}, line {number}: {problem}") from None
    verdicts = (found.grounded, found.right)
    if not all(isinstance(v, bool) for v in verdicts) or found.origin not in get_args(Origin):
        raise LabelError(f"{FILE.name}, line {number}: a label is not true or false.")
    return found


def halves(answers: Iterable[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """Two halves: one to choose a threshold or a prompt on, one to measure it on.

    All answers to one question are in the same half (odd numbers in the first), so that nothing
    that was learned of a question is met again.
    """
    first: list[Labelled] = []
    second: list[Labelled] = []
    for answer in answers:
        (first if int(answer.question_id[-3:]) % 2 else second).append(answer)
    return first, second
