import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.authoring.editions import FOLDERS, generate
from helpers.authoring.notebook import write as save_notebook
from helpers.workshop import report as reports
from helpers.workshop.command import grade as command
from helpers.workshop.grade import Grade, LearnerRow, Limits, Report, grade
from helpers.workshop.labs import GradeError, labs
from helpers.workshop.submitted import handed_in
from tests.workshop.mini import LEARNERS, RIGHT, SOLUTION, STEM, fill, hand_in, make_course

LIMITS = Limits(seconds=4, megabytes=600, fast=True)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def graded(course: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, LearnerRow]:
    folder = hand_in(
        course / "labs" / f"{STEM}.ipynb", tmp_path_factory.mktemp("in") / "all", LEARNERS
    )
    found = grade(folder, course=course, limits=LIMITS, jobs=2)
    assert found.exercises == ("98.1", "98.2")
    assert [row.learner for row in found.learners] == sorted(LEARNERS)
    return {row.learner: row for row in found.learners}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learner", "first", "second", "told"),
    [
        ("ada-right", "passed", "passed", ""),
        (
            "bob-half",
            "partly",
            "wrong",
            "failed: double(5) (called: double(5); got: 4; expected: 10)",
        ),
        ("cem-untouched", "not done yet", "not done yet", ""),
        ("dan-replaced-check", "wrong", "passed", "replaced check"),
        ("eve-patched-helpers", "wrong", "passed", "replaced helpers.course.check.run_check"),
        ("fay-forged-progress", "wrong", "wrong", "failed: double(2)"),
        ("gus-early-exit", "crashed", "passed", "ended by itself"),
        ("hal-endless-loop", "wrong", "passed", "stopped after 4 s in its cell"),
        ("ida-memory-hog", "memory limit", "passed", "600 MB"),
        ("jan-deletes-the-folder", "passed", "passed", "changed the course's files"),
        ("kim-syntax-error", "error", "error", "SyntaxError"),
        ("lea-fake-exercise", "wrong", "passed", "failed: double(2)"),
    ],
)
def test_each_learner(
    learner: str, first: str, second: str, told: str, graded: dict[str, LearnerRow]
) -> None:
    row = graded[learner]
    assert (row.grades["98.1"].status, row.grades["98.2"].status) == (first, second)
    said = [*row.notes, *(grade.detail for grade in row.grades.values() if grade.detail)]
    assert told in " ".join(said)
    assert bool(said) == bool(told)
    for one in row.grades.values():
        assert bool(one.detail) == (one.status not in ("passed", "not done yet"))


@pytest.mark.slow
def test_every_patch_is_undone_and_told(graded: dict[str, LearnerRow]) -> None:
    told = " ".join(graded["eve-patched-helpers"].notes)
    for patched in (
        "changed the function helpers.course.exercises.expect.equal",
        "added helpers.course.exercises.expect.Expectation.judge",
        "replaced helpers.course.check.run_check",
        "replaced the built-in all",
    ):
        assert patched in told


@pytest.mark.slow
def test_counts_of_a_half_right_exercise(graded: dict[str, LearnerRow]) -> None:
    row = graded["bob-half"]
    assert (row.grades["98.1"].passed, row.grades["98.1"].total) == (1, 3)
    assert row.passed == 0


@pytest.mark.slow
def test_solutions_keys_and_the_graders_home_are_out_of_reach(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    look = (
        "import os, sys, pathlib, helpers\n"
        "root = pathlib.Path(helpers.__file__).parent.parent\n"
        "places = [root, *map(pathlib.Path, sys.path)]\n"
        "assert not any((p / 'solutions').exists() for p in places), 'solutions'\n"
        "assert not (root / 'helpers' / 'workshop').exists(), 'workshop'\n"
        "assert 'OPENAI_API_KEY' not in os.environ, 'key'\n"
        "assert os.environ['COURSE_HOME'].startswith(os.environ['HOME']), 'home'\n"
        "assert pathlib.Path.cwd() == root / 'labs', 'folder'\n"
    )
    learners = {"ada": (look + RIGHT, None)}
    folder = hand_in(course / "labs" / f"{STEM}.ipynb", tmp_path / "in", learners)
    (row,) = grade(folder, course=course, limits=LIMITS).learners
    assert row.grades["98.1"] == Grade("passed", 3, 3)


# --- what is taken from a submission -------------------------------------------------------------


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content) if not isinstance(content, str) else content)


