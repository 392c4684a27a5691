"""Personal data kept from the model, the traces and the answer: LangChain's middleware, completed.

`PIIMiddleware` finds e-mail addresses, cards of 16 digits, IP and MAC addresses and URLs. It takes
detectors of one's own, which fill in what a British shop meets besides: cards of 13 to 19 digits,
telephone numbers, postcodes. Names it does not find, and no pattern does: a model for names marks
clean sentences too (see the module's notebook).
"""

import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any, Final, Literal

from langchain.agents.middleware import PIIMiddleware
from langchain.agents.middleware.pii import PIIMatch

from helpers.agent import Caller
from helpers.shop import documents

Detector = Callable[[str], list[PIIMatch]]
Strategy = Literal["redact", "mask", "hash"]

# A run of 13 to 19 digits that is no part of a longer one, with single spaces or hyphens.
_CARD: Final = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-]|[ ]\d)")
# British numbers, written with 0 or +44: two to five groups, ten or eleven digits with the 0.
_PHONE: Final = re.compile(
    r"(?<![\w+.£-])(?:\+44[ -]?(?:\(0\)[ -]?)?|0044[ -]?|\(?0)\d{2,5}\)?"
    r"(?:[ -]?\d{2,6}){1,3}(?![\w-])"
)
# As Royal Mail writes them: area and district, then sector and unit.
_POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE_DIGITS: Final = (10, 11)


def detect_card(text: str) -> list[PIIMatch]:
    """Card numbers of 13 to 19 digits whose check digit is right (Luhn, ISO/IEC 7812-1).

    One run of digits in ten passes the check by chance: a tracking number may be among them.
    """
    return _matches("card", _CARD, text, lambda found: _luhn(_digits(found)))


def detect_phone(text: str) -> list[PIIMatch]:
    """British telephone numbers, except those that the shop's own documents give to everybody."""
    return _matches("phone", _PHONE, text, _is_private_phone)


def detect_postcode(text: str) -> list[PIIMatch]:
    """British postcodes, in capitals or not, with or without the space."""
    return _matches("postcode", _POSTCODE, text, lambda found: any(map(str.isdigit, found)))


def detect_email(text: str) -> list[PIIMatch]:
    """E-mail addresses, except those that the shop's own documents give to everybody."""
    return _matches("email", _EMAIL, text, lambda found: found.lower() not in public_contacts())


DETECTORS: Final[dict[str, Detector]] = {
    "email": detect_email,
    "card": detect_card,
    "phone": detect_phone,
    "postcode": detect_postcode,
}
"""By the name that stands in the placeholder: `[REDACTED_CARD]`."""

BUILT_IN: Final = ("ip", "mac_address")
"""LangChain's own types that fit as they are. Its `url` would take the shop's own links too."""


def redact_pii(
    kinds: Collection[str] = (*DETECTORS, *BUILT_IN), *, strategy: Strategy = "redact"
) -> list[PIIMiddleware[Any, Caller]]:
    """A middleware for each kind, on messages, tool results and answers.

    A kind is a name of `DETECTORS` or one of LangChain's own. What a person wrote is replaced in
    the conversation too, so that neither the checkpointer nor a trace keeps it. The tools'
    artifacts are not touched: the agent's code still has the order.

    Raises:
        ValueError: there is no such kind.
    """
    return [
        PIIMiddleware(
            kind,
            strategy=strategy,
            detector=DETECTORS.get(kind),
            apply_to_input=True,
            apply_to_output=True,
            apply_to_tool_results=True,
        )
        for kind in kinds
    ]


def find_pii(text: str) -> Iterator[PIIMatch]:
    """Everything that this module's own detectors find, kind by kind."""
    for detector in DETECTORS.values():
        yield from detector(text)


@cache
def public_contacts() -> frozenset[str]:
    """The e-mail addresses and telephone numbers (digits alone) in the shop's public documents."""
    texts = [document.text for document in documents()]
    emails = {found.group().lower() for text in texts for found in _EMAIL.finditer(text)}
    phones = {_digits(found.group()) for text in texts for found in _PHONE.finditer(text)}
    return frozenset(emails | phones)


def _matches(
    kind: str, pattern: re.Pattern[str], text: str, accept: Callable[[str], bool]
) -> list[PIIMatch]:
    return [
        PIIMatch(type=kind, value=found.group(), start=found.start(), end=found.end())
        for found in pattern.finditer(text)
        if accept(found.group())
    ]


def _is_private_phone(found: str) -> bool:
    digits = _digits(found)
    return len(digits) in _PHONE_DIGITS and digits not in public_contacts()


def _digits(text: str) -> str:
    """The digits of a number; of a telephone number with its country code, the national form."""
    digits = "".join(sign for sign in text if sign.isdigit())
    if text.lstrip().startswith(("+44", "0044")):
        national = digits.removeprefix("00").removeprefix("44").removeprefix("0")
        return f"0{national}"
    return digits


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
