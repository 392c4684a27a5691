"""Which fact of an order a question is about."""

import re

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.agent.vectors import CachedEmbeddings
from helpers.agent.wording import STATE, TOPICS, order_facts
from helpers.shop import Order

_ORDER_ID = re.compile(r"\b(?:my )?(?:order )?FH-\d{5}\b", re.IGNORECASE)
_CLAUSE = re.compile(r"(?<=[.!?;])\s+|,?\s+(?:and|then|but)\s+")


class OrderTopics:
    """Picks the facts of an order that a question asks for, by the nearest example question."""

    def __init__(self, embeddings: Embeddings) -> None:
        """`embeddings` compare a question with the examples in `TOPICS`."""
        self._embeddings = embeddings
        self._topics = [topic for topic, examples in TOPICS.items() for _ in examples]
        texts = [example for examples in TOPICS.values() for example in examples]
        self._vectors = np.array(CachedEmbeddings(embeddings).embed_documents(texts))

    def describe(self, order: Order, question: str) -> str:
        """Where the order is now, and the fact that the question is about, in sentences."""
        facts = order_facts(order)
        clauses = [one for one in _CLAUSE.split(_ORDER_ID.sub("my order", question)) if one]
        asked = np.array([self._embeddings.embed_query(clause) for clause in clauses or ["state"]])
        near = (self._vectors @ asked.T).max(axis=1)
        there = [place for place, topic in enumerate(self._topics) if topic in facts]
        topic = self._topics[max(there, key=lambda place: near[place])]
        chosen = dict.fromkeys([STATE, topic])
        return f"Order {order.id}: {' '.join(facts[name] for name in chosen)}"