def test_labs_are_the_committed_ones(course: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    lab = clone / "labs" / f"{STEM}.ipynb"
    write(lab, (course / "labs" / f"{STEM}.ipynb").read_text())
    for words in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=clone, check=True)
    write(lab, fill(lab, {"98.1": "raise SystemError"}))
    (found,) = labs(clone)
    assert found.exercises == ["98.1", "98.2"]
    assert not any("SystemError" in step.source for step in found.steps({}))


def test_only_exercise_cells_are_taken(course: Path, tmp_path: Path) -> None:
    notebook = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT})
    for cell in notebook["cells"]:
        if cell["id"] in ("check-98-1", "imports"):
            cell["source"] = "raise SystemError"
    write(tmp_path / "in" / "ada.ipynb", notebook)
    (lab,) = labs(course)
    (ada,) = handed_in(tmp_path / "in", [lab]).submissions
    steps = lab.steps(ada.answers[STEM])
    assert [step.exercise for step in steps if step.exercise] == ["98.1", "98.2"]
    assert [step.checks for step in steps if step.checks] == ["98.1", "98.2"]
    assert not any("SystemError" in step.source for step in steps)
    assert any(step.source == RIGHT for step in steps)
    assert steps[0].imports["check"] == ("helpers.course", "check")


def test_cells_are_found_by_id_and_then_by_exercise(course: Path, tmp_path: Path) -> None:
    notebook = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT, "98.2": "LIMIT = 3"})
    by_id = {cell["id"]: cell for cell in notebook["cells"]}
    notebook["cells"].insert(0, {**by_id["exercise-98-1"], "id": "copy", "source": "an old try"})
    by_id["exercise-98-1"]["metadata"] = {}
    by_id["exercise-98-2"]["id"] = "0f3c"
    write(tmp_path / "in" / "ada" / "my-lab.ipynb", notebook)
    (ada,) = handed_in(tmp_path / "in", labs(course)).submissions
    assert ada.answers[STEM] == {"98.1": RIGHT, "98.2": "LIMIT = 3"}


def test_odd_submissions(course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    good = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT})
    write(folder / "ada" / ".ipynb_checkpoints" / f"{STEM}.ipynb", good)
    write(folder / "bob" / f"{STEM}.ipynb", '{"cells": [')
    write(folder / "cem" / "other.ipynb", {"cells": []})
    write(folder / "readme.txt", "not a submission")
    found = {one.learner: one for one in handed_in(folder, labs(course)).submissions}
    assert list(found) == ["ada", "bob", "cem"]
    assert all(one.answers == {} for one in found.values())
    assert found["ada"].notes == ("no notebook",)
    assert "could not be read" in found["bob"].notes[0]
    assert found["cem"].notes == ("other.ipynb contains no exercise of a lab",)


def test_who_handed_nothing_in_is_missing(course: Path, tmp_path: Path) -> None:
    lab = course / "labs" / f"{STEM}.ipynb"
    notebook = fill(lab, {})
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] == "exercise-98-1"]
    (only,) = labs(course)
    assert only.steps({})
    folder = tmp_path / "in"
    write(folder / "ada" / "empty.ipynb", {"cells": []})
    report = grade(folder, course=course, limits=LIMITS)
    assert report.exercises == ()
    assert report.learners[0].notes == ("empty.ipynb contains no exercise of a lab",)


