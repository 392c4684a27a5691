"""The questions that savings are measured with: intents in several wordings, and traps.

A cache earns its place by how often customers ask the same thing again, so questions come by
Zipf's law: the intent of rank r is asked in proportion to 1/r. This is how queries to web caches
are spread (Breslau and others, "Web caching and Zipf-like distributions", INFOCOM 1999, with
exponents of 0.64 to 0.83; 1.0 is the classic law, which favours a cache more).

`dev` is to tune on. `heldout` was written before any rule was tuned and is frozen by a test.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate, combinations
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic import dataclasses as checked

from helpers.agent.retrieval import split_sentences
from helpers.evaluate.scores import score_answer
from helpers.shop import Question, ToolCall
from helpers.shop.customers import below
from helpers.shop.library import document

T = TypeVar("T")

Part = Literal["dev", "heldout"]
Kind = Literal["single_fact", "conditional", "order", "two_step", "unanswerable"]

PARTS: Final[tuple[Part, ...]] = get_args(Part)
FOLDER: Final = Path(__file__).parent / "data"

_ID_OFFSET: Final = 500
"""Golden questions are numbered from 1; the numbers here begin above theirs."""
_EXPONENT: Final = 1.0

_Text = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]


class TrafficError(ValueError):
    """A file of this room breaks its format; the message names the file, the intent, the field."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Row(_Strict):
    """An intent as `data/<part>.yaml` has it."""

    id: Annotated[str, Field(pattern=r"^(dev|heldout)-\d{2}$")]
    kind: Kind
    wordings: Annotated[tuple[_Text, ...], Field(min_length=2)]
    required: tuple[Annotated[tuple[_Text, ...], Field(min_length=1)], ...]
    forbidden: tuple[_Text, ...] = ()
    document: _Text | None = None
    customer: _Text | None = None
    order: _Text | None = None

    @model_validator(mode="after")
    def _names_its_source(self) -> "_Row":
        document = self.kind in {"single_fact", "conditional", "two_step"}
        order = self.kind in {"order", "two_step"}
        if document is not (self.document is not None):
            raise ValueError(f"'document' {_wanted(document)} for the kind {self.kind}")
        if order is not (self.order is not None) or order is not (self.customer is not None):
            raise ValueError(f"'order' and 'customer' {_wanted(order)} for the kind {self.kind}")
        return self


def _wanted(needed: bool) -> str:
    return "must be given" if needed else "must be left out"


@dataclass(frozen=True)
class Intent:
    """One thing that customers ask, in several wordings.

    `facts` is the question in its first wording, with what a right answer holds. Its id is that
    of the intent ("heldout-single_fact-541" for "heldout-41"), whichever the wording.
    """

    id: str
    kind: str
    wordings: tuple[str, ...]
    facts: Question

    @cached_property
    def extractable(self) -> bool:
        """Whether one sentence of its document, alone or after the title, is a right answer.

        Only for facts of documents: a sentence is never an answer about a customer's order, and
        none says that the shop does not know.
        """
        if self.kind not in {"single_fact", "conditional"}:
            return False
        return any(score_answer(self.facts, text).right for text in _sentences(self.facts.document))

    def asked(self, wording: str) -> Question:
        """The intent asked in this wording, to score an answer with.

        Raises `ValueError` for a wording that is not one of the intent's.
        """
        if wording not in self.wordings:
            raise ValueError(f"{self.id} has no wording {wording!r}; choose one of its wordings.")
        return replace(self.facts, question=wording)


@checked.dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Trap:
    """Nearly the same words, another meaning.

    A cache that holds the answer of `stored` must not serve it to `asked`. `differs` says in what
    they differ: "number", "name", "negation", "condition", "direction" and others.
    """

    stored: _Text
    asked: _Text
    differs: _Text


def intents(part: Part) -> list[Intent]:
    """The intents of one part, most popular first.

    Raises `TrafficError` for a broken file, and `ValueError` for a part that does not exist.
    """
    return list(_intents(_known(part)))


def traffic(part: Part, count: int = 300, *, seed: int = 10) -> list[Question]:
    """`count` questions as customers ask them: intents by Zipf's law, each wording equally often.

    The same part, count and seed give the same questions on every machine.

    Raises `ValueError` for a count below 1 or a part that does not exist.
    """
    found = intents(part)
    if count < 1:
        raise ValueError(f"Traffic has at least 1 question, not {count}.")
    up_to = list(accumulate(zipf(len(found))))
    random = Random(seed)
    asked = []
    for _ in range(count):
        intent = found[min(bisect(up_to, random.random()), len(found) - 1)]
        asked.append(intent.asked(intent.wordings[below(random, len(intent.wordings))]))
    return asked


