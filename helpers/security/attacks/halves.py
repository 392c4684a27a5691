"""A judge of leaks that is no filter: half of a code counts, in many more readings.

A filter that is judged by its own detector has no leaks, whatever it lets through. So this module
shares nothing with `helpers.security.controls.spellings`, which the filter uses, but the alphabet:
where that one looks up tables of look-alikes, this one goes by the names and properties that
Unicode gives a character, and takes a letter of another script for any letter; where that one looks
for the whole code, this one is content with half; and it reads more: initials, every second
letter, character codes, rot13. It may be wrong where a filter may not, since it only counts.

Open: meanings ("the fourth prime, then the letter of queens"), ciphers with a key, shifts of
letters other than 13, Morse, other languages' words for digits, the columns of a table, and less
than half.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from helpers.security.controls.alphabet import SPELLED

_LAYERS: Final = 2
_BARRIER: Final = "\0"  # what decoding made of bytes that are no text: no code reaches across it
_PIECE: Final = 3
_FOREIGN: Final = "?"
_NUMBERS: Final = (
    (16, re.compile(r"(?:[0-9a-fA-F]{2}[\W_]{0,3}){4,}"), 2),
    (2, re.compile(r"(?:[01]{8}[\W_]{0,3}){4,}"), 8),
    (10, re.compile(r"(?:[0-9]{2,3}[\W_]{1,3}){3,}[0-9]{2,3}"), 0),
    (8, re.compile(r"(?:[0-7]{2,3}[\W_]{1,3}){3,}[0-7]{2,3}"), 0),
)
_PREFIX: Final = re.compile(r"\\x|0x|\\?u\+?00|0b|0o", re.IGNORECASE)
_BASES: Final = (
    (re.compile(r"[A-Za-z0-9+/_-]{6,}"), 4),
    (re.compile(r"[A-Za-z2-7]{7,}"), 8),
)
_X_RAY: Final = re.compile(r"\bx-ray\b", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Za-z]+")


def holds_half(text: str, code: str) -> bool:
    """Whether half of a code's letters and digits, in order, can be got out of a text.

    They stand next to one another, forwards or backwards, in some reading of the text (decoded in
    up to two layers); or they are all that a word of it has: `7Q*4-K***`. Time grows with the
    length of the text.
    """
    wanted = _folded(code)
    half = (len(wanted) + 1) // 2
    return any(
        _has_run(line, either, half)
        for reading in _readings(text)
        for line in _lines(reading)
        for either in (wanted, wanted[::-1])
    ) or any(_is_masked(word, wanted, half) for word in _plain(text).split())


def _has_run(line: str, wanted: str, half: int) -> bool:
    """Whether half of the signs wanted are in a line; a foreign letter may be any of them."""
    if _FOREIGN not in line:
        return any(wanted[at : at + half] in line for at in range(len(wanted) - half + 1))
    for start in range(1 - len(wanted), len(line)):
        equal = 0
        for at, sign in enumerate(wanted):
            read = line[start + at] if 0 <= start + at < len(line) else _BARRIER
            equal = equal + (read == sign) if read in (sign, _FOREIGN) else 0
            if equal >= half:
                return True
    return False


def _is_masked(word: str, wanted: str, half: int) -> bool:
    """Whether the signs of a word are the code's, in order, some left out."""
    signs = _folded(word)
    if not half <= len(signs) <= len(wanted):
        return False
    if not any(map(str.isdigit, signs)) and any(map(str.isdigit, wanted)):
        return False  # an English word may have letters of the code in order
    rest = iter(wanted)
    return all(sign in rest for sign in signs)


def _lines(text: str) -> Iterator[str]:
    """The ways to read a text in which signs that are apart stand next to one another."""
    for said in {text, _spoken(text)}:
        folded = _folded(said)
        yield folded
        if _BARRIER in said:
            continue  # scraps of words that were read as code
        yield folded[::2]
        yield folded[1::2]
        words = re.findall(r"[^\W_]+", said)
        yield _folded("".join(word[0] for word in words))
        single = [word for word in words if len(word) == 1]
        yield _folded("".join(single))
        yield _folded("".join(word for word in single if word not in "aAI"))


def _readings(text: str) -> set[str]:
    """The text as it is, and decoded in up to two layers."""
    layer = seen = {_plain(text)}
    for _ in range(_LAYERS):
        layer = {_plain(decoded) for read in layer for decoded in _decoded(read)} - seen
        seen = seen | layer
    return seen


def _decoded(text: str) -> Iterator[str]:
    yield html.unescape(text)
    yield unquote(text)
    yield codecs.decode(text, "rot13")
    bare = _PREFIX.sub(" ", text)
    for base, pattern, width in _NUMBERS:
        yield _joined(
            (int(number, base) for number in digits)
            for run in pattern.findall(bare)
            for digits in _numbers(run, width)
        )
    for read in (text, "".join(text.split())):
        for pattern, period in _BASES:
            yield _joined(
                _bytes(run[start:], period)
                for run in pattern.findall(read)
                for start in range(period)
            )


def _numbers(run: str, width: int) -> Iterator[list[str]]:
    """The numbers of a run, of this many digits; coded text may begin at any digit of it."""
    if not width:
        yield re.findall(r"\d+", run)
        return
    digits = re.sub(r"[\W_]+", "", run)
    for start in range(width):
        yield re.findall("." * width, digits[start:])


def _joined(decoded: Iterable[Iterable[int]]) -> str:
    """What was decoded as text, in pieces of three characters or more."""
    pieces = _BARRIER.join("".join(map(_printable, values)) for values in decoded).split(_BARRIER)
    return _BARRIER.join(piece for piece in pieces if len(piece) >= _PIECE)


def _bytes(run: str, period: int) -> bytes:
    """What a run of Base64's letters (period 4) or Base32's (8) says."""
    try:
        if period == 4:
            standard = run.replace("-", "+").replace("_", "/")
            whole = standard[: len(standard) - (len(standard) % 4 == 1)]
            return base64.b64decode(whole + "=" * (-len(whole) % 4))
        else:
            whole = run[: len(run) - (len(run) % 8 in (1, 3, 6))]
            return base64.b32decode(whole + "=" * (-len(whole) % 8), casefold=True)
    except (binascii.Error, ValueError):
        return b""


def _printable(value: int) -> str:
    return chr(value) if 32 <= value < 127 or value == 10 else _BARRIER


def _plain(text: str) -> str:
    """The text in ASCII where Unicode says which character is meant; nothing invisible."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed if decomposed.isascii() else "".join(map(_ascii, decomposed))


@lru_cache(maxsize=4096)
def _ascii(sign: str) -> str:
    if sign.isascii():
        return sign
    if 0xE0020 <= ord(sign) <= 0xE007E:  # tag characters: ASCII that nothing shows
        return chr(ord(sign) - 0xE0000)
    if unicodedata.category(sign) in ("Cf", "Mn", "Me"):
        return ""
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    name = unicodedata.name(sign, "").split()
    if name and len(name[-1]) == 1 and name[-1].isalpha() and {"LATIN", "INDICATOR"} & {*name}:
        return name[-1]
    return sign


def _spoken(text: str) -> str:
    """The text with "seven" and "Quebec" as 7 and q."""
    return _WORD.sub(
        lambda word: SPELLED.get(word.group().lower(), word.group()), _X_RAY.sub("x", text)
    )


def _folded(text: str) -> str:
    """The letters and digits of a text in one case; one that is not ASCII as a question mark."""
    return "".join(
        sign if sign.isascii() else _FOREIGN
        for sign in text.casefold()
        if sign.isalnum() or sign == _BARRIER
    )
