"""Personal data kept from the model, the traces and the answer: LangChain's middleware, completed.

`PIIMiddleware` finds e-mail addresses, cards of 16 digits, IP and MAC addresses and URLs. It takes
detectors of one's own, which fill in what else a British shop meets: cards of 13 to 19 digits,
telephone numbers, postcodes. Names it does not find, and no pattern does: a model for names marks
clean sentences too (see the module's notebook).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from typing import Any, Final, Literal

from langchain.agents.middleware import PIIMiddleware
from langchain.agents.middleware.pii import PIIMatch

from helpers.agent import Caller
from helpers.security.controls.folding import fold
from helpers.security.controls.numbers import cards, telephones
from helpers.security.controls.personal import postcodes
from helpers.shop import documents

Detector = Callable[[str], list[PIIMatch]]
Strategy = Literal["redact", "mask", "hash"]

# A local part begins where none of its signs stands before: each is read once, so the pattern is
# linear. RFC 5322 allows more signs in it; those are in no address that people have.
_LABEL: Final = r"[^\W_]+(?:-+[^\W_]+)*"
_EMAIL: Final = re.compile(rf"(?<![\w.+'~-])[\w.+'~-]+@{_LABEL}(?:\.{_LABEL})+")


def detect_card(text: str) -> list[PIIMatch]:
    """Card numbers, however grouped, with other numbers beside them or not (`numbers.cards`)."""
    return _matches("card", text, ((found.start, found.end) for found in cards(text)))


def detect_phone(text: str) -> list[PIIMatch]:
    """Telephone numbers (`numbers.telephones`) but those that the shop's own documents give."""
    private = (found for found in telephones(text) if found.digits not in public_contacts())
    return _matches("phone", text, ((found.start, found.end) for found in private))


def detect_postcode(text: str) -> list[PIIMatch]:
    """British postcodes, in capitals or not, with or without the space."""
    return _matches("postcode", text, postcodes(text))


def detect_email(text: str) -> list[PIIMatch]:
    """E-mail addresses, except those that the shop's own documents give to everybody.

    Not found: addresses in words ("ann at post dot example") or with spaces around the @, quoted
    local parts, and domains that are an IP address.
    """
    private = (place for address, place in _emails(text) if address not in public_contacts())
    return _matches("email", text, private)


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
    emails = {address for text in texts for address, _ in _emails(text)}
    phones = {found.digits for text in texts for found in telephones(text)}
    return frozenset(emails | phones)


def _emails(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each address in lower case, with its start and end."""
    folded = fold(text)
    for found in _EMAIL.finditer(folded.text):
        address = found.group().lstrip("'._~-")
        start = found.end() - len(address)
        if not address.startswith("@"):
            yield address.lower(), folded.span(start, found.end())


def _matches(kind: str, text: str, places: Iterable[tuple[int, int]]) -> list[PIIMatch]:
    return [
        PIIMatch(type=kind, value=text[start:end], start=start, end=end) for start, end in places
    ]
