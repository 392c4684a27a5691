"""Every walkthrough, lab and solution runs, and says what it should."""

import os
from pathlib import Path

import pytest

from helpers.authoring.committed import names
from helpers.authoring.drift import drift
from helpers.authoring.editions import FOLDERS, generate, notebook_path, stems
from helpers.authoring.notebook import read, write
from helpers.authoring.source import Edition
from helpers.authoring.style import measure
from helpers.authoring.verdicts import exercises
from helpers.course.card import Status
from helpers.course.exercises.define import of_module
from helpers.paths import ROOT
from tests.notebooks import running

SOURCES: list[tuple[Edition, str]] = [
    (edition, stem)
    for edition, (folder, _) in FOLDERS.items()
    for stem in stems(ROOT / folder, "*.py")
]
WALKTHROUGHS = [stem for edition, stem in SOURCES if edition == "walkthrough"]
SOLUTIONS = [stem for edition, stem in SOURCES if edition == "solution"]
COMMITTED = [path for path in names(ROOT) if path.startswith("notebooks/")]

# Fewest and most cells of a walkthrough, and exercises of a lab: the style page's limits.
USUAL_CELLS, USUAL_EXERCISES = (25, 40), (3, 6)
# Module 00 takes ten minutes, which 25 cells would not, and its lab only teaches what a lab is.
CELLS, EXERCISES = {"00": (10, 40)}, {"00": (2, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("path", COMMITTED)
def test_the_committed_walkthrough_runs(path: str, committed_course: Path) -> None:
    done = running.nbval(committed_course / path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("stem", SOLUTIONS)
def test_in_the_lab_as_shipped_nothing_is_done_yet(stem: str, fresh_course: Path) -> None:
    found = running.checked(notebook_path(fresh_course, "lab", stem))
    assert found == dict.fromkeys(_defined(stem), Status.NOT_DONE_YET)


@pytest.mark.slow
@pytest.mark.parametrize("stem", SOLUTIONS)
def test_in_the_solution_everything_passes(stem: str, fresh_course: Path) -> None:
    found = running.checked(notebook_path(fresh_course, "solution", stem))
    assert found == dict.fromkeys(_defined(stem), Status.PASSED)


def _defined(stem: str) -> list[str]:
    return [exercise.id for exercise in of_module(stem[:2])]


@pytest.mark.parametrize("stem", SOLUTIONS)
def test_the_lab_has_every_exercise_of_its_module(stem: str, fresh_course: Path) -> None:
    assert exercises(read(notebook_path(fresh_course, "lab", stem))) == _defined(stem)


def test_the_committed_notebooks_are_what_their_sources_give(committed_course: Path) -> None:
    found = drift(committed_course)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", names(ROOT))
def test_nothing_committed_names_the_machine_it_was_made_on(
    path: str, committed_course: Path
) -> None:
    text = (committed_course / path).read_text("utf-8")
    for trace in ("/home/", "/Users/", "\\\\Users\\\\", "/root/", "ipykernel_", "site-packages"):
        assert trace not in text


@pytest.mark.parametrize("module", running.modules(ROOT))
def test_the_module_is_complete(module: str) -> None:
    assert not list(running.missing_parts(ROOT, module))


@pytest.mark.parametrize(("edition", "stem"), SOURCES)
def test_the_parameters_exist_and_fast_follows_the_environment(
    edition: Edition, stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = generate(ROOT, edition, stem)
    path = tmp_path / f"{stem}.ipynb"
    write(notebook, path)
    seen = running.parameters(path)
    assert {"model", "fast"} <= seen, "papermill understands only lines with one `=`"
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    for value, expected in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("COURSE_FAST", value)
        values: dict[str, object] = {"os": os}
        exec(cell.source, values)
        assert values["fast"] is expected


@pytest.mark.parametrize("stem", WALKTHROUGHS)
def test_the_walkthrough_keeps_the_style(stem: str) -> None:
    style = measure(generate(ROOT, "walkthrough", stem))
    fewest, most = CELLS.get(stem[:2], USUAL_CELLS)
    assert fewest <= style.cells <= most
    assert style.lines_median <= 4
    assert style.lines_p90 <= 15
    assert style.lines_max <= 25
    assert 0.75 <= style.text_to_code <= 1.75
    assert 25 <= style.words_per_code_cell <= 90


@pytest.mark.parametrize("stem", SOLUTIONS)
def test_the_lab_keeps_the_style(stem: str) -> None:
    lab = generate(ROOT, "lab", stem)
    fewest, most = EXERCISES.get(stem[:2], USUAL_EXERCISES)
    assert fewest <= len(exercises(lab)) <= most
    for notebook in (lab, generate(ROOT, "solution", stem)):
        assert measure(notebook).lines_max <= 25
