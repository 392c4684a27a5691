"""What can be checked of an answer: its parts, its names, its figures and their sources.

Whether a sentence is true, clear or to the point is not checked: the rubric's lines say what a
reader looks for. A finding says what to do next.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from helpers.evaluate.evidence import Figure
from helpers.evaluate.packed import PackError
from helpers.review.answer import Answer
from helpers.review.citations import Citation, Sentence, citations, read
from helpers.review.compare import bounds, cut, difference, is_end, is_level, says
from helpers.review.dealt import dealt_with, is_keywords, written
from helpers.review.numbers import Number
from helpers.review.originality import Seen, share_of
from helpers.review.prose import SOURCE, blocks, parts, sentences, words
from helpers.review.questions import Names, Part, Question
from helpers.review.sources import STATEMENT, Sources, base

_SAME = 0.75  # of a counter-case's content words in the claim, at which it says the claim again
MOST_CHARACTERS = 20_000
"""Of one answer: no more is read."""
_STATED_NAMES = 3  # different sources that the names for the work need, in question 4
_DENIAL = re.compile(
    r"^\W*(?:n/?a\b|none\b|nothing\b|tbd\b|to ?do\b)|\bTODO\b|\bthere (?:is|are) none\b"
    r"|\bfound none\b|\bknow of (?:no|none)\b|\bsee (?:question|part|above|the (?:claim|limit))\b"
    r"|\bno (?:counter-?[ ]?(?:cases?|examples?)|cases?|exceptions?) "
    r"(?:exists?|is|are|known|in which|where|against|comes?)\b"
    r"|\bcovers everything\b|\bholds? (?:always|everywhere|in every case)\b"
    r"|\bturn(?:s|ed)? out (?:quite |rather )?(?:differently|otherwise|in (?:quite )?another way)\b"
    r"|\balways turn out\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(r"\b(?:if|suppose|imagine|would|could|might|were to)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_NOT_CHOSEN = re.compile(r"\b(?:not|nor|neither|than|unlike|of|from)\s+(?:the\s+)?$", re.IGNORECASE)

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
    def read_parts(self) -> tuple[dict[str, str], list[str]]:
        return parts(self.answer.text, [part.name for part in self.question.parts])

    @property
    def headings(self) -> list[str]:
        return self.read_parts[1]

    @property
    def parts(self) -> dict[str, str]:
        return self.read_parts[0]

    @cached_property
    def sentences(self) -> list[Sentence]:
        return read(self.answer.text)

    @cached_property
    def cited(self) -> list[Citation]:
        found = (one for sentence in self.sentences for one in sentence.citations)
        return [one for one in found if one.kind == "evidence"]

    def part(self, name: str) -> str:
        return self.parts.get(name, "")


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
    if problem := unreadable(given.text):
        return _all_of(question, problem)
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


def unreadable(text: str) -> str:
    """Why a text is not judged at all, as a sentence; "" where it is."""
    if len(text) > MOST_CHARACTERS:
        return (
            f"The text has {len(text):,} characters: an answer has at most {MOST_CHARACTERS:,}, so "
            "shorten it."
        )
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "The text contains half a character (a lone surrogate): delete it and type it again."
    if not words(text):
        return "There is no text yet: copy the template and write each part."
    return ""


def _all_of(question: Question, text: str) -> list[Finding]:
    """The same for each aspect, said once."""
    first, *others = aspects(question)
    return [Finding(first, text), *(Finding(one, "Not looked at, see above.") for one in others)]


def _folder(home: Path | None) -> Path | None:
    if home is None:
        return None
    if not home.is_dir():
        raise FileNotFoundError(
            f"There is no folder {home.name}: give `evidence` the path of a folder like .course."
        )
    if home.name == "evidence" and not (home / "evidence").is_dir():
        return home.parent
    if not (home / "evidence").is_dir() and any(home.glob("*.json")):
        raise FileNotFoundError(
            f"The folder {home.name} has no folder `evidence` in it: give `evidence` the path of "
            "the folder above the files of evidence, which is like .course."
        )
    return home


# --- words ----------------------------------------------------------------------------------------


def _parts(one: _Read) -> Iterator[str]:
    question = one.question
    given = [question.question, question.title, *(line.line for line in question.rubric)]
    seen = Seen([*given, *(part.what for part in question.parts)])
    there = f" Headings that were found: {_few(one.headings, 10)}." if one.headings else ""
    for part in question.parts:
        if part.name not in one.parts:
            yield (
                f'There is no part "{part.name}": write it under the heading `## {part.name}`.'
                f"{there}"
            )
            there = ""
            continue
        every = blocks(one.part(part.name))
        read_ = [block.text for block in every if not is_keywords(block)]
        if len(read_) < len(every):
            yield (
                f'"{part.name}" has text that is not written in sentences, so it does not count: '
                "write sentences that end with a full stop."
            )
        body = "\n\n".join(read_)
        own = seen.own(body)
        if own < max(1, part.words):
            yield f"{_few_words(part, own, len(words(body)))} It is for: {part.what}"
        seen.add(body)


def _few_words(part: Part, own: int, all_of_them: int) -> str:
    wanted = max(1, part.words)
    if all_of_them >= wanted:
        return (
            f'"{part.name}" repeats the question, the template or another part: write at least '
            f"{_count(wanted, 'word')} of your own; there {'is' if own == 1 else 'are'} {own}."
        )
    return (
        f'"{part.name}" has {_count(own, "word")} of its own: write at least {wanted}. Words of '
        "the question, the template or another part do not count, nor do numbers and what is in "
        "brackets, such as figures' names."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _names(one: _Read) -> Iterator[str]:
    names = one.question.names
    if names is None:
        return
    text = SOURCE.sub(_said, one.part(names.part) if names.part else one.answer.text)
    where = f'"{names.part}"' if names.part else "the answer"
    dealt = dealt_with(names, text)
    if len(dealt.found) < names.fewest:
        told = {*dealt.found, *dealt.listed, *dealt.denied}
        left = [label for label in names.of if label not in told]
        missing = f" Not there: {_few(left)}." if left else ""
        yield (
            f"Deal with at least {names.fewest} {names.what}: {where} has {len(dealt.found)} "
            f"({', '.join(dealt.found) or 'none'}).{missing}"
        )
        if dealt.listed:
            yield f"Only listed, so say something about each: {_few(dealt.listed)}."
        if dealt.denied:
            yield f"Found only in negations, which do not count: {_few(dealt.denied)}."
    for code, other in dealt.crossed:
        yield f"The code of {code} is beside the name of {other}, so neither counts: correct it."
    if one.question.id == "Q4":
        yield from _choice(names, one.part("Claim"))
        yield from _stated(text)


def _said(bracket: re.Match[str]) -> str:
    """A bracket as it counts for names: the source of a figure deals with nothing."""
    return " " if any(one.kind == "evidence" for one in citations(bracket[0])) else bracket[0]


def _choice(names: Names, claim: str) -> Iterator[str]:
    """What is wrong with the one name that a claim must choose."""
    found = sorted(
        (place.start(), place.end(), label)
        for label, phrases in names.of.items()
        for phrase in phrases
        for place in re.finditer(written(phrase), claim, re.IGNORECASE)
    )
    chosen = [one for one in found if not _NOT_CHOSEN.search(claim[: one[0]])]
    if not chosen:
        yield f'"Claim" chooses no name: write one of {", ".join(names.of)}, and what it covers.'
    elif chosen[0][2] == "AIOps":
        yield (
            '"Claim" chooses AIOps, which is another thing: it uses models to operate other '
            "systems. Choose a name for operating a system that contains a model."
        )
    elif len(chosen) > 1 and re.fullmatch(
        r"\s*(?:,|/|,?\s*\bor\b|,?\s*\band\b)\s*", claim[chosen[0][1] : chosen[1][0]]
    ):
        yield f'"Claim" chooses several names ({chosen[0][2]}, {chosen[1][2]}): choose one.'


def _stated(text: str) -> Iterator[str]:
    found = {one.figure.lower() for one in citations(text) if one.kind == "stated"}
    if len(found) < _STATED_NAMES:
        yield (
            f'"Names" has {_count(len(found), "different source")}: give at least '
            f"{_STATED_NAMES} of the names their own, as [stated: source, date]."
        )


# --- figures --------------------------------------------------------------------------------------


def _sources(one: _Read) -> Iterator[str]:
    if not one.cited:
        yield "No evidence is cited yet: write [ITEM: FIGURE] after each measured figure."
    for citation in one.cited:
        if missing := one.sources.missing(citation.item, citation.figure):
            yield missing
    for citation in (each for sentence in one.sentences for each in sentence.citations):
        if citation.kind == "stated" and not _is_dated(citation.figure):
            yield (
                f"{citation.bracket} needs who published it and a year: write "
                "[stated: source, date]."
            )


def _is_dated(stated: str) -> bool:
    """Whether a statement's source has a year, and words for who said it."""
    return _YEAR.search(stated) is not None and len(words(_YEAR.sub("", stated))) > 0


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
    before: list[Figure] = []
    for sentence in one.sentences:
        for number in _without_source(sentence, one.sources, before):
            yield (
                f'{cut(number.text)} has no source, in "{_short(sentence.text)}": write [ITEM: '
                "FIGURE] after it, [limit] for a threshold of your own, [stated: source, date] for "
                "what others published, or [derived: from what] for what you worked out or suppose."
            )
        before = _figures_cited(sentence, one.sources)


