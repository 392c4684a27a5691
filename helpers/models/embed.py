"""LangChain embeddings on the local MiniLM."""

from typing import Any

from langchain_core.embeddings import Embeddings

from helpers.models.errors import ContextOverflow, RequestRefused
from helpers.models.local import EMBEDDING_MODEL, embedding_server

# Texts handed to the engine at once.
_PORTION = 64


class LocalEmbeddings(Embeddings):
    """all-MiniLM-L6-v2 on the engine inside this process: 384 numbers of length 1 a text.

    A text may hold about 510 tokens (some 380 English words); a longer one raises
    `ContextOverflow`, because a silently cut text would be found by its beginning only.
    """

    model: str = EMBEDDING_MODEL

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text, in order."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _PORTION):
            vectors += _vectors(texts[start : start + _PORTION])
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return _vectors([text])[0]


def _vectors(texts: list[str]) -> list[list[float]]:
    reply: dict[str, Any] = embedding_server().embed(texts)
    if "error" in reply:
        message = str(reply["error"].get("message", reply["error"]))
        if "too large" in message:
            raise ContextOverflow(
                "A text is longer than the 510 tokens that the local embedding model takes "
                f"({message.split('.')[0]}): split it into shorter pieces first."
            )
        raise RequestRefused(f"The local embedding model refused a text ({message}).")
    rows = sorted(reply["data"], key=lambda row: int(row["index"]))
    return [row["embedding"] for row in rows]
