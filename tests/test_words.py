"""What people read keeps to the style page's words: notebooks, exercises, quizzes, README, desk."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.authoring.editions import FOLDERS, generate, stems
from helpers.authoring.source import Edition
from helpers.authoring.words import BANNED, hits
from helpers.course.card import Card, CaseResult, Note, Status
from helpers.paths import ROOT

DESK = ROOT / "helpers" / "course"
SOURCES: list[tuple[Edition, str]] = [
    (edition, stem)
    for edition, (folder, _) in FOLDERS.items()
    for stem in stems(ROOT / folder, "*.py")
]
EXERCISES = [
    path.relative_to(ROOT).as_posix() for path in sorted((DESK / "exercises").rglob("*.py"))
]
QUIZZES = [path.relative_to(ROOT).as_posix() for path in sorted((DESK / "quizzes").glob("*.yaml"))]
DESKS = [
    path.relative_to(ROOT).as_posix()
    for path in sorted(DESK.rglob("*.py"))
    if path.is_relative_to(DESK) and "exercises" not in path.relative_to(DESK).parts
]


def said(text: str, where: str) -> list[str]:
    return [f"{where}, {hit}" for hit in hits(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The dearest model answers.",
        "It was mended.",
        "Build it anew.",
        "Besides, it is slow.",
        "Whoever asks gets it.",
        "Somebody who asks gets it.",
        "The passage stands in the prompt.",
        "The answer stood\nin the log.",
        "It never will do.",
        "A gate is asked often.",
        "Look also what it does.",
        "Pour the tokens out.",
        "The unspoken rule.",
    ],
)
def test_each_word_is_found(text: str) -> None:
    assert len(list(hits(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Dear customer, a tent is expensive.",
        "The amendment recommends a commendable dependency.",
        "Renewal, beside the road.",
        "Scripted models stand in for the real one.",
        "Thirty requests stand in line.",
        "A stand-in model.",
        "The question is asked once.",
        "Pourover coffee and a downpour.",
    ],
)
def test_a_word_that_only_looks_like_one_is_not(text: str) -> None:
    assert list(hits(text)) == []


def test_every_pattern_says_what_to_write_instead() -> None:
    assert all(banned.instead and not list(hits(banned.instead)) for banned in BANNED)


def test_a_hit_names_its_line() -> None:
    (hit,) = hits("Fine.\nStill fine.\nNot mended.")
    assert str(hit) == 'line 3: not "mended", but fix'


@pytest.mark.parametrize(("edition", "stem"), SOURCES)
def test_notebooks(edition: Edition, stem: str) -> None:
    found = [
        line
        for cell in generate(ROOT, edition, stem).cells
        for line in said(cell["source"], f"{edition} {stem}, cell {cell['id']}")
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [*EXERCISES, *QUIZZES, "README.md"])
def test_exercises_quizzes_and_readme(path: str) -> None:
    found = said((ROOT / path).read_text("utf-8"), path)
    assert not found, "\n".join(found)


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a file, with their lines: docstrings too, which `help` shows."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("path", DESKS)
def test_the_desk(path: str) -> None:
    found = [
        line
        for number, text in strings(ROOT / path)
        for line in said(text, f"{path}, string of line {number}")
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("status", Status)
def test_a_card_says_got_and_not_came(status: Status) -> None:
    rows = (("Called", "f(2)"), ("Got", "3"), ("Expected", "4"))
    card = Card("01.1", "Double", status, (CaseResult("twice", False, rows),), "One.", "A hint.")
    for text in (card.text(), card.html(), str(Note("Hints", ("One.",)))):
        assert not said(text, "card")
        assert "Came" not in text


def test_no_label_of_a_card_is_came() -> None:
    found = [path for path in DESKS for _, text in strings(ROOT / path) if text == "Came"]
    assert not found
