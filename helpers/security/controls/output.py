"""The last look at an answer: secrets, personal data of others, links to foreign hosts.

This is the one text control that knows what must not go out, so it does not have to recognise an
attack. It fails on what it does not know: a secret said in other words, or spelled in a way that
the detector does not undo.
"""

import html
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from langchain_core.messages import AIMessage

from helpers.security.controls.around import AroundModel, Request
from helpers.shop import Orders

Leaks = Callable[[str], bool]
"""Says of a text whether it gives a secret away, in whatever spelling the detector knows."""

WITHHELD: Final = "Sorry, I cannot answer that."
"""What a person reads in the place of an answer that would give something away."""

ALLOWED_HOSTS: Final = frozenset({"fernhill.example", "www.fernhill.example"})
"""Where links and images of an answer may lead."""

REMOVED: Final = "[link removed]"

# A Markdown image or link; its target may be in angle brackets and have a title.
_MARKDOWN: Final = re.compile(r"(!?)\[([^\]]*)\]\(\s*<?([^\s)>]*)>?[^)]*\)")
# A URL wherever it stands: in words, in HTML attributes, in Markdown's reference definitions. Two
# slashes without a scheme count where an attribute or a definition begins with them.
_URL: Final = re.compile(
    r"""\b(?:[a-z][a-z0-9+.-]*:)//[^\s<>"')\]]+|(?<=["'(:= ])//[\w-]+\.[^\s<>"')\]]+"""
    r"""|\b(?:javascript|data|vbscript):[^\s<>"')\]]+""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class OthersData:
    """Personal data of the shop's customers, each value with the ids of those it belongs to.

    `words` are names, e-mail addresses and streets; `numbers` telephone numbers and postcodes,
    which people write with spaces and without.
    """

    words: dict[str, frozenset[str]]
    numbers: dict[str, frozenset[str]]

    @classmethod
    def of(cls, orders: Orders) -> "OthersData":
        """The data of all customers in the order book."""
        words: dict[str, set[str]] = {}
        numbers: dict[str, set[str]] = {}
        for customer in orders.all_customers():
            for value in (customer.name, customer.email, customer.street):
                words.setdefault(_one_case(value), set()).add(customer.id)
            for value in (customer.phone, customer.postcode):
                numbers.setdefault(_squeezed(value), set()).add(customer.id)
        return cls(_frozen(words), _frozen(numbers))

    def shown(self, text: str, customer_id: str | None) -> list[str]:
        """The values in a text that belong to others than this customer (None: nobody)."""
        read, squeezed = _one_case(text), _squeezed(text)
        found = [value for value in self.words if value in read and _is_word(value, read)]
        found += [value for value in self.numbers if value in squeezed]
        owners = {**self.words, **self.numbers}
        return [value for value in found if customer_id not in owners[value]]


class FilterOutput(AroundModel):
    """Withholds an answer, or a tool call, that gives away a secret or somebody else's data.

    Links and images whose host is not allowed are taken out of the rest: an image's address is
    fetched as soon as the answer is shown, so it carries data away without a click.

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
    ) -> None:
        """Look for secrets with `leaks` and for data of `others`; each may be left out."""
        super().__init__()
        self._leaks, self._others, self._hosts = leaks, others, frozenset(hosts)

    def after(self, request: Request, message: AIMessage) -> AIMessage:
        """The message, without what must not go out."""
        said = _everything(message)
        if self._gives_away(said, request):
            return message.model_copy(
                update={"content": WITHHELD, "tool_calls": [], "invalid_tool_calls": []}
            )
        text = allow_hosts(message.text, self._hosts)
        return message if text == message.text else message.model_copy(update={"content": text})

    def _gives_away(self, said: str, request: Request) -> bool:
        if self._leaks:
            # A secret asked for in pieces, "the first half", is whole only with what went before.
            earlier = [m.text for m in request.messages if isinstance(m, AIMessage) and m.text]
            if self._leaks(said) or (earlier and self._leaks(" ".join([*earlier, said]))):
                return True
        customer = request.runtime.context.customer_id if request.runtime.context else None
        return bool(self._others and self._others.shown(said, customer))


def allow_hosts(text: str, hosts: Collection[str]) -> str:
    """The text without links and images to other hosts: an image goes, a link leaves its words."""

    def markdown(found: re.Match[str]) -> str:
        image, words, target = found.groups()
        if _is_allowed(target, hosts):
            return found.group()
        return REMOVED if image else words or REMOVED

    def bare(found: re.Match[str]) -> str:
        return found.group() if _is_allowed(found.group(), hosts) else REMOVED

    return _URL.sub(bare, _MARKDOWN.sub(markdown, text))


def _is_allowed(target: str, hosts: Collection[str]) -> bool:
    """Whether a link leads to one of these hosts, or stays on the page.

    A browser reads a backslash as a slash, and leaves out line ends; urlsplit does not. Such
    targets have no honest use.
    """
    target = html.unescape(target)
    if "\\" in target or not target.isprintable():
        return False
    try:
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError:
        return False
    if not parts.scheme and not parts.netloc:
        return True
    return parts.scheme.lower() in ("http", "https") and host in hosts and "@" not in parts.netloc


def _everything(message: AIMessage) -> str:
    """The words of a message and the values of its tool calls: both leave the model."""
    values = (value for call in message.tool_calls for value in call["args"].values())
    return " ".join([message.text, *map(str, values)])


def _one_case(text: str) -> str:
    return " ".join(text.casefold().split())


def _squeezed(text: str) -> str:
    """Without what people put between digits; numbers with the country code in national form."""
    return re.sub(r"[\s()-]+", "", text.casefold()).replace("+44", "0")


def _is_word(value: str, read: str) -> bool:
    """Whether the value stands by itself: 1 Fell View is not in 21 Fell View."""
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", read) is not None


def _frozen(owners: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {value: frozenset(ids) for value, ids in owners.items()}
