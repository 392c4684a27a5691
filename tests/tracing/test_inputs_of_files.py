"""A full disk, a damaged file, a file that is none: one sentence each, with the path."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from helpers import tracing
from helpers.tracing import ServiceError
from helpers.tracing import store as room
from helpers.tracing.app import create_app
from helpers.tracing.store import Store
from helpers.tracing.store.schema import UnusableFileError, WrongVersionError, connect
from tests.tracing.sending import made
from tests.tracing.serving import KEY, pricer


def api(store: Store) -> TestClient:
    app = create_app(store, key=KEY, pricer=pricer)
    return TestClient(app, base_url="http://127.0.0.1", headers={"x-api-key": KEY})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "traces.db")
    yield found
    found.close()


def count(path: Path) -> int:
    connection = sqlite3.connect(path)
    found: int = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    connection.close()
    return found


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before: a bare 500. What was acknowledged stays, and nothing of the rest is half there."""
    path, pages = tmp_path / "traces.db", 120

    def small(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(room, "connect", small)
    store, acknowledged = Store(path), 0
    client = api(store)
    for _ in range(40):
        runs = [made("full", inputs={"text": "x" * 5000}) for _ in range(5)]
        answer = client.post("/runs/batch", json={"post": runs})
        if answer.status_code != 202:
            break
        acknowledged += len(runs)
    assert answer.status_code == 507
    told = answer.json()["detail"]
    assert str(path) in told
    assert "is full: nothing of this request was stored" in told
    assert 0 < acknowledged == count(path)
    pages = 10_000  # there is room again
    store.close()
    store = Store(path)
    assert api(store).post("/runs", json=made("full")).status_code == 202
    assert count(path) == acknowledged + 1
    store.close()


def test_a_file_that_is_damaged_while_it_is_used(store: Store) -> None:
    """Before: a bare 500."""
    runs = [made("damaged", inputs={"text": "x" * 3000}) for _ in range(50)]
    client = api(store)
    assert client.post("/runs/batch", json={"post": runs}).status_code == 202
    session = client.get("/sessions").json()[0]["id"]
    store.reading().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = bytearray(store.path.read_bytes())
    half = len(content) // 2  # the tables' own pages come first
    content[half:] = b"\xff" * (len(content) - half)
    store.path.write_bytes(content)
    broken = Store(store.path)
    client = api(broken)
    for answer in (
        client.post("/runs/query", json={"session": [session]}),
        client.get(f"/runs/{runs[30]['id']}"),
    ):
        assert answer.status_code == 500
        assert str(store.path) in answer.json()["detail"]
        assert "is damaged" in answer.json()["detail"]
    broken.close()


def none(path: Path) -> None:
    path.write_bytes(b"no database at all, but a text " * 100)


def cut(path: Path) -> None:
    Store(path).close()
    path.write_bytes(path.read_bytes()[:5000])


def folder(path: Path) -> None:
    path.mkdir()


def other(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


UNUSABLE: dict[str, tuple[Any, str, str]] = {
    "a text": (none, "traces.db", "no SQLite database"),
    "a file that was cut": (cut, "traces.db", "damaged"),
    "a folder": (folder, "traces.db", "cannot be opened"),
    "in a folder that is missing": (lambda _: None, "missing/traces.db", "cannot be opened"),
    "of another version": (other, "traces.db", "another version"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_that_cannot_be_used_is_named_at_the_start(tmp_path: Path, case: str) -> None:
    """Before: a traceback or a sentence of SQLite without the path."""
    make, name, says = UNUSABLE[case]
    path = tmp_path / name
    make(path)
    with pytest.raises(UnusableFileError, match=says) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_service_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from helpers.tracing.command import traces

    path = tmp_path / "traces.db"
    none(path)
    with pytest.raises(ServiceError) as caught, tracing.running(path):
        pass
    assert f"did not start: {path} is no file of traces" in str(caught.value)
    assert traces(["--file", str(path), "--no-browser"]) == 1
    assert f"{path} is no file of traces" in capsys.readouterr().out


def test_a_file_of_the_version_before_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    store = Store(path)
    api(store).post("/runs", json=made("old", inputs={"a": 1}))
    for statement in (
        "DROP TABLE attachments",
        "DROP TABLE feedback_configs",
        "ALTER TABLE runs DROP COLUMN notes",
        "PRAGMA user_version = 1",
    ):
        store.reading().execute(statement)
    store.close()
    store = Store(path)
    client = api(store)
    assert client.post("/runs", json=made("old", tags=5)).status_code == 202
    session = client.get("/sessions", params={"name": "old"}).json()[0]["id"]
    runs = client.post("/runs/query", json={"session": [session]}).json()["runs"]
    assert len(runs) == 2
    store.close()
    assert issubclass(WrongVersionError, UnusableFileError)
