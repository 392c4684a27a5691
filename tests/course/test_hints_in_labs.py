"""Every lab can do what its cards and the course say: ask for a hint."""

import ast
import re

import pytest

from helpers import course
from helpers.authoring.editions import FOLDERS, generate, stems
from helpers.course.exercises.define import of_module
from helpers.paths import ROOT

LABS = stems(ROOT / FOLDERS["lab"][0], "*.py")


def checks_by(stem: str) -> str:
    """What a lab's check cells call: lab 12 reviews answers, which is its check."""
    return "review" if stem.startswith("12") else "check"


def imported(source: str) -> set[str]:
    """The names that a cell imports from the learner's desk."""
    return {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module in ("helpers.course", "helpers.review")
        for alias in node.names
    }


@pytest.mark.parametrize("edition", ["lab", "solution"])
@pytest.mark.parametrize("stem", LABS)
def test_hint_is_there_before_the_first_exercise(stem: str, edition: str) -> None:
    known: set[str] = set()
    for cell in generate(ROOT, edition, stem).cells:  # type: ignore[arg-type]
        if cell.cell_type == "code":
            known |= imported(cell.source)
        if "exercise" in cell.metadata:
            break
    assert {checks_by(stem), "hint"} <= known


@pytest.mark.parametrize("stem", LABS)
def test_what_a_labs_text_tells_to_call_is_imported(stem: str) -> None:
    """Of the desk's names: what is called in the text, in a comment, or in a hint."""
    cells = generate(ROOT, "lab", stem).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    hints = [str(hint) for exercise in of_module(stem[:2]) for hint in exercise.hints]
    told = "\n".join([*(cell.source for cell in cells), *hints])
    called = {name for name in course.__all__ if re.search(rf"(?<![\w.]){name}\(", told)}
    assert f"{checks_by(stem)}(" in told
    assert called <= set().union(*map(imported, code))