def _figures_cited(sentence: Sentence, sources: Sources) -> list[Figure]:
    return [
        figure
        for one in sentence.citations
        if one.kind == "evidence" and (figure := sources.figure(one.item, one.figure))
    ]


def _without_source(sentence: Sentence, sources: Sources, before: list[Figure]) -> Iterator[Number]:
    """The numbers of a sentence that need a source and have none.

    A decimal may share its sentence's source, since it is often worked out from cited figures. A
    percentage or an "N of M" needs its own, unless it repeats a figure that the sentence cites or
    an end of its interval, or says how wide an interval is ("95% confidence"). A sentence about an
    interval may give the ends and the level of a figure that the sentence before cites.
    """
    cited = _figures_cited(sentence, sources)
    own = {id(one.number) for one in sentence.citations}
    about_bounds = bounds(sentence.text)
    free = list(sentence.after)
    for one in sentence.citations:
        free += one.others if one.kind == "evidence" else ()
    for number in dict.fromkeys(free):
        if id(number) in own or not _asks(number, sentence):
            continue
        if any(says(number, figure) for figure in cited):
            continue
        if about_bounds and any(
            is_end(number, figure) or is_level(number, figure) for figure in [*before, *cited]
        ):
            continue
        yield number


def _asks(number: Number, sentence: Sentence) -> bool:
    """Whether a number is a claim that asks for a source."""
    if number.kind in ("integer", "none", "all"):
        return False
    if number.kind in ("decimal", "part") and sentence.citations:
        return False
    if number.text[0].isalpha():  # in words
        if number.kind == "ratio" and not re.match(r"[\w-]+ (?:out of|in) ", number.text):
            return False  # "two of the three controls" measures nothing
        if number.value == 1 or _SUPPOSED.search(sentence.text):
            return False
    return number.text not in _levels(sentence.text)


