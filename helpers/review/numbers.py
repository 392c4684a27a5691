"""The numbers that a sentence states: percentages, decimals, "N of M", none, and bare integers."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["percent", "decimal", "ratio", "none", "integer"]


@dataclass(frozen=True)
class Number:
    """A number as it is written.

    Attributes:
        text: the words, such as "68%" or "0 of 175".
        value: in the unit that is written: 68 for "68%"; N of "N of M".
        digits: decimals that are written.
        unit: "%", "seconds", "ms", "minutes", "dollars", "cents", "micro-dollars" or "".
        of: M of "N of M" and of "n = M"; None where no count is written.
        kind: what it looks like; "none" is a zero in words.
        start: where it begins in its sentence.
    """

    text: str
    value: float
    digits: int
    unit: str
    of: int | None
    kind: Kind
    start: int

    @property
    def measured(self) -> bool:
        """Whether it looks like a measurement: more than a bare integer."""
        return self.kind != "integer" or bool(self.unit)


_UNITS = {
    "%": r"%|percentage points?|per ?cent",
    "ms": r"milliseconds?|ms",
    "seconds": r"seconds?|secs?|s",
    "minutes": r"minutes?|min",
    "micro-dollars": r"micro-?dollars?|\u00b5\$",
    "cents": r"(?:us )?cents?",
    "dollars": r"(?:us )?dollars?|usd",
}
_UNIT = "|".join(rf"(?P<u{n}>{words})" for n, words in enumerate(_UNITS.values()))
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_OF = r"(?:of|in|out of)\s+(?:the\s+|all\s+|these\s+|those\s+|its\s+|our\s+)?(?P<m>\d[\d,]*)"
_M_ENDS = r"(?![\w%]|\.\d|\s*%)"

_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w.,)%])[-\u2212])?(?P<money>[$]\s?)?(?P<n>{_DIGITS})"
    rf"(?:[ -]?(?:{_UNIT})(?!\w))?(?!\w)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"\s+(?:[^\W\d]+\s+){{0,3}}?{_OF.replace('of|in|out of', 'of|out of')}{_M_ENDS}"
)
_SLASH = re.compile(r"/(?P<m>\d[\d,]*)" + _M_ENDS)
_IN_WORDS = re.compile(
    rf"\b(?P<w>none|no|not one|not a single|{'|'.join(_SMALL)})\b"
    rf"(?P<rest>\s+(?:[^\W\d]+\s+){{0,4}}?{_OF}{_M_ENDS})?(?!\s+(?:more|less|longer|other))",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\bn\s*=\s*(\d[\d,]*)", re.IGNORECASE)

# What has digits and is no figure: dates, versions, names with a number, ordinals, numbered places.
_NO_FIGURE = re.compile(
    r"\d{4}-\d\d(?:-\d\d)?(?:T[\d:.]+)?|\b\d{1,2}:\d\d(?::\d\d)?\b|\bv?\d+(?:\.\d+){2,}\b"
    r"|\b[^\W\d]+[\w]*[-_/]?\d[\w.]*(?::\d{4})?(?<!\.)|\b\d+(?:st|nd|rd|th)\b"
    r"|\b(?:modules?|exercises?|sections?|chapters?|versions?|labs?|tables?|figures?|releases?"
    r"|python|kubernetes|langchain|langgraph|ray|fastapi|tls|http|openapi|gpt|claude|llama"
    r"|ubuntu|debian|pages?|steps?|questions?|notebooks?|walkthroughs?)\s+v?\d+(?:\.\d+)*"
    r"(?!\d|\.\d|,\d|\s*%)",
    re.IGNORECASE,
)


def numbers(text: str) -> list[Number]:
    """The numbers of a piece of text, in their order."""
    text = _NO_FIGURE.sub(lambda found: "\ue002" * len(found[0]), text)
    counts = [_whole(found[1]) for found in _COUNT.finditer(text)]
    text = _COUNT.sub(lambda found: " " * len(found[0]), text)
    found: list[Number] = []
    place = 0
    while one := _NUMBER.search(text, place):
        found.append(_number(text, one))
        place = one.start() + max(len(found[-1].text), len(one[0]))
    taken = [(one.start, one.start + len(one.text)) for one in found]
    for one in _IN_WORDS.finditer(text):
        if one["rest"] or one["w"].lower() in ("none", "no", "zero", "not one", "not a single"):
            if one["rest"]:  # its count is no number of its own
                found = [n for n in found if not one.start() <= n.start < one.end()]
            elif any(start <= one.start() < end for start, end in taken):
                continue
            found.append(_worded(one))
    found.sort(key=lambda number: number.start)
    if counts and found and found[-1].of is None:
        last = found[-1]
        found[-1] = Number(
            last.text, last.value, last.digits, last.unit, counts[-1], last.kind, last.start
        )
    return found


def _number(text: str, one: re.Match[str]) -> Number:
    unit = next((name for n, name in enumerate(_UNITS) if one[f"u{n}"]), "")
    unit = unit or ("dollars" if one["money"] else "")
    digits = len(one["n"].partition(".")[2])
    value = float(one["n"].replace(",", "")) * (-1 if one["sign"] else 1)
    plain = not digits and not unit
    counted = (
        _COUNTED.match(text, one.end()) if plain or unit == "%" else None
    ) or (_SLASH.match(text, one.end()) if plain else None)  # fmt: skip
    kind: Kind = "percent" if unit == "%" else "decimal" if digits else "integer"
    if counted and plain:
        kind = "ratio"
    end = counted.end() if counted else one.end()
    of = _whole(counted["m"]) if counted else None
    return Number(text[one.start() : end].strip(), value, digits, unit, of, kind, one.start())


def _worded(one: re.Match[str]) -> Number:
    word = one["w"].lower()
    value = float(_SMALL.index(word)) if word in _SMALL else 0.0
    of = _whole(one["m"]) if one["rest"] else None
    kind: Kind = "none" if not value else "ratio"
    return Number(one[0], value, 0, "", of, kind, one.start())


def _whole(text: str) -> int:
    return int(text.replace(",", "") or 0)
