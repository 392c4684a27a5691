"""The slides in a real browser: keyboard, both themes, pictures, size, and no request to a host."""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from helpers import cli
from helpers.course.minutes import modules
from helpers.paths import ROOT
from tests.browser.desk import CONTRAST_OF, hosts_asked, problems_of

_LOWEST = """() => {
  %s
  let lowest = 21;
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (own && node.checkVisibility()) lowest = Math.min(lowest, contrastOf(node, 'color'));
  }
  return lowest;
}""".replace("%s", CONTRAST_OF)

# Each word of a picture against the shape that is drawn below it, and whether the slide holds it.
_WORDS = """picture => {
  %s
  const screen = picture.closest('.slide').getBoundingClientRect();
  const shapes = [...picture.querySelectorAll('*')];
  return shapes.filter(node => node.matches('.words')).map(node => {
    const box = node.getBoundingClientRect();
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const under = shapes.slice(0, shapes.indexOf(node)).reverse().find(other => {
      const one = other.getBoundingClientRect();
      const inside = one.left <= x && x <= one.right && one.top <= y && y <= one.bottom;
      return inside && other.matches('.box, .ground');
    });
    const probe = document.createElement('span');
    probe.style.color = getComputedStyle(node).fill;
    if (under) probe.style.backgroundColor = getComputedStyle(under).fill;
    document.body.append(probe);
    const contrast = contrastOf(probe, 'color');
    probe.remove();
    return {
      text: node.textContent, contrast, height: box.height,
      inside: box.left >= screen.left && box.right <= screen.right && box.bottom <= screen.bottom,
    };
  });
}""".replace("%s", CONTRAST_OF)

# What of each slide is below the bar of buttons or beyond the right edge, and its smallest text.
_LAID_OUT = """() => {
  const slides = [...document.querySelectorAll('.slide')];
  const bar = document.getElementById('controls').getBoundingClientRect().top;
  return slides.map((slide, place) => {
    slides.forEach((other, n) => other.toggleAttribute('data-now', n === place));
    const parts = [...slide.children].filter(node => node.checkVisibility());
    const words = [...slide.querySelectorAll('*')].filter(node => !node.closest('svg, sup, aside')
      && [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim()));
    return {
      below: Math.max(...parts.map(node => node.getBoundingClientRect().bottom)) - bar,
      beyond: Math.max(...[slide, ...slide.querySelectorAll('.figure')].map(
        node => node.scrollWidth - node.clientWidth)),
      size: Math.min(...words.map(node => Number.parseFloat(getComputedStyle(node).fontSize))),
    };
  });
}"""


