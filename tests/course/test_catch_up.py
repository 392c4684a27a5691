"""`course catch-up`: given solutions, what is kept of the learner's, and what is refused."""

import errno
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers import cli, paths
from helpers.course import catch_up as module
from helpers.course import copies, progress
from helpers.course.catch_up import CatchUpError, catch_up
from helpers.course.given import mark

LAB, SOLUTION = "labs/05_topic.ipynb", "solutions/05_topic.ipynb"
OUTPUT = [{"output_type": "stream", "name": "stdout", "text": "0.7 s"}]


def cell(name: str, source: str, outputs: list[Any] | None = None) -> dict[str, Any]:
    number = name.rpartition("-")[2]
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"exercise": f"05.{number}"} if name.startswith("exercise") else {},
        "source": source,
        "outputs": outputs or [],
        "execution_count": 7 if outputs else None,
    }


def write(file: Path, cells: list[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    file.write_text(json.dumps(content), encoding="utf-8")


def lab_cells(*, solved: bool) -> list[dict[str, Any]]:
    out = OUTPUT if solved else None
    made = [cell("imports", "import time")]
    for number in (1, 2, 10):
        made += [
            cell(f"exercise-05-{number}", f"f{number} = {'42' if solved else 'TODO'}"),
            cell(f"check-05-{number}", f'check("05.{number}", f{number})', out),
            cell(f"use-{number}", "measure()", out),
        ]
    return made


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lab 05 with exercises 1, 2 and 10, its solution, and a learner's home."""
    root = tmp_path / "course"
    write(root / LAB, lab_cells(solved=False))
    write(root / SOLUTION, lab_cells(solved=True))
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(progress, "_memory", progress._Memory())
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def cells(root: Path, file: str = LAB) -> dict[str, Any]:
    found = json.loads((root / file).read_text(encoding="utf-8"))["cells"]
    return {one["id"]: {**one, "source": "".join(one["source"])} for one in found}


def edit(root: Path, name: str, source: str) -> None:
    found = json.loads((root / LAB).read_text(encoding="utf-8"))["cells"]
    for one in found:
        if one["id"] == name:
            one["source"] = source
    write(root / LAB, found)


def statuses() -> dict[str, str]:
    found = progress.report().get("05")
    return {one.exercise: one.status for one in found.checks} if found else {}


# --- what is given -------------------------------------------------------------------------------


def test_the_exercises_before_one_are_given(course: Path) -> None:
    edit(course, "exercise-05-2", "f2 = my_own_try()")
    before = (course / LAB).read_bytes()
    lab, (done,) = catch_up("5.10", root=course)
    assert (lab, done.exercises) == (LAB, ("05.1", "05.2"))
    found = cells(course)
    assert found["exercise-05-1"]["source"] == f"{mark('05.1')}f1 = 42"
    assert found["exercise-05-2"]["source"] == f"{mark('05.2')}f2 = 42"
    assert found["exercise-05-10"]["source"] == "f10 = TODO"
    assert found["exercise-05-2"]["metadata"] == {"exercise": "05.2"}
    assert done.copies
    assert (done.copies / LAB).read_bytes() == before
    assert statuses() == {"05.1": "given", "05.2": "given"}


def test_outputs_come_along_up_to_the_next_exercise(course: Path) -> None:
    edit(course, "use-1", "measure(more=True)")  # its stored output would be another cell's
    catch_up("05.2", root=course)
    found = cells(course)
    assert found["check-05-1"]["outputs"] == OUTPUT
    assert found["check-05-1"]["execution_count"] is None
    assert found["use-1"]["outputs"] == []
    assert found["check-05-2"]["outputs"] == []


def test_what_the_learner_passed_stays(course: Path) -> None:
    edit(course, "exercise-05-1", "f1 = 41 + 1")
    progress.record_check("05.1", "passed", 1, 1)
    _, (done,) = catch_up("05.10", root=course)
    assert (done.exercises, done.passed) == (("05.2",), ("05.1",))
    assert cells(course)["exercise-05-1"]["source"] == "f1 = 41 + 1"
    assert statuses() == {"05.1": "passed", "05.2": "given"}


def test_what_was_passed_and_then_reset_is_given(course: Path) -> None:
    """The cell is as it was shipped: there is nothing of the learner's to keep."""
    for words in (["init", "-q"], ["add", "labs"], ["commit", "-qm", "the course"]):
        who = ["-c", "user.name=x", "-c", "user.email=x@x.example"]
        subprocess.run(["git", *who, *words], cwd=course, check=True)
    edit(course, "exercise-05-2", "f2 = 40 + 2")
    for exercise in ("05.1", "05.2"):
        progress.record_check(exercise, "passed", 1, 1)
    _, (done,) = catch_up("05.10", root=course)
    assert (done.exercises, done.passed, done.replaced) == (("05.1",), ("05.2",), ())
    assert statuses() == {"05.1": "passed", "05.2": "passed"}, "what was passed stays passed"


def test_code_of_the_learners_that_is_replaced_is_named(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["init", "-q"], ["add", "labs"], ["commit", "-qm", "the course"]):
        who = ["-c", "user.name=x", "-c", "user.email=x@x.example"]
        subprocess.run(["git", *who, *words], cwd=course, check=True)
    edit(course, "exercise-05-2", "f2 = half_done()")
    assert cli.main(["catch-up", "05.10"]) == 0
    assert f"{LAB}, your own code there was replaced: 05.2." in capsys.readouterr().out


def test_a_lab_whose_file_is_gone_is_restored_by_reset(course: Path) -> None:
    (course / LAB).unlink()
    with pytest.raises(CatchUpError, match="`course reset 05` restores it"):
        catch_up("05.2", root=course)


def test_a_second_time_changes_nothing(course: Path) -> None:
    catch_up("05.2", root=course)
    before = (course / LAB).read_bytes()
    _, (done,) = catch_up("05.2", root=course)
    assert (done.exercises, done.already, done.copies) == ((), ("05.1",), None)
    assert (course / LAB).read_bytes() == before
    assert len(list((course / "copies").glob("2*"))) == 1


def test_a_run_that_ended_before_progress_was_written(course: Path) -> None:
    edit(course, "exercise-05-1", f"{mark('05.1')}f1 = 42")
    catch_up("05.2", root=course)
    assert statuses() == {"05.1": "given"}


def test_a_given_cell_that_was_rewritten_is_given_again_with_a_copy(course: Path) -> None:
    catch_up("05.2", root=course)
    edit(course, "exercise-05-1", "f1 = 'mine'")
    _, (done,) = catch_up("05.2", root=course)
    assert done.copies
    assert cells(done.copies)["exercise-05-1"]["source"] == "f1 = 'mine'"


def test_a_copy_of_an_exercise_cell_stays_the_learners(course: Path) -> None:
    made = lab_cells(solved=False)
    made.insert(2, {**cell("mine", "f1 = 'draft'"), "metadata": {"exercise": "05.1"}})
    write(course / LAB, made)
    catch_up("05.2", root=course)
    assert cells(course)["mine"]["source"] == "f1 = 'draft'"


def test_a_cell_that_is_gone_is_named(course: Path) -> None:
    write(course / LAB, [one for one in lab_cells(solved=False) if one["id"] != "exercise-05-1"])
    _, (done,) = catch_up("05.10", root=course)
    assert (done.exercises, done.missing) == (("05.2",), ("05.1",))
    assert statuses() == {"05.2": "given"}


def test_what_a_lab_uses_of_earlier_labs_is_given(course: Path) -> None:
    write(
        course / "labs/06_next.ipynb",
        [cell("use", 'if ready("05.2", "06.1"):\n    f2()'), cell("own", 'ready("06.1")')],
    )
    lab, (done,) = catch_up("06", root=course)
    assert (lab, done.lab, done.exercises) == ("labs/06_next.ipynb", LAB, ("05.2",))
    assert cells(course)["exercise-05-1"]["source"] == "f1 = TODO"


def test_no_lab_of_the_course_uses_an_earlier_one() -> None:
    """Labs stand alone (the style page); where one does not, catch-up gives what it uses."""
    for lab in sorted((Path(__file__).parents[2] / "labs").glob("*.ipynb")):
        found = module.parse(lab.read_bytes())
        assert list(module.needed(found, lab.name[:2])) == [], lab.name


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("77", r"There is no lab '77'. The labs are: 05\."),
        ("05.3", r"Lab 05 has no exercise 05.3. It has: 05.1, 05.2, 05.10\."),
        ("../05", "is not a lab or an exercise"),
        ("", "is not a lab or an exercise"),
        ("05.1.2", "is not a lab or an exercise"),
        ("*", "is not a lab or an exercise"),
        ("05.\u0662", "is not a lab or an exercise"),
    ],
)
def test_no_such_lab_or_exercise(target: str, said: str, course: Path) -> None:
    before = (course / LAB).read_bytes()
    with pytest.raises(CatchUpError, match=said):
        catch_up(target, root=course)
    assert (course / LAB).read_bytes() == before
    assert not (course / "copies").exists()
    assert statuses() == {}


