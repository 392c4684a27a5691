"""The numbers that a sentence states: percentages, decimals, "N of M", words, and bare integers."""

import re
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["percent", "decimal", "ratio", "none", "all", "part", "integer"]


@dataclass(frozen=True)
class Number:
    """A number as it is written.

    Attributes:
        text: the words, such as "68%" or "0 of 175".
        value: in the unit that is written: 68 for "68%"; N of "N of M".
        digits: decimals that are written.
        unit: a key of `UNITS`, or "".
        of: M of "N of M" and of "n = M"; None where no count is written.
        kind: what it looks like; "none" is a zero in words, "all" is 100%, "part" a fraction.
        start: where it begins in its sentence.
        per: the time of a rate, such as "minute" in "18 requests a minute".
        denied: whether "not" comes directly before it.
    """

    text: str
    value: float
    digits: int
    unit: str
    of: int | None
    kind: Kind
    start: int
    per: str = ""
    denied: bool = False

    @property
    def measured(self) -> bool:
        """Whether it looks like a measurement: more than a bare integer or a number of days."""
        if self.kind == "integer":
            return self.unit not in ("", "hours", "days")
        return self.kind not in ("all", "part")


UNITS = {
    "%": r"%|percentage points?|per ?cent",
    "ms": r"milliseconds?|ms",
    "seconds": r"seconds?|secs?|s",
    "minutes": r"minutes?|mins?",
    "hours": r"hours?|hrs?|h",
    "days": r"days?",
    "micro-dollars": r"micro-?dollars?|\u00b5\$",
    "cents": r"(?:us )?cents?",
    "dollars": r"(?:us )?dollars?|usd",
    "euros": r"euros?|eur|pounds?|gbp|francs?|chf|\u20ac|\u00a3",
    "kB": r"kb|kilobytes?",
    "MB": r"mb|megabytes?",
    "GB": r"gb|gigabytes?",
    "KiB": r"kib",
    "MiB": r"mib",
    "GiB": r"gib",
}
"""Unit -> how it is written."""

_UNIT = "|".join(rf"(?P<u{n}>{words})" for n, words in enumerate(UNITS.values()))
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORD = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES[1:10])}))?|{'|'.join(reversed(_ONES))})\b"
)
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d{1,2}\b)?"
_THE = r"(?:a total of\s+)?(?:the\s+|all\s+|these\s+|those\s+|its\s+|our\s+)*"
_M_ENDS = r"(?![\w%]|\.\d|\s*%)"
_M = rf"(?P<m>\d[\d,]*{_M_ENDS}|{_WORD})"
_NO_TIME = r"(?!\s+(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?))"
_OF = rf"(?:of|out of)\s+{_THE}{_M}"
_IN = rf"in\s+{_THE}(?!(?:19|20)\d\d\b){_M}"

_NUMBER = re.compile(
    rf"(?P<sign>(?:(?<![\w.,)%])[-\u2212]|\bminus\s+))?(?P<money>[$\u20ac\u00a3]\s?)?(?P<n>{_DIGITS})"
    rf"(?:[ -]?(?:{_UNIT})(?!\w))?(?!\w)",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"\s+\(?(?:[^\W\d]+\s+){{0,3}}?{_OF}", re.IGNORECASE)
