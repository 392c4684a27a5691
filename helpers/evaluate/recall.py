"""What retrieval alone is worth: recall beside a search by words, and the sentence it extracts.

The agent's model has to earn its place against both.
"""

from collections.abc import Callable, Iterable, Sequence

from helpers.agent import REFUSAL, THRESHOLD, Retriever
from helpers.agent.bm25 import BM25
from helpers.evaluate.proportion import Proportion
from helpers.shop import Document, Question

Search = Callable[[str, int], Sequence[str]]
"""Takes a query and a count, gives that many ids of documents, best first."""


class WordSearch:
    """BM25 over titles and texts of whole documents."""

    def __init__(self, documents: Iterable[Document]) -> None:
        """Index the documents. Raises ValueError when there are none."""
        texts = {each.id: f"{each.title}: {each.text}" for each in documents}
        if not texts:
            raise ValueError("A search needs at least one document.")
        self._names = list(texts)
        self._index = BM25(list(texts.values()))

    def scores(self, query: str) -> dict[str, float]:
        """The score (0 to about 20) of every document that shares a word with the query, by id."""
        pairs = zip(self._names, self._index.scores(query).tolist(), strict=True)
        return {name: score for name, score in pairs if score > 0}

    def search(self, query: str, k: int) -> list[str]:
        """The ids of the `k` best documents; fewer when fewer share a word with the query."""
        scores = self.scores(query)
        return sorted(scores, key=lambda name: -scores[name])[:k]


def by(retriever: Retriever) -> Search:
    """A retriever as a search."""
    return lambda query, k: [passage.document for passage in retriever.search(query, k)]


def recall(search: Search, questions: Iterable[Question], k: int) -> Proportion:
    """How often a question's document is among the first `k`; questions without one are left out.

    The search gets the whole question, as a customer types it.
    """
    return Proportion.of(
        question.document in search(question.question, k)
        for question in questions
        if question.document is not None
    )


def extract(retriever: Retriever, question: str, threshold: float = THRESHOLD) -> str:
    """The nearest sentence of the best document as the answer, with no model to write one.

    A refusal where the best document scores below `threshold`, as the agent refuses.
    """
    found = retriever.search(question, 1)
    return found[0].best if found and found[0].score >= threshold else REFUSAL
