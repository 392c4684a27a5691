"""Whether a number in the text says what a figure of the evidence says."""

import re
from dataclasses import replace

from helpers.evaluate.evidence import Figure
from helpers.evaluate.threshold import value_shown
from helpers.review.citations import Citation
from helpers.review.numbers import UNITS, Number

_SIZE: dict[str, tuple[str, float]] = {
    "%": ("share", 0.01),
    "ms": ("time", 1e-3),
    "seconds": ("time", 1.0),
    "minutes": ("time", 60.0),
    "hours": ("time", 3600.0),
    "days": ("time", 86400.0),
    "micro-dollars": ("money", 1e-6),
    "cents": ("money", 1e-2),
    "dollars": ("money", 1.0),
    "euros": ("other money", 1.0),
    "kB": ("memory", 1e3),
    "MB": ("memory", 1e6),
    "GB": ("memory", 1e9),
    "KiB": ("memory", 1024.0),
    "MiB": ("memory", 1024.0**2),
    "GiB": ("memory", 1024.0**3),
}
"""Unit -> what it is a unit of, and its size."""
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_BOUND = re.compile(
    r"\b(?:at (?:the )?(?:most|least)|up to|below|above|under|over|no more than|not more than"
    r"|more than|less than|fewer than|between|upper|lower|intervals?|bounds?|CI)\b",
    re.IGNORECASE,
)


def difference(citation: Citation, figure: Figure) -> str:
    """What is wrong with a citation's number, as a sentence; "" where it says what the file says.

    The number must equal the figure, rounded to the digits that are written. Where the number next
    to the bracket is a bare count, the measured one before it may be meant. In a sentence about a
    bound, it may be an end of the figure's interval.
    """
    if citation.number is None:
        return (
            f"There is no number before {citation.bracket}: write the figure first, then its "
            "source."
        )
    meant = [citation.number]
    if citation.others[-1] is not citation.number:
        meant.append(citation.others[-1])
    if citation.number.kind == "none":  # "no" is also an ordinary word
        meant += [one for one in citation.others if one.measured and one.kind != "none"][-1:]
    found = [_wrong(number, citation.figure, figure) for number in meant]
    if "" in found or _is_interval(citation, figure):
        return ""
    if bounds(citation.sentence) and any(is_end(number, figure) for number in meant):
        return ""
    return f"The text says {cut(citation.text)!r} before {citation.bracket}, but {found[0]}."


def says(number: Number, figure: Figure) -> bool:
    """Whether a number repeats a figure's value or an end of its interval."""
    return (
        _rounds_to(number, figure.value)
        or is_end(number, figure)
        or (number.of is not None and _is_ratio(number, figure))
    )


def is_end(number: Number, figure: Figure) -> bool:
    """Whether a number is an end of a figure's interval."""
    if number.denied or number.kind in ("none", "all", "part"):
        return False
    return any(end is not None and _rounds_to(number, end) for end in (figure.low, figure.high))


def is_level(number: Number, figure: Figure) -> bool:
    """Whether a number is the level of a figure's interval: 95% or 0.95."""
    return number.kind != "integer" and _rounds_to(number, figure.confidence)


def bounds(sentence: str) -> bool:
    """Whether a sentence speaks of a bound or an interval."""
    return _BOUND.search(sentence) is not None


def cut(text: str, most: int = 40) -> str:
    """A number's text, shortened where it is a long run of digits."""
    return text if len(text) <= most else f"{text[:most]}..."


def _wrong(number: Number, name: str, figure: Figure) -> str:
    """Why a number is not the figure; "" where it is."""
    unit, per = _unit_of(name), _per_of(name)
    named = f" {unit}" if unit and number.unit and unit != number.unit else ""
    there = f"the evidence has {value_shown(figure)}{named} (n = {figure.count})"
    if number.denied:
        return f"{there}, and the text says that it is not {cut(number.text)}"
    if named and _SIZE[unit][0] != _SIZE[number.unit][0]:
        return there
    if number.of is not None and number.of != figure.count:
        return f"the figure rests on {figure.count} observations, not on {number.of}"
    if number.kind == "ratio" or (number.kind == "none" and number.of is not None):
        return "" if _is_ratio(number, figure) else there
    if not number.value and figure.value:
        return f"{there}, which is not zero: write more digits"
    if number.kind == "integer" and not number.unit and 0 < abs(figure.value) < 1:
        example = f"{cut(number.text) if number.value < figure.count else 'N'} of {figure.count}"
        return f'{there}: write a percentage, a decimal or a count in the form "{example}"'
    factor = _SECONDS[number.per] / _SECONDS[per] if per and number.per else 1.0
    if factor != 1.0:
        there = f"{there} a {per}"
    return "" if _rounds_to(number, figure.value * factor, unit) else there


def _unit_of(name: str) -> str:
    """The unit in a figure's name: "seconds" in "seconds an answer", "" in "requests a minute"."""
    for word in re.findall(r"[a-z-]+", re.sub(r"\b(?:an?|per)\b.*", "", name.lower())):
        for unit, written in UNITS.items():
            if len(word) > 1 and re.fullmatch(written, word, re.IGNORECASE):
                return unit
    return ""


def _per_of(name: str) -> str:
    """The time of a rate in a figure's name: "minute" in "requests a minute"."""
    found = re.search(r"\b(?:a|per) (second|minute|hour|day)\b", name, re.IGNORECASE)
    return found[1].lower() if found else ""


def _rounds_to(number: Number, value: float, unit: str = "") -> bool:
    """Whether a number is this value, which is in `unit` or else in seconds or dollars."""
    size = _SIZE[number.unit][1] if number.unit else 1.0
    kept = _SIZE[unit][1] if unit and number.unit else 1.0
    if not unit and number.unit and _SIZE[number.unit][0] == "memory":
        size = 1.0
    half = 0.5 * 10.0**-number.digits
    return abs(number.value - value * kept / size) <= half * (1 + 1e-9)


def _is_ratio(number: Number, figure: Figure) -> bool:
    """Whether "N of M" is this share of M observations, or this number out of M."""
    if number.of != figure.count:
        return False
    share = abs(number.value - figure.value * figure.count) < 0.5
    return share or abs(number.value - figure.value) < 1e-9


def _is_interval(citation: Citation, figure: Figure) -> bool:
    """Whether the last two numbers before the bracket are the ends of the figure's interval."""
    if figure.low is None or figure.high is None or len(citation.others) < 2:
        return False
    low, high = citation.others[-2:]
    if high.unit and not low.unit:
        low = replace(low, unit=high.unit)
    return _rounds_to(low, figure.low) and _rounds_to(high, figure.high)
