"""`course next`: which step comes next, and how it is opened."""

import json
import socket
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import cli
from helpers.course import lab, progress, questions, running, status
from helpers.course.exercises.define import modules, of_module
from helpers.paths import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["next", *words]) == 0
    return capsys.readouterr().out


@pytest.fixture
def port() -> Iterator[int]:
    """A port that takes connections, as a JupyterLab's does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def runs(home: Path, root: Path, port: int, token: str = "a b") -> None:
    """What a JupyterLab that runs at a port has written."""
    folder = home / "jupyter" / "runtime"
    folder.mkdir(parents=True, exist_ok=True)
    server = {
        "url": f"http://127.0.0.1:{port}/",
        "token": token,
        "root_dir": str(root),
    }
    (folder / "jpserver-1.json").write_text(json.dumps(server))


def test_the_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys) == (
        "Next: the walkthrough of module 00, start here.\n"
        "It is in notebooks/00_start_here.ipynb.\n"
        "Open it: course lab notebooks/00_start_here.ipynb\n"
    )


def test_it_follows_progress(capsys: pytest.CaptureFixture[str]) -> None:
    first = questions.load("00")
    progress.record_quiz("00", first[0].id, True)
    assert "Next: exercise 00.1, " in said(capsys)
    progress.record_check("00.1", "passed", 1, 1)
    progress.record_given(["00.2"])
    assert "Next: the quiz that ends the walkthrough of module 00." in said(capsys)
    for one in first:
        progress.record_quiz("00", one.id, True)
    assert "Next: the walkthrough of module 01" in said(capsys)


def test_when_all_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.record_given(one.id for module in modules() for one in of_module(module))
    monkeypatch.setattr(questions, "modules", lambda: [])
    assert said(capsys).startswith(
        "Every exercise is passed or given, and every quiz is answered correctly."
    )


def test_address_in_a_jupyterlab_that_runs(
    home: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(home, ROOT, port)
    assert (
        f"Open it: http://127.0.0.1:{port}/lab/tree/notebooks/00_start_here.ipynb?token=a%20b\n"
        in said(capsys)
    )


def test_a_jupyterlab_above_the_course_and_one_elsewhere(
    home: Path, port: int, tmp_path: Path
) -> None:
    course = tmp_path / "my courses" / "agents"
    runs(home, course.parent, port, token="")
    found = running.address("labs/01_x.ipynb", root=course)
    assert found == f"http://127.0.0.1:{port}/lab/tree/agents/labs/01_x.ipynb"
    runs(home, tmp_path / "elsewhere", port)
    assert running.address("labs/01_x.ipynb", root=course) is None


def test_one_that_was_killed_is_not_running(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    runs(home, ROOT, free)
    assert running.address("labs/01_x.ipynb", root=ROOT) is None


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"url": "http://[", "root_dir": "/"}'])
def test_a_damaged_file_of_a_server_is_no_server(content: str, home: Path, port: int) -> None:
    runs(home, ROOT, port)
    (home / "jupyter" / "runtime" / "jpserver-1.json").write_text(content)
    assert running.address("labs/01_x.ipynb", root=ROOT) is None


def test_open_uses_the_browser_or_says_so(
    home: Path, port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(home, ROOT, port)
    seen: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(seen.append(url)))
    assert "No browser could be opened" in said(capsys, "--open")
    assert seen[0].startswith(f"http://127.0.0.1:{port}/lab/tree/notebooks/00_")


def test_open_starts_the_lab_where_none_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(lab, "run", lambda extra: seen.append(extra) or 0)
    said(capsys, "--open")
    assert seen == [["notebooks/00_start_here.ipynb"]]


def test_a_notebook_that_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_notebook", lambda *_: None)
    assert "Its notebook is missing: `course update` fetches it." in said(capsys)
