"""Citations: a figure in the text, and the source in square brackets after it.

    68% of them are refused [functional_quality: refused, unanswerable].

`[ITEM: FIGURE]` names a file of evidence and the figure's name in it, `[limit]` a threshold of your
own, `[stated: source, date]` what someone else published, `[derived: from what]` a number that is
worked out or supposed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from helpers.review.numbers import Number, numbers
from helpers.review.prose import SOURCE, sentences

Kind = Literal["evidence", "limit", "stated", "derived"]

_NAMED = re.compile(r"\s*([A-Za-z][\w.-]*(?: [\w-]+){0,3})\s*:\s*(\S.*?)\s*")
_TIGHT = re.compile(r"[\s_]+")


@dataclass(frozen=True)
class Citation:
    """One source in square brackets, with the numbers that it may be the source of.

    Attributes:
        kind: "evidence", "limit", "stated" or "derived".
        item: the file of evidence, such as "functional_quality"; "" for the other kinds.
        figure: the figure's name in it; of "stated" and "derived", what follows the colon.
        number: the last number before the bracket; None where there is none.
        others: all numbers between the bracket before it and this one, in order.
        sentence: the sentence that contains it.
        bracket: as it is written, with its brackets.
    """

    kind: Kind
    item: str
    figure: str
    number: Number | None
    others: tuple[Number, ...]
    sentence: str
    bracket: str

    @property
    def text(self) -> str:
        """The number as it is written; "" where there is none."""
        return self.number.text if self.number else ""

    @property
    def value(self) -> float | None:
        """The number in the unit that is written."""
        return self.number.value if self.number else None

    @property
    def unit(self) -> str:
        """The unit that is written, "" for none."""
        return self.number.unit if self.number else ""

    @property
    def of(self) -> int | None:
        """The count M of "N of M"."""
        return self.number.of if self.number else None

    @property
    def digits(self) -> int:
        """The decimals that are written."""
        return self.number.digits if self.number else 0


@dataclass(frozen=True)
class Sentence:
    """A sentence with its citations, and the numbers after the last one."""

    text: str
    citations: tuple[Citation, ...]
    after: tuple[Number, ...]


def read(text: str) -> list[Sentence]:
    """The sentences of a text with what each of them cites."""
    return [_sentence(sentence) for sentence in sentences(text)]


def citations(text: str) -> list[Citation]:
    """All citations of a text, in order."""
    return [one for sentence in read(text) for one in sentence.citations]


def _sentence(text: str) -> Sentence:
    found: list[Citation] = []
    place = 0
    for bracket in SOURCE.finditer(text):
        named = list(_sources(bracket[1]))
        if not named:
            continue
        before = tuple(numbers(SOURCE.sub(" ", text[place : bracket.start()])))
        for kind, item, figure in named:
            last = _meant(before)
            found.append(Citation(kind, item, figure, last, before, text, bracket[0]))
        place = bracket.end()
    return Sentence(text, tuple(found), tuple(numbers(SOURCE.sub(" ", text[place:]))))


def _meant(before: tuple[Number, ...]) -> Number | None:
    """The last number that looks measured, else the last one that is no fraction in words."""
    exact = [number for number in before if number.kind != "part"] or list(before)
    measured = [number for number in exact if number.measured] or exact
    return measured[-1] if measured else None


def _sources(inside: str) -> Iterator[tuple[Kind, str, str]]:
    """What a bracket names: kind, item and figure; nothing where it is no citation."""
    if inside.strip().lower() == "limit":
        yield "limit", "", ""
    elif named := _NAMED.fullmatch(inside):
        word = _TIGHT.sub("_", named[1].lower())
        if word == "limit":
            yield "limit", "", named[2]
        elif word == "stated":
            yield "stated", "", named[2]
        elif word == "derived":
            yield "derived", "", named[2]
        else:
            yield "evidence", word, named[2]
