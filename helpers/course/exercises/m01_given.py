"""What the lab of module 01 gives: two searches over the shop's documents, each with one flaw.

The search by words (BM25) knows nothing of meaning: "postage" does not find "delivery costs". The
search by meaning has one vector for a whole document, so a fact that is one sentence of ten is lost
in the mean. `helpers.agent` searches better than either; the lab starts from these two.
"""

import hashlib
import os
from functools import cache
from typing import Any

from helpers.paths import course_dir
from helpers.shop import documents


def by_words(question: str) -> dict[str, float]:
    """BM25 score (0 to about 20) of every document that shares a word with the question, by id."""
    import bm25s

    (words,) = bm25s.tokenize(question, return_ids=False, show_progress=False)
    scores = _words_index().get_scores(words) if words else []
    pairs = zip(_texts(), map(float, scores), strict=False)
    return {name: score for name, score in pairs if score > 0}


def by_meaning(question: str) -> dict[str, float]:
    """Cosine similarity (-1 to 1) of every document's one vector to the question, by id."""
    scores = _vectors() @ _vector(question)
    return dict(zip(_texts(), map(float, scores), strict=True))


@cache
def _texts() -> dict[str, str]:
    return {document.id: f"{document.title}: {document.text}" for document in documents()}


@cache
def _words_index() -> Any:
    import bm25s

    index = bm25s.BM25()
    tokens = bm25s.tokenize(list(_texts().values()), show_progress=False)
    index.index(tokens, show_progress=False)
    return index


@cache
def _vectors() -> Any:
    """One vector a document, kept on disk: they take seconds to make, and never change."""
    import numpy as np

    texts = list(_texts().values())
    model = os.environ.get("COURSE_EMBEDDINGS", "local")
    digest = hashlib.sha256("\0".join([model, *texts]).encode()).hexdigest()
    path = course_dir() / "index" / f"whole-documents-{digest[:24]}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.save(file, np.array(_embeddings().embed_documents(texts)))
        part.replace(path)
    return np.load(path)


@cache
def _vector(text: str) -> Any:
    import numpy as np

    return np.array(_embeddings().embed_query(text))


@cache
def _embeddings() -> Any:
    from helpers.models import embeddings

    return embeddings()