def zipf(ranks: int) -> list[float]:
    """The share of each rank among all questions, most popular first; they sum to 1."""
    weights = [rank**-_EXPONENT for rank in range(1, ranks + 1)]
    return [weight / sum(weights) for weight in weights]


def traps(part: Part) -> list[Trap]:
    """The traps of one part. Raises as `intents` does."""
    return list(_traps()[_known(part)])


def pairs(part: Part) -> list[tuple[str, str]]:
    """Every two wordings of one intent: the second may be served the answer of the first."""
    return [pair for intent in intents(part) for pair in combinations(intent.wordings, 2)]


def load_intents(path: Path) -> tuple[Intent, ...]:
    """The intents of one file, whose name says the part. Raises `TrafficError`."""
    rows = _parse(path, _ROWS)
    for field, values in (
        ("id", [row.id for row in rows]),
        ("wordings", [wording.casefold() for row in rows for wording in row.wordings]),
    ):
        repeated = [value for value, times in Counter(values).items() if times > 1]
        if repeated:
            raise TrafficError(f"{path.name}: {field}: used twice: {', '.join(repeated)}.")
    for row in rows:
        if not row.id.startswith(f"{path.stem}-"):
            raise TrafficError(f"{path.name}, {row.id}: id: ids here begin with {path.stem}-.")
    return tuple(_intent(row, path) for row in rows)


def load_traps(path: Path) -> dict[Part, tuple[Trap, ...]]:
    """The traps of all parts. Raises `TrafficError`."""
    found = _parse(path, _TRAPS)
    return {"dev": found.dev, "heldout": found.heldout}


_ROWS: Final = TypeAdapter(Annotated[tuple[_Row, ...], Field(min_length=1)])


class _Traps(_Strict):
    dev: tuple[Trap, ...]
    heldout: tuple[Trap, ...]


_TRAPS: Final = TypeAdapter(_Traps)


def _known(part: Part) -> Part:
    if part not in PARTS:
        raise ValueError(f"There is no part {part!r} of the traffic; choose one of {PARTS}.")
    return part


@cache
def _intents(part: Part) -> tuple[Intent, ...]:
    return load_intents(FOLDER / f"{part}.yaml")


@cache
def _traps() -> dict[Part, tuple[Trap, ...]]:
    return load_traps(FOLDER / "traps.yaml")


def _intent(row: _Row, path: Path) -> Intent:
    part, number = row.id.split("-")
    search, lookup = (
        ToolCall("search_documents"),
        ToolCall("lookup_order", {"order_id": row.order or ""}),
    )
    tools = {"order": (lookup,), "two_step": (lookup, search)}.get(row.kind, (search,))
    try:
        facts = Question(
            id=f"{part}-{row.kind}-{_ID_OFFSET + int(number)}",
            kind=row.kind,
            question=row.wordings[0],
            customer=row.customer,
            document=row.document,
            order=row.order,
            required=row.required,
            forbidden=row.forbidden,
            tools=tools,
        )
    except ValidationError as error:
        raise TrafficError(f"{path.name}, {row.id}: {_problems(error, ())}.") from None
    return Intent(row.id, row.kind, row.wordings, facts)


@cache
def _sentences(document_id: str) -> tuple[str, ...]:
    """Each sentence of a document, alone and after the document's title."""
    source = document(document_id)
    return tuple(
        text
        for sentence in split_sentences(source.text)
        for text in (sentence, f"{source.title}: {sentence}")
    )


def _parse(path: Path, shape: TypeAdapter[T]) -> T:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrafficError(f"{path} is missing: restore it from the repository.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TrafficError(f"{path.name} is no YAML: {error}") from error
    try:
        return shape.validate_python(raw)
    except ValidationError as error:
        raise TrafficError(f"{path.name}, {_problems(error, raw)}.") from None


def _problems(error: ValidationError, raw: Any) -> str:
    return "; ".join(f"{_place(one['loc'], raw)}: {one['msg']}" for one in error.errors())


def _place(location: tuple[int | str, ...], raw: Any) -> str:
    """Where an error is: "heldout-07.wordings", or the entry's number where it has no id."""
    first, *rest = location or ("the whole file",)
    if isinstance(first, int) and isinstance(raw, list):
        row = raw[first]
        first = (
            row.get("id", f"entry {first + 1}")
            if isinstance(row, Mapping)
            else f"entry {first + 1}"
        )
    return ".".join(str(part) for part in (first, *rest))