def test_nothing_to_grade(course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(GradeError, match="no folder"):
        grade(tmp_path / "away", course=course)
    (tmp_path / "in").mkdir()
    with pytest.raises(GradeError, match="no notebooks in"):
        grade(tmp_path / "in", course=course)
    with pytest.raises(GradeError, match="no labs in"):
        grade(tmp_path / "in", course=tmp_path)
    assert command([str(tmp_path / "away")]) == 1
    assert "course grade: " in capsys.readouterr().err


def test_labs_lying_loose_under_their_own_names_are_one_learners(
    course: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "solved"
    good = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT})
    write(folder / f"{STEM}.ipynb", good)
    write(folder / "ada" / "my.ipynb", good)
    write(folder / "src" / "notes.py", "1")
    found = {one.learner: one for one in handed_in(folder, labs(course)).submissions}
    assert sorted(found) == ["ada", "solved"]
    assert found["solved"].answers[STEM]["98.1"] == RIGHT


# --- the learner's own cells, and faults that are not the learner's ------------------------------


def cell(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": []}


def one_row(course: Path, folder: Path, notebook: dict[str, Any]) -> tuple[LearnerRow, Report]:
    write(folder / "ada" / f"{STEM}.ipynb", notebook)
    report = grade(folder, course=course, limits=LIMITS)
    (row,) = report.learners
    return row, report


@pytest.mark.slow
def test_own_cells_run_where_an_answer_needs_them(course: Path, tmp_path: Path) -> None:
    lab = course / "labs" / f"{STEM}.ipynb"
    notebook = fill(
        lab, {"98.1": "def double(number):\n    return part(number)", "98.2": "LIMIT = 3"}
    )
    notebook["cells"].append(cell("aa", "def part(number):\n    return 2 * number"))
    notebook["cells"].append(cell("bb", "raise SystemError('looked around')"))
    row, report = one_row(course, tmp_path, notebook)
    assert row.passed == 2
    assert row.notes == (
        f"{STEM}: own cells that were not run, because no exercise needs them: "
        "`raise SystemError('looked around')`",
    )
    assert report.faults == ()


@pytest.mark.slow
def test_an_own_cell_that_fails_is_the_learners(course: Path, tmp_path: Path) -> None:
    lab = course / "labs" / f"{STEM}.ipynb"
    notebook = fill(
        lab, {"98.1": "def double(number):\n    return part(number)", "98.2": "LIMIT = 3"}
    )
    notebook["cells"].insert(3, cell("aa", "part = lambda number: number\nimport away"))
    row, report = one_row(course, tmp_path, notebook)
    assert row.grades["98.1"].status == "wrong"
    assert "No module named 'away'" in row.grades["98.1"].detail
    assert row.grades["98.2"].status == "passed"
    assert report.faults == ()


def changed_course(folder: Path, before: str, after: str) -> Path:
    """A course whose lab differs, with a solution of its own."""
    assert before in SOLUTION
    made = make_course(folder)
    source = made / "solutions" / "src" / f"{STEM}.py"
    source.write_text(SOLUTION.replace(before, after))
    for edition in ("lab", "solution"):
        path = made / FOLDERS[edition][1] / f"{STEM}.ipynb"
        save_notebook(generate(made, edition, STEM), path)
    return made


@pytest.mark.slow
def test_a_lab_that_imports_a_module_of_the_package_late(tmp_path: Path) -> None:
    use = "print(double(2)"
    given = f"from helpers.course.exercises import m98_given as given\n{use}"
    course = changed_course(tmp_path / "course", use, given)
    (course / "helpers/course/exercises/m98_given.py").write_text("VALUE = 3\n")
    notebook = fill(
        course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT, "98.2": "LIMIT = given.VALUE"}
    )
    row, report = one_row(course, tmp_path / "in", notebook)
    assert (row.passed, row.notes, report.faults) == (2, (), ())


