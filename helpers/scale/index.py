"""`course ray index`: Fernhill's index, built with Ray Data into files (see `index_files`).

The workers may finish in any order, and one may die in the middle: texts are put into the order of
their documents before anything is written, so the files are the same byte for byte as those of
`build_serially`. That needs a model that gives a text the same vector in every batch and process,
as the local one does.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.agent.expected import Expected, expected_questions
from helpers.agent.retrieval import chunks
from helpers.models import embeddings as course_embeddings
from helpers.models.errors import ModelError
from helpers.paths import course_dir
from helpers.scale.errors import RayError
from helpers.scale.index_files import (
    Index,
    IndexFileError,
    Text,
    load_index,
    model_name,
    reason,
    write_index,
)
from helpers.scale.workers import add_workers, adopt, cluster, course_settings
from helpers.shop import Document, documents

PORTION = 32
"""Texts that are embedded at once."""
PORTIONS = 8
"""Portions of documents for each worker: what is done again when one dies is an eighth."""
TRIES = 2
"""Workers that may die of one document before it is left out."""

Make = Callable[[], Embeddings]
Row = dict[str, Any]
Progress = Callable[[Iterable[Document]], Iterable[Document]]


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
        return [_failed(at, document, reason(problem))]
    return [
        {**chunk.metadata, "title": document.title, "vector": vector, "error": ""}
        | {"at": at, "place": place, "of": len(found)}
        for place, (chunk, vector) in enumerate(zip(found, vectors, strict=True))
    ]


def _failed(at: int, document: Document, error: str) -> Row:
    empty = Text(document.id, document.title, "sentence", 0, "")
    return {**asdict(empty), "vector": b"", "error": error, "at": at, "place": 0, "of": 1}


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
        adopt(settings)
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
    deaths = ray.remote(num_cpus=0)(_Deaths).remote()
    dataset = ray.data.from_items(
        [{"at": at, "document": document} for at, document in enumerate(of)],
        override_num_blocks=min(len(of), PORTIONS * workers),
    )
    dataset.context.enable_progress_bars = False  # `progress` counts documents
    embedded = dataset.map_batches(
        _Embedder,
        fn_constructor_args=(make, expected, course_settings(), deaths),
        compute=ray.data.ActorPoolStrategy(size=workers),
        batch_size=None,
        num_cpus=0.5,
    )
    found: dict[int, list[Row]] = {}
    try:
        for row in embedded.iter_rows():
            rows = found.setdefault(row["at"], [])
            rows.append(row)
            if len(rows) == row["of"]:
                yield found.pop(row["at"])
    except ray.exceptions.RayError as error:
        raise RayError(
            f"The workers cannot embed ({str(error).strip().splitlines()[-1]}): check the model"
            " with `python3 -m helpers doctor`, and that the cluster runs."
        ) from error


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
    model = model_name(make())
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
    texts = [Text(**{each.name: row[each.name] for each in fields(Text)}) for row in rows]
    vectors = np.stack([np.frombuffer(row["vector"], dtype=np.float16) for row in rows])
    write_index(folder, model, texts, vectors, failures)
    return load_index(folder)


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
    for name, why in index.failures.items():
        print(f"course ray index: {name} is not in the index: {why}", file=sys.stderr)
    print(f"{len(index.texts)} texts of {len(index.documents)} documents in {folder}")
    return int(bool(index.failures))
