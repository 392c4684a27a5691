"""The index: the same files through Ray as without, and nothing loaded that is not what it was."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.agent import fernhill_index
from helpers.agent.vectors import CachedEmbeddings
from helpers.models import embeddings
from helpers.scale import start_ray
from helpers.scale.index import TRIES, build, build_serially, main
from helpers.scale.index_files import MANIFEST, TEXTS, VECTORS, IndexFileError, load_index
from helpers.shop import Document, documents, questions
from tests.scale.stubs import OtherEmbeddings, StubEmbeddings


def document(name: str, text: str) -> Document:
    return Document(id=name, title=name.title(), kind="howto", updated=date(2026, 1, 1), text=text)


def some(*texts: str) -> list[Document]:
    return [document(f"page-{n}", text) for n, text in enumerate(texts)]


PAGES = some("It is red. It is dry.", "It weighs 2 kg.", "# Care\n\n- Wash it.\n- Dry it.")
EXPECTED = {"page-1": {"It weighs 2 kg.": ["How heavy is it?"]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index of three pages."""
    build_serially(PAGES, tmp_path, make=StubEmbeddings, expected=EXPECTED)
    return tmp_path


def test_what_is_in_an_index(folder: Path) -> None:
    index = load_index(folder)
    assert [text.embedded for text in index.texts] == [
        "Page-0: It is red.",
        "Page-0: It is dry.",
        "Page-1: It weighs 2 kg.",
        "Page-1: How heavy is it?",
        "Page-2: Wash it.",
        "Page-2: Dry it.",
    ]
    vectors = np.array(StubEmbeddings().embed_documents([text.embedded for text in index.texts]))
    assert np.array_equal(index.vectors, vectors.astype(np.float16))
    assert index.documents == ("page-0", "page-1", "page-2")


def test_the_files_are_the_serial_ones_though_a_worker_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_ray()
    pages = [*some(*(f"Page {n} is red. It is dry." for n in range(24)))]
    pages[5] = document("torn", "One line is unreadable. The other is fine.")
    pages[11] = document("blank", "This one is endless.")
    pages[17] = document("page-17", "This one is deadly once.")
    died = tmp_path / "died"
    monkeypatch.setenv("COURSE_STUB_DIED", str(died))
    finished: list[str] = []

    def progress(of: Any) -> Any:
        for each in of:
            finished.append(each.id)
            yield each

    index = build(pages, tmp_path / "ray", make=StubEmbeddings, expected={}, progress=progress)
    assert died.exists()
    build_serially(pages, tmp_path / "serial", make=StubEmbeddings, expected={})
    for name in (TEXTS, VECTORS, MANIFEST):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "serial" / name).read_bytes()
    assert sorted(finished) == sorted(page.id for page in pages)
    assert index.failures == {
        "torn": "RuntimeError: no such word",
        "blank": "ValueError: the model gave no vectors of finite numbers",
    }
    assert len(index.documents) == 22


def test_a_document_that_ends_each_worker_is_reported_and_the_rest_is_there(
    tmp_path: Path,
) -> None:
    start_ray()
    pages = some("It is red.", "It is always deadly.", "It is dry.")
    index = build(pages, tmp_path, make=StubEmbeddings, expected={}, workers=1)
    assert index.failures == {"page-1": f"{TRIES} workers died of it"}
    assert index.documents == ("page-0", "page-2")


@pytest.mark.slow
def test_the_local_model_gives_the_same_files(tmp_path: Path) -> None:
    start_ray()
    build(documents()[:3], tmp_path / "ray")
    build_serially(documents()[:3], tmp_path / "serial")
    for name in (TEXTS, VECTORS, MANIFEST):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "serial" / name).read_bytes()


@pytest.mark.slow
def test_the_agent_finds_the_same_with_it(tmp_path: Path) -> None:
    model = embeddings()
    index = build_serially(documents(), tmp_path, make=lambda: CachedEmbeddings(model))
    mine, agents = index.retriever(documents(), model), fernhill_index()
    asked = [question.question for question in questions("dev")[::8]]
    assert [mine.search(each) for each in asked] == [agents.search(each) for each in asked]
    assert load_index(tmp_path, check=model).digest == index.digest


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([], "at least one document"),
        ([*PAGES, PAGES[1]], "Two documents have the id 'page-1'"),
        (some("unreadable", "endless"), r"None of 2 documents.*no such word.*doctor"),
    ],
)
def test_what_cannot_be_indexed(pages: list[Document], said: str, tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match=said):
        build_serially(pages, tmp_path, make=StubEmbeddings)
    assert not (tmp_path / MANIFEST).exists()


def test_no_workers(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match="at least one"):
        build(PAGES, tmp_path, workers=0)


