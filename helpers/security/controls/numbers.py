"""Cards and telephone numbers in a text, however their digits are grouped.

People, and models that repeat them, write the same number with spaces of any width, hyphens, dots,
brackets, or with another number right after it: the expiry date and the code of a card, the next
telephone number of a list. A pattern over the whole run of digits then misses it. So the text is
read as runs of groups, and each run is searched for a few neighbouring groups that make a number.

Every search is linear: a number has at most 19 digits, so from each group only so many are tried.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from helpers.security.controls.folding import Folded, fold

_GROUP: Final = re.compile(r"[0-9]+")
_BETWEEN: Final = re.compile(r"[ ./()_-]{1,5}")
"""What people write between the groups of one number, on one line."""
_PLUS: Final = re.compile(r"(?<!\w)\+[ (]{0,2}\Z")
_EXTENSION: Final = re.compile(r"ext|x *[0-9]", re.IGNORECASE)

# The whole numbers that issuers use, by their first digits (ISO/IEC 7812-1, the networks' tables).
_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{17,18})"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|095|[689]\d)\d{11,16}"  # Diners Club
    r"|(?:6\d|50|5[6-8]|81|82)\d{14,17}"  # Discover, UnionPay, Maestro, RuPay
    r"|(?:35\d{2}|220[0-5])\d{12,15}"  # JCB, Mir
)
_CARD_SHAPES: Final = frozenset({(4, 6, 5), (4, 6, 4), (8, 8), (6, 13), (6, 10)})
"""Digits of each group, where the groups are not fours."""

# Ofcom's national numbers: eleven digits with the 0; ten in a few old areas and for 0800 and 0500.
_NATIONAL: Final = re.compile(r"0(?:[1235789]\d{9}|1\d{8}|[58]00\d{6})")
_BRITISH: Final = re.compile(r"(?:00)?44(0?[1235789]\d{8,9})")
_BARE_MOBILE: Final = re.compile(r"44(7\d{9})")
_INTERNATIONAL: Final = re.compile(r"[1-9]\d{9,14}")
"""E.164: country code and number, at most 15 digits."""
_CURRENCIES: Final = "£$€"


@dataclass(frozen=True)
class Number:
    """A number in a text.

    Attributes:
        start: where it begins in the text.
        end: where it ends.
        digits: its digits alone; a British telephone number's in national form, with the 0.
    """

    start: int
    end: int
    digits: str


def cards(text: str) -> Iterator[Number]:
    """Card numbers of 13 to 19 digits, an issuer's and with the right check digit (Luhn).

    One number in ten of the right length and beginning passes the check by chance. An expiry date
    and a code beside the number are not part of it. Not found: a number over two lines, in words,
    or in odd groups: of two
    (41 11 11 ...), or of any size where other digits stand right beside it.
    """
    yield from _search(fold(text), _CARD)


def telephones(text: str) -> Iterator[Number]:
    """British telephone numbers, and those of other countries that are written with a +.

    Found are national numbers (01632 960042, 020-7946-0958), those with the country code in each of
    its forms (+44, 0044, (+44), "+44 (0)"), and mobile numbers as messengers write them (447...).
    Not found: a number over two lines, in words, without its area code, or of another country
    without the +.
    """
    yield from _search(fold(text), _TELEPHONE)


def national(number: str) -> str:
    """The digits of one telephone number, however it is written; a British one's with the 0."""
    found = next(telephones(number), None)
    return found.digits if found else "".join(_GROUP.findall(fold(number).text))


@dataclass(frozen=True)
class _Run:
    """Groups of digits with nothing but separators between them, in a folded text."""

    text: str
    groups: Sequence[re.Match[str]]

    def between(self, group: int) -> str:
        """What stands between a group of the run and the next; "" before the first and the last."""
        if not 0 <= group < len(self.groups) - 1:
            return ""
        return self.text[self.groups[group].end() : self.groups[group + 1].start()]


@dataclass(frozen=True)
class _Kind:
    """A kind of number: how many digits it has, which groups may begin it, what it makes of some.

    `read` gets the run, the indices of the first group and of that after the last, and the digits;
    it returns the number's digits, or None where they make none.
    """

    sizes: range
    begins: Callable[[_Run, int], bool]
    read: Callable[[_Run, int, int, str], str | None]


def _search(folded: Folded, kind: _Kind) -> Iterator[Number]:
    """The numbers of a text, from left to right, each of as many groups as make one."""
    for run in _runs(folded.text):
        first = 0
        while first < len(run.groups):
            last, digits = _longest(run, first, kind)
            if digits:
                start, end = _opening(run, first, last), run.groups[last - 1].end()
                yield Number(*folded.span(start, end), digits)
            first = last


