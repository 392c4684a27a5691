"""A learner's first lab in a real JupyterLab: a wrong answer, then the right one."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from helpers.authoring.editions import generate
from helpers.course.exercises import find
from helpers.paths import ROOT
from tests.browser.desk import hosts_asked, jupyterlab, run_all, write_cell
from tests.notebooks import running

STEM = "00_start_here"
EXERCISE = "00.1"
WRONG = "cost_usd = 0"


@pytest.mark.slow
def test_the_first_lab_shows_a_wrong_then_a_passed_card(browser: Browser, tmp_path: Path) -> None:
    course = running.fresh(ROOT, tmp_path / "course")
    lab = generate(ROOT, "lab", STEM)
    places = {cell.id: place for place, cell in enumerate(lab.cells)}
    name = EXERCISE.replace(".", "-")
    right = next(
        cell.source
        for cell in generate(ROOT, "solution", STEM).cells
        if cell.id == f"exercise-{name}"
    )
    (tmp_path / "home").mkdir()
    with jupyterlab(course, tmp_path / "home") as desk:
        page = browser.new_page()
        asked = hosts_asked(page)
        panel = desk.open(page, f"labs/{STEM}.ipynb")
        answer, checked = (_cell(panel, places[f"{kind}-{name}"]) for kind in ("exercise", "check"))

        run_all(page, panel)
        _expect_card(checked, "not done yet")

        for source, status in ((WRONG, "wrong"), (right, "passed")):
            write_cell(page, answer, source)
            _run(page, checked)
            _expect_card(checked, status)
        assert asked == {"127.0.0.1"}
        page.close()


def _cell(panel: Locator, place: int) -> Locator:
    return panel.locator(f'.jp-Cell[data-windowed-list-index="{place}"]')


def _run(page: Page, cell: Locator) -> None:
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def _expect_card(cell: Locator, status: str) -> None:
    heading = cell.get_by_role("heading", name=f"{EXERCISE}, {find(EXERCISE).title}: {status}")
    expect(heading).to_be_visible(timeout=60_000)
