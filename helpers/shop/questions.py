"""The golden questions: what customers ask, and what a right answer holds.

One JSON object a line in `questions/<part>-<kind>.jsonl`. A line that breaks the format stops the
load and names the file, the line and the field, because a question that is silently skipped or
half read changes every score.

`dev` is to tune on, `lab` for the lab's checks, `heldout` to be looked at rarely. `heldout2` was
written before anything was run on it and stays as it is: it shows what tuning on the others hid.
"""

import reprlib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

Part = Literal["dev", "lab", "heldout", "heldout2"]
Kind = Literal["single_fact", "conditional", "unanswerable", "order", "action", "two_step"]

PARTS: Final[tuple[Part, ...]] = get_args(Part)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
TOOL_ARGUMENTS: Final[Mapping[str, frozenset[str]]] = {
    "search_documents": frozenset({"query"}),
    "lookup_order": frozenset({"order_id"}),
    "issue_refund": frozenset({"order_id", "amount"}),
    "hand_over": frozenset({"reason"}),
}
"""The tools that a question may expect, with the arguments that each takes."""

FOLDER: Final = Path(__file__).parent / "questions"

Text = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
_STRICT = ConfigDict(extra="forbid", strict=True)


class QuestionError(ValueError):
    """A question file breaks the format; the message names the file, the line and the field."""


@dataclass(frozen=True, config=_STRICT)
class ToolCall:
    """A tool call of a right trajectory; arguments that are not named may have any value."""

    name: Literal["search_documents", "lookup_order", "issue_refund", "hand_over"]
    args: dict[str, str | float] | None = None

    @model_validator(mode="after")
    def _arguments_exist(self) -> "ToolCall":
        unknown = (self.args or {}).keys() - TOOL_ARGUMENTS[self.name]
        if unknown:
            raise ValueError(f"{self.name} has no argument {', '.join(sorted(unknown))}")
        return self


@dataclass(frozen=True, config=_STRICT)
class Question:
    """One golden question.

    A right answer holds at least one alternative of every group in `required`, and nothing of
    `forbidden`. For the kind `unanswerable` nothing is required: right is to say that one does
    not know. `tools` are the calls of a right trajectory, in order. `customer` is who is logged
    in (None: nobody); `document` and `order` are where the answer comes from.
    """

    id: Annotated[str, Field(pattern=r"^(dev|lab|heldout2?)-[a-z_]+-\d{3}$")]
    kind: Kind
    question: Text
    customer: Annotated[str, Field(pattern=r"^C-\d{4}$")] | None
    document: Text | None
    order: Annotated[str, Field(pattern=r"^FH-\d{5}$")] | None
    required: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...]
    forbidden: tuple[Text, ...]
    tools: Annotated[tuple[ToolCall, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fields_agree(self) -> "Question":
        if self.order is not None and self.customer is None:
            raise ValueError("a question about an order needs the customer who asks it")
        if self.kind == "unanswerable" and (self.required or self.document is not None):
            raise ValueError("an unanswerable question has no document and nothing required")
        if self.kind != "unanswerable" and not self.required:
            raise ValueError("'required' is empty: say what a right answer must hold")
        return self


def questions(part: Part) -> list[Question]:
    """All golden questions of one part, kind by kind, in the order of their files.

    Raises `QuestionError` for a broken file, and `ValueError` for a part that does not exist.
    """
    if part not in PARTS:
        raise ValueError(f"There is no part {part!r} of the questions; choose one of {PARTS}.")
    return list(_load_part(part))


@cache
def _load_part(part: Part) -> tuple[Question, ...]:
    return tuple(q for kind in KINDS for q in load_file(FOLDER / f"{part}-{kind}.jsonl"))


def load_file(path: Path) -> list[Question]:
    """The questions of one file, whose name says part and kind (`dev-order.jsonl`).

    Raises `QuestionError` when the file is missing or breaks the format.
    """
    part, _, kind = path.stem.partition("-")
    if part not in PARTS or kind not in KINDS:
        raise QuestionError(
            f"{path.name}: name the file <part>-<kind>.jsonl, with a part of {PARTS} "
            f"and a kind of {KINDS}."
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise QuestionError(f"{path} is missing: restore it from the repository.") from None
    found = [_parse(line, f"{path.name}, line {n}") for n, line in enumerate(lines, start=1)]
    for number, question in enumerate(found, start=1):
        if not question.id.startswith(f"{part}-{kind}-") or question.kind != kind:
            raise QuestionError(
                f"{path.name}, line {number}: id {question.id!r} and kind {question.kind!r} do "
                f"not belong in this file; it holds {part}-{kind}-NNN."
            )
    repeated = [name for name, times in Counter(q.id for q in found).items() if times > 1]
    if repeated:
        raise QuestionError(f"{path.name}: used twice as an id: {', '.join(repeated)}.")
    return found


_QUESTION: Final = TypeAdapter(Question)


def _parse(line: str, where: str) -> Question:
    try:
        return _QUESTION.validate_json(line)
    except ValidationError as error:
        problems = "; ".join(_problem(e["loc"], e["msg"], e.get("input")) for e in error.errors())
        raise QuestionError(f"{where}: {problems}.") from None


def _problem(location: tuple[int | str, ...], message: str, value: Any) -> str:
    place = ".".join(str(part) for part in location)
    return f"{place}: {message} (it is {reprlib.repr(value)})" if place else message
