"""Other people's words kept out of what the model answers from.

A review, a note on an order and a carrier's message are not the shop's. A small model repeats what
it reads, so a false sentence or an address in one of them becomes the shop's answer, and no filter
can tell it from a true one. The shop's systems put a label before such words; what follows the
label is left out of what the model reads, unless the customer asks for it by name.

Measured with the local model on planted false sentences and addresses that reach the customer: of
the 15 visible texts 4 through the naive agent, 12 through a defended one without this control, none
with it; of the 15 held-out ones 5 through the naive agent, none with it. None is so by
construction: what is not read is not repeated.

What stays open: words that a system passes on without a label, as on a page that was changed
itself (13 of the 15 visible texts, then without their addresses, which the output filter takes
out); and whatever a review or note says to a customer who asks for reviews or notes. The price:
what a carrier reports is not told to a customer who only asks where the parcel is.
"""

import re
from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from helpers.security.controls.around import AroundModel, Request, with_text
from helpers.security.labels import LABELS, Place

_PLACES: Final[dict[str, Place]] = {label: place for place, label in LABELS.items()}
_LABEL: Final = re.compile("|".join(map(re.escape, _PLACES)))
_CARRIER: Final = r"(?:carrier|courier|driver)"
_SAYS: Final = r"(?:says?|said|reports?|reported|writes?|wrote|tells?|told|messages?)"
_ASKED_FOR: Final[dict[Place, re.Pattern[str]]] = {
    "document": re.compile(r"\breviews?\b", re.IGNORECASE),
    "order": re.compile(
        r"\bnotes? (?:on|with|for|of|about|says?)\b"
        r"|\b(?:what|which|read|show|see)\b[^.?!]{0,40}\bnotes?\b",
        re.IGNORECASE,
    ),
    "tool": re.compile(
        rf"\b{_CARRIER}(?:['’]s)? {_SAYS}\b|\bmessages? (?:of|from|by) (?:the )?{_CARRIER}\b",
        re.IGNORECASE,
    ),
}
"""How a customer asks for such words, by where they wait."""


def asked_for(question: str) -> frozenset[Place]:
    """The others' words that a customer asks for by name: "What does the note on my order say?"."""
    return frozenset(place for place, asked in _ASKED_FOR.items() if asked.search(question))


def without_others(text: str, kept: frozenset[Place] = frozenset()) -> str:
    """A tool's result without what follows a label, labels of the places in `kept` excepted.

    All after the first such label goes, since what others wrote may imitate any label.
    """
    for label in _LABEL.finditer(text):
        if _PLACES[label[0]] not in kept:
            return text[: label.start()].rstrip()
    return text


class LeaveOutOthersWords(AroundModel):
    """Lets the model answer from the shop's own words: those of others are left out.

    The conversation itself keeps them, for a person who looks at it.
    """

    def before(self, request: Request) -> Request:
        """Leave the words of others out of all results that the model reads."""
        kept = asked_for(_question(request.messages))
        return request.override(messages=[_own_words(one, kept) for one in request.messages])


def _question(messages: Sequence[AnyMessage]) -> str:
    asked = (one.text for one in reversed(messages) if isinstance(one, HumanMessage))
    return next(asked, "")


def _own_words(message: AnyMessage, kept: frozenset[Place]) -> AnyMessage:
    if not isinstance(message, ToolMessage):
        return message
    text = without_others(message.text, kept)
    return message if text == message.text else with_text(message, text)
