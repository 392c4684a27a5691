"""Embeddings that are computed once: those of the shop's documents come with the course.

Embedding all documents takes some 18 CPU seconds; reading their vectors takes none. They are kept
in `vectors.npz`, under a digest of the model's name and the text, so that a text that was changed
is never given an old vector. What is not in that file is computed when it is needed and kept in
`.course/vectors.sqlite`. All vectors are rounded to 16-bit floats, whether they were
computed now or before, so that the same question finds the same passages either way.

`python -m helpers.agent.ship_vectors` writes the file anew; a test says when that is due.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from helpers.paths import course_dir

SHIPPED = Path(__file__).with_name("vectors.npz")

Vector = NDArray[np.float16]


class CachedEmbeddings(Embeddings):
    """Embeddings that remember the documents they have seen; queries are computed every time."""

    def __init__(self, embeddings: Embeddings, *, path: Path | None = None) -> None:
        """Wrap `embeddings`; `path` is the SQLite file (`.course/vectors.sqlite`)."""
        self._embeddings = embeddings
        self._path = path or course_dir() / "vectors.sqlite"
        self._name = f"{type(embeddings).__name__}:{getattr(embeddings, 'model', '')}"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in order; computed only for texts that were never seen."""
        keys = [self.key(text) for text in texts]
        known: dict[bytes, Vector] = {
            key: v for key in keys if (v := _shipped().get(key)) is not None
        }
        if len(known) < len(set(keys)):
            with closing(sqlite3.connect(self._path, timeout=60)) as connection:
                known |= _read(connection, set(keys) - known.keys())
                new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
                if new:
                    rows = self._embeddings.embed_documents(list(new.values()))
                    fresh = dict(zip(new, rounded(rows), strict=True))
                    _write(connection, fresh)
                    known |= fresh
        return [known[key].astype(float).tolist() for key in keys]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a query."""
        return self._embeddings.embed_query(text)

    def key(self, text: str) -> bytes:
        """What a text's vector is kept under."""
        return hashlib.sha256(f"{self._name}\0{text}".encode()).digest()[:16]


def rounded(rows: Sequence[Sequence[float]]) -> list[Vector]:
    """Vectors as they are kept: 16-bit floats."""
    return list(np.asarray(rows, dtype=np.float16))


@cache
def _shipped() -> dict[bytes, Vector]:
    """The vectors that come with the course."""
    if not SHIPPED.exists():
        return {}
    with np.load(SHIPPED) as file:
        return {key.tobytes(): row for key, row in zip(file["keys"], file["vectors"], strict=True)}


def _read(connection: sqlite3.Connection, keys: Iterable[bytes]) -> dict[bytes, Vector]:
    connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")
    found: dict[bytes, Vector] = {}
    for key in keys:
        row = connection.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        if row is not None:
            found[key] = np.frombuffer(row[0], dtype=np.float16)
    return found


def _write(connection: sqlite3.Connection, vectors: dict[bytes, Vector]) -> None:
    with connection:
        connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
            [(key, vector.tobytes()) for key, vector in vectors.items()],
        )
