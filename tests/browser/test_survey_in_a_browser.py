"""The survey's page in a real browser: answers become a text, survive saving, and print whole."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from helpers import cli
from helpers.workshop.survey import QUESTIONS
from tests.browser.desk import hosts_asked, problems_of

LONG = "\n".join(f"line {number} of what I did not understand" for number in range(30))


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_answers_come_back(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    file = tmp_path / "survey.html"
    assert cli.main(["workshop", "survey", "--to", "ada@example.org", "--out", str(file)]) == 0
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    asked, problems = hosts_asked(page), problems_of(page)
    page.goto(file.as_uri())
    expect(page.get_by_text("Send your answers to ada@example.org")).to_be_visible()
    page.get_by_role("radio", name="fairly").first.check()
    page.get_by_role("radio", name="very").last.check()
    page.locator(".words").first.fill("The gate.")
    page.locator(".words").last.fill(LONG)

    page.get_by_role("button", name="Copy my answers").click()
    made = page.get_by_role("textbox", name="Your answers as text")
    expect(page.get_by_role("status")).not_to_be_empty()
    text = made.input_value()
    assert text.startswith(f"After the workshop\n\n1. {QUESTIONS[0].question}\nfairly\n\n2. ")
    assert f"\n2. {QUESTIONS[1].question}\nvery\n" in text
    assert f"\n3. {QUESTIONS[2].question}\n\n" in text
    assert f"\n6. {QUESTIONS[5].question}\nThe gate.\n" in text
    assert text.endswith(f"8. {QUESTIONS[7].question}\n{LONG}\n")

    # As a browser saves a page: what is in it, not what was typed.
    again = tmp_path / "saved.html"
    again.write_text(page.content(), "utf-8")
    page.goto(again.as_uri())
    assert page.locator("input:checked").count() == 2
    assert page.locator(".words").last.input_value() == LONG
    page.get_by_role("button", name="Copy my answers").click()
    assert made.input_value() == text

    page.locator(".words").last.press("Control+End")
    page.locator(".words").last.type("!")
    page.emulate_media(media="print")
    expect(page.locator(".words").last).to_be_hidden()
    expect(page.locator("#send")).to_be_hidden()
    paper = page.locator(".paper").last
    expect(paper).to_contain_text("line 29 of what I did not understand!")
    assert paper.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    empty = page.locator(".paper").nth(1)
    expect(empty).to_be_visible()
    assert empty.evaluate("e => e.clientHeight") >= 60
    assert asked == set()
    assert problems == []
    context.close()


@pytest.mark.slow
def test_without_scripts_it_is_for_paper(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "survey.html"
    assert cli.main(["workshop", "survey", "--out", str(file)]) == 0
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    expect(page.locator("#send")).to_be_hidden()
    assert page.locator(".words:visible").count() == sum(not one.choices for one in QUESTIONS)
    context.close()
