"""Build a small course with real kernels: what lab, solution and walkthrough hold afterwards."""

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest

from helpers.authoring.build import BuildError, build, chosen
from helpers.authoring.command import COMMANDS
from helpers.authoring.drift import drift
from helpers.authoring.editions import generate
from helpers.authoring.execute import RunError
from helpers.authoring.notebook import read, write
from helpers.course.card import statuses
from helpers.paths import ROOT
from tests.authoring import mini

SOURCE = "notebooks/src/01_topic.py"


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = mini.write(tmp_path_factory.mktemp("a course"))
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    try:
        build(root, "01_topic", changed_only=True, say=quiet)
    finally:
        os.chdir(before)
    return root


def texts(path: Path) -> dict[str, str]:
    """What each cell printed or showed as text, by cell."""
    shown = {}
    for cell in read(path).cells:
        outputs = cell.get("outputs", [])
        parts = [
            out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in outputs
        ]
        shown[cell.id] = "".join(parts)
    return shown


@pytest.mark.slow
def test_everything_built_is_what_the_sources_give(course: Path) -> None:
    assert drift(course) == []
    assert build(course, "01_topic", changed_only=True, say=quiet) == []


@pytest.mark.slow
def test_the_solution_passes_and_the_lab_shares_its_ids(course: Path) -> None:
    solution = read(course / "solutions/01_topic.ipynb")
    lab = read(course / "labs/01_topic.ipynb")
    assert statuses(solution) == {"01.1": "passed"}
    assert [cell.id for cell in lab.cells] == [cell.id for cell in solution.cells]
    assert all(
        not cell.get("outputs") and cell.get("execution_count") is None for cell in lab.cells
    )
    assert (lab.nbformat, lab.nbformat_minor) == (4, 5)


@pytest.mark.slow
def test_run_noise_is_left_out_and_the_rest_stays(course: Path) -> None:
    shown = texts(course / "notebooks/01_topic.ipynb")
    lines = shown["where"].splitlines()
    assert lines[0] == "notebooks"  # started in the notebook's folder, named from the root
    assert lines[1] == "full .course"
    assert Path(lines[2]).expanduser() == ROOT  # this repository, though it started elsewhere
    assert "this cell:" in shown["where"]
    assert "measured in passing" in shown["where"]
    assert shown["bar"] == "<object>"
    raw = (course / "notebooks/01_topic.ipynb").read_text("utf-8")
    assert str(course) not in raw
    assert str(Path.home()) + "/" not in raw
    notebook = json.loads(raw)
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert all("execution" not in cell["metadata"] for cell in notebook["cells"])


@pytest.mark.slow
def test_building_again_gives_the_same_bytes(course: Path) -> None:
    paths = sorted(course.glob("*/*.ipynb"))
    before = [path.read_bytes() for path in paths]
    assert len(build(course, "01_topic", changed_only=False, say=quiet)) == len(paths) == 3
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.slow
def test_a_change_of_text_alone_keeps_the_outputs(course: Path, tmp_path: Path) -> None:
    root = tmp_path / "a course"
    shutil.copytree(course, root)
    path, source = (root / name for name in ("notebooks/01_topic.ipynb", SOURCE))
    before = read(path)
    before.cells[-1].outputs = [nbformat.v4.new_output("stream", text="from the run before\n")]
    write(before, path)
    source.write_text(source.read_text("utf-8").replace("# # Walkthrough 01", "# # A topic"))
    assert build(root, "01_topic", changed_only=True, say=quiet) == [path]
    assert read(path).cells[0].source == "# A topic"
    assert [c.get("outputs") for c in read(path).cells] == [c.get("outputs") for c in before.cells]
    source.write_text(source.read_text("utf-8").replace("print(Path.cwd())", "print(1)"))
    assert build(root, "01_topic", changed_only=True, say=quiet) == [path]
    assert texts(path)["where"].startswith("1\n")
    assert "from the run before" not in texts(path).values()


@pytest.mark.slow
def test_a_change_of_one_source_reaches_lab_solution_and_check(tmp_path: Path) -> None:
    changed = mini.SOLUTION.replace("number * 2", "number + number").replace("double", "twice")
    root = mini.write(tmp_path, solution=changed)
    (root / "notebooks/src/01_topic.py").unlink()
    written = build(root, "01_topic", changed_only=True, say=quiet)
    assert [path.parent.name for path in written] == ["labs", "solutions"]
    lab, solution = map(read, written)
    sources = {cell.id: cell.source for cell in lab.cells}
    assert sources["exercise-01-1"].endswith('"""Twice the number."""\n    return TODO')
    assert sources["check-01-1"] == 'check("01.1", twice)'
    assert statuses(solution) == {"01.1": "passed"}


@pytest.mark.slow
def test_a_solution_that_fails_its_own_check_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = mini.write(tmp_path, solution=mini.SOLUTION.replace("number * 2", "number * 3"))
    (root / "notebooks/src/01_topic.py").unlink()
    assert COMMANDS["build"](["--root", str(root)]) == 1
    assert "does not pass its own checks: 01.1 is wrong" in capsys.readouterr().err
    assert not (root / "solutions/01_topic.ipynb").exists()


@pytest.mark.slow
def test_a_cell_that_ends_in_an_error_is_named(tmp_path: Path) -> None:
    root = mini.write(tmp_path, walkthrough='# %% name="fails"\nprint("so far")\n1 / 0\n')
    (root / "solutions/src/01_topic.py").unlink()
    with pytest.raises(RunError, match=r"(?s)01_topic.ipynb, cell 'fails' .*ZeroDivisionError"):
        build(root, "01_topic", changed_only=True, say=quiet)
    assert not (root / "notebooks/01_topic.ipynb").exists()


def test_a_lab_that_was_run_is_kept_before_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    root = mini.write(tmp_path / "course")
    (root / "notebooks/src/01_topic.py").unlink()
    lab = generate(root, "lab", "01_topic")
    lab.cells[4].source = "my own work"
    lab.cells[4].execution_count = 1
    path = root / "labs/01_topic.ipynb"
    path.parent.mkdir()
    nbformat.write(lab, path)
    monkeypatch.setattr("helpers.authoring.build.EXECUTED", ())  # the lab is the point here
    monkeypatch.setattr("helpers.authoring.build.FOLDERS", {"lab": ("solutions/src", "labs")})
    said: list[str] = []
    build(root, "01_topic", changed_only=True, say=said.append)
    (kept,) = (root / "copies").glob("20*")
    assert "my own work" in (kept / "labs/01_topic.ipynb").read_text("utf-8")
    assert "my own work" not in path.read_text("utf-8")
    assert str(kept) in said[0]
    build(root, "01_topic", changed_only=False, say=said.append)
    assert len(list((root / "copies").glob("20*"))) == 1


def test_names_may_be_numbers_stems_or_paths(tmp_path: Path) -> None:
    root = mini.write(tmp_path)
    (root / "notebooks/src/02_other.py").write_text(mini.WALKTHROUGH)
    assert chosen(root, []) == ["01_topic", "02_other"]
    assert chosen(root, ["02", "notebooks/src/01_topic.py", "02_other"]) == ["02_other", "01_topic"]
    with pytest.raises(
        BuildError, match=r"No source is called '03'. There are: 01_topic, 02_other"
    ):
        chosen(root, ["03"])
