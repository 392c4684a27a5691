"""Which tools a request asks for, and in which order.

The local model is too small to choose tools itself, so this stands in for the choice:

1. The person's last message is cut into clauses: at the ends of sentences, and at "and", "then",
   "also" and "but". A clause that only tells how things are stays with its neighbour.
2. `helpers.models.classify` says for each clause, and for the message as a whole, which tool it
   asks for, or that it asks for none.
3. Where clauses ask for two or more different tools, these tools in the order of their clauses
   are the plan. Otherwise the plan is the one tool of the whole message, or nothing. A person who
   writes a tool's very name (one with an underscore) gets that tool.

`helpers.models.calls` makes the steps of the plan one after the other. Only the person's own
words and the tools' own texts enter here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from helpers.models.classify import LONGEST, Classifier
from helpers.models.tools import ToolCard
from helpers.models.words import REQUEST_WORDS, STATEMENT_STARTS

_FEWEST_WORDS = 2
_MOST_CLAUSES = 8

# A full stop before a small letter may only end an abbreviation, unless more words follow.
_CUT = re.compile(
    r"(?<=[!?;])\s+|(?<=\.)\s+(?=[^a-z]|\S+\s+\S+\s+\S)|\s*\n+\s*"
    r"|,?\s+(?i:and then|and also|and|then|also|but)\s+"
)


@dataclass(frozen=True)
class Step:
    """One call of the plan: the tool, and the words of the person that ask for it."""

    card: ToolCard
    words: str


def clauses(text: str) -> list[str]:
    """The parts of a message that each ask for something.

    A part that only tells how things are belongs to the part after it, or to the one before it
    at the end; a part of one word belongs to the part before it.
    """
    cuts = [(0, 0), *(match.span() for match in _CUT.finditer(text)), (len(text), len(text))]
    parts: list[tuple[int, int]] = []
    for (_, start), (end, _) in pairwise(cuts):
        if parts and (_short(text[start:end]) or not _asks(text[slice(*parts[-1])])):
            start = parts.pop()[0]
        parts.append((start, end))
    if len(parts) > 1 and not _asks(text[slice(*parts[-1])]):
        _, end = parts.pop()
        parts[-1] = (parts[-1][0], end)
    return [text[start:end].strip() for start, end in parts][:_MOST_CLAUSES]


def _short(clause: str) -> bool:
    return len(clause.split()) < _FEWEST_WORDS


def _asks(clause: str) -> bool:
    """Whether a clause can ask for something: more than a word, and not a mere statement."""
    words = re.findall(r"[\w']+", clause.lower().replace("’", "'"))
    if _short(clause) or not words:
        return False
    statement = words[0] in STATEMENT_STARTS and not REQUEST_WORDS & set(words)
    return clause.rstrip().endswith("?") or not statement


def plan(text: str, cards: Sequence[ToolCard], classifier: Classifier) -> list[Step]:
    """The calls that a message asks for, in order; empty when it asks for none."""
    text = text.strip()[:LONGEST]
    by_name = {card.name: card for card in cards}
    named = {name: _place(name, text) for name in by_name if "_" in name}
    if any(place >= 0 for place in named.values()):
        order = sorted((place, name) for name, place in named.items() if place >= 0)
        return [Step(by_name[name], text) for _, name in order]
    parts = clauses(text)
    steps: dict[str, Step] = {}
    if len(parts) > 1:
        for part in parts:
            name = classifier.best(part)
            if name:
                steps.setdefault(name, Step(by_name[name], part))
    if len(steps) > 1:
        return list(steps.values())
    name = classifier.best(text)
    return [Step(by_name[name], text)] if name else []


def _place(name: str, text: str) -> int:
    """Where a tool's name stands in a text as a word of its own, or -1."""
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return match.start() if match else -1
