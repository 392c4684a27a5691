"""Any exercise of a lab runs without the others, unless its text names the one that it needs.

Found without running anything: what the cells of an exercise's section use is defined by the lab's
first cells, in the section itself, or by an exercise that the section's text or `ready` names.
"""

import re
from collections.abc import Iterator

import nbformat
import pytest

from helpers.authoring.editions import FOLDERS, generate, stems
from helpers.authoring.source import Edition
from helpers.paths import ROOT
from helpers.workshop.names import names_in

LABS = stems(ROOT / FOLDERS["lab"][0], "*.py")
EDITIONS: tuple[Edition, ...] = ("lab", "solution")
NAMED = re.compile(r"""(?:\bexercise |\bready\("\d\d\.)(\d+)""")
HEADING = re.compile(r"^## (?:(\d+)\. )?", re.MULTILINE)


def sections(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, list[nbformat.NotebookNode]]]:
    """The cells from each `## ` heading on, by its number or text; "" before the first."""
    name, cells = "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := HEADING.search(cell.source)):
            yield name, cells
            name, cells = found[1] or cell.source.splitlines()[0], []
        cells.append(cell)
    yield name, cells


def lacking(notebook: nbformat.NotebookNode) -> list[str]:
    """What a cell uses that only another section defines, as sentences."""
    parts = list(sections(notebook))
    made = {
        name: frozenset().union(
            *(names_in(c.source).defined for c in cells if c.cell_type == "code")
        )
        for name, cells in parts
    }
    answers = {
        name: frozenset().union(
            *(names_in(c.source).defined for c in cells if "exercise" in c.metadata)
        )
        for name, cells in parts
    }
    found = []
    for name, cells in parts:
        there = set(made[""]) if name else set()
        text = "\n".join(cell.source for cell in cells)
        for number in NAMED.findall(text):
            there |= answers.get(number, frozenset())
        inside: set[str] = set()
        for cell in cells:
            if cell.cell_type != "code":
                continue
            # A function may use what a later cell of its own section defines.
            later = made[name] if "exercise" in cell.metadata else frozenset()
            inside |= names_in(cell.source).defined
            if lost := names_in(cell.source).needed - there - inside - later:
                found.append(f"{cell.id} uses {', '.join(sorted(lost))}")
    return found


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("stem", LABS)
def test_any_exercise_runs_without_the_others(stem: str, edition: Edition) -> None:
    assert lacking(generate(ROOT, edition, stem)) == []


def notebook(*cells: tuple[str, str]) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook()
    for name, source in cells:
        new = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        made.cells.append(new(source, id=name))
        if name.startswith("exercise"):
            made.cells[-1].metadata["exercise"] = name
    return made


def test_what_another_section_defines_is_found() -> None:
    found = lacking(
        notebook(
            ("title", "# Lab"),
            ("imports", "import math"),
            ("one", "## 1. First"),
            ("exercise-1", "def double(x):\n    return helper(x)"),
            ("helpers", "def helper(x):\n    return math.floor(x)"),
            ("use", "table = [double(x) for x in (1, 2)]"),
            ("two", "## 2. Second\nYou may use exercise 1."),
            ("exercise-2", "def four(x):\n    return double(double(x))"),
            ("show", "print(table, four(1))"),
            ("three", "## 3. Third"),
            ("exercise-3", "def six(x):\n    return four(x) + double(x)"),
            ("last", "## What you measured"),
            ("all", "print(table)"),
        )
    )
    assert found == ["show uses table", "exercise-3 uses double, four", "all uses table"]
