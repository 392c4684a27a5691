"""The chat page in a real browser, in front of the real service and its real model."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from helpers.service.page.command import command_line
from helpers.service.page.names import KEY_VARIABLE, URL_VARIABLE
from tests.benchmarks.service.running import free_port
from tests.browser.desk import hosts_asked, printed_address
from tests.service.serving import Running, serving, until

ANSWER_LIMIT_MS = 60_000


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with serving(path="agent") as running:
        yield running


@pytest.fixture(scope="module")
def page_url(service: Running) -> Iterator[str]:
    command = command_line(free_port(), browser=False)
    variables = {URL_VARIABLE: service.url, KEY_VARIABLE: service.key}
    with printed_address(command, **variables) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_question_its_sources_and_feedback(
    browser: Browser, service: Running, page_url: str, theme: Literal["light", "dark"]
) -> None:
    given = service.metric("service_feedback_total", score="1")
    page = browser.new_page(color_scheme=theme)
    asked = hosts_asked(page)
    page.goto(page_url)
    expect(page.get_by_text("The service is ready.")).to_be_visible(timeout=ANSWER_LIMIT_MS)
    page.get_by_placeholder("Your question").fill("How long do I have to return a tent?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sources (")).to_be_visible(timeout=ANSWER_LIMIT_MS)
    answer = page.get_by_test_id("stChatMessage").nth(1)
    expect(answer).to_contain_text("The agent searches the documents: done")
    expect(answer).to_contain_text("within 30 days of delivery")
    expect(answer).to_contain_text(re.compile(r"\d+ tokens read, \d+ written"))
    page.get_by_text("Sources (").click()
    expect(answer).to_contain_text("Returns (returns)")
    page.get_by_role("radio", name="Thumbs up").click()
    expect(page.get_by_text("Your feedback was taken")).to_be_visible()
    assert until(lambda: service.metric("service_feedback_total", score="1") == given + 1)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert asked == {"127.0.0.1"}
    page.close()
