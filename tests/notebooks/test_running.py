"""The rules that hold for every notebook find what they are for, on a small made-up course."""

from pathlib import Path

import papermill
import pytest

from helpers.authoring.build import build
from helpers.authoring.committed import names
from helpers.authoring.editions import notebook_path
from tests.authoring import mini
from tests.notebooks import running

TAGGED = """\
# %% name="sum" tags=["nbval-check-output"]
print(1 + 1)

# %% name="measured"
import os

print(os.getpid())
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = mini.write(tmp_path_factory.mktemp("course"), walkthrough=TAGGED)
    (root / "solutions/src/01_topic.py").rename(root / "solution.py")
    build(root, "01_topic", changed_only=True, say=lambda _: None)
    (root / "solution.py").rename(root / "solutions/src/01_topic.py")
    mini.commit(root)
    return root


@pytest.mark.slow
def test_nbval_compares_tagged_cells_and_no_others(course: Path, tmp_path: Path) -> None:
    (path,) = running.committed(course, tmp_path)
    done = running.nbval(path)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    path.write_text(path.read_text("utf-8").replace('"2\\n"', '"3\\n"'), "utf-8")
    done = running.nbval(path)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout


@pytest.mark.slow
def test_labs_and_solutions_are_judged_by_their_checks(course: Path, tmp_path: Path) -> None:
    fresh = running.fresh(course, tmp_path)
    lab, solution = (notebook_path(fresh, edition, "01_topic") for edition in ("lab", "solution"))
    assert running.checked(lab) == {"01.1": "not done yet"}
    assert running.checked(solution) == {"01.1": "passed"}
    broken = solution.read_text("utf-8").replace("number * 2", "number * 3")
    solution.write_text(broken, "utf-8")
    assert running.checked(solution) == {"01.1": "wrong"}  # though it ran to its end
    solution.write_text(broken.replace("number * 3", "number / 0"), "utf-8")
    with pytest.raises(papermill.PapermillExecutionError):
        running.checked(solution)


def test_a_learners_own_files_are_never_run(course: Path, tmp_path: Path) -> None:
    assert names(course) == ["notebooks/01_topic.ipynb"]
    mine = [course / "labs/01_topic.ipynb", course / "notebooks/01_topic.ipynb"]
    before = mine[1].read_text("utf-8")
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("my own work", "utf-8")
    try:
        fresh = running.fresh(course, tmp_path)
        assert "return TODO" in (fresh / "labs/01_topic.ipynb").read_text("utf-8")
        assert (fresh / "notebooks/01_topic.ipynb").read_text("utf-8") == before
    finally:
        mine[1].write_text(before, "utf-8")


def test_a_rebuilt_module_has_a_folder_of_exercises_and_one_of_answers(tmp_path: Path) -> None:
    exercises = tmp_path / "helpers/course/exercises/m06"
    exercises.mkdir(parents=True)
    assert [line.partition(" (")[0] for line in running.missing_parts(tmp_path, "06")] == [
        "module 06 has no place for a walkthrough",
        "module 06 has no place for a solution",
        "module 06 has no place for answers",
        "module 06 has no place for a quiz",
    ]


def test_the_parts_of_a_module(tmp_path: Path) -> None:
    root = mini.write(tmp_path)
    assert running.modules(root) == ["01"]
    assert list(running.missing_parts(root, "01")) == [
        "module 01 has no place for exercises (helpers/course/exercises/m[0-9][0-9])",
        "module 01 has no place for answers (tests/exercises/m[0-9][0-9])",
        "module 01 has no place for a quiz (helpers/course/quizzes/[0-9][0-9].yaml)",
    ]
    for path in ("helpers/course/exercises/m01", "tests/exercises/m01"):
        (root / path).parent.mkdir(parents=True)
        (root / path).touch()
    quizzes = root / "helpers/course/quizzes"
    quizzes.mkdir()
    (quizzes / "01.yaml").touch()
    assert not list(running.missing_parts(root, "01"))
    (quizzes / "02.yaml").touch()
    assert running.modules(root) == ["01", "02"]
    assert len(list(running.missing_parts(root, "02"))) == 4
    (root / "notebooks/src/01_topic.py").rename(root / "notebooks/src/01_other.py")
    assert list(running.missing_parts(root, "01")) == [
        "module 01: walkthrough and solution have different names"
    ]