def signed(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its digest, as someone does who may write the folder."""
    import hashlib

    (folder / name).write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sha256"][name] = hashlib.sha256(content).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))


def array(folder: Path, changed: Callable[[Any], Any]) -> None:
    path = folder / "changed.npy"
    np.save(path, changed(np.load(folder / VECTORS)))
    signed(folder, VECTORS, path.read_bytes())


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


def lines(folder: Path, *order: int) -> None:
    kept = (folder / TEXTS).read_text().splitlines(keepends=True)
    signed(folder, TEXTS, "".join(kept[place] for place in order).encode())


def manifest(folder: Path, **changed: Any) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, **changed}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / MANIFEST).unlink(), "FileNotFoundError"),
        (lambda f: (f / VECTORS).unlink(), "FileNotFoundError"),
        (lambda f: (f / TEXTS).write_text(""), "texts.jsonl is not the file that was built"),
        (lambda f: (f / VECTORS).write_bytes(b"x"), "vectors.npy is not the file that was built"),
        (lambda f: (f / MANIFEST).write_text("{"), "JSONDecodeError"),
        (lambda f: (f / MANIFEST).write_text("[]"), "TypeError"),
        (lambda f: manifest(f, format=2), "it has format 2"),
        (lambda f: manifest(f, sha256={}), "KeyError"),
        (lambda f: signed(f, VECTORS, b"no array"), "ValueError"),
        (lambda f: array(f, lambda v: v[:-1]), "vectors of shape"),
        (lambda f: array(f, lambda v: v[:, :-1]), "vectors of shape"),
        (lambda f: array(f, lambda v: v.astype(np.float32)), "vectors of shape"),
        (lambda f: array(f, lambda v: v * np.float16(np.nan)), "not finite"),
        (lambda f: signed(f, TEXTS, b"{}\n" * 6), "TypeError"),
        (lambda f: lines(f, 0, 1, 2, 3, 4), "vectors of shape"),
        (lambda f: lines(f, 1, 0, 2, 3, 4, 5), "out of order"),
        (lambda f: lines(f, 0, 1, 3, 2, 4, 5), "out of order"),
        (lambda f: lines(f, 2, 3, 0, 1, 4, 5), "order of its documents"),
        (lambda f: lines(f, 0, 2, 1, 3, 4, 5), "order of its documents"),
        (lambda f: lines(f, 0, 1, 2, 3, 3, 3), "order of its documents"),
    ],
)
def test_what_is_not_the_index_that_was_built_is_not_loaded(
    spoil: Callable[[Path], object], said: str, folder: Path
) -> None:
    spoil(folder)
    with pytest.raises(IndexFileError, match=rf"{said}.*build it again with course ray index --to"):
        load_index(folder)


def test_nothing_runs_when_an_index_is_loaded(folder: Path) -> None:
    trapped = folder / "trapped"
    array(folder, lambda vectors: np.array([Trap(trapped)] * len(vectors), dtype=object))
    with pytest.raises(IndexFileError, match="allow_pickle"):
        load_index(folder)
    assert not trapped.exists()


def test_vectors_of_another_model_or_order_are_found_by_a_check(folder: Path) -> None:
    load_index(folder, check=StubEmbeddings())
    with pytest.raises(IndexFileError, match=r"of StubEmbeddings:stub .* OtherEmbeddings:other"):
        load_index(folder, check=OtherEmbeddings())
    array(folder, lambda vectors: vectors[::-1])
    with pytest.raises(IndexFileError, match="not what StubEmbeddings:stub gives"):
        load_index(folder, check=StubEmbeddings())


def test_documents_that_were_changed_or_added_since(folder: Path) -> None:
    index = load_index(folder)
    changed = [PAGES[0], document("page-1", "It weighs 3 kg."), PAGES[2]]
    with pytest.raises(IndexFileError, match=r"'Page-1: It weighs 3 kg.'.*course ray index"):
        index.retriever(changed, StubEmbeddings())
    with pytest.raises(IndexFileError, match="new is not in the index"):
        index.retriever([*PAGES, document("new", "It is new.")], StubEmbeddings())


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_ray(of: Any, folder: Path, *, workers: int, progress: Any) -> Any:
        assert workers == 3
        return build_serially(of, folder, make=StubEmbeddings, progress=progress)

    monkeypatch.setattr("helpers.scale.index.build", without_ray)
    monkeypatch.setattr("helpers.scale.index.cluster", lambda options: nullcontext())
    words = ["--to", str(tmp_path / "index"), "--workers", "3"]
    for pages, status in ((PAGES, 0), (some("It is red.", "unreadable"), 1), ([], 1)):
        monkeypatch.setattr("helpers.scale.index.documents", lambda pages=pages: pages)
        assert main(words) == status
    said = capsys.readouterr()
    assert "5 texts of 3 documents in" in said.out
    assert "page-1 is not in the index: RuntimeError: no such word" in said.err
    assert "at least one document" in said.err
