"""Every walkthrough, lab and solution runs, and says what it should."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.authoring.cells import code_cells
from helpers.authoring.committed import names
from helpers.authoring.drift import drift
from helpers.authoring.editions import FOLDERS, generate, notebook_path, stems
from helpers.authoring.limits import breaks, limits_of
from helpers.authoring.names import imported_modules
from helpers.authoring.names_called import missing
from helpers.authoring.notebook import read, write
from helpers.authoring.source import Edition
from helpers.authoring.style import measure
from helpers.authoring.verdicts import exercises
from helpers.course.card import Status
from helpers.course.exercises.define import of_module
from helpers.paths import ROOT
from tests.deploy.tools import require_podman
from tests.monitor.required import require_prometheus
from tests.notebooks import running

SOURCES: list[tuple[Edition, str]] = [
    (edition, stem)
    for edition, (folder, _) in FOLDERS.items()
    for stem in stems(ROOT / folder, "*.py")
]
WALKTHROUGHS = [stem for edition, stem in SOURCES if edition == "walkthrough"]
SOLUTIONS = [stem for edition, stem in SOURCES if edition == "solution"]
COMMITTED = [path for path in names(ROOT) if path.startswith("notebooks/")]

# Fewest and most exercises of a lab: the style page's limits. 00 only teaches what a lab is; 05 has
# the chat page as well as the service.
USUAL_EXERCISES = (3, 6)
EXERCISES = {"00": (2, 6), "05": (3, 7)}
# Lines of the longest cell. 06 has an application to fix and one to write, each in one cell; 07 has
# texts of YAML, a line for each value, 08 has a file of rules, and in 10 a meter and a cache are a
# class each, as is a policy in 04; 09 has a pipeline to trace; in 03 a defence is an agent's parts
# and a control of its own, and in 11 a diagnosis is one list of rules.
LONGEST = 25
LONGEST_OF = {
    "02": 28,
    "03": 36,
    "04": 52,
    "06": 70,
    "07": 60,
    "08": 50,
    "09": 32,
    "10": 45,
    "11": 42,
    "12": 70,  # an answer is one text
}


@pytest.mark.slow
@pytest.mark.parametrize("path", COMMITTED)
def test_the_committed_walkthrough_runs(path: str, committed_course: Path) -> None:
    if Path(path).name.startswith("07"):
        require_podman()
    if Path(path).name.startswith("08"):
        require_prometheus("alertmanager")
    done = running.nbval(committed_course / path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("stem", SOLUTIONS)
def test_in_the_lab_as_shipped_nothing_is_done_yet(stem: str, fresh_course: Path) -> None:
    found = running.checked(notebook_path(fresh_course, "lab", stem))
    assert found == dict.fromkeys(_defined(stem), Status.NOT_DONE_YET)


FEWER_IF_FAST = {"09.2": 5, "09.3": 5}
"""How many cases fewer a check has in fast mode: projects of traces are drawn."""


@pytest.mark.slow
@pytest.mark.parametrize("stem", SOLUTIONS)
def test_in_the_solution_everything_passes(
    stem: str, fresh_course: Path, committed_course: Path
) -> None:
    solution = notebook_path(fresh_course, "solution", stem)
    assert running.checked(solution) == dict.fromkeys(_defined(stem), Status.PASSED)
    stored = running.totals(notebook_path(committed_course, "solution", stem))
    ran = running.totals(running.executed(solution))
    assert stored == {name: total + FEWER_IF_FAST.get(name, 0) for name, total in ran.items()}, (
        "the stored cards are of an earlier check: delete the solution, then `course build`"
    )


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
    text = text.replace("/course/home/", "")  # a folder of the package, to which notebooks link
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
    found = breaks(measure(generate(ROOT, "walkthrough", stem)), limits_of(stem[:2]))
    assert not found, f"{found}; see `course style {stem[:2]}`"


@pytest.mark.parametrize("stem", WALKTHROUGHS)
def test_the_walkthrough_calls_what_the_field_calls(stem: str) -> None:
    assert not missing(stem[:2], generate(ROOT, "walkthrough", stem))


@pytest.mark.parametrize(("edition", "stem"), SOURCES)
def test_no_notebook_imports_an_exercise(edition: Edition, stem: str) -> None:
    found = exercises_imported(generate(ROOT, edition, stem))
    assert not found, "an exercise's file is the check's own; notebooks use helpers/testbed"


def exercises_imported(notebook: Mapping[str, Any]) -> list[str]:
    """What a notebook's cells import of the exercises."""
    return [
        name
        for cell in code_cells(notebook)
        for name in imported_modules(cell.tree)
        if f"{name}.".startswith("helpers.course.exercises.")
    ]


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("from helpers.course.exercises import m04_network", 1),
        ("from helpers.course import exercises", 1),
        ("import helpers.course.exercises.m05_walk as walk", 1),
        ("%%writefile app.py\nfrom helpers.course.exercises.m05 import x", 1),
        ("from helpers.course import check", 0),
        ("# from helpers.course.exercises import m04", 0),
    ],
)
def test_the_search_for_exercises_itself(code: str, count: int) -> None:
    assert len(exercises_imported(new_notebook(cells=[new_code_cell(code)]))) == count


@pytest.mark.parametrize(("edition", "stem"), SOURCES)
def test_no_dollars_are_taken_for_a_formula(edition: Edition, stem: str) -> None:
    found = [cell.id for cell in generate(ROOT, edition, stem).cells if formulas(cell)]
    assert not found, r"between two dollar signs JupyterLab sets a formula: write \$5"


def formulas(cell: NotebookNode) -> list[str]:
    """The paragraphs of a text cell with two amounts in dollars, of which neither is escaped."""
    if cell.cell_type != "markdown":
        return []
    text = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
    return [each for each in text.split("\n\n") if len(re.findall(r"(?<!\\)\$(?=\d)", each)) > 1]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It costs $5.", 0),
        ("It costs $5, or $6.", 1),
        (r"It costs \$5, or \$6.", 0),
        ("It costs $5.\n\nOr $6.", 0),
        ("`$5` and `$6`", 0),
        ("$$a/b$$", 0),
    ],
)
def test_the_search_for_formulas_itself(text: str, count: int) -> None:
    assert len(formulas(new_markdown_cell(text))) == count


@pytest.mark.parametrize("stem", SOLUTIONS)
def test_the_lab_keeps_the_style(stem: str) -> None:
    lab = generate(ROOT, "lab", stem)
    fewest, most = EXERCISES.get(stem[:2], USUAL_EXERCISES)
    assert fewest <= len(exercises(lab)) <= most
    for notebook in (lab, generate(ROOT, "solution", stem)):
        assert measure(notebook).lines_max <= LONGEST_OF.get(stem[:2], LONGEST)
