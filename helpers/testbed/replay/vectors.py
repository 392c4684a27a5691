"""Embeddings that compute the vector of a question once: a day's wordings come back every day."""

from helpers.agent.vectors import CachedEmbeddings
from helpers.models import embed


class LocalEmbeddings(embed.LocalEmbeddings):
    """The course's embeddings, with a memory for questions, also on disk (`.course`).

    The class has the name of its parent because vectors are kept under it: those of the shop's
    documents come with the course and are not computed again.
    """

    def __init__(self) -> None:
        self._on_disk = CachedEmbeddings(embed.LocalEmbeddings())
        self._known: dict[str, list[float]] = {}

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        if text not in self._known:
            self.prepare([text])
        return self._known[text]

    def prepare(self, texts: list[str]) -> None:
        """Compute what is not known yet, all at once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(new, self._on_disk.embed_documents(new), strict=True)
