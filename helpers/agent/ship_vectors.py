"""Writes the vectors that come with the course anew: `python -m helpers.agent.ship_vectors`.

To be run when the documents, how they are cut, or the embedding model changed; a test says so.
"""

from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.agent.expected import expected_questions
from helpers.agent.retrieval import chunks
from helpers.agent.vectors import SHIPPED, CachedEmbeddings, rounded
from helpers.agent.wording import TOPICS
from helpers.models import embeddings as course_embeddings
from helpers.shop import documents


def shipped_texts() -> list[str]:
    """The texts whose vectors come with the course: all documents, and what names order facts."""
    found = [chunk.page_content for chunk in chunks(documents(internal=True), expected_questions())]
    return sorted({*found, *(example for examples in TOPICS.values() for example in examples)})


def ship(embeddings: Embeddings, path: Path = SHIPPED) -> None:
    """Compute the vectors of `shipped_texts` and write them to the file."""
    texts = shipped_texts()
    key = CachedEmbeddings(embeddings).key
    np.savez_compressed(
        path,
        keys=np.frombuffer(b"".join(map(key, texts)), np.uint8).reshape(-1, 16),
        vectors=np.array(rounded(embeddings.embed_documents(texts))),
    )


if __name__ == "__main__":
    ship(course_embeddings())
