"""`course build --check`: every way in which a commit can differ from its sources."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.authoring.command import COMMANDS
from helpers.authoring.drift import drift
from helpers.authoring.editions import EXECUTED, FOLDERS, generate, notebook_path
from helpers.authoring.notebook import write
from tests.authoring import mini

CASES: list[tuple[str, str, Callable[[dict[str, Any]], object], str]] = [
    (
        "source",
        "labs",
        lambda nb: nb["cells"][0].update(source="# Mine"),
        "'title' has another source",
    ),
    (
        "tags",
        "solutions",
        lambda nb: nb["cells"][2]["metadata"].clear(),
        "'parameters' has another metadata",
    ),
    ("id", "notebooks", lambda nb: nb["cells"][0].update(id="heading"), "'title' is missing"),
    (
        "left over",
        "notebooks",
        lambda nb: nb["cells"][0].update(id="heading"),
        "'heading' is not in the source",
    ),
    ("order", "labs", lambda nb: nb["cells"].reverse(), "another order"),
    ("kind", "labs", lambda nb: nb["cells"][0].update(cell_type="raw"), "another cell type"),
    ("metadata", "labs", lambda nb: nb["metadata"].update(authors=[]), "its metadata"),
    (
        "not run",
        "notebooks",
        lambda nb: nb["cells"][1].update(execution_count=None),
        "'parameters' was not executed",
    ),
    (
        "order of runs",
        "solutions",
        lambda nb: nb["cells"][1].update(execution_count=7),
        "'imports' was not executed in its turn",
    ),
    (
        "run",
        "labs",
        lambda nb: nb["cells"][1].update(execution_count=1),
        "'imports' carries the traces",
    ),
    (
        "error",
        "notebooks",
        lambda nb: nb["cells"][1]["outputs"].append(
            {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
        ),
        "'parameters' ends in an error",
    ),
    ("no notebook", "labs", lambda nb: nb.update(cells=3), "not a valid notebook"),
    (
        "old format",
        "labs",
        lambda nb: (nb.update(nbformat_minor=4), [c.pop("id") for c in nb["cells"]]),
        "older than 4.5",
    ),
]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Built as far as the check can tell, without a kernel."""
    root = mini.write(tmp_path / "course")
    for edition in FOLDERS:
        notebook = generate(root, edition, "01_topic")
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code, start=1):
            cell.execution_count = number if edition in EXECUTED else None
        write(notebook, notebook_path(root, edition, "01_topic"))
    return root


def test_what_the_build_writes_has_no_drift(course: Path) -> None:
    assert drift(course) == []


@pytest.mark.parametrize(
    ("folder", "change", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_changed_notebook_is_drift(
    course: Path, folder: str, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    path = course / folder / "01_topic.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook), "utf-8")
    found = drift(course)
    assert any(says in line for line in found), found
    assert all("01_topic.ipynb" in line for line in found)


def test_outputs_may_differ(course: Path) -> None:
    path = course / "solutions/01_topic.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "3.1 s"}]
    path.write_text(json.dumps(notebook), "utf-8")
    assert drift(course) == []


def test_a_changed_source_is_drift_in_lab_and_solution(course: Path) -> None:
    mini.write(course, solution=mini.SOLUTION.replace("Twice", "Two times"))
    assert sorted(drift(course)) == [
        f"{folder}/01_topic.ipynb: cell 'exercise-01-1' has another source."
        for folder in ("labs", "solutions")
    ]


def test_sources_and_notebooks_come_in_pairs(course: Path) -> None:
    (course / "labs/01_topic.ipynb").unlink()
    (course / "notebooks/src/01_topic.py").rename(course / "notebooks/src/02_new.py")
    assert sorted(drift(course)) == [
        "labs/01_topic.ipynb is missing: run `course build 01_topic`.",
        "notebooks/01_topic.ipynb has no source notebooks/src/01_topic.py.",
        "notebooks/02_new.ipynb is missing: run `course build 02_new`.",
    ]


def test_a_broken_source_is_reported_once(course: Path) -> None:
    mini.write(course, solution="x = 1\n")
    assert len(drift(course)) == 1
    assert "has no name" in drift(course)[0]


def test_the_check_looks_at_the_commit_and_not_at_edited_files(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini.commit(course)
    (course / "labs/01_topic.ipynb").write_text("a learner's own", "utf-8")
    assert COMMANDS["build"](["--check", "--root", str(course)]) == 0
    assert "every notebook is what its source gives" in capsys.readouterr().out
    mini.commit(course)
    assert COMMANDS["build"](["--check", "--json", "--root", str(course)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert "labs" not in report["commit"]
    assert len(report["drift"]) == 1


def test_the_check_works_in_a_folder_of_a_larger_repository(course: Path) -> None:
    (course / "labs/01_topic.ipynb").unlink()
    mini.commit(course.parent)
    assert COMMANDS["build"](["--check", "--root", str(course)]) == 1


def test_without_git_the_check_says_so(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert COMMANDS["build"](["--check", "--root", str(course)]) == 2
    assert "Work in a clone" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert COMMANDS["build"](["--check", "--root", str(course)]) == 2
    assert "git is not installed" in capsys.readouterr().err


def test_without_jupytext_the_build_says_what_to_do(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jupytext", None)
    assert COMMANDS["build"](["--root", str(course)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "needs jupytext" in error


@pytest.mark.parametrize("words", [["--check", "01"], ["--check", "--all"], ["--json"]])
def test_options_that_do_not_go_together(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        COMMANDS["build"](words)
    assert left.value.code == 2


def test_an_unknown_name(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS["build"](["07", "--root", str(course)]) == 2
    assert "No source is called '07'" in capsys.readouterr().err