@lru_cache(maxsize=16)
def _levels(sentence: str) -> frozenset[str]:
    """The numbers that say how wide an interval is: "95%" in "a 95% interval"."""
    return frozenset(
        re.findall(
            r"(?<![\d.])([\d.]{1,9}\s?(?:%|per ?cent)?)[ -](?:confidence|interval|CI\b)", sentence
        )
    )


def _enough(one: _Read) -> Iterator[str]:
    for part in one.question.parts:
        found = {pair for pair in _pairs(one, one.part(part.name)) if pair[1] != STATEMENT}
        if len(found) < part.figures:
            yield (
                f'"{part.name}" cites {_count(len(found), "figure")} that the evidence has: it '
                f"needs at least {part.figures}, all different."
            )
    items = {base(item) for item, _ in _pairs(one, one.answer.text)}
    if len(items) < one.question.items:
        yield (
            f"Files of evidence that the answer cites: {len(items)} ({', '.join(sorted(items))}). "
            f"It needs at least {one.question.items}."
            if items
            else f"Cite figures from at least {_count(one.question.items, 'file')} of evidence."
        )


def _pairs(one: _Read, text: str) -> set[tuple[str, str]]:
    """Item and figure of the citations in a text that lead somewhere."""
    return {
        (citation.item, citation.figure.lower())
        for citation in citations(text)
        if citation.kind == "evidence" and one.sources.there(citation.item, citation.figure)
    }


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
    if _DENIAL.search(next(iter(sentences(body)), "")):
        yield (
            "The counter-case denies that there is one, or leaves it open: describe one case in "
            "which your claim does not hold."
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
