"""Two searches over the shop's documents, each with one flaw.

The search by words (BM25) knows nothing of meaning: "postage" does not find "delivery costs". The
search by meaning has one vector for a whole document, so a fact that is one sentence of ten is lost
in the mean. `helpers.agent` searches better than either. `best_scores` has what its index gives for
the golden questions.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.shop import documents, questions
from helpers.shop.questions import Part

if TYPE_CHECKING:
    from helpers.agent import DocumentIndex
    from helpers.agent.bm25 import BM25


def by_words(question: str) -> dict[str, float]:
    """BM25 score (0 to about 20) of every document that shares a word with the question, by id."""
    scores = zip(_texts(), _words().scores(question).tolist(), strict=True)
    return {name: score for name, score in scores if score > 0}


def by_meaning(question: str) -> dict[str, float]:
    """Cosine similarity (-1 to 1) of every document's one vector to the question, by id."""
    scores = _vectors() @ _vector(question)
    return dict(zip(_texts(), map(float, scores), strict=True))


@cache
def best_scores(part: Part) -> tuple[list[float], list[float]]:
    """The best passage's score for each question of a part: answerable, unanswerable."""

    def scores(*kinds: str) -> list[float]:
        asked = [one.question for one in questions(part) if one.kind in kinds]
        return [_index().search(question, 1)[0].score for question in asked]

    return scores("single_fact", "conditional"), scores("unanswerable")


@cache
def _index() -> "DocumentIndex":
    from helpers.agent import fernhill_index

    return fernhill_index()


@cache
def _texts() -> dict[str, str]:
    return {document.id: f"{document.title}: {document.text}" for document in documents()}


@cache
def _words() -> "BM25":
    from helpers.agent.bm25 import BM25

    return BM25(list(_texts().values()))


@cache
def _vectors() -> Any:
    """One vector a document, as they come with the agent's index."""
    import numpy as np

    from helpers.agent.vectors import CachedEmbeddings

    return np.array(CachedEmbeddings(_embeddings()).embed_documents(list(_texts().values())))


@cache
def _vector(question: str) -> Any:
    import numpy as np

    return np.array(_embeddings().embed_query(question))


@cache
def _embeddings() -> Any:
    from helpers.models import embeddings

    return embeddings()
