"""The grader on the course's own labs: solutions pass, and of untouched labs nothing is done."""

import shutil
from pathlib import Path

import pytest

from helpers.authoring.editions import FOLDERS, generate, notebook_path, stems
from helpers.authoring.notebook import write
from helpers.authoring.source import Edition
from helpers.paths import ROOT
from helpers.workshop.grade import Limits, grade
from helpers.workshop.labs import Lab, labs, solution
from helpers.workshop.names import ALWAYS_THERE, names_in
from tests.every import every_answer

STEMS = stems(ROOT / FOLDERS["lab"][0], "*.py")
# Every lab and solution is run by `tests/notebooks`; what the grader adds to it is the same for all
# modules: exercises without servers (02), async ones and servers (05), stored figures (12).
# `COURSE_EVERY_ANSWER=1` grades all.
GRADED = [stem for stem in STEMS if every_answer() or stem[:2] in ("02", "05", "12")]
# A solution that compares its answer with others, in a cell that no exercise needs.
IDLE = {
    "11_operate_and_improve": (
        "own cells that were not run, because no exercise needs them: `def with_bound(bound):`",
    )
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course with labs and solutions as their sources give them now."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(
        ROOT / "helpers", root / "helpers", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, root / name)
    for stem in STEMS:
        if (ROOT / "labs" / stem).is_dir():
            shutil.copytree(ROOT / "labs" / stem, root / "labs" / stem)
        for file in (ROOT / "solutions" / stem).rglob("*.json"):
            (there := root / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, there)
        for edition in ("lab", "solution"):
            write(generate(ROOT, edition, stem), notebook_path(root, edition, stem))
    return root


def lab_of(course: Path, stem: str) -> Lab:
    return next(lab for lab in labs(course) if lab.stem == stem)


@pytest.mark.slow
@pytest.mark.timeout(900)  # minutes where other work shares the cores
@pytest.mark.parametrize(("edition", "status"), [("solution", "passed"), ("lab", "not done yet")])
@pytest.mark.parametrize("stem", GRADED)
def test_solutions_pass_and_of_untouched_labs_nothing_is_done(
    stem: str,
    edition: Edition,
    status: str,
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COURSE_TIME_FACTOR", "6")  # other tests share the cores
    (tmp_path / "in" / "ada").mkdir(parents=True)
    shutil.copy2(notebook_path(course, edition, stem), tmp_path / "in" / "ada")
    report = grade(tmp_path / "in", course=course, limits=Limits(fast=True))
    (ada,) = report.learners
    assert report.exercises == tuple(lab_of(course, stem).exercises)
    assert {name: one.status for name, one in ada.grades.items()} == dict.fromkeys(
        report.exercises, status
    ), ada
    assert (report.faults, ada.notes) == ((), ())


@pytest.mark.parametrize("stem", STEMS)
def test_the_graded_lab_has_every_name_that_a_solution_uses(stem: str, course: Path) -> None:
    lab = lab_of(course, stem)
    found = solution(course, lab)
    assert found is not None
    assert list(found.answers) == lab.exercises
    assert found.notes == IDLE.get(stem, ())
    steps = lab.steps(found.answers, found.own)
    made = ALWAYS_THERE.union(*(names_in(step.source).defined for step in steps))
    assert {step.name: names_in(step.source).needed - made for step in steps} == dict.fromkeys(
        (step.name for step in steps), frozenset()
    )
