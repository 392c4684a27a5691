"""`course ray index`: Fernhill's index as files, built with Ray Data.

A folder holds `texts.jsonl` (one text a line), `vectors.npy` (one row a text, in the same order,
16-bit floats as the agent keeps them) and `index.json` (model, documents, digests). None of them
runs code when it is loaded, which a pickle can.

The workers may finish in any order, and one may die in the middle: texts are put into the order of
their documents before anything is written, so the files are the same byte for byte as those of
`build_serially`. That needs a model that gives a text the same vector in every batch and process,
as the local one does.
"""

import argparse
import hashlib
import io
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from helpers.agent.expected import Expected, expected_questions
from helpers.agent.retrieval import DocumentIndex, chunks
from helpers.evaluate.evidence import save_bytes, save_json
from helpers.models import embeddings as course_embeddings
from helpers.models.errors import ModelError
from helpers.paths import course_dir
from helpers.scale.workers import add_workers, cluster
from helpers.shop import Document, documents

FORMAT = 1
TEXTS, VECTORS, MANIFEST = "texts.jsonl", "vectors.npy", "index.json"
PORTION = 32
"""Texts that are embedded at once."""
PORTIONS = 8
"""Portions of documents for each worker: what is done again when one dies is an eighth."""
TRIES = 2
"""Workers that may die of one document before it is left out."""

Make = Callable[[], Embeddings]
Row = dict[str, Any]
Progress = Callable[[Iterable[Document]], Iterable[Document]]


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


def build(
    of: Sequence[Document],
    folder: Path,
    *,
    workers: int = 2,
    make: Make = course_embeddings,
    expected: Expected | None = None,
    progress: Progress = iter,
) -> Index:
    """Build the index with Ray Data, on the cluster that this process is connected to.

    A document that cannot be embedded, or that ends each worker that tries, is left out and named
    in `failures` with the reason. All others are in the index.

    Args:
        of: the documents, each with an id of its own.
        folder: where the three files are written; an index that is there is replaced.
        workers: processes that embed, each with a model of its own.
        make: makes the model in a worker.
        expected: the questions that sentences answer (`expected_questions()`).
        progress: wraps the documents as they are finished (`tqdm` fits, with `total`).

    Raises:
        IndexFileError: no documents, two with one id, or none that could be embedded.
    """
    if workers < 1:
        raise IndexFileError(f"{workers} workers cannot embed anything: give at least one.")
    return _build(of, folder, make, progress, lambda: _by_ray(of, workers, make, expected))


def build_serially(
    of: Sequence[Document],
    folder: Path,
    *,
    make: Make = course_embeddings,
    expected: Expected | None = None,
    progress: Progress = iter,
) -> Index:
    """Build the same files in this process, one document after the other. See `build`."""

    def done() -> Iterator[list[Row]]:
        model = make()
        for at, document in enumerate(of):
            yield _embedded(at, document, expected, model)

    return _build(of, folder, make, progress, done)


def _embedded(
    at: int, document: Document, expected: Expected | None, model: Embeddings
) -> list[Row]:
    """The texts of a document with their vectors as bytes; one row with an error where it fails.

    Each row knows its place and of how many it is one; `at` is the document's number.
    """
    vectors: list[bytes] = []
    try:
        found = chunks([document], expected_questions() if expected is None else expected)
        for start in range(0, len(found), PORTION):
            texts = [chunk.page_content for chunk in found[start : start + PORTION]]
            matrix = np.asarray(model.embed_documents(texts), dtype=np.float16)
            if matrix.ndim != 2 or len(matrix) != len(texts) or not np.isfinite(matrix).all():
                raise ValueError("the model gave no vectors of finite numbers")
            vectors += [row.tobytes() for row in matrix]
    except Exception as problem:  # one document's failure is that document's result
        return [_failed(at, document, _reason(problem))]
    return [
        {**chunk.metadata, "title": document.title, "vector": vector, "error": ""}
        | {"at": at, "place": place, "of": len(found)}
        for place, (chunk, vector) in enumerate(zip(found, vectors, strict=True))
    ]


def _failed(at: int, document: Document, reason: str) -> Row:
    empty = Text(document.id, document.title, "sentence", 0, "")
    return {**asdict(empty), "vector": b"", "error": reason, "at": at, "place": 0, "of": 1}


class _Deaths:
    """An actor that knows which documents were begun and never ended: their worker died."""

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()

    def begin(self, at: int) -> int:
        """How many workers died of this document before."""
        self._begun[at] += 1
        return self._begun[at] - 1

    def end(self, at: int) -> None:
        self._begun[at] -= 1


