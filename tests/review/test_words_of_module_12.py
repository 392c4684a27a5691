"""What module 12 says in words agrees with what the course's own files say."""

import ast
import re
from pathlib import Path

import pytest

from helpers.authoring.editions import generate
from helpers.course.exercises.define import of_module
from helpers.course.questions import load as quiz
from helpers.evaluate.checklist import CHECKLIST, item
from helpers.paths import ROOT
from helpers.review.coverage import coverage
from helpers.review.practice import load as practice
from helpers.review.questions import question

SHIP = ROOT / "helpers/course/home/templates/ship.py"
OWNERS = {each.owner for each in CHECKLIST}


def cells(edition: str, stem: str = "12_review_questions") -> dict[str, str]:
    """The sources of a notebook's cells by name, in their order."""
    notebook = generate(ROOT, edition, stem)  # type: ignore[arg-type]
    return {cell.id: cell.source for cell in notebook.cells}


@pytest.fixture(scope="module")
def walkthrough() -> dict[str, str]:
    return cells("walkthrough")


def line(text: str) -> str:
    return " ".join(text.split())


def test_the_headings_without_practice_are_named(walkthrough: dict[str, str]) -> None:
    headings = [topic.heading for topic in coverage().headings]
    practised = {heading.title for heading in practice()}
    without = [heading for heading in headings if heading not in practised]
    said = line(walkthrough["practice-text"])
    assert f"For {len(practised)} of the chapter's {len(headings)} headings" in said
    assert f"(all but *{'* and *'.join(without)}*)" in said


def test_the_weakest_headings_are_those_with_a_single_check(walkthrough: dict[str, str]) -> None:
    alone = [topic.heading for topic in coverage().headings if len(topic.checks) == 1]
    assert re.findall(r"\*([^*]+)\*", line(walkthrough["coverage-weakest"])) == alone


def test_the_example_is_judged_by_every_line_of_the_rubric(walkthrough: dict[str, str]) -> None:
    judged = walkthrough["question-judged"]
    rows = re.findall(r"^\| .+ \| (yes|no) \| .+ \|$", judged, re.M)
    assert len(rows) == len(question("Q1").rubric) == 6
    assert rows.count("yes") == 2
    assert "Two lines of six" in judged


def test_the_example_names_the_checklists_owner(walkthrough: dict[str, str]) -> None:
    said = line(walkthrough["question-parts"])
    assert {owner for owner in OWNERS if owner in said} == {item("functional_quality").owner}


def test_a_person_and_not_a_role_accepts(walkthrough: dict[str, str]) -> None:
    names = {
        node.targets[0].id: ast.literal_eval(node.value)  # type: ignore[attr-defined]
        for node in ast.parse(walkthrough["launch-accept"]).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    name, _, role = names["person"].partition(", ")
    assert name.casefold() not in OWNERS
    assert role in OWNERS


def test_the_names_of_the_work_have_the_scopes_of_walkthrough_11(
    walkthrough: dict[str, str],
) -> None:
    (scopes,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(cells("walkthrough", "11_operate_and_improve")["words-scopes"]).body
        if isinstance(node, ast.Assign)
    )
    of = {name: scope for names, scope in scopes.items() for name in names.split(", ")}
    rows = re.findall(r"^\| (\w+) \| (.+) \| (.+) \|$", walkthrough["question-4"], re.M)
    assert {name for name, _, _ in rows} <= set(of) | {"name"}
    for name, *cells_of in rows[1:]:
        assert ("retrieval" in of[name]) == ("retrieval" in " ".join(cells_of)), name


def test_one_flag_has_one_meaning(walkthrough: dict[str, str]) -> None:
    """`course ship-check --accept` accepts a risk; the project's gate keeps results."""
    assert "--accept" in walkthrough["launch-accept-text"]
    assert "--accept" not in SHIP.read_text("utf-8")
    assert "`python ship.py --keep`" in line(walkthrough["without"])
    files = [path for path in Path(SHIP.parent).rglob("*") if path.is_file()]
    assert not [path for path in files if "ship.py --accept" in path.read_text("utf-8", "replace")]


def test_the_quiz_has_the_checklists_limit() -> None:
    (limit,) = (
        each.limit for each in item("security").thresholds if each.figure == "attack success at 1"
    )
    (zero,) = (each for each in quiz("12") if each.id == "zero")
    assert any(f"the limit was {limit:.0%}" in choice.text for choice in zero.choices)


def test_what_is_not_assessed_cannot_be_accepted() -> None:
    (asked,) = (each for each in quiz("12") if each.id == "not-assessed")
    (right,) = (choice for choice in asked.choices if choice.right)
    assert right.text.startswith("No-go")
    assert "cannot be accepted" in right.text


@pytest.mark.parametrize("edition", ["lab", "solution"])
def test_the_figures_are_shown_before_the_first_exercise(edition: str) -> None:
    notebook = generate(ROOT, edition, "12_review_questions")  # type: ignore[arg-type]
    names = [cell.id for cell in notebook.cells]
    first = next(cell.id for cell in notebook.cells if "exercise" in cell.metadata)
    assert names.index("figures-text") + 1 == names.index("figures") < names.index(first)


def test_a_hint_of_each_exercise_leads_to_them() -> None:
    (heading,) = re.findall(r"^## (.+)$", cells("lab")["figures-text"], re.M)
    exercises = of_module("12")
    assert len(exercises) == 5
    for exercise in exercises:
        assert f'"{heading}"' in str(exercise.hints[2]), exercise.id