def stepped(key: str, number: int, seen: bool, has: list[bool]) -> tuple[int, bool]:
    """The slide, and whether its output is seen, after a key; `has` says which have an output."""
    if key in ("Home", "End"):
        return (1 if key == "Home" else len(has)), False
    if key == "ArrowLeft":
        if seen or number == 1:
            return number, False
        return number - 1, has[number - 2]
    if has[number - 1] and not seen:
        return number, True
    return (number + 1, False) if number < len(has) else (number, seen)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_slides_are_shown_by_keyboard(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    file = tmp_path / "01.html"
    assert cli.main(["workshop", "slides", "01", "--out", str(file)]) == 0
    page = browser.new_page(color_scheme=theme, viewport={"width": 1280, "height": 720})
    asked, problems = hosts_asked(page), problems_of(page)
    page.goto(file.as_uri())
    shown, place = page.locator(".slide:visible"), page.locator("#place")
    total = page.locator(".slide").count()
    expect(shown).to_have_count(1)
    expect(shown.get_by_role("heading", level=1)).to_have_text("01 Build an agent")
    expect(place).to_have_text(f"1 of {total}")

    output = shown.locator(".answer")
    has = page.locator(".slide").evaluate_all("all => all.map(s => !!s.querySelector('.answer'))")
    number, seen = 1, False
    for key in [*["ArrowLeft", "ArrowRight", "PageDown", " "] * 3, *["ArrowLeft"] * 6, "End",
                *["ArrowRight"] * 3, "Home"]:  # fmt: skip
        page.keyboard.press(key)
        number, seen = stepped(key, number, seen, has)
        expect(place).to_have_text(f"{number} of {total}")
        expect(shown).to_have_attribute("id", f"slide-{number}")
        if has[number - 1]:
            expect(output).to_be_visible(visible=seen)
    first = has.index(True) + 1
    for _ in range(first - 1):
        page.keyboard.press("ArrowRight")
    step = page.locator("#controls [data-do=next]")
    expect(step).to_have_text("Show output")
    step.focus()
    page.keyboard.press(" ")  # presses the button, and nothing else
    expect(place).to_have_text(f"{first} of {total}")
    expect(output).to_be_visible()
    expect(step).to_have_text("Next")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[theme]

    noted = page.locator(".slide:has(.note):has(.answer)").first.get_attribute("id")
    at = int(str(noted).removeprefix("slide-"))
    page.goto(f"{file.as_uri()}#{at}")
    expect(shown).to_have_attribute("id", f"slide-{at}")
    note = shown.get_by_role("complementary")
    expect(note).to_have_count(0)
    page.keyboard.press("n")
    expect(note).to_contain_text("For the instructor")
    for number in range(at, at + 5):
        if has[number - 1]:
            page.keyboard.press("ArrowRight")
            expect(output).to_be_visible()
        expect(place).to_have_text(f"{number} of {total}")
        assert page.evaluate(_LOWEST) >= 4.5, number
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    expect(page.locator(".note:visible")).to_have_count(0)

    page.keyboard.press("Escape")
    expect(shown).to_have_count(total)
    answers = page.locator(".answer").count()
    expect(page.locator(".answer:visible")).to_have_count(answers)
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
    expect(page.locator(".answer:visible")).to_have_count(answers)
    expect(page.locator("#controls")).to_be_hidden()
    assert asked == set()
    assert problems == []
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_presenter_has_the_notes_in_another_window(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    file = tmp_path / "05.html"
    assert cli.main(["workshop", "slides", "05", "--out", str(file)]) == 0
    page = browser.new_page(color_scheme=theme, viewport={"width": 1280, "height": 720})
    asked, problems = hosts_asked(page), problems_of(page)
    page.goto(f"{file.as_uri()}#3")
    with page.expect_popup() as opened:
        page.keyboard.press("p")
    notes = opened.value
    body = notes.locator("body")
    expect(notes.get_by_role("heading", level=1)).to_have_text("How long is there nothing to read?")
    for words in ("3 of", "output hidden", "is the streamed text the answer?",
                  "From here on: 05.1", "Next: Who may ask?"):  # fmt: skip
        expect(body).to_contain_text(words)
    expect(page.locator(".note:visible")).to_have_count(0)
    assert notes.evaluate(_LOWEST) >= 4.5
    page.keyboard.press("ArrowRight")
    expect(body).not_to_contain_text("output hidden")
    notes.keyboard.press("ArrowRight")  # from either window
    expect(page.locator("#place")).to_contain_text("4 of")
    expect(notes.get_by_role("heading", level=1)).to_have_text("Who may ask?")
    expect(body).not_to_contain_text("From here on")
    notes.keyboard.press("End")
    expect(body).to_contain_text("No note.")
    expect(body).to_contain_text("This is the last slide.")
    page.keyboard.press("p")
    assert len(page.context.pages) == 2, "the window is used again"
    assert asked == set()
    assert problems == []
    with notes.expect_event("close"):
        page.goto("about:blank")
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_of_a_diagram_can_be_read(
    browser: Browser, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    file = tmp_path / "01.html"
    assert cli.main(["workshop", "slides", "01", "--out", str(file)]) == 0
    page = browser.new_page(color_scheme=theme, viewport={"width": 1280, "height": 720})
    page.goto(file.as_uri())
    picture = page.get_by_role("img", name="documents \u2192 index (split, embed)")
    expect(picture).to_be_visible()
    words = picture.evaluate(_WORDS)
    assert {"documents", "call a tool", "customer"} <= {one["text"] for one in words}
    for one in words:
        assert one["contrast"] >= 4.5, one
        assert one["height"] >= 20, one
        assert one["inside"], one
    lines = picture.locator(".edge")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (
        {line.evaluate("n => getComputedStyle(n).stroke") for line in lines.all()}
        == {page.evaluate("getComputedStyle(document.body).color")}
        != {ground}
    )
    page.close()


@pytest.mark.slow
def test_no_slide_is_higher_than_a_projectors_screen_or_a_page(
    browser: Browser, tmp_path: Path
) -> None:
    wrong = []
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    for number in modules(root=ROOT):
        file = tmp_path / f"{number}.html"
        assert cli.main(["workshop", "slides", number, "--out", str(file)]) == 0
        page.goto(file.as_uri())
        laid_out = page.evaluate(_LAID_OUT)
        wrong += [
            (number, place, one)
            for place, one in enumerate(laid_out, start=1)
            if one["below"] > 0 or one["beyond"] > 0 or one["size"] < 20
        ]
        printed = re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))
        if len(printed) != len(laid_out):
            wrong.append((number, f"{len(laid_out)} slides on {len(printed)} pages"))
    assert not wrong, "\n".join(map(str, wrong))
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
