"""Words that the style page replaces, as data, and where a text uses one.

The list holds what can be told without false alarms; the page says more. `stands in for` (replaces)
and `stands in line` are English, `stands in the prompt` (is in it, the prompt contains it) is not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Banned:
    """A pattern, and what to write in its place."""

    pattern: re.Pattern[str]
    instead: str


def _banned(pattern: str, instead: str) -> Banned:
    spaced = pattern.replace(" ", r"\s+")  # a line may end between two words
    return Banned(re.compile(rf"\b(?:{spaced})\b"), instead)


BANNED: tuple[Banned, ...] = (
    # "Dear customer" begins a letter.
    _banned("dear(?:er|est)?", "expensive, more expensive, most expensive"),
    _banned("[Mm]end(?:s|ed|ing)?", "fix"),
    _banned("[Aa]new", "again; restart; rebuild"),
    _banned("[Bb]esides", "also; more; as well"),
    _banned("(?:whoever|Whoever)", "anyone who; people who"),
    _banned("[Ss]ome(?:body|one) who", "anyone who; people who"),
    _banned("(?:stands?|stood) in(?! (?:for|line|front|the way))", "is in; contains"),
    _banned("never will do", "is not accepted"),
    _banned("(?:is|are) asked (?:very )?often", "is tested many times a day; is frequent"),
    _banned("[Ll]ook also", "also look"),
    _banned("what only then", "a full sentence"),
    _banned("[Pp]our(?:s|ed|ing)?", "the field's name for it: stream, send"),
    _banned("[Uu]nspoken", "the field's name for it: implicit, not stated"),
)
"""From the style page's "Words", in its order."""


@dataclass(frozen=True)
class Hit:
    """One use of a word that the style page replaces."""

    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f'line {self.line}: not "{self.word}", but {self.instead}'


def hits(text: str) -> Iterator[Hit]:
    """Every use in a text, by line."""
    found = [
        Hit(text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), banned.instead)
        for banned in BANNED
        for match in banned.pattern.finditer(text)
    ]
    yield from sorted(found, key=lambda hit: hit.line)
