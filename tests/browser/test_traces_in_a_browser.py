"""`course traces` in a real browser: hostile traces, keyboard, both themes."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import CONTRAST_OF, hosts_asked, printed_address, problems_of
from tests.tracing.serving import serving
from tests.tracing.traces import HOSTILE, fill


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "traces.db"
    with serving(path) as service:
        client = service.client()
        fill(client, "fernhill")
        client.cleanup()
    return path


@pytest.fixture(scope="module")
def address(file: Path) -> Iterator[str]:
    """What the command prints."""
    command = [sys.executable, "-m", "helpers.cli", "traces", "--no-browser", "--file", str(file)]
    with printed_address(command) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_from_the_projects_to_a_run(
    browser: Browser, address: str, theme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=theme)
    asked, problems = hosts_asked(page), problems_of(page)
    page.goto(address)
    expect(page).to_have_url(re.compile(r"/$"))  # the key is out of the address
    page.get_by_role("link", name="fernhill").click()
    expect(page.get_by_role("heading", name="fernhill")).to_be_visible()

    page.get_by_role("link", name="Cost").click()
    row = page.locator("tbody tr").first
    expect(row.get_by_role("link")).to_have_text("request 59")
    expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_label("Filter expression").fill("gt(total_cost, 0.005)")
    page.keyboard.press("Enter")
    expect(page.locator("caption")).to_contain_text("12 requests, sorted by cost")

    page.goto(page.url.split("?")[0] + "?name=script")
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", name=HOSTILE).first).to_be_visible()
    expect(page.locator("pre").first).to_contain_text("document.title")
    expect(page).to_have_title(HOSTILE)
    bars = page.get_by_role("img")
    expect(bars).to_have_count(3)
    whole, lookup = bars.nth(0).locator("rect"), bars.nth(2).locator("rect")
    outer, inner = whole.bounding_box(), lookup.bounding_box()
    assert outer is not None
    assert inner is not None
    assert outer["x"] < inner["x"], "it starts later"
    assert inner["x"] + inner["width"] == pytest.approx(outer["x"] + outer["width"], abs=2)
    page.get_by_role("link", name="lookup_order").click()
    expect(page.locator("[aria-current]")).to_contain_text("lookup_order")
    expect(page.locator("pre").first).to_contain_text("FH-10234")

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert contrast(page) >= 4.5
    assert asked == {"127.0.0.1"}
    assert problems == []
    page.close()


def contrast(page: object) -> float:
    """The lowest contrast of text and its background on the page (WCAG 2, 1.4.3)."""
    found: float = page.evaluate(_CONTRAST)  # type: ignore[attr-defined]
    return found


_CONTRAST = """() => {
  %s
  let lowest = 21;
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (own) lowest = Math.min(lowest, contrastOf(node, 'color'));
  }
  return lowest;
}""".replace("%s", CONTRAST_OF)
