"""Which of the names that a question asks for a text deals with, and which it only mentions.

A sentence, list item or table row deals with a name when it has a few words of its own for it. Not
counted are a bare list, a plain denial ("we do not check X"), OWASP's code beside another risk's
name, and a run of keywords.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from helpers.review.originality import COMMON_WORDS
from helpers.review.prose import Block, blocks, split, words
from helpers.review.questions import Names

_OWN_WORDS = 3  # of a unit, for each name that it deals with
_LONGEST_LIST = 3  # names without words of their own that one sentence may have
_KEYWORDS = 25  # words of a paragraph from which on it must look like sentences
_FUNCTION_WORDS = 0.12  # their least share in a paragraph
_REASON = re.compile(
    r"\b(?:since|because|as|so|therefore|hence|which|whose|but|only|unless|until|instead|from)\b",
    re.IGNORECASE,
)
_DONE = (
    r"(?:checked|tested|measured|looked at|dealt with|prevented|limited|handled|covered|needed|done"
    r"|run|controlled|wanted|a requirement|of interest)"
)
_DENIED_AFTER = re.compile(
    r"\b(?:do(?:es)? not|don't|doesn't|never|nobody|no one)\s+"
    r"(?:checks?|do(?:es)?|use[sd]?|runs?|tests?|measures?|needs?|wants?|have|has|say|looks?|care"
    r"|writes?|requires?|ask)\b[^.;:]*"
    r"|\b(?:have|has|there (?:is|are|was|were))\s+(?:no|nothing|none)\b[^.;:]*"
    r"|\b(?:we|i|they)\s+(?:skip|ignore)\b[^.;:]*"
    r"|\bno\s[^.;:]{0,80}?(?:,|\band|\bor)\s+no\s[^.;:]*",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    rf"[^.;:]{{0,120}}\b(?:is|are|was|were) (?:not|never) {_DONE}\b"
    r"|[^.;:]{0,120}\b(?:do(?:es)? not|doesn't|don't) (?:interest|matter)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"LLM\d\d", re.IGNORECASE)
_SEGMENT = re.compile(r"[,;:]|\b(?:and|or)\b")


@dataclass(frozen=True)
class Dealt:
    """The labels by what the text does with them, each in the question's order.

    `listed` are only listed, `denied` only denied; `crossed` are pairs of a code and another risk.
    """

    found: list[str]
    listed: list[str]
    denied: list[str]
    crossed: list[tuple[str, str]]


def dealt_with(names: Names, text: str) -> Dealt:
    """What a text does with the names that a question asks for."""
    found: set[str] = set()
    mentioned: set[str] = set()
    denied: set[str] = set()
    crossed: dict[tuple[str, str], None] = {}
    for unit in _units(names, text):
        crossed.update(dict.fromkeys(_crossed(names, unit)))
        affirmed = _affirmed(unit)
        labels = _labels(names, affirmed)
        denied.update(set(_labels(names, unit)) - set(labels))
        mentioned.update(labels)
        wrong = {label for pair in crossed for label in pair}
        if _is_list(names, affirmed):
            continue
        new = [label for label in labels if label not in found and label not in wrong]
        found.update(_with_own_words(names, affirmed, new))
    wrong = {label for pair in crossed for label in pair}
    return Dealt(
        found=[label for label in names.of if label in found],
        listed=[one for one in names.of if one in mentioned - found - wrong],
        denied=[one for one in names.of if one in denied - mentioned - found],
        crossed=list(crossed),
    )


def is_keywords(block: Block) -> bool:
    """Whether a paragraph is a run of words instead of sentences."""
    said = words(block.text)
    if block.kind != "text" or len(said) < _KEYWORDS:
        return False
    share = sum(word in COMMON_WORDS for word in said) / len(said)
    return share < _FUNCTION_WORDS or not re.search(r"[.!?:;]", block.text)


def mentions(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text has one of these phrases, which may end differently."""
    return any(re.search(written(phrase), text, re.IGNORECASE) for phrase in phrases)


def written(phrase: str) -> str:
    """The pattern of a phrase, with spaces or hyphens between its words."""
    return r"(?<!\w)" + r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", str(phrase))))


def _units(names: Names, text: str) -> Iterator[str]:
    """Items and rows; of paragraphs, a sentence with those after it that have no name."""
    heading = ""
    for block in blocks(text):
        if block.kind == "heading":
            heading = block.text
            continue
        if is_keywords(block):
            continue
        whole = f"{heading}: {block.text}" if heading else block.text
        heading = ""
        if block.kind != "text":
            yield whole
            continue
        unit = ""
        for sentence in split(whole):
            if unit and _labels(names, sentence):
                yield unit
                unit = ""
            unit = f"{unit} {sentence}".strip()
        if unit:
            yield unit


def _labels(names: Names, text: str) -> list[str]:
    return [label for label, phrases in names.of.items() if mentions(text, phrases)]


def _without_names(names: Names, text: str, labels: Sequence[str]) -> str:
    every = [phrase for label in labels for phrase in names.of[label]]
    every += [label.partition(" (")[0] for label in labels]
    pattern = "|".join(written(one) + r"\w*" for one in sorted(every, key=len, reverse=True))
    return re.sub(pattern, " \ue003 ", text, flags=re.IGNORECASE)


def _with_own_words(names: Names, text: str, labels: list[str]) -> list[str]:
    """The labels, as they come, for as long as the text has words enough beside their names."""
    counted: list[str] = []
    for label in labels:
        more = [*counted, label]
        if len(words(_without_names(names, text, more))) >= _OWN_WORDS * len(more):
            counted = more
    return counted


def _is_list(names: Names, unit: str) -> bool:
    """Whether a sentence lists more names than may have no words of their own."""
    for sentence in split(unit):
        named = [
            segment
            for segment in _SEGMENT.split(_without_names(names, sentence, list(names.of)))
            if "\ue003" in segment
        ]
        bare = [segment for segment in named if not set(words(segment)) - COMMON_WORDS]
        # The first or the last name of a list has the sentence's other words.
        if len(bare) >= _LONGEST_LIST and len(named) > _LONGEST_LIST:
            return True
    return False


def _affirmed(unit: str) -> str:
    """A unit without what it plainly denies; a denial with its reason says something."""
    kept = []
    for sentence in split(unit):
        if _REASON.search(sentence) is None:
            sentence = _DENIED_BEFORE.sub(" ", _DENIED_AFTER.sub(" ", sentence))
        kept.append(sentence)
    return " ".join(kept)


def _crossed(names: Names, unit: str) -> Iterator[tuple[str, str]]:
    """Pairs of labels of which the text gives one the other's code."""
    titles = {label: label.partition(" (")[0] for label in names.of if _CODE.search(label)}
    codes = {_CODE.findall(label)[0].upper(): label for label in titles}
    for code in _CODE.finditer(unit):
        mine = codes.get(code[0].upper())
        for label, title in titles.items():
            ends = {title, title.partition(" ")[2]} if title.count(" ") > 1 else {title}
            for name in ends:
                after = re.match(rf"[\s,:()-]*(?:insecure )?{name}", unit[code.end() :], re.I)
                before = re.search(rf"{name}\s*[(,]\s*$", unit[: code.start()], re.I)
                if mine and label != mine and (after or before):
                    yield mine, label