@pytest.mark.parametrize("content", ["{", "[]", '{"cells": 3}', "\ufeff", '{"cells": [1]}'])
@pytest.mark.parametrize(
    ("file", "cure"), [(LAB, "`course reset 05` restores it"), (SOLUTION, "git checkout -- sol")]
)
def test_a_damaged_notebook(content: str, file: str, cure: str, course: Path) -> None:
    (course / file).write_text(content, encoding="utf-8")
    with pytest.raises(CatchUpError, match=f"{file} cannot be read as a notebook.*{cure}"):
        catch_up("05.2", root=course)
    assert (course / file).read_text(encoding="utf-8") == content
    assert not (course / "copies").exists()


def test_a_course_without_solutions(course: Path) -> None:
    (course / SOLUTION).unlink()
    with pytest.raises(CatchUpError, match=r"no solution of lab 05\. Ask your instructor"):
        catch_up("05.2", root=course)


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "labs/05_topic.ipynb")


@pytest.mark.parametrize("place", ["copy", "lab"])
def test_a_full_disk_changes_nothing(
    place: str, course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (course / LAB).read_bytes()
    if place == "copy":
        monkeypatch.setattr(copies.shutil, "copy2", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    assert cli.main(["catch-up", "05.2"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("course catch-up: 05_topic.ipynb cannot be written: No space left")
    assert said.count("\n") == 1
    assert "No file was left half-written." in said
    assert (course / LAB).read_bytes() == before
    assert [file.name for file in (course / "labs").iterdir()] == ["05_topic.ipynb"]
    assert statuses() == {}


def test_a_folder_for_copies_that_cannot_be_made(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "copies").write_text("a file of the learner's")
    before = (course / LAB).read_bytes()
    assert cli.main(["catch-up", "05.2"]) == 1
    assert "copies cannot be written" in capsys.readouterr().err
    assert (course / LAB).read_bytes() == before
    assert (course / "copies").read_text() == "a file of the learner's"


# --- the command ---------------------------------------------------------------------------------


def test_command_says_what_it_did(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    progress.record_check("05.1", "passed", 1, 1)
    assert cli.main(["catch-up", "05.10"]) == 0
    said = capsys.readouterr().out
    assert f"{LAB}, given, with their stored outputs: 05.2." in said
    assert f"{LAB}, passed by you, left as they are: 05.1." in said
    assert re.search(rf"is kept in copies/[\d-]+/{LAB}\. To go back, copy it over the lab", said)
    assert f"Go on at exercise 05.10: course lab {LAB}" in said
    assert str(course) not in said
    assert "close its tab without saving" in said


def test_command_says_that_a_lab_needs_nothing(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["catch-up", "5"]) == 0
    assert f"{LAB} uses nothing of earlier labs" in capsys.readouterr().out
    assert not (course / "copies").exists()


@pytest.mark.parametrize(("target", "status"), [("77", 2), ("nonsense", 2), ("05.2", 1)])
def test_command_refuses_in_a_sentence(
    target: str, status: int, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / SOLUTION).write_text("{")
    assert cli.main(["catch-up", target]) == status
    said = capsys.readouterr()
    assert said.err.startswith("course catch-up: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
