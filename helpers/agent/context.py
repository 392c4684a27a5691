"""What words of the conversation mean: "it" after an order was looked up, "And the Alta 3?"."""

import re
from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from helpers.agent.passages import Passage, Retriever
from helpers.shop import Order

_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|these|those|this|that one)\b", re.IGNORECASE)
_GOES_ON = re.compile(r"(?:and|what about|how about|or)\b", re.IGNORECASE)
_FEW_WORDS = 6
_SUPPLIES = 3
_COMMON_WORDS = (
    "a an the of to in on for is are be it its and or with at by as that this do does can i my me "
    "we you your our how what when which will would much many long have has from not if get am "
    "about need"
)
_COMMON = frozenset(_COMMON_WORDS.split())


def this_turn(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    """The messages since the person's last one, that one included."""
    places = [at for at, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return messages[places[-1] :] if places else messages


def question(messages: Sequence[AnyMessage]) -> str:
    """What the person asks now: the last message, after the one before it when it goes on from it.

    "And for FH-10234?" asks the same as the question before, of another order.
    """
    said = [message.text for message in messages if isinstance(message, HumanMessage)]
    if not said:
        return ""
    return f"{said[-2]} {said[-1]}" if len(said) > 1 and _is_short(said[-1]) else said[-1]


def refund_words(messages: Sequence[AnyMessage]) -> str:
    """The words that a refund is read from: the last message of the person.

    When it only supplies what the message before left out, an order or a sum, that one stands in
    front of it.
    """
    said = [message.text for message in messages if isinstance(message, HumanMessage)]
    if len(said) > 1 and len(said[-1].split()) <= _SUPPLIES and re.search(r"\d", said[-1]):
        return f"{said[-2]}\n{said[-1]}"
    return said[-1] if said else ""


def find(retriever: Retriever, query: str, messages: Sequence[AnyMessage]) -> list[Passage]:
    """Search for the query with what it leaves unsaid.

    A query that goes on from the question before is searched with that question. One that points
    back ("how much does it weigh?") after this turn looked up an order is searched for the sort of
    goods in that order; where that leads to a product's page, for these very products.
    """
    if _is_short(query):
        said = [message.text for message in messages if isinstance(message, HumanMessage)]
        return retriever.search(f"{query} {said[-2]}" if len(said) > 1 else query)
    titles = _titles(messages) if _POINTS_BACK.search(query) else []
    if not titles:
        return retriever.search(query)
    found = retriever.search(_POINTS_BACK.sub(f"the {_sort(titles[0])}", query, count=1))
    if found and found[0].kind == "product":
        return retriever.search(_POINTS_BACK.sub(f"the {' and the '.join(titles)}", query, count=1))
    return found


def _titles(messages: Sequence[AnyMessage]) -> list[str]:
    """The goods of the orders looked up in this turn: those that the person names, or all."""
    titles = [
        item.title
        for message in this_turn(messages)
        if isinstance(message, ToolMessage) and isinstance(message.artifact, Order)
        for item in message.artifact.items
    ]
    named = [title for title in titles if _stems(title) & _stems(question(messages))]
    return list(dict.fromkeys(named or titles))


def _stems(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, cut to five letters; numbers stay whole."""
    words = re.findall(r"[a-z]+|\d+(?:[.,]\d+)*", text.casefold())
    return frozenset(word[:5] if word.isalpha() else word for word in words if word not in _COMMON)


def _sort(title: str) -> str:
    """What sort of goods a title names: "tent" for "Alta 2 tent", "sleeping bag"."""
    words = [word for word in title.split()[1:] if word.isalpha()]
    return " ".join(words[-2:]) or title


def _is_short(text: str) -> bool:
    return len(text.split()) <= _FEW_WORDS and _GOES_ON.match(text.strip()) is not None
