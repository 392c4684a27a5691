"""The files of an index: written whole, and looked at before they are used.

A folder holds `texts.jsonl` (one text a line), `vectors.npy` (one row a text, in the same order,
16-bit floats as the agent keeps them) and `index.json` (model, documents, digests). None of them
runs code when it is loaded, which a pickle can.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from helpers.agent.retrieval import DocumentIndex
from helpers.evaluate.evidence import save_bytes, save_json
from helpers.shop import Document

FORMAT = 1
TEXTS, VECTORS, MANIFEST = "texts.jsonl", "vectors.npy", "index.json"


class IndexFileError(ValueError):
    """An index cannot be built or loaded; the message says what to do next."""


@dataclass(frozen=True)
class Text:
    """One text by which a sentence is found; see `helpers.agent.retrieval.chunks`."""

    document: str
    title: str
    level: str
    number: int
    text: str

    @property
    def embedded(self) -> str:
        """What the model is given: the text with its document's title in front."""
        return f"{self.title}: {self.text}"


@dataclass(frozen=True)
class Index:
    """An index that was loaded: `vectors[i]` (length about 1) is of `texts[i]`.

    Attributes:
        failures: why a document is not in the index, by its id.
        digest: of the vectors and the texts; another index has another.
    """

    model: str
    texts: tuple[Text, ...]
    vectors: NDArray[np.float16]
    documents: tuple[str, ...]
    failures: Mapping[str, str]
    digest: str

    def retriever(self, of: Sequence[Document], queries: Embeddings) -> DocumentIndex:
        """The agent's search over these vectors; `queries` embeds what is asked.

        Documents that the build could not embed are left out. Raises IndexFileError where another
        one was added or changed since.
        """
        if new := {document.id for document in of} - {*self.documents, *self.failures}:
            raise IndexFileError(
                f"{min(new)} is not in the index, which is older: build it again with course ray"
                " index."
            )
        expected: dict[str, dict[str, list[str]]] = {}
        for text in self.texts:
            sentences = expected.setdefault(text.document, {})
            if text.level == "sentence":
                asked = sentences.setdefault(text.text, [])
            else:
                asked.append(text.text)
        indexed = [document for document in of if document.id in self.documents]
        return DocumentIndex(indexed, _Stored(self, queries), expected=expected)


class _Stored(Embeddings):
    """Vectors from an index for the texts in it; queries are embedded by a model."""

    def __init__(self, index: Index, queries: Embeddings) -> None:
        self.model = f"{index.model} {index.digest}"  # what the agent's cache keeps them under
        self._queries = queries
        self._rows = dict(zip((text.embedded for text in index.texts), index.vectors, strict=True))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if missing := [text for text in texts if text not in self._rows]:
            raise IndexFileError(
                f"The index has no vector of {missing[0]!r}: a document was changed after it was"
                " built. Build it again with course ray index."
            )
        return [self._rows[text].astype(float).tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._queries.embed_query(text)


def write_index(
    folder: Path,
    model: str,
    texts: Sequence[Text],
    vectors: NDArray[np.float16],
    failures: Mapping[str, str],
) -> None:
    """Write an index, one vector a text; one that is there is replaced."""
    lines = [json.dumps(asdict(text), ensure_ascii=False) for text in texts]
    array = io.BytesIO()
    np.save(array, vectors, allow_pickle=False)
    content = {TEXTS: "".join(f"{line}\n" for line in lines).encode(), VECTORS: array.getvalue()}
    for name, data in content.items():
        save_bytes(folder / name, data)
    # Last, so that an interrupted build leaves no index that loads.
    manifest = {
        "format": FORMAT,
        "model": model,
        "shape": list(vectors.shape),
        "documents": list(dict.fromkeys(text.document for text in texts)),
        "failures": dict(failures),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
    }
    save_json(folder / MANIFEST, manifest)


def load_index(folder: Path, *, check: Embeddings | None = None) -> Index:
    """Load an index, after looking at its digests, its shape and its order.

    Args:
        folder: of the three files.
        check: a model that embeds three of the texts again: vectors of another model, or in
            another order, are found by it.

    Raises:
        IndexFileError: a file is missing, was changed or does not fit the others.
    """
    try:
        manifest: Any = json.loads((folder / MANIFEST).read_bytes())
        data = {name: (folder / name).read_bytes() for name in (TEXTS, VECTORS)}
        if manifest["format"] != FORMAT:
            raise ValueError(f"it has format {manifest['format']}, and this course reads {FORMAT}")
        for name, content in data.items():
            if hashlib.sha256(content).hexdigest() != manifest["sha256"][name]:
                raise ValueError(f"{name} is not the file that was built")
        texts = tuple(Text(**json.loads(line)) for line in data[TEXTS].decode().splitlines())
        vectors = np.load(io.BytesIO(data[VECTORS]), allow_pickle=False)
        expected = (tuple(manifest["shape"]), np.dtype(np.float16))
        if (vectors.shape, vectors.dtype) != expected or len(texts) != len(vectors):
            raise ValueError(f"{len(texts)} texts and vectors of shape {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError(f"{VECTORS} has numbers that are not finite")
        _check_order(texts, manifest["documents"])
        index = Index(
            model=manifest["model"],
            texts=texts,
            vectors=vectors,
            documents=tuple(manifest["documents"]),
            failures=dict(manifest["failures"]),
            digest=hashlib.sha256(b"".join(data.values())).hexdigest()[:16],
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as problem:
        raise IndexFileError(
            f"The index in {folder} cannot be used ({reason(problem)}): build it again with"
            f" course ray index --to {folder}"
        ) from problem
    if check is not None:
        _check_vectors(index, check, folder)
    return index


def _check_order(texts: Sequence[Text], documents: Sequence[str]) -> None:
    """Documents as the manifest lists them, sentences counted from 0, each before its questions."""
    number = {name: place for place, name in enumerate(documents)}
    places = [number.get(text.document, -1) for text in texts]
    if places != sorted(places) or {*places} != {*range(len(documents))}:
        raise ValueError("its texts are not in the order of its documents")
    last: Text | None = None
    for text in texts:
        if last is not None and last.document == text.document:
            right = text.number == last.number + (text.level == "sentence")
        else:
            right = (text.level, text.number) == ("sentence", 0)
        if not right:
            raise ValueError(f"sentence {text.number} of {text.document} is out of order")
        last = text


def _check_vectors(index: Index, model: Embeddings, folder: Path) -> None:
    places = sorted({0, len(index.texts) // 2, len(index.texts) - 1})
    again = np.asarray(model.embed_documents([index.texts[place].embedded for place in places]))
    # Another processor may differ in the last bits; another text or model differs at once.
    if again.shape[1:] != index.vectors.shape[1:] or not np.allclose(
        again, index.vectors[places].astype(float), atol=0.01
    ):
        raise IndexFileError(
            f"The vectors in {folder} are of {index.model} and not what {model_name(model)} gives:"
            f" build it again with course ray index --to {folder}, or set COURSE_EMBEDDINGS back."
        )


def model_name(model: Embeddings) -> str:
    """What an index notes as its model."""
    return f"{type(model).__name__}:{getattr(model, 'model', '')}"


def reason(problem: Exception) -> str:
    """An error in words."""
    return f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
