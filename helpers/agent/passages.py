"""What a search returns, and what anything that searches has to offer."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Passage:
    """One document that a search found.

    `document` is its id. `text` is the whole document; `sentences` are the few that are nearest to
    the query, in the document's order, and `best` is the nearest. `score` says how
    well its best sentence fits the query (see `retrieval`: a cosine, plus at most about 0.4);
    `kind` is the document's kind.
    """

    document: str
    title: str
    text: str
    sentences: tuple[str, ...]
    best: str
    score: float
    kind: str = ""

    @property
    def excerpt(self) -> str:
        """The nearest sentences with the title in front: what the model is given to read."""
        return f"{self.title}: {' '.join(self.sentences)}"


class Retriever(Protocol):
    """Anything that finds documents for a query."""

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The `k` documents that fit best, best first; fewer when there are fewer."""
        ...
