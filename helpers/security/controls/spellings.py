"""What a text says when its spelling is undone: one place for all who look for a known secret.

A secret is asked for in another spelling so that a filter does not see it. Here a text is brought
into plain ASCII once (`normalised`), and decoded once (`readings`): Base64, Base32, hex, per cent
and HTML entities, character codes, spelled digits and letters, each inside another in up to two
layers. The detector, `Canary.leaked`, then looks for the secret in each reading.

Open: what is no spelling but a meaning ("the number of days in a week, then the letter after P"),
digits in other languages, ciphers, Morse, initials of words, every second letter, pictures made of
characters, and more than two layers. A model that knows the secret can always say it so that no
list of spellings has it; the only remedy is a model that does not know it (`make_apply_goodwill`).
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from helpers.security.controls.alphabet import LOOK_ALIKES, SPELLED

LAYERS: Final = 2

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_BASE32: Final = re.compile(r"[A-Za-z2-7]{8,}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2}[\W_]{0,3}){4,}", re.IGNORECASE)
_HEX_PREFIX: Final = re.compile(r"\\x|0x|\\?u\+?00", re.IGNORECASE)
_CODES: Final = re.compile(r"(?:[0-9]{2,3}[\W_]{1,3}){3,}[0-9]{2,3}")
_BINARY: Final = re.compile(r"(?:[01]{8}[\W_]{0,3}){4,}")
_WORD: Final = re.compile(r"[A-Za-z]+(?:-ray\b)?", re.IGNORECASE)
_TAGS: Final = range(0xE0020, 0xE007F)


def normalised(text: str) -> str:
    """The text in the letters that a reader sees: compatibility forms, look-alikes, no marks.

    Full-width, mathematical, circled and small capital letters, and the letters of other scripts
    that look like Latin ones, become those; digits of all scripts 0 to 9; tag characters the ASCII
    that they hide; invisible characters and accents go. Letters of other scripts that look like
    none stay.
    """
    if text.isascii():
        return text
    return "".join(map(plain_character, unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=8192)
def plain_character(sign: str) -> str:
    """One character of decomposed text (NFKD) as `normalised` has it; nothing for an invisible."""
    if sign.isascii():
        return sign
    if ord(sign) in _TAGS:
        return chr(ord(sign) - 0xE0000)
    if unicodedata.category(sign) in {"Cf", "Mn", "Me"}:
        return ""
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    name = unicodedata.name(sign, "")
    if name in LOOK_ALIKES:
        return LOOK_ALIKES[name]
    last = name.rpartition(" ")[2]
    if len(last) == 1 and ("LATIN " in name or name.startswith("REGIONAL INDICATOR")):
        return last
    return sign


def readings(text: str) -> Iterator[tuple[str, str]]:
    """The text normalised, under the name "", and what it says decoded, with the decoder's name.

    What is decoded is decoded once more (`LAYERS`). The same words are not given twice. A NUL parts
    pieces that do not belong together. Time and the length of all readings grow with the length of
    the text.
    """
    plain = normalised(text)
    yield "", plain
    seen, layer = {plain}, [("", plain)]
    for _ in range(LAYERS):
        found = []
        for outer, read in layer:
            for name, decoder in _DECODERS.items():
                decoded = normalised(decoder(read))
                if decoded and decoded not in seen:
                    seen.add(decoded)
                    found.append((outer or name, decoded))
                    yield found[-1]
        layer = found


def _base64(text: str) -> str:
    # A coded text may be cut into lines, and may begin at any of four places of a run of letters.
    return _runs(_BASE64, text, _decoded_base64)


def _decoded_base64(run: str) -> Iterator[bytes]:
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4):
        part = standard[start:]
        # A length of 4n + 1 is none that Base64 has; its last letter belongs to something else.
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield base64.b64decode(part + "=" * (-len(part) % 4))


def _base32(text: str) -> str:
    return _runs(_BASE32, text, _decoded_base32)


def _decoded_base32(run: str) -> Iterator[bytes]:
    for start in range(8):
        part = run[start:].upper()
        part = part[: len(part) - (len(part) % 8 in {1, 3, 6})]
        yield base64.b32decode(part + "=" * (-len(part) % 8))


def _hex(text: str) -> str:
    def decoded(run: str) -> Iterator[bytes]:
        digits = re.sub(r"[\W_]+", "", run)
        for start in (0, 1):
            part = digits[start:]
            yield bytes.fromhex(part[: len(part) - len(part) % 2])

    bare = _HEX_PREFIX.sub(" ", text)
    return _runs(_HEX, bare, decoded)


def _codes(text: str) -> str:
    """Characters by their decimal or binary numbers."""

    def decimal(run: str) -> Iterator[bytes]:
        yield bytes(n if n < 128 else 0 for n in map(int, re.findall("[0-9]+", run)))

    def binary(run: str) -> Iterator[bytes]:
        digits = re.sub(r"[\W_]+", "", run)
        yield bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8))

    return _runs(_CODES, text, decimal) + _runs(_BINARY, text, binary)


def _runs(pattern: re.Pattern[str], text: str, decode: Callable[[str], Iterator[bytes]]) -> str:
    """What the runs that fit a pattern say, also when the text is read without its white space."""
    squeezed = "".join(text.split())
    found: dict[str, None] = {}
    for read in dict.fromkeys((text, squeezed)):
        for run in pattern.findall(read):
            try:
                found.update((_text(each), None) for each in decode(run))
            except (binascii.Error, ValueError):
                continue
    return "\0".join(words for words in found if words)


def _text(decoded: bytes) -> str:
    """Bytes as text; what is none becomes a NUL, which no secret reaches across."""
    said = decoded.decode("latin-1")
    pieces = re.findall(r"[\n -~]{4,}", said)
    return "\0".join(pieces)


def _spelled(text: str) -> str:
    """The text with "seven" and "Quebec" as 7 and q."""

    def sign(found: re.Match[str]) -> str:
        word = found.group()
        return SPELLED.get(word.lower().replace("-", ""), word)

    return _WORD.sub(sign, text)


_DECODERS: Final[dict[str, Callable[[str], str]]] = {
    "base64": _base64,
    "base32": _base32,
    "hex": _hex,
    "per cent": unquote,
    "entities": html.unescape,
    "codes": _codes,
    "spelled": _spelled,
}
