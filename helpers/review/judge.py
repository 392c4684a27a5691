"""What can be checked of an answer: its parts, its names, its figures and their sources.

Whether a sentence is true, clear or to the point is not checked: the rubric's lines say what a
reader looks for. A finding says what to do next.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from helpers.evaluate.packed import PackError
from helpers.review.answer import Answer
from helpers.review.citations import Citation, Sentence, citations, read
from helpers.review.compare import difference, says
from helpers.review.numbers import Number
from helpers.review.originality import Seen, share_of
from helpers.review.prose import blocks, words
from helpers.review.questions import Names, Part, Question
from helpers.review.sources import STATEMENT, Sources, base

_SAME = 0.75  # of a counter-case's content words in the claim, at which it says the claim again
_WORDS_A_NAME = 4  # in a paragraph or list item, for each name that it deals with
_CONCRETE = re.compile(
    r"[\"\u201c][^\"\u201d]{12,}[\"\u201d]|\?|\d|`[^`]+`|\bfor (?:example|instance)\b",
    re.IGNORECASE,
)

ASPECTS: Mapping[str, str] = {
    "parts": "every part is there, in your own words",
    "names": "enough of what the question asks for is dealt with",
    "sources": "each source exists",
    "current": "the evidence is current",
    "figures": "the figures agree with the evidence",
    "uncited": "no measured number without a source",
    "enough": "enough figures, from enough evidence",
    "counter": "a counter-case is given",
}
"""What is looked at, in order: a word for each, and what a card calls it."""


@dataclass(frozen=True)
class Finding:
    """One thing to change: the aspect it belongs to, and a sentence that says what to do."""

    aspect: str
    text: str


@dataclass(frozen=True)
class _Read:
    """An answer, read once."""

    question: Question
    answer: Answer
    sources: Sources

    @cached_property
    def parts(self) -> dict[str, str]:
        return self.answer.parts()

    @cached_property
    def sentences(self) -> list[Sentence]:
        return read(self.answer.text)

    @cached_property
    def cited(self) -> list[Citation]:
        found = (one for sentence in self.sentences for one in sentence.citations)
        return [one for one in found if one.kind == "evidence"]

    def part(self, name: str) -> str:
        return self.parts.get(name.lower(), "")


def judge(
    question: Question, answer: Answer | str, sources: Sources | None = None
) -> list[Finding]:
    """What is to be changed in an answer, in the order of `ASPECTS`; an empty list for nothing.

    Args:
        question: what the answer is to.
        answer: the answer; a string has your own evidence.
        sources: the evidence; by default that of the answer's home.
    """
    try:
        given = Answer.of(answer)
    except TypeError as error:
        return _all_of(question, str(error))
    if not words(given.text):
        return _all_of(question, "There is no text yet: copy the template and write each part.")
    if sources is None:
        try:
            sources = Sources.of(_folder(given.home))
        except (PackError, FileNotFoundError) as error:
            return _all_of(question, str(error))
    one = _Read(question, given, sources)
    return [
        Finding(aspect, text)
        for aspect in aspects(question)
        for text in dict.fromkeys(_LOOK[aspect](one))
    ]


def aspects(question: Question) -> list[str]:
    """What is looked at in the answers to a question."""
    return [aspect for aspect in ASPECTS if aspect != "names" or question.names is not None]


def _all_of(question: Question, text: str) -> list[Finding]:
    return [Finding(aspect, text) for aspect in aspects(question)]


def _folder(home: Path | None) -> Path | None:
    if home is not None and not home.is_dir():
        raise FileNotFoundError(
            f"There is no folder {home.name}: give `evidence` the path of a folder like .course."
        )
    return home


# --- words ----------------------------------------------------------------------------------------


def _parts(one: _Read) -> Iterator[str]:
    question = one.question
    given = [question.question, question.title, *(line.line for line in question.rubric)]
    seen = Seen([*given, *(part.what for part in question.parts)])
    for part in question.parts:
        if part.name.lower() not in one.parts:
            yield f'There is no part "{part.name}": write it under the heading `## {part.name}`.'
            continue
        body = one.part(part.name)
        own = seen.own(body)
        if own < max(1, part.words):
            yield f"{_few_words(part, own, len(words(body)))} It is for: {part.what}"
        seen.add(body)


def _few_words(part: Part, own: int, all_of_them: int) -> str:
    wanted = max(1, part.words)
    if all_of_them >= wanted:
        return (
            f'"{part.name}" repeats the question, the template or another part: write at least '
            f"{wanted} words of your own; there are {own}."
        )
    return f'"{part.name}" has {own} words of its own: write at least {wanted}.'


def _names(one: _Read) -> Iterator[str]:
    names = one.question.names
    if names is None:
        return
    text = one.part(names.part) if names.part else one.answer.text
    where = f'"{names.part}"' if names.part else "the answer"
    found = _dealt_with(names, text)
    if len(found) < names.fewest:
        left = [label for label in names.of if label not in found]
        listed = [label for label in left if _mentions(text, names.of[label])]
        yield (
            f"Deal with at least {names.fewest} {names.what}: {where} has {len(found)} "
            f"({', '.join(found) or 'none'}). Not dealt with: {_few(left)}."
        )
        if listed:
            yield f"These are only listed, so say something about each: {_few(listed)}."


def _dealt_with(names: Names, text: str) -> list[str]:
    """The labels that a paragraph, list item or row names, with words enough for each."""
    found: dict[str, None] = {}
    by_block = [
        (block, [label for label, names_of in names.of.items() if _mentions(block, names_of)])
        for block in blocks(text)
    ]
    for block, labels in sorted(by_block, key=lambda pair: len(pair[1])):
        room = len(words(block)) // _WORDS_A_NAME
        new = [label for label in labels if label not in found]
        room -= len(labels) - len(new)
        found.update(dict.fromkeys(new[: max(0, room)]))
    return [label for label in names.of if label in found]


def _mentions(text: str, phrases: tuple[str, ...]) -> bool:
    return any(
        re.search(
            r"(?<!\w)" + r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", str(phrase)))),
            text,
            re.IGNORECASE,
        )
        for phrase in phrases
    )


# --- figures --------------------------------------------------------------------------------------


def _sources(one: _Read) -> Iterator[str]:
    if not one.cited:
        yield "No evidence is cited yet: write [ITEM: FIGURE] after each measured figure."
    for citation in one.cited:
        if missing := one.sources.missing(citation.item, citation.figure):
            yield missing


def _current(one: _Read) -> Iterator[str]:
    names = dict.fromkeys(citation.item for citation in one.cited)
    if not any(one.sources.evidence(name) for name in names):
        yield "No evidence that is there is cited yet, so none can be current."
    for name in names:
        if outdated := one.sources.outdated(name):
            yield outdated


def _figures(one: _Read) -> Iterator[str]:
    if not one.cited:
        yield "No figure is cited yet, so none can be compared with the evidence."
    for citation in one.cited:
        figure = one.sources.figure(citation.item, citation.figure)
        if figure is not None and (wrong := difference(citation, figure)):
            yield wrong
        elif figure is None and citation.figure.lower() != STATEMENT:
            # A figure that is not there is not the one in the text.
            yield f"{citation.text or 'The figure'} cannot be found under {citation.bracket}."


def _uncited(one: _Read) -> Iterator[str]:
    if not one.cited:
        yield "No evidence is cited yet: a claim without a figure of your own proves nothing."
    for sentence in one.sentences:
        for number in _without_source(sentence, one.sources):
            yield (
                f'{number.text} has no source, in "{_short(sentence.text)}": write [ITEM: FIGURE] '
                "after it, [limit] for a threshold of your own, or [stated: source, date]."
            )


def _without_source(sentence: Sentence, sources: Sources) -> Iterator[Number]:
    """The numbers of a sentence that need a source and have none.

    A decimal may share its sentence's source, since it is often worked out from cited figures. A
    percentage or an "N of M" needs its own, unless it repeats a figure that the sentence cites or
    an end of its interval, or says how wide an interval is ("95% confidence").
    """
    cited = [
        figure
        for one in sentence.citations
        if one.kind == "evidence" and (figure := sources.figure(one.item, one.figure))
    ]
    own = {id(one.number) for one in sentence.citations}
    free = list(sentence.after)
    for one in sentence.citations:
        free += one.others if one.kind == "evidence" else ()
    for number in dict.fromkeys(free):
        if number.kind in ("integer", "none") or id(number) in own:
            continue
        if number.kind == "decimal" and sentence.citations:
            continue
        if re.search(re.escape(number.text) + r"[ -](?:confidence|interval|CI\b)", sentence.text):
            continue
        if number.kind == "ratio" and ("/" in number.text or number.text[0].isalpha()):
            continue  # "24/7" and "one of 13 items" measure nothing
        if not any(says(number, figure) for figure in cited):
            yield number


def _enough(one: _Read) -> Iterator[str]:
    for part in one.question.parts:
        found = {pair for pair in _pairs(one, one.part(part.name)) if pair[1] != STATEMENT}
        if len(found) < part.figures:
            yield (
                f'"{part.name}" cites {_figures_of(len(found))} that the evidence has: it '
                f"needs at least {part.figures}, all different."
            )
    items = {base(item) for item, _ in _pairs(one, one.answer.text)}
    if len(items) < one.question.items:
        yield (
            f"Files of evidence that the answer cites: {len(items)} ({', '.join(sorted(items))}). "
            f"It needs at least {one.question.items}."
            if items
            else f"Cite figures from evidence: files needed, at least: {one.question.items}."
        )


def _pairs(one: _Read, text: str) -> set[tuple[str, str]]:
    """Item and figure of the citations in a text that lead somewhere."""
    return {
        (citation.item, citation.figure.lower())
        for citation in citations(text)
        if citation.kind == "evidence" and one.sources.there(citation.item, citation.figure)
    }


def _figures_of(count: int) -> str:
    return "1 figure" if count == 1 else f"{count} figures"


# --- the counter-case -----------------------------------------------------------------------------


def _counter(one: _Read) -> Iterator[str]:
    body = one.part("Counter-case")
    if not words(body):
        yield (
            "There is no counter-case: describe one where your claim does not hold, under "
            "`## Counter-case`."
        )
        return
    if share_of(body, one.part("Claim")) >= _SAME:
        yield "The counter-case says the claim again: describe a case that speaks against it."
    if not _CONCRETE.search(body):
        yield (
            "The counter-case points at nothing: cite a figure that speaks against the claim, or "
            "quote the question, the attack or the number that you mean."
        )


def _few(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else f"{text[:most].rsplit(' ', 1)[0]} ..."


_LOOK: Mapping[str, Callable[[_Read], Iterator[str]]] = {
    "parts": _parts,
    "names": _names,
    "sources": _sources,
    "current": _current,
    "figures": _figures,
    "uncited": _uncited,
    "enough": _enough,
    "counter": _counter,
}
