"""Text folded to one spelling for a search, with the way back to the places of the original.

A filter that withholds and a redactor that replaces must read the same text in the same way, or one
of them misses what the other finds. Folding is done sign by sign, so that it is linear and each
sign of the folded text knows the place that it came from.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from helpers.security.controls.marking import is_hidden

_PLAIN: Final = re.compile(r"[\n -~]*")
_LINE_ENDS: Final = "\n\r\u2028\u2029"
_DASHES: Final = "\u2043\u2212"
"""Signs that are read as a hyphen although Unicode does not call them dashes."""
_DOTS: Final = "\u00b7\u2022\u2027\u3002\u30fb\u0589\u06d4\u0701\u0702"


@dataclass(frozen=True)
class Folded:
    """A folded text.

    Attributes:
        text: what to search.
        places: for each sign of `text`, the index in the original of the sign that it came from.
    """

    text: str
    places: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original of `text[start:end]`, which must not be empty."""
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """The text with plain digits, letters without accents, and one hyphen, one dot, one space.

    Compatibility forms become the plain sign (full-width, mathematical, circled: NFKD of Unicode
    Standard Annex 15), digits of every script become 0 to 9, dashes "-", raised and foreign full
    stops ".", spaces of every width " ", and line ends stay line ends. Accents and what nobody
    sees are dropped. Capitals stay. Not undone: letters of other scripts that look alike, and
    encodings such as `&#49;`, `%31` or Base64.
    """
    if _PLAIN.fullmatch(text):
        return Folded(text, range(len(text)))
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        for plain in _folded(sign):
            signs.append(plain)
            places.append(place)
    return Folded("".join(signs), places)


def _folded(sign: str) -> str:
    if sign in _LINE_ENDS:
        return "\n"
    if sign.isspace():
        return " "
    if is_hidden(sign):
        return ""
    return "".join(map(_plain, unicodedata.normalize("NFKD", sign)))


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign.isspace():
        return " "
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(sign)
    if category == "Pd" or sign in _DASHES:
        return "-"
    if sign in _DOTS:
        return "."
    return "" if category == "Mn" else sign
