"""The signs of a code, and the words that people say for them: data, and no decision."""

from typing import Final

SIGNS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""No letters or digits that are taken for one another, so that a person can read a code aloud."""

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LETTERS: Final = (
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india",
    "juliett", "juliet", "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo",
    "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
)  # fmt: skip

SPELLED: Final = {
    **{word: str(digit) for digit, word in enumerate(_DIGITS)},
    **{word: word[0] for word in _LETTERS},
}
"""English digits and the spelling alphabet of the ICAO (Annex 10), each with its sign."""
