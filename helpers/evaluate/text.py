"""Answers and facts as comparable tokens, so that a fact is found whole or not at all.

"30 days" must be found in "You have thirty days." and in "a 30-day period", and must not be found
in "130 days", "3.30 days" or "not 30 days". Both sides are therefore split into the same canonical
tokens, and a fact matches only as an unbroken run of whole tokens.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_MONTHS = {
    "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4,
    "may": 5, "june": 6, "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9,
    "sept": 9, "sep": 9, "october": 10, "oct": 10, "november": 11, "nov": 11, "december": 12,
    "dec": 12,
}  # fmt: skip
_UNITS = {
    "kilogram": "kg", "kilogramme": "kg", "kilo": "kg", "gram": "g", "gramme": "g",
    "litre": "l", "liter": "l", "millilitre": "ml", "milliliter": "ml",
    "metre": "m", "meter": "m", "centimetre": "cm", "centimeter": "cm",
    "millimetre": "mm", "millimeter": "mm", "kilometre": "km", "kilometer": "km",
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"

# Tried in this order at each place of the text. What none of them takes is left out.
_TOKEN = re.compile(
    rf"""
      (?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)
    | (?P<slash>\b\d{{1,2}}/\d{{1,2}}/\d{{4}}\b)
    | (?P<day_month>\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b)
    | (?P<month_day>\b(?:{_MONTH})\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\s*[:.]\d))
    | (?P<time>\b\d{{1,2}}(?:[:.]\d{{2}})?\s*[ap]\.?m\b\.?|\b\d{{1,2}}:\d{{2}}\b)
    | (?P<money>(?:£|\bgbp\s?)\s?(?:{_NUMBER})|(?:{_NUMBER})\s?(?:£|pounds?\b|gbp\b))
    | (?P<number>(?:(?<![\w)])-(?=\d))?(?:{_NUMBER}))
    | (?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)
    | (?P<sign>%|°\s?c\b)
    """,
    re.VERBOSE,
)
_NEGATORS = frozenset({"not", "no", "never", "cannot", "neither", "nor", "without"})
_LIGHT = frozenset({"a", "an", "the", "have", "get", "be", "cost", "weigh", "take", "last", "need"})


def _plain(text: str) -> str:
    """One spelling of quotes, dashes, spaces, fractions, ranges and per cent, in lower case."""
    text = unicodedata.normalize("NFKC", text.replace("½", ".5")).casefold()
    text = text.replace("’", "'").replace("‘", "'").replace("×", "x").replace("*", "")
    text = re.sub(r"[‐‑‒–—−]", "-", text)
    text = re.sub(r"\bper\s?cent\b", "%", text)
    text = re.sub(r"\bdegrees? (?:c|celsius)\b", "°c", text)
    text = re.sub(r"\bminus\s+(?=\d)", "-", text)
    # "3-5 days" and "£3-£5" are ranges; "2026-06-15" and "01632-960123" are not.
    return re.sub(r"(?<![\d-])(£?\d{1,4}(?:\.\d+)?)\s?-\s?(?=£?\d{1,4}\b(?!-))", r"\1 to ", text)


def _number(text: str) -> str:
    """ "1,200.50" -> "1200.5"; leading zeros stay, since "0042" is an id, not 42."""
    text = text.replace(",", "")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clock(text: str) -> str:
    """ "5 pm", "5.00pm" and "17:00" -> "17:00"."""
    found = re.match(r"(\d{1,2})(?:[:.](\d{2}))?\s*([ap])?", text)
    assert found is not None
    hour, minute, half = int(found[1]), found[2] or "00", found[3]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour}:{minute}"


def _date(day: str, month: str | int) -> str:
    number = month if isinstance(month, int) else _MONTHS[month]
    return f"{number:02d}/{int(day):02d}"


def _word(word: str) -> Iterator[str]:
    if word.endswith("n't"):  # "don't" -> "do not", so that negation is one word everywhere
        yield from ({"can't": "can", "won't": "will"}.get(word, word[:-3]), "not")
    elif word == "cannot":
        yield from ("can", "not")
    else:
        word = word.removesuffix("'s")
        if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
            word = word[:-1]  # one and many alike: "a 28-day limit", "28 days"
        yield _UNITS.get(word, word)


def _raw(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(_plain(text)):
        kind, value = found.lastgroup, found[0]
        if kind == "iso":
            year, month, day = value.split("-")
            yield from (_date(day, int(month)), year)
        elif kind == "slash":  # British order
            day, month, year = value.split("/")
            yield from (_date(day, int(month)), year)
        elif kind in {"day_month", "month_day"}:
            day = re.findall(r"\d+", value)[0]
            yield _date(day, re.findall(rf"(?:{_MONTH})\b", value)[0])
        elif kind == "time":
            yield _clock(value)
        elif kind == "money":
            yield "£" + _number(re.findall(_NUMBER, value)[0])
        elif kind == "number":
            yield _number(value)
        elif kind == "sign":
            yield value.replace(" ", "")
        else:
            yield from _word(value)


@lru_cache(maxsize=8192)
def tokens(text: str) -> tuple[str, ...]:
    """Canonical tokens of a text: words in lower case, numbers, sums, dates and times.

    Number words become digits ("twenty-eight" is "28"), sums one token ("49 pounds" and "£49.00"
    are "£49"), dates a token for day and month and one for the year, times 24-hour clock, plural
    words singular. Punctuation is left out.
    """
    out: list[str] = []
    ten: int | None = None  # "twenty" waiting for its "eight"
    for token in _raw(text):
        value = _NUMBERS.get(token)
        if ten is not None and value is not None and 0 < value < 10:
            out[-1] = str(ten + value)
            ten = None
        elif value is not None:
            out.append(str(value))
            ten = value if value >= 20 else None
        else:
            ten = None
            if token in {"pound", "gbp"} and out and _is_number(out[-1]):  # "thirty pounds"
                out[-1] = "£" + out[-1]
            else:
                out.append(token)
    return tuple(out)


def _is_number(token: str) -> bool:
    """Whether the token is a plain number or a sum; times and dates are not."""
    return token.lstrip("£-").replace(".", "").isdigit()


def _cut_from_range(answer: Sequence[str], start: int, end: int) -> bool:
    """Whether the fact is one end of a range: "5 days" in "3 to 5 days"."""
    first, last = answer[start], answer[end - 1]
    if start > 1 and answer[start - 1] == "to" and _is_number(answer[start - 2]):
        return _is_number(first)
    after = answer[end : end + 2]
    return _is_number(last) and len(after) == 2 and after[0] == "to" and _is_number(after[1])


def _negated(answer: Sequence[str], start: int) -> bool:
    """Whether the fact that starts here is denied: "not 30 days", "do not have 30 days".

    Only a negation right before the fact counts, or one light word further back: "not more than
    30 days" and "not after 30 days" do state the fact.
    """
    if start and answer[start - 1] in _NEGATORS:
        return True
    return start > 1 and answer[start - 1] in _LIGHT and answer[start - 2] in _NEGATORS


def states(answer: str, fact: str) -> bool:
    """Whether the answer states the fact: its tokens in one unbroken run, at least once undenied.

    An end of a range is not the value itself: "3 to 5 days" does not state "5 days".

    Raises ValueError for a fact without tokens, which would be found everywhere.
    """
    text, wanted = tokens(answer), tokens(fact)
    if not wanted:
        raise ValueError(f"The fact {fact!r} has no word or number to look for.")
    size = len(wanted)
    return any(
        text[at : at + size] == wanted
        and not _negated(text, at)
        and not _cut_from_range(text, at, at + size)
        for at in range(len(text) - size + 1)
    )
