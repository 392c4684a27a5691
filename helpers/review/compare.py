"""Whether a number in the text says what a figure of the evidence says."""

import re
from dataclasses import replace

from helpers.evaluate.evidence import Figure
from helpers.evaluate.threshold import value_shown
from helpers.review.citations import Citation
from helpers.review.numbers import Number

_SIZE = {
    "%": 0.01,
    "seconds": 1.0,
    "ms": 1e-3,
    "minutes": 60.0,
    "dollars": 1.0,
    "cents": 1e-2,
    "micro-dollars": 1e-6,
}
_TIME, _MONEY = ("seconds", "ms", "minutes"), ("dollars", "cents", "micro-dollars")


def difference(citation: Citation, figure: Figure) -> str:
    """What is wrong with a citation's number, as a sentence; "" where it says what the file says.

    The number must equal the figure, rounded to the digits that are written. Where the number next
    to the bracket is a bare count, the measured one before it may be meant.
    """
    if citation.number is None:
        return (
            f"No number stands before {citation.bracket}: write the figure first, then its source."
        )
    meant = [citation.number]
    if citation.others[-1] is not citation.number:
        meant.append(citation.others[-1])
    if citation.number.kind == "none":  # "no" is also an ordinary word
        meant += [one for one in citation.others if one.measured and one.kind != "none"][-1:]
    found = [_wrong(number, citation.figure, figure) for number in meant]
    if "" in found or _is_interval(citation, figure):
        return ""
    return f"The text says {citation.text!r} before {citation.bracket}, but {found[0]}."


def says(number: Number, figure: Figure) -> bool:
    """Whether a number repeats a figure's value or an end of its interval."""
    ends = (figure.value, figure.low, figure.high)
    return any(end is not None and _rounds_to(number, end) for end in ends) or (
        number.of is not None and _is_ratio(number, figure)
    )


def _wrong(number: Number, name: str, figure: Figure) -> str:
    """Why a number is not the figure; "" where it is."""
    there = f"the evidence has {value_shown(figure)} (n = {figure.count})"
    if number.unit in ("minutes", "ms", "cents", "micro-dollars") and number.unit in _words(name):
        number = replace(number, unit="")  # the figure is in this unit, not in seconds or dollars
    for units, word in ((_TIME, "seconds"), (_MONEY, "dollars")):
        other = number.unit and number.unit not in units
        if word in _words(name) and other:
            return f"{there} {word}"
    if number.kind == "ratio" or (number.kind == "none" and number.of is not None):
        if number.of != figure.count:
            return f"the figure rests on {figure.count} observations, not on {number.of}"
        return "" if _is_ratio(number, figure) else there
    if number.of is not None and number.of != figure.count:
        return f"the figure rests on {figure.count} observations, not on {number.of}"
    if not number.value and figure.value:
        return f"{there}, which is not zero: write more digits"
    if number.kind == "integer" and not number.unit and 0 < abs(figure.value) < 1:
        return f"{there}: write it as a percentage or a decimal"
    return "" if _rounds_to(number, figure.value) else there


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z-]+", name.lower())


def _rounds_to(number: Number, value: float) -> bool:
    size = _SIZE.get(number.unit, 1.0)
    half = 0.5 * 10.0**-number.digits
    return abs(number.value - value / size) <= half * (1 + 1e-9)


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
        low = Number(low.text, low.value, low.digits, high.unit, None, high.kind, low.start)
    return _rounds_to(low, figure.low) and _rounds_to(high, figure.high)
