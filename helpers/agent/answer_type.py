"""What kind of value a question asks for, and whether a sentence holds one.

"How heavy is it?" wants a weight, and of two sentences that are equally near to the question
the one with "1.8 kg" answers it. The idea is old (X. Li and D. Roth, "Learning question
classifiers", COLING 2002); these few patterns for English questions about sizes, times and prices
are a small form of it. A question that none of them fits asks for no known kind, and every sentence
will do.
"""

import re
from dataclasses import dataclass

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|third|quarter|"
    r"fifths?|tenth|once|twice)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Kind:
    asked: re.Pattern[str]
    held: re.Pattern[str]
    with_number: bool = True


def _kind(asked: str, held: str, *, with_number: bool = True) -> _Kind:
    return _Kind(re.compile(asked, re.IGNORECASE), re.compile(held), with_number)


_TIME = (
    r"\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|am|pm|noon|moment|[Aa]fter|[Bb]efore|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sundays?|January|February|March|April|June|"
    r"July|August|September|October|November|December)\b"
)
_KINDS = {
    "money": _kind(
        r"\b(?:costs?|price|charge|fee|deposit|expensive|cheap|set me back|pay|bill|discount|"
        r"get off)\b|\bhow much (?:is|are|for|extra|would)\b",
        r"£\s?\d|\d per cent|free of charge",
    ),
    "time": _kind(
        r"\bhow (?:long|soon|quick(?:ly)?|fast|late|many (?:working )?(?:days|years|hours|weeks|"
        r"months|minutes))\b|\bwhen\b|\bwh(?:ich|at) (?:day|time|date)\b|\b(?:days|years)\b",
        _TIME,
        with_number=False,
    ),
    "frequency": _kind(
        r"\bhow (?:often|many times)\b", r"\b(?:every|each|once|twice|times)\b", with_number=False
    ),
    "weight": _kind(r"\b(?:weighs?|heavy|weight|load|scales|carry)\b", r"\d ?k?g\b"),
    "length": _kind(
        r"\bhow (?:tall|high|wide|far|deep|big|large|thick|long|short)\b|\b(?:length|size|fits?)\b",
        r"\d ?(?:mm|cm|m|km|metres?)\b|\bsize\b",
        with_number=False,
    ),
    "temperature": _kind(r"\bhow (?:cold|hot|warm)\b|\btemperature|\bdegrees\b", r"°C"),
    "speed": _kind(r"\b(?:wind|gale|storm)\b", r"km/h"),
}
_SOME_NUMBER = re.compile(
    r"\bhow (?!do\b|can\b|should\b)\w+|\bwhat (?:is|are) the (?:most|least|max)|\bin figures\b|"
    r"\b(?:from|up to) what\b",
    re.IGNORECASE,
)


def kinds_asked(question: str) -> frozenset[str]:
    """The kinds of value that a question may ask for; "number" where it wants one of any kind."""
    found = {name for name, kind in _KINDS.items() if kind.asked.search(question)}
    if not found and _SOME_NUMBER.search(question):
        found.add("number")
    return frozenset(found)


def kinds_held(sentence: str, title: str) -> frozenset[str]:
    """The kinds of value in a sentence; the words of its document's title do not count."""
    for word in title.split():
        sentence = re.sub(rf"\b{re.escape(word)}\b", "", sentence)
    number = _NUMBER.search(sentence) is not None
    found = {
        name
        for name, kind in _KINDS.items()
        if kind.held.search(sentence) and (number or not kind.with_number)
    }
    return frozenset(found | {"number"} if number else found)