@pytest.mark.slow
def test_what_the_solution_does_not_pass_is_not_graded(tmp_path: Path) -> None:
    course = changed_course(tmp_path / "course", "LIMIT = 3", "LIMIT = 33")
    notebook = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": "def double(n):\n    return n"})
    notebook["cells"] = [one for one in notebook["cells"] if one["id"] != "exercise-98-2"]
    notebook["cells"].append(cell("zz", "LIMIT = 4"))
    row, report = one_row(course, tmp_path / "in", notebook)
    assert row.grades["98.1"].status == "wrong"  # which the solution passes
    assert row.grades["98.2"].status == "not graded"
    (fault,) = report.faults
    assert "the course's own solution of 98.2 does not pass here: wrong" in fault


@pytest.mark.slow
def test_a_cell_of_the_lab_that_fails_is_told_and_is_a_fault(tmp_path: Path) -> None:
    use = "print(double(2)"
    course = changed_course(tmp_path / "course", use, f"FACTOR = open('away.txt').read()\n{use}")
    answer = "LIMIT = len(FACTOR)"
    notebook = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT, "98.2": answer})
    row, report = one_row(course, tmp_path / "in", notebook)
    assert row.grades["98.1"].status == "passed"
    assert "the lab's own cell uses-it failed: FileNotFoundError" in " ".join(row.notes)
    assert any("uses-it fails on this machine: FileNotFoundError" in one for one in report.faults)


@pytest.mark.slow
def test_a_lab_that_cannot_run_is_nobodys_zero(tmp_path: Path) -> None:
    course = changed_course(tmp_path / "course", "import os\n", "import os\nos._exit(3)\n")
    notebook = fill(course / "labs" / f"{STEM}.ipynb", {"98.1": RIGHT, "98.2": "LIMIT = 4"})
    row, report = one_row(course, tmp_path / "in", notebook)
    assert {one.status for one in row.grades.values()} == {"not graded"}
    (fault,) = report.faults
    assert "could not be run" in fault
    assert "the lab's own cell imports" in fault


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_a_fault_of_the_grader_is_the_exit_status(
    form: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(REPORT.exercises, REPORT.learners, ("98_mini: it could not be run",))
    module = sys.modules["helpers.workshop.grade"]  # its name in the package is the function's
    monkeypatch.setattr(module, "grade", lambda *_, **__: report)
    assert command(["in", *form]) == 1
    assert "course grade: 98_mini: it could not be run" in capsys.readouterr().err
    monkeypatch.setattr(module, "grade", lambda *_, **__: REPORT)
    assert command(["in", *form]) == 0


# --- the report ----------------------------------------------------------------------------------

REPORT = Report(
    ("98.1", "98.2"),
    (
        LearnerRow("=ada", {"98.1": Grade("passed", 3, 3), "98.2": Grade("partly", 1, 2)}, ()),
        LearnerRow(
            "bob",
            {"98.1": Grade("error", detail="NameError: x"), "98.2": Grade("missing")},
            ("replaced check",),
        ),
    ),
)


def test_text_report() -> None:
    assert reports.as_text(REPORT).splitlines() == [
        "Learner  submission  98.1    98.2        passed",
        "=ada     graded      passed  partly 1/2  1 of 2",
        "bob      graded      error   missing     0 of 2",
        "",
        "bob, 98.1: NameError: x",
        "bob: replaced check",
    ]


def test_csv_report_runs_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(reports.as_csv(REPORT))))
    assert rows == [
        ["learner", "submission", "ex 98.1", "ex 98.2", "passed", "of", "notes"],
        ["'=ada", "graded", "passed", "partly 1/2", "1", "2", ""],
        ["bob", "graded", "error", "missing", "0", "2", "98.1: NameError: x; replaced check"],
    ]


def test_json_report() -> None:
    data = json.loads(json.dumps(reports.as_json(REPORT)))
    assert data["learners"][1]["exercises"]["98.1"] == {
        "status": "error",
        "passed": 0,
        "total": 0,
        "detail": "NameError: x",
        "failed": [],
    }


def test_help_says_what_it_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command(["--help"])
    assert "without a sandbox" in " ".join(capsys.readouterr().out.split())