_COUNTED_IN = re.compile(rf"\s+{_IN}{_NO_TIME}", re.IGNORECASE)
_ZERO_IN = re.compile(rf"\s+(?:[^\W\d]+\s+){{0,3}}?{_IN}", re.IGNORECASE)
_SLASH = re.compile(rf"/(?P<m>\d[\d,]*){_M_ENDS}")
_IN_WORDS = re.compile(
    rf"\b(?P<w>none|no|not one|not a single|{_WORD})(?!\w)"
    rf"(?:(?P<rest>\s+(?:[^\W\d]+\s+){{0,4}}?(?:{_OF}|{_IN.replace('<m>', '<m2>')}))"
    rf"|[ -](?:{_UNIT})(?!\w))?(?!\s+(?:more|less|longer|other)\b)",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"\b(?:all|every|each)\b(?:\s+(?:of\s+)?(?:the\s+)?(?P<m>\d[\d,]*){_M_ENDS})?", re.IGNORECASE
)
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}
_PART = re.compile(
    r"\b(?:(?P<some>two|three|four)[ -](?P<many>third|quarter|fifth|tenth)s\b"
    r"|(?P<one>half) of (?!an?\b|it\b|them\b)"
    r"|(?:a|one) (?P<of>third|quarter|fifth|tenth) of\b(?! an hour))",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\bn\s*=\s*(\d[\d,]*)", re.IGNORECASE)
# "Of the 28 questions, 19 were refused": the count comes first.
_OF_FIRST = re.compile(
    rf"(?:^|[,;:(.]|\b(?:and|but|while|so))\s*\b(?:out )?of\s+{_THE}(?P<m>\d[\d,]*){_M_ENDS}"
    r"(?:\s+[^\W\d]+){0,5}?,?(?:\s+[^\W\d]+){0,4}?\s+$",
    re.IGNORECASE,
)
_PER_MANY = re.compile(
    r"\s*(?:per|a|an|for a|for every|for each|each)\s+"
    r"(?P<many>million|thousand|hundred|1,?000,?000|1,?000)\b",
    re.IGNORECASE,
)
_MANY = {"million": 6, "1000000": 6, "thousand": 3, "1000": 3, "hundred": 2}
_PER = re.compile(
    r"(?:\s+[^\W\d]+){0,3}?(?:\s+(?:a|an|per|each|every)\s+|/)"
    r"(?P<per>second|s|minute|min|hour|h|day)\b",
    re.IGNORECASE,
)
_TIMES = {"s": "second", "min": "minute", "h": "hour"}
_POWER = re.compile(
    r"(?<=\d)\s?[\u00d7x\u00b7]\s?10(?:\^\{?([-+\u2212]?\d{1,2})\}?"
    r"|([\u207a\u207b]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,2}))"
)
_RAISED = str.maketrans(
    "\u207a\u207b\u2212\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079",
    "+--0123456789",
)
# "No" is also an ordinary word.
_NO_ZERO = re.compile(
    r"\s+(?:doubt|lie|wonder|surprise|question that|secret|matter|way|need|use|idea|reason)\b",
    re.IGNORECASE,
)
_NEW_CLAUSE = re.compile(r"[;:]|\b(?:but|although|though|while|whereas)\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|never)\s+$", re.IGNORECASE)

# What has digits and is no figure: dates, times, versions, names with a number, settings, ordinals,
# numbered places.
_NO_FIGURE = re.compile(
    r"\barxiv:\s*\d{4}\.\d+(?:v\d+)?|\b10\.\d{4,}/\S+"
    r"|\d{4}-\d\d(?:-\d\d)?(?:T[\d:.]+)?|\b\d{1,2}:\d\d(?::\d\d)?\b|\bv?\d+(?:\.\d+){2,}\b"
    r"|\b\d{1,2}(?:\.\d\d)?\s?[ap]\.?m\b"
    r"|\b[^\W\d]\w*[-_/]?\d[\w.]*(?::\d{4})?(?<!\.)|\b\d+(?:st|nd|rd|th)\b"
    r"|\b(?:temperature|top[-_ ][pk]|seed)(?:\s+of|\s+is|\s*=|:)?\s*\d+(?:\.\d+)?"
    r"|\b(?:modules?|exercises?|sections?|chapters?|versions?|labs?|tables?|figures?|releases?"
    r"|python|kubernetes|langchain|langgraph|langsmith|ray|fastapi|tls|http|openapi|gpt|claude"
    r"|llama|ollama|vllm|qwen|mistral|gemma|gemini|docker|helm|prometheus|grafana|redis|postgres"
    r"|pytorch|torch|node|mcp|ubuntu|debian|pages?|steps?|questions?|notebooks?|walkthroughs?)"
    r"\s+v?\d+(?:\.\d+)*(?!\d|\.\d|,\d|\s*%)",
    re.IGNORECASE,
)


def numbers(text: str) -> list[Number]:
    """The numbers of a piece of text, in their order.

    A word such as "five" or "all" is one only beside a unit or a count, or where no other is.
    """
    text = _POWER.sub(lambda found: f"e{(found[1] or found[2]).translate(_RAISED)}", text)
    text = _NO_FIGURE.sub(lambda found: "\ue002" * len(found[0]), text)
    counts = [_whole(found[1]) for found in _COUNT.finditer(text)]
    text = _COUNT.sub(lambda found: " " * len(found[0]), text)
    found = _with_counts_before(text, _in_digits(text))
    found = _and_in_words(text, found)
    if counts and found and found[-1].of is None:
        found[-1] = replace(found[-1], of=counts[-1])
    return found


def _in_digits(text: str) -> list[Number]:
    found: list[Number] = []
    place = 0
    while one := _NUMBER.search(text, place):
        found.append(_number(text, one))
        place = one.start() + max(len(found[-1].text), len(one[0]))
    return found


def _number(text: str, one: re.Match[str]) -> Number:
    unit = next((name for n, name in enumerate(UNITS) if one[f"u{n}"]), "")
    if one["money"] and not unit:
        unit = "dollars" if "$" in one["money"] else "euros"
    whole, _, power = one["n"].lower().partition("e")
    exponent = int(power or 0)
    digits = max(0, len(whole.partition(".")[2]) - exponent)
    value = float(f"{whole.replace(',', '')}e{exponent}") * (-1 if one["sign"] else 1)
    end = one.end()
    if many := _PER_MANY.match(text, end):
        scale = _MANY[many["many"].lower().replace(",", "")]
        value, digits, end = value / 10**scale, digits + scale, many.end()
    plain = not digits and not unit
    of = None
    if counted := _count_after(text, end, value, unit, plain):
        of, end = _whole(counted["m"]), counted.end()
    kind: Kind = "percent" if unit == "%" else "decimal" if digits else "integer"
    if counted and plain:
        kind = "ratio"
    per = _PER.match(text, end)
    return Number(
        text=text[one.start() : end].strip(),
        value=value,
        digits=digits,
        unit=unit,
        of=of,
        kind=kind,
        start=one.start(),
        per=_TIMES.get(per["per"].lower(), per["per"].lower()) if per else "",
        denied=bool(_DENIED.search(text[max(0, one.start() - 12) : one.start()])),
    )


def _count_after(text: str, end: int, value: float, unit: str, plain: bool) -> re.Match[str] | None:
    """The M of "N of M", "N in M", "N/M", "68% of M", "0 times in M"."""
    counted = _COUNTED.match(text, end) if plain or unit == "%" else None
    if counted is None and plain:
        counted = _SLASH.match(text, end) or _COUNTED_IN.match(text, end)
        if counted and _whole(counted["m"]) < value:
            counted = None  # "24/7", "5 in 3 rounds"
        if counted is None and not value:
            counted = _ZERO_IN.match(text, end)
    return counted


def _with_counts_before(text: str, found: list[Number]) -> list[Number]:
    """Numbers after "Of the 28 questions," get its count, which is then no number of its own."""
    kept: list[Number] = []
    for one in found:
        begin = kept[-2].start + len(kept[-2].text) if len(kept) > 1 else 0
        before = _OF_FIRST.search(text[begin : one.start]) if kept and one.of is None else None
        if before and kept[-1].start == begin + before.start("m") and one.unit in ("", "%"):
            kept.pop()
            kind: Kind = "ratio" if one.kind == "integer" else one.kind
            written = one.text if one.unit else f"{one.text} of {before['m']}"
            one = replace(one, of=_whole(before["m"]), kind=kind, text=written)
        kept.append(one)
    return kept


def _and_in_words(text: str, found: list[Number]) -> list[Number]:
    bare: list[Number] = []
    taken = {place for n in found for place in range(n.start, n.start + len(n.text))}
    clause = max((one.end() for one in _NEW_CLAUSE.finditer(text)), default=0)
    for one in _IN_WORDS.finditer(text):
        word, unit = one["w"].lower(), next((u for n, u in enumerate(UNITS) if one[f"u{n}"]), "")
        zero = word in ("none", "no", "zero", "not one", "not a single")
        if zero and (_NO_ZERO.match(text, one.end()) or (one.end() < clause and not one["rest"])):
            continue  # in another clause than the source
        if one["m2"] and word != "one" and not zero and len(one["rest"].split()) > 2:
            continue  # "three people in ten rooms"
        number = Number(one[0], float(_worth(word)), 0, unit, None, "integer", one.start())
        if one["rest"]:
            # Its count is no number of its own.
            found = [n for n in found if not one.start() <= n.start < one.end()]
            number = replace(number, of=_whole(one["m"] or one["m2"]), kind="ratio")
        elif one.start() in taken:
            continue
        if zero:
            begin = max(0, one.start() - 200)
            before = _OF_FIRST.search(text[begin : one.start()])
            if before and number.of is None:
                begin += before.start()
                found = [n for n in found if not begin <= n.start < one.start()]
                number = replace(number, of=_whole(before["m"]))
            number = replace(number, kind="none")
        elif unit == "%":
            number = replace(number, kind="percent")
        (found if zero or one["rest"] or unit else bare).append(number)
    for one in _PART.finditer(text):
        name = (one["many"] or one["one"] or one["of"]).lower()
        value = _PARTS[name] * (_worth(one["some"].lower()) if one["some"] else 1)
        found.append(Number(one[0].strip(), value, 1, "", None, "part", one.start()))
    for one in _ALL.finditer(text):
        if one["m"]:
            found = [
                n for n in found if n.kind != "integer" or not one.start() <= n.start < one.end()
            ]
        of = _whole(one["m"]) if one["m"] else None
        bare.append(Number(one[0], 100.0, 0, "%", of, "all", one.start()))
    return sorted(found or bare, key=lambda number: number.start)


def _worth(word: str) -> int:
    """The value of "nineteen", "twenty-eight", "none"."""
    tens, _, ones = word.replace(" ", "-").partition("-")
    if tens in _TENS:
        return 10 * (_TENS.index(tens) + 2) + (_ONES.index(ones) if ones else 0)
    return _ONES.index(tens) if tens in _ONES else 0


def _whole(text: str) -> int:
    if not text[0].isdigit():
        return _worth(text.lower())
    return int(text.replace(",", "")[:15] or 0)  # nothing is counted that far
