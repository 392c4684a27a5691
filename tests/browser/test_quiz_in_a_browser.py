"""A quiz in a real JupyterLab, answered with the keyboard alone."""

import json
import sqlite3
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from helpers.authoring.notebook import METADATA
from helpers.course.questions import load
from tests.browser.desk import (
    Theme,
    contrast,
    hosts_asked,
    jupyterlab,
    run_all,
    switch_theme,
)

THEMES: tuple[Theme, ...] = ("JupyterLab Dark", "JupyterLab Light")


def _border(button: Locator) -> float:
    width: str = button.evaluate("node => getComputedStyle(node).borderTopWidth")
    return float(width.removesuffix("px"))


def _kept(path: Path) -> str:
    """All that a notebook's file says, as a reader would find it; nothing while it is written."""
    try:
        text = json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
    except json.JSONDecodeError:
        return ""
    return unescape(text.replace('\\"', '"'))


def expect_soon(holds: Callable[[], bool]) -> None:
    """Wait until something outside the browser has happened."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


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
            choice = f"{'ABCD'[number]}."
            expect(told).to_have_text(f"{choice} {said} {first.choices[number].why}")
            sign = {"Right.": "\u2713", "Not right.": "\u2717"}[said]
            answer = f"(your answer: {said.lower().rstrip('.')})"
            marked = panel.get_by_role("button", name="your answer")
            expect(marked).to_have_count(1)
            expect(marked).to_have_text(f"{sign} {choice} {first.choices[number].text} {answer}")
            assert _border(marked) > _border(choices.last)
        expect(panel.get_by_text("1 of 4 answered rightly.")).to_be_visible()
        for theme in THEMES:
            switch_theme(page, theme)
            for part in (marked, told, choices.last):
                assert contrast(part) >= 4.5
            panel.screenshot(path=tmp_path / f"{theme}.png")
        choices.nth(right).focus()

        page.keyboard.press("Tab")  # the focus is still on the choice, and goes on from there
        expect(choices.nth(right + 1)).to_be_focused()
        page.keyboard.press("Control+s")
        saved = tmp_path / "course" / "quiz.ipynb"
        explained = [choice.why for one in load("00") for choice in one.choices]
        chosen = first.choices[right].why
        expect_soon(lambda: [why for why in explained if why in _kept(saved)] == [chosen])

        # Opened again, before anything runs: the answer is there, and how to go on.
        panel = desk.open(page, "quiz.ipynb")
        expect(panel.get_by_text("run this cell first (Shift+Enter)")).to_be_visible(timeout=60_000)
        expect(panel.get_by_role("button", name="your answer: right")).to_be_visible()
        assert asked == {"127.0.0.1"}
        page.close()
    with sqlite3.connect(tmp_path / "home" / "progress.db") as kept:
        rows = kept.execute("SELECT question, correct FROM answers").fetchall()
    kept.close()
    assert rows == [(first.id, 0), (first.id, 1)]