class _Embedder:
    """A worker of Ray Data: holds the model, and turns documents into rows."""

    def __init__(
        self, make: Make, expected: Expected | None, settings: Mapping[str, str], deaths: Any
    ) -> None:
        os.environ.update(settings)  # which model, as the process that builds has chosen it
        self._model, self._expected, self._deaths = make(), expected, deaths

    def __call__(self, batch: Mapping[str, Any]) -> Any:
        import pandas as pd
        import ray

        rows: list[Row] = []
        for at, document in zip(batch["at"].tolist(), batch["document"], strict=True):
            # Ray restarts a worker that died and repeats its portion, without end.
            if ray.get(self._deaths.begin.remote(at)) < TRIES:
                rows += _embedded(at, document, self._expected, self._model)
            else:
                rows.append(_failed(at, document, f"{TRIES} workers died of it"))
            ray.get(self._deaths.end.remote(at))
        return pd.DataFrame(rows)


def _by_ray(
    of: Sequence[Document], workers: int, make: Make, expected: Expected | None
) -> Iterator[list[Row]]:
    """The rows of each document, in the order in which the documents are finished."""
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)  # its log has no place in a notebook
    settings = {name: value for name, value in os.environ.items() if name.startswith("COURSE_")}
    deaths = ray.remote(num_cpus=0)(_Deaths).remote()
    dataset = ray.data.from_items(
        [{"at": at, "document": document} for at, document in enumerate(of)],
        override_num_blocks=min(len(of), PORTIONS * workers),
    )
    dataset.context.enable_progress_bars = False  # `progress` counts documents
    embedded = dataset.map_batches(
        _Embedder,
        fn_constructor_args=(make, expected, settings, deaths),
        compute=ray.data.ActorPoolStrategy(size=workers),
        batch_size=None,
        num_cpus=0.5,
    )
    found: dict[int, list[Row]] = {}
    for row in embedded.iter_rows():
        rows = found.setdefault(row["at"], [])
        rows.append(row)
        if len(rows) == row["of"]:
            yield found.pop(row["at"])


def _build(
    of: Sequence[Document],
    folder: Path,
    make: Make,
    progress: Progress,
    done: Callable[[], Iterator[list[Row]]],
) -> Index:
    ids = [document.id for document in of]
    if not ids:
        raise IndexFileError("An index needs at least one document.")
    if twice := [name for name, count in Counter(ids).items() if count > 1]:
        raise IndexFileError(f"Two documents have the id {twice[0]!r}: give each its own.")
    model = _name(make())
    found: list[Row] = []

    def finished() -> Iterator[Document]:
        for rows in done():
            found.extend(rows)
            yield of[rows[0]["at"]]

    for _ in progress(finished()):
        pass
    found.sort(key=lambda row: (row["at"], row["place"]))
    failures = {row["document"]: row["error"] for row in found if row["error"]}
    rows = [row for row in found if not row["error"]]
    if not rows:
        raise IndexFileError(
            f"None of {len(ids)} documents could be embedded ({failures[ids[0]]}): check the model"
            " with `python3 -m helpers doctor`."
        )
    _write(folder, rows, [name for name in ids if name not in failures], failures, model)
    return load_index(folder)


def _write(
    folder: Path, rows: Sequence[Row], documents: list[str], failures: Row, model: str
) -> None:
    lines = [
        json.dumps({field: row[field] for field in Text.__dataclass_fields__}, ensure_ascii=False)
        for row in rows
    ]
    vectors = io.BytesIO()
    matrix = np.stack([np.frombuffer(row["vector"], dtype=np.float16) for row in rows])
    np.save(vectors, matrix, allow_pickle=False)
    content = {TEXTS: "".join(f"{line}\n" for line in lines).encode(), VECTORS: vectors.getvalue()}
    for name, data in content.items():
        save_bytes(folder / name, data)
    # Last, so that an interrupted build leaves no index that loads.
    manifest = {
        "format": FORMAT,
        "model": model,
        "shape": list(matrix.shape),
        "documents": documents,
        "failures": failures,
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
            f"The index in {folder} cannot be used ({_reason(problem)}): build it again with"
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
            f"The vectors in {folder} are of {index.model} and not what {_name(model)} gives: build"
            f" the index again with course ray index --to {folder}, or set COURSE_EMBEDDINGS back."
        )


def _name(model: Embeddings) -> str:
    return f"{type(model).__name__}:{getattr(model, 'model', '')}"


def _reason(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__


def main(argv: Sequence[str]) -> int:
    """`course ray index`: index the shop's documents; 1 where one of them is left out."""
    from tqdm import tqdm

    parser = argparse.ArgumentParser(
        prog="course ray index", description="Embed the shop's documents on Ray, into files."
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="the folder (.course/index)")
    add_workers(parser, "embed")
    options = parser.parse_args(argv)
    of, folder = documents(), options.to or course_dir() / "index"
    try:
        with cluster(options):
            index = build(
                of,
                folder,
                workers=options.workers,
                progress=lambda some: tqdm(some, total=len(of), unit="document", file=sys.stderr),
            )
    except (ModelError, IndexFileError, OSError) as problem:
        print(f"course ray index: {problem}", file=sys.stderr)
        return 1
    for name, reason in index.failures.items():
        print(f"course ray index: {name} is not in the index: {reason}", file=sys.stderr)
    print(f"{len(index.texts)} texts of {len(index.documents)} documents in {folder}")
    return int(bool(index.failures))
