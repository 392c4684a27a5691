"""Which fact of an order a question is about."""

import re

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.agent.retrieval import LONGEST_QUERY
from helpers.agent.vectors import CachedEmbeddings
from helpers.agent.wording import STATE, TOPICS, order_facts
from helpers.shop import Order

_ORDER_ID = re.compile(
    r"\b(?:my )?(?:order )?(?:number )?(?:is )?(?:FH[- ]?)?\d{5}\b", re.IGNORECASE
)
_CLAUSE = re.compile(r"(?<=[.!?;])\s+|,?\s+(?:and|then|but)\s+")

TIE = 0.05
"""A fact that leads by less than this in similarity is not told: where the order is now is."""
CLEAR = 0.15
"""A fact that leads by this much is told alone."""


class OrderTopics:
    """Picks the facts of an order that a question asks for, by the nearest example question."""

    def __init__(self, embeddings: Embeddings) -> None:
        """`embeddings` compare a question with the examples in `TOPICS`."""
        self._embeddings = embeddings
        self._topics = [topic for topic, examples in TOPICS.items() for _ in examples]
        texts = [example for examples in TOPICS.values() for example in examples]
        self._vectors = np.array(CachedEmbeddings(embeddings).embed_documents(texts))

    def describe(self, order: Order, question: str) -> str:
        """What the question asks of the order, in one or two sentences.

        The fact that the question is about; where the order is now beside it, or alone, where the
        question is nearly as near to that.
        """
        facts = order_facts(order)
        spoken = _ORDER_ID.sub("my order", question)[:LONGEST_QUERY]
        clauses = [one for one in _CLAUSE.split(spoken) if one.strip()] or [TOPICS[STATE][0]]
        asked = np.array([self._embeddings.embed_query(clause) for clause in clauses])
        near: dict[str, float] = dict.fromkeys(facts, -1.0)
        for topic, score in zip(self._topics, (self._vectors @ asked.T).max(axis=1), strict=True):
            if topic in near:
                near[topic] = max(near[topic], float(score))
        best = max(near, key=lambda topic: near[topic])
        lead = near[best] - near[STATE]
        chosen = [STATE] if lead < TIE else [STATE, best] if lead < CLEAR else [best]
        return f"Order {order.id}: {' '.join(facts[topic] for topic in chosen)}"
