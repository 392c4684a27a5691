"""A new exercise in a course of its own: made, built, checked, measured, and refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.authoring.new_exercise import NewExerciseError, create
from helpers.course.exercises.define import of_module
from helpers.paths import ROOT

THERE = [exercise.id for exercise in of_module("00")]
NEXT = f"00.{len(THERE) + 1}"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course, so that the desk's own folders are not touched."""
    root = tmp_path_factory.mktemp("course")
    ignore = shutil.ignore_patterns("__pycache__", "*.ipynb", "data")
    for name in ("helpers", "solutions", "notebooks/src", "tests/exercises"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, root / name)
    return root


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        ("0.3", "a_name", "write it like 06.1"),
        ("00.0", "a_name", "write it like 06.1"),
        (NEXT, "A-Name", "lower-case words"),
        (NEXT, "class", "lower-case words"),
        (NEXT, "", "lower-case words"),
        ("00.2", "again", f"the next exercise of module 00 is {NEXT}"),
        ("00.99", "too_far", f"the next exercise of module 00 is {NEXT}"),
        ("77.1", "no_module", "there is no solutions/src/77_"),
        (NEXT, "cost", "has cells called 'cost'"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_written(
    course: Path, number: str, name: str, said: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*") if path.is_file()}
    with pytest.raises(NewExerciseError, match=said):
        create(course, number, name)
    after = {path: path.stat().st_mtime_ns for path in course.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.slow
def test_a_new_exercise_is_complete_as_made(course: Path) -> None:
    written = create(course, NEXT, "double_it")
    assert [path.relative_to(course).as_posix() for path in written] == [
        f"helpers/course/exercises/m00/e{len(THERE) + 1}_double_it.py",
        f"tests/exercises/m00/e{len(THERE) + 1}_double_it.py",
        "solutions/src/00_start_here.py",
    ]
    lines = "\n".join([
        "from pathlib import Path",
        "from helpers.authoring.solved import renew_solved",
        "from helpers.authoring.answers import answers_to",
        "from helpers.authoring.editions import generate",
        "from helpers.authoring.strength import measure",
        "from helpers.authoring.verdicts import exercises",
        "from helpers.course.check import run_check",
        "from helpers.course.exercises import find",
        "from helpers.paths import ROOT",
        f"assert ROOT.samefile({str(course)!r}), ROOT",
        "print([path.name for path in renew_solved(ROOT, '00')])",
        "print(exercises(generate(ROOT, 'lab', '00_start_here')))",
        f"there = answers_to(ROOT, find('{NEXT}'))",
        "tried = there.wrong + there.right",
        f"print([str(run_check('{NEXT}', one.make()).status) for one in tried])",
        f"print(measure(find('{NEXT}'), there).enough)",
    ])  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(course)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        f"['e{len(THERE) + 1}.py']",
        str([*THERE, NEXT]),
        "['wrong', 'wrong', 'partly', 'partly', 'passed', 'passed']",
        "True",
    ], done.stdout + done.stderr
