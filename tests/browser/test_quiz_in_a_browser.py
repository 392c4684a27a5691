"""A quiz in a real JupyterLab, answered with the keyboard alone."""

import sqlite3
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from helpers.authoring.notebook import METADATA
from helpers.course.questions import load
from tests.browser.desk import hosts_asked, jupyterlab, run_all


@pytest.mark.slow
def test_a_quiz_is_answered_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    source = "from helpers.course import quiz\n\nquiz('00')"
    notebook.cells = [nbformat.v4.new_code_cell(source)]
    (tmp_path / "course").mkdir()
    (tmp_path / "home").mkdir()
    nbformat.write(notebook, tmp_path / "course" / "quiz.ipynb")
    first = load("00")[0]
    right = next(number for number, choice in enumerate(first.choices) if choice.right)
    wrong = 1 if right == 0 else 0
    with jupyterlab(tmp_path / "course", tmp_path / "home") as desk:
        page = browser.new_page()
        asked = hosts_asked(page)
        panel = desk.open(page, "quiz.ipynb")
        run_all(page, panel)
        choices = panel.locator(".course-choice")
        expect(choices.first).to_be_visible(timeout=60_000)

        for number, key, said in ((wrong, "Space", "Not right."), (right, "Enter", "Right.")):
            choices.nth(number).focus()
            page.keyboard.press(key)
            told = panel.get_by_role("alert")
            expect(told).to_have_text(f"{'ABCD'[number]}. {said} {first.choices[number].why}")
        expect(panel.get_by_text("1 of 4 answered rightly.")).to_be_visible()

        page.keyboard.press("Tab")  # the focus is still on the choice, and goes on from there
        expect(choices.nth(right + 1)).to_be_focused()
        assert asked == {"127.0.0.1"}
        page.close()
    with sqlite3.connect(tmp_path / "home" / "progress.db") as kept:
        rows = kept.execute("SELECT question, correct FROM answers").fetchall()
    kept.close()
    assert rows == [(first.id, 0), (first.id, 1)]
