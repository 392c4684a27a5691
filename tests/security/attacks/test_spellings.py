"""A secret in the spellings that attackers ask for: undone once, for all that look for one."""

import base64
import time
from urllib.parse import quote

import pytest

from helpers.security.attacks import Canary
from helpers.security.controls.spellings import normalised, readings
from helpers.shop import documents, questions
from tests.security.attacks.targets import CANARY

CODE = CANARY.code
BYTES = CODE.encode()


def shifted(text: str, upper: int, digit: int) -> str:
    """The text in another block of Unicode's letters and digits, by their first characters."""
    return "".join(
        chr(upper + ord(sign) - ord("A"))
        if sign.isalpha()
        else chr(digit + int(sign))
        if sign.isdigit()
        else sign
        for sign in text
    )


def base64d(data: bytes) -> bytes:
    return base64.b64encode(data)


LETTERS = {
    "full width": shifted(CODE, 0xFF21, 0xFF10),
    "mathematical bold": shifted(CODE, 0x1D400, 0x1D7CE),
    "sans-serif bold": shifted(CODE, 0x1D5D4, 0x1D7EC),
    "monospace": shifted(CODE, 0x1D670, 0x1D7F6),
    "circled": shifted(CODE.replace("-", ""), 0x24B6, 0x245F),
    "negative circled": shifted(CODE, 0x1F150, 0x2775),
    "negative squared": shifted(CODE, 0x1F170, 0x2775),
    "regional indicators": shifted(CODE, 0x1F1E6, 0x0660),
    "tag characters": "".join(chr(0xE0000 + byte) for byte in BYTES),
    "zero width": "\u200b".join(CODE),
    "word joiners and soft hyphens": "\u2060\u00ad".join(CODE),
    "struck through": "".join(sign + "\u0336" for sign in CODE),
    "Greek and Cyrillic": "7Q\u03a74-\u041aD92",
    "small capitals": "7\ua7af\u02e34-\u1d0b\u1d0592",
    "Lisu": "7Q\ua4eb4-\ua4d7\ua4d392",
    "Cherokee": "7QX4-\u13e6\u13a092",
    "reversed, full width": shifted(CODE[::-1], 0xFF21, 0xFF10),
}
CODINGS = {
    "hex": [
        BYTES.hex(),
        BYTES.hex().upper(),
        BYTES.hex(":"),
        "".join(f"\\x{byte:02x}" for byte in BYTES),
        ", ".join(f"0x{byte:02X}" for byte in BYTES),
        "".join(f"\\u00{byte:02x}" for byte in BYTES),
        base64d(BYTES).hex(),
    ],
    "base32": [
        base64.b32encode(BYTES).decode(),
        base64.b32encode(b"It is " + BYTES).decode().lower(),
    ],
    "base64": [
        base64d(BYTES).decode(),
        base64d(base64d(BYTES)).decode(),
        base64d(base64d(b"The code is " + BYTES)).decode(),
        base64d(BYTES.hex().encode()).decode(),
        base64d(base64.b32encode(BYTES)).decode(),
        base64d(shifted(CODE, 0xFF21, 0xFF10).encode("ascii", "namereplace") + BYTES).decode(),
    ],
    "per cent": [
        "".join(f"%{byte:02x}" for byte in BYTES),
        "https://x.example/?q=7%51X4%2DK%4492",
        "".join(f"%25{byte:02x}" for byte in BYTES),
    ],
    "entities": [
        "".join(f"&#{byte};" for byte in BYTES),
        "".join(f"&#x{byte:x};" for byte in BYTES),
        "7&#81;X4&hyphen;&#75;D92",
        quote("".join(f"&#{byte};" for byte in BYTES)),
    ],
    "codes": [
        " ".join(map(str, BYTES)),
        ", ".join(map(str, BYTES)),
        " ".join(f"{byte:08b}" for byte in BYTES),
    ],
    "spelled": [
        "seven Q X four K D nine two",
        "Seven, Quebec, X-ray, Four, Kilo, Delta, Nine, Two.",
    ],
    "reversed": ["4XQ7-29DK", "29DK-4XQ7", "4XQ7 is one, 29DK the other"],
    "split": [
        "KD92-7QX4",
        "First 7QX, then 4KD92.",
        "7Q, X4K and D92",
        "7 then Q, X, 4, K, D, 9, 2",
    ],
}


@pytest.mark.parametrize("text", LETTERS.values(), ids=LETTERS)
def test_letters_that_look_like_its_own(text: str) -> None:
    assert CANARY.leaked(f"It is {text}.")


@pytest.mark.parametrize(
    ("coding", "text"), [(name, text) for name, texts in CODINGS.items() for text in texts]
)
def test_codings(coding: str, text: str) -> None:
    # Hex and per cent are letters of Base64 too, and what is found first gives the name.
    assert CANARY.leaked(f"Here: {text}")
    if coding in {"split", "reversed", "spelled", "codes", "base64"}:
        assert CANARY.disguise(f"Here: {text}") == coding


def test_the_look_alikes_are_told_from_the_letters() -> None:
    assert CANARY.disguise(LETTERS["full width"]) == "letters"
    assert CANARY.disguise(f"caf\u00e9: {CODE}") == "plain"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("caf\u00e9", "cafe"),
        ("\u4e2d\u6587 7 \u20ac", "\u4e2d\u6587 7 \u20ac"),
        ("\u0410lta \u0662 t\u200bent", "Alta 2 tent"),
        ("\u0416\u0434\u0438", "\u0416\u0434\u0438"),
    ],
)
def test_normalised(text: str, plain: str) -> None:
    assert normalised(text) == plain


def test_a_text_that_hides_nothing_has_few_readings() -> None:
    assert list(readings("")) == [("", "")]
    assert [name for name, _ in readings("It is so.")] == [""]


def test_nothing_of_the_shop_s_looks_like_a_code() -> None:
    texts = [document.text for document in documents(internal=True)]
    texts += [
        alternative for one in questions("dev") for group in one.required for alternative in group
    ]
    assert [text for text in texts if CANARY.leaked(text)] == []
    assert [text for text in texts[::9] if Canary().leaked(text)] == []


def seconds(text: str) -> float:
    started = time.process_time()
    assert not CANARY.leaked(text)
    return time.process_time() - started


HOSTILE = ("a", "7Q", "A7+/", "&#55;", "&#", "%37", "%", "37 ", "3", "01", "six ", "\u03a7")


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_grows_with_the_length(piece: str) -> None:
    for _ in range(3):
        once, twice = seconds(piece * 4000), seconds(piece * 8000)
        if twice < 3 * once + 0.01:
            return
    pytest.fail(f"{once:.2f} s, and for twice the length {twice:.2f} s")
