"""The last look at an answer: secrets, personal data of others, links to foreign hosts.

This is the one text control that knows what must not go out, so it does not have to recognise an
attack. It fails on what it does not know: a secret said in other words, or spelled in a way that
the detector does not undo.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

from langchain_core.messages import AIMessage

from helpers.security.controls.addresses import foreign_addresses
from helpers.security.controls.around import AroundModel, Request
from helpers.security.controls.links import Allowed
from helpers.security.controls.parsed import REMOVED, Edit, apply, foreign_links, foreign_tags
from helpers.security.controls.personal import OthersData
from helpers.shop import documents

Leaks = Callable[[str], bool]
"""Says of a text whether it gives a secret away, in whatever spelling the detector knows."""

WITHHELD: Final = "Sorry, I cannot answer that."
"""What a person reads in the place of an answer that would give something away."""

ALLOWED_HOSTS: Final = frozenset({"fernhill.example", "www.fernhill.example"})
"""Where links and images of an answer may lead."""

MOST_CHARACTERS: Final = 20_000
"""Of an answer; what is longer is cut: nobody reads it, and parsing it takes time."""

MOST_BRACKETS: Final = 100
"""Opening brackets of an answer; one with more goes as a whole. The parser looks for the end of
each through the rest of the text, so its time would grow with the square of the length."""

_ROUNDS: Final = 8
_KEPT_METADATA: Final = frozenset({"finish_reason", "model_name", "model_provider", "stop_reason"})


class FilterOutput(AroundModel):
    """Withholds a message that gives away a secret or somebody else's data.

    It looks at all of the message: words, reasoning, calls of tools also where they could not be
    read, annotations, and what a provider adds. Links, images, tags and addresses that are not
    allowed are taken out of the rest: an image's address is fetched as soon as the answer is shown,
    so it carries data away without a click.

    Around the model and not behind the agent, so that what is withheld never enters the
    conversation. A service that streams tokens has shown them by then: it must hold an answer back
    until it has been looked at, or look at each sentence.
    """

    def __init__(
        self,
        *,
        leaks: Leaks | None = None,
        others: OthersData | None = None,
        hosts: Collection[str] = ALLOWED_HOSTS,
        mail: Collection[str] | None = None,
    ) -> None:
        """Look for secrets with `leaks` and for data of `others`; each may be left out.

        `mail` are the e-mail addresses that may be in an answer, by default the shop's own; with
        `others`, those of the customer who is logged in may be too.
        """
        super().__init__()
        self._leaks, self._others = leaks, others
        self._hosts, self._mail = hosts, shop_mail() if mail is None else frozenset(mail)

    def after(self, request: Request, message: AIMessage) -> AIMessage:
        """The message, without what must not go out."""
        customer = request.runtime.context.customer_id if request.runtime.context else None
        if self._gives_away(message, request, customer):
            return _withheld(message)
        own = self._others.mail_of(customer) if self._others else ()
        return _without_links(message, lambda text: allow_hosts(
            text, self._hosts, mail=[*self._mail, *own]
        ))  # fmt: skip

    def _gives_away(self, message: AIMessage, request: Request, customer: str | None) -> bool:
        said = everything(message)
        if self._leaks:
            # A secret asked for in pieces, "the first half", is whole only with what went before.
            before = [each for each in request.messages if isinstance(each, AIMessage)]
            words = " ".join(each.text for each in [*before, message])
            whole = " ".join(everything(each) for each in [*before, message])
            if any(map(self._leaks, dict.fromkeys((said, words, whole)))):
                return True
        return bool(self._others and self._others.shown(said, customer))


def allow_hosts(text: str, hosts: Collection[str], *, mail: Collection[str] | None = None) -> str:
    """The text without links, images, tags and addresses that lead elsewhere than to these hosts.

    An image goes, a link leaves its words, a bare address and a tag go. What is left is looked at
    again, since taking one thing out may join others to a new one; a text that is never done goes
    as a whole, and so does one of more than `MOST_BRACKETS`. A text with nothing to take out comes
    back as it is, up to `MOST_CHARACTERS`.

    Args:
        text: Markdown, which may have raw HTML in it.
        hosts: the hosts that may be named.
        mail: the e-mail addresses that may be named, by default the shop's own.
    """
    allowed = Allowed.of(hosts, shop_mail() if mail is None else mail)
    text = text[:MOST_CHARACTERS]
    if text.count("[") > MOST_BRACKETS:
        return REMOVED
    for _ in range(_ROUNDS):
        cleaned = _once(text, allowed)
        if cleaned == text:
            return text
        text = cleaned
    return REMOVED


def _once(text: str, allowed: Allowed) -> str:
    def may(url: str) -> bool:
        return allowed.link(url) and not foreign_addresses(url, allowed)

    text = apply(text, foreign_tags(text, may))
    # A page may show raw HTML as tags or as words; Markdown inside of it is a link only as words.
    for raw_html in (True, False):
        text = apply(text, foreign_links(text, may, raw_html=raw_html))
    places = foreign_addresses(text, allowed)
    return apply(text, [Edit(start, end, REMOVED) for start, end in places])


@cache
def shop_mail() -> frozenset[str]:
    """The shop's own e-mail addresses: those at its hosts that are in one of its documents."""
    own = "|".join(map(re.escape, ALLOWED_HOSTS))
    found = (re.findall(rf"[\w.+-]+@(?:{own})\b", one.text) for one in documents(internal=True))
    return frozenset(address.lower() for each in found for address in each)


def everything(message: AIMessage) -> str:
    """All words of a message, in its order: what a person, a tool, a page or a log may be shown."""
    parts = (
        message.content,
        [{"name": call["name"], "args": call["args"]} for call in message.tool_calls],
        message.invalid_tool_calls,
        message.additional_kwargs,
        message.response_metadata,
    )
    return " ".join(_strings(parts))


def _strings(value: Any) -> Iterator[str]:
    """The strings in nested lists and dictionaries, keys too; numbers as they are written."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    elif value is not None:
        yield str(value)


def _withheld(message: AIMessage) -> AIMessage:
    """The same message with nothing that the model said; who it is and what it cost stay."""
    metadata = message.response_metadata
    return AIMessage(
        content=WITHHELD,
        id=message.id,
        name=message.name,
        usage_metadata=message.usage_metadata,
        response_metadata={key: metadata[key] for key in _KEPT_METADATA & metadata.keys()},
    )


def _without_links(message: AIMessage, cleaned: Callable[[str], str]) -> AIMessage:
    """The message with its words cleaned, and without other parts that hold a foreign address."""

    def is_clean(part: Any) -> bool:
        return all(cleaned(each) == each for each in _strings(part))

    changed: dict[str, Any] = {}
    text = cleaned(message.text)
    if text != message.text:
        changed["content"] = text
    elif isinstance(message.content, list):
        kept = [part for part in message.content if is_clean(part)]
        if len(kept) < len(message.content):
            changed["content"] = kept if "".join(_texts(kept)) == text else text
    # The calls of tools stand there once more, as the provider sent them; policies judge calls.
    more = {
        key: value
        for key, value in message.additional_kwargs.items()
        if key == "tool_calls" or is_clean(value)
    }
    if len(more) < len(message.additional_kwargs):
        changed["additional_kwargs"] = more
    return message.model_copy(update=changed) if changed else message


def _texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part.get("type") == "text":
            yield part["text"]
