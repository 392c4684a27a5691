"""The slides of module 01 in a real browser: keyboard, both themes, and no request to a host."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from helpers import cli
from tests.browser.desk import CONTRAST_OF, hosts_asked

_LOWEST = """() => {
  %s
  let lowest = 21;
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (own && node.checkVisibility()) lowest = Math.min(lowest, contrastOf(node, 'color'));
  }
  return lowest;
}""".replace("%s", CONTRAST_OF)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_slides_are_shown_by_keyboard(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    file = tmp_path / "01.html"
    assert cli.main(["workshop", "slides", "01", "--out", str(file)]) == 0
    page = browser.new_page(color_scheme=theme, viewport={"width": 1280, "height": 720})
    asked, problems = hosts_asked(page), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(file.as_uri())
    shown, place = page.locator(".slide:visible"), page.locator("#place")
    total = page.locator(".slide").count()
    expect(shown).to_have_count(1)
    expect(shown.get_by_role("heading", level=1)).to_have_text("01 Build an agent")
    expect(place).to_have_text(f"1 of {total}")

    keys = ("ArrowLeft", "ArrowRight", "PageDown", "ArrowLeft", "End", "ArrowRight", "Home")
    for key, number in zip(keys, (1, 2, 3, 2, total, total, 1), strict=True):
        page.keyboard.press(key)
        expect(place).to_have_text(f"{number} of {total}")
        expect(shown).to_have_attribute("id", f"slide-{number}")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[theme]

    page.goto(f"{file.as_uri()}#7")  # a table, and a note
    expect(shown).to_have_attribute("id", "slide-7")
    note = shown.get_by_role("complementary")
    expect(note).to_have_count(0)
    page.keyboard.press("n")
    expect(note).to_contain_text("For the instructor")
    for number in range(7, 12):
        expect(place).to_have_text(f"{number} of {total}")
        assert page.evaluate(_LOWEST) >= 4.5, number
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    expect(page.locator(".note:visible")).to_have_count(0)

    page.keyboard.press("Escape")
    expect(shown).to_have_count(total)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(shown).to_have_count(1)
    expect(place).to_have_text(f"2 of {total}")
    page.keyboard.press("Escape")
    page.locator("#slide-5").click()
    expect(shown).to_have_attribute("id", "slide-5")

    page.emulate_media(media="print")
    expect(shown).to_have_count(total)
    expect(page.locator("#controls")).to_be_hidden()
    assert asked == set()
    assert problems == []
    page.close()


@pytest.mark.slow
def test_slides_are_all_there_without_a_script(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "01.html"
    assert cli.main(["workshop", "slides", "01", "--out", str(file)]) == 0
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".slide:visible").count() == page.locator(".slide").count() > 20
    context.close()
