"""Data: the signs of a code, the words that people say for them, and letters that look alike."""

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

# Names, since a table of letters that look alike cannot be read: each script's letters, and the
# Latin ones in the same order.
_SCRIPTS: Final = {
    "GREEK CAPITAL LETTER": {
        "ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I",
        "KAPPA": "K", "MU": "M", "NU": "N", "OMICRON": "O", "RHO": "P", "TAU": "T",
        "UPSILON": "Y", "CHI": "X",
    },
    "GREEK SMALL LETTER": {
        "ALPHA": "a", "IOTA": "i", "KAPPA": "k", "NU": "v", "OMICRON": "o", "RHO": "p",
        "UPSILON": "u", "CHI": "x", "GAMMA": "y",
    },
    "CYRILLIC CAPITAL LETTER": {
        "A": "A", "VE": "B", "ES": "C", "KOMI DE": "D", "IE": "E", "KOMI SJE": "G", "EN": "H",
        "BYELORUSSIAN-UKRAINIAN I": "I", "JE": "J", "KA": "K", "EM": "M", "O": "O", "ER": "P",
        "QA": "Q", "DZE": "S", "IZHITSA": "V", "WE": "W", "HA": "X",
        "TE": "T",  # codespell:ignore te
        "STRAIGHT U": "Y", "U": "Y", "ZE": "3", "CHE": "4", "BE": "6",
    },
    "CYRILLIC SMALL LETTER": {
        "A": "a", "KOMI DE": "d", "ES": "c", "IE": "e", "SHHA": "h",
        "BYELORUSSIAN-UKRAINIAN I": "i", "JE": "j", "KA": "k", "O": "o", "ER": "p", "QA": "q",
        "DZE": "s", "IZHITSA": "v", "WE": "w", "HA": "x", "U": "y", "ZE": "3", "BE": "6",
    },
    "LISU LETTER": {
        "BA": "B", "PA": "P", "DA": "D", "TA": "T", "GA": "G", "KA": "K", "JA": "J", "CA": "C",
        "DZA": "Z", "TSA": "F", "MA": "M", "NA": "N", "LA": "L", "SA": "S", "ZHA": "R",
        "HA": "V", "XA": "H", "WA": "W", "SHA": "X", "YA": "Y", "A": "A", "E": "E", "U": "U",
    },
    "CHEROKEE LETTER": {
        "A": "D", "E": "R", "I": "T", "GO": "A", "GU": "J", "GV": "E", "LA": "W", "LU": "M",
        "MI": "H", "NAH": "G", "NO": "Z", "DU": "S", "DO": "V", "TLE": "L", "TLI": "C",
        "TLV": "P", "TSO": "K", "YV": "B", "GI": "Y",
    },
}  # fmt: skip

LOOK_ALIKES: Final = {
    f"{script} {name}": sign for script, names in _SCRIPTS.items() for name, sign in names.items()
}
"""Unicode's names of letters and the signs that they are taken for; by eye, not the whole list of
Unicode's confusables (UTS 39), which no declared package has."""
