"""Which tools a request asks for, and in which order.

The local model is too small to choose tools itself, so this is what stands in for the choice:

1. The person's last message is cut into clauses.
2. Each clause, and the message as a whole, is compared by sentence embedding with what every
   tool's description and examples say, and with a few ways to say hello, thank you and the like.
   The nearest tool wins if it is near enough; small talk and unknown requests get no tool.
3. The tools that win, in the order of their clauses, are the plan. A model call makes the first
   step of the plan that was not yet made since the person's last message. When none is left, the
   model answers.

Only the person's messages, the tools' own texts, and the names of the calls already made enter
here. The text of a tool's result, a retrieved passage or a system prompt does not, so nothing
that stands in one can start, stop or change a call. It can still change what the model says.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from helpers.models.tools import ToolCard

Vectors = NDArray[np.float64]

# A longer message is compared by its beginning; the embedding model would not take it whole.
_LONGEST = 1200
_CLAUSES = 8
_FLOOR = 0.35
_SECOND_FLOOR = 0.45
_SMALL_TALK = (
    "Hello",
    "Hi there, how are you?",
    "Good morning",
    "Thank you very much",
    "Thanks, that is all I needed",
    "Great, perfect",
    "Goodbye, have a nice day",
    "Who are you? Are you a robot?",
    "What can you do for me?",
    "You are funny, tell me a joke",
)


@dataclass(frozen=True)
class Step:
    """One call of the plan: the tool, and the words of the person that ask for it."""

    card: ToolCard
    words: str


@lru_cache(maxsize=4096)
def _vector(text: str) -> tuple[float, ...]:
    from helpers.models.embed import LocalEmbeddings

    return tuple(LocalEmbeddings().embed_query(text))


def embed(texts: Sequence[str]) -> Vectors:
    """The vectors of short texts, one row each; texts seen before cost nothing."""
    return np.array([_vector(text) for text in texts])


def clauses(text: str) -> list[str]:
    """The sentences and coordinate clauses of a message that are long enough to ask something."""
    parts = re.split(r"[.!?;\n]+\s+|[.!?;\n]+$|,?\s+(?:and|then|also|but)\s+", text)
    return [part.strip() for part in parts if len(part.split()) >= 3][:_CLAUSES]


def _hide_values(text: str, cards: Sequence[ToolCard]) -> str:
    """Put "it" for every value: "where is FH-10234" and "where is FH-20001" ask the same."""
    for card in cards:
        for pattern in card.written.values():
            text = pattern.sub("it", text)
    return text


def _texts(card: ToolCard, cards: Sequence[ToolCard]) -> list[str]:
    name = card.name.replace("_", " ")
    about = f"{name}: {card.description}" if card.description else name
    return [about[:_LONGEST], *(_hide_values(text, cards) for text in card.examples)]


def scores(text: str, cards: Sequence[ToolCard]) -> dict[str, float]:
    """How near a text is to each tool: the highest cosine with its description and examples.

    The key "" is small talk. A tool whose name stands in the text gets 1.
    """
    asked = embed([_hide_values(text, cards)[:_LONGEST]])[0]
    near = {"": float((embed(_SMALL_TALK) @ asked).max())}
    for card in cards:
        near[card.name] = float((embed(_texts(card, cards)) @ asked).max())
        if card.name in text and "_" in card.name:
            near[card.name] = 1.0
    return near


def plan(text: str, cards: Sequence[ToolCard]) -> list[Step]:
    """The calls that a message asks for, in order; empty when it asks for none."""
    text = text.strip()[:_LONGEST]
    if not text or not cards:
        return []
    by_name = {card.name: card for card in cards}
    whole = scores(text, cards)
    best = max(whole, key=lambda name: whole[name])
    steps: list[Step] = []
    for clause in clauses(text):
        near = scores(clause, cards)
        name = max(near, key=lambda name: near[name])
        if name and near[name] >= _SECOND_FLOOR and name not in {s.card.name for s in steps}:
            steps.append(Step(by_name[name], clause))
    if len(steps) > 1:
        return steps
    if best and whole[best] >= _FLOOR:
        return [Step(by_name[best], text)]
    return []


def nearest(text: str, cards: Sequence[ToolCard]) -> Step:
    """The tool nearest to a text, however far: for a caller that demands a call."""
    near = scores(text[:_LONGEST], cards)
    return Step(max(cards, key=lambda card: near[card.name]), text)


Planner = Callable[[str, Sequence[ToolCard]], list[Step]]