def _longest(run: _Run, first: int, kind: _Kind) -> tuple[int, str | None]:
    """The end and the digits of the longest number that begins here; else the next group."""
    best: tuple[int, str | None] = (first + 1, None)
    if not kind.begins(run, first):
        return best
    digits = ""
    for last in range(first + 1, len(run.groups) + 1):
        digits += run.groups[last - 1].group()
        if len(digits) >= kind.sizes.stop:
            break
        if len(digits) in kind.sizes and (number := kind.read(run, first, last, digits)):
            best = (last, number)
    return best


def _opening(run: _Run, first: int, last: int) -> int:
    """Where a number begins: with its plus, and with a bracket that closes inside it."""
    start = run.groups[first].start()
    plus = _plus(run, first)
    start = plus.start() if plus else start
    closed = ")" in run.text[start : run.groups[last - 1].start()]
    return start - 1 if closed and start and run.text[start - 1] == "(" else start


def _plus(run: _Run, first: int) -> re.Match[str] | None:
    """The plus right before a group."""
    start = run.groups[first].start()
    return _PLUS.search(run.text, max(0, start - 3), start)


def _runs(text: str) -> Iterator[_Run]:
    groups: list[re.Match[str]] = []
    for group in _GROUP.finditer(text):
        if groups and not _BETWEEN.fullmatch(text, groups[-1].end(), group.start()):
            yield _Run(text, groups)
            groups = []
        groups.append(group)
    if groups:
        yield _Run(text, groups)


def _may_begin_card(run: _Run, first: int) -> bool:
    return run.groups[first].group()[0] in "234568"


def _card(run: _Run, first: int, last: int, digits: str) -> str | None:
    if not _ISSUERS.fullmatch(digits) or not _luhn(digits):
        return None
    sizes = tuple(len(group.group()) for group in run.groups[first:last])
    if len(sizes) == 1:
        # Sixteen digits after a point are a fraction.
        shaped = "." not in (run.between(first - 1), run.between(first))
    else:
        fours = set(sizes[:-1]) == {4} and sizes[-1] <= 4
        whole = first == 0 and last == len(run.groups)
        # Groups of two are a list of weights or sizes far more often.
        shaped = fours or sizes in _CARD_SHAPES or (whole and (max(sizes) > 3 or set(sizes) == {1}))
    return digits if shaped else None


def _may_begin_telephone(run: _Run, first: int) -> bool:
    """Not in a word, a price or a longer number."""
    if first and run.between(first - 1) in ("-", ".", "_"):
        return False
    start = run.groups[first].start()
    before = run.text[max(0, start - 2) : start]
    if before and (before[-1].isalpha() or before[-1] in _CURRENCIES):
        return False
    if len(before) == 2 and before[1] == "-" and before[0].isalpha():
        return False  # FH-01632960042 is a reference
    return run.groups[first].group()[0] in "04" or bool(_plus(run, first))


def _telephone(run: _Run, first: int, last: int, digits: str) -> str | None:
    if not _may_end_telephone(run, last):
        return None
    plus = _plus(run, first)
    if (plus or digits.startswith("00")) and (british := _BRITISH.fullmatch(digits)):
        return f"0{british[1].removeprefix('0')}"
    if mobile := _BARE_MOBILE.fullmatch(digits):
        return f"0{mobile[1]}"
    if plus:
        return digits if _INTERNATIONAL.fullmatch(digits) else None
    if not _NATIONAL.fullmatch(digits):
        return None
    sizes = [len(group.group()) for group in run.groups[first:last]]
    # A date begins with two digits (01.12.2026 123), an ISBN with one.
    pairs = set(sizes[:-1]) == {2} and len(sizes) > 4
    return digits if sizes[0] >= 3 or set(sizes) == {1} or pairs else None


def _may_end_telephone(run: _Run, last: int) -> bool:
    """An extension may follow, a letter or the rest of a longer number may not."""
    if run.between(last - 1) in ("-", ".", "_"):
        return False
    end = run.groups[last - 1].end()
    return not run.text[end : end + 1].isalpha() or bool(_EXTENSION.match(run.text, end))


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


_CARD: Final = _Kind(range(13, 20), _may_begin_card, _card)
_TELEPHONE: Final = _Kind(range(10, 17), _may_begin_telephone, _telephone)
