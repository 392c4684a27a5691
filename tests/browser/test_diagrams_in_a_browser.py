"""The walkthroughs' diagrams in a real JupyterLab: every arrow is seen, whatever the theme."""

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from helpers.authoring.editions import FOLDERS, generate, stems
from helpers.authoring.notebook import METADATA, write
from helpers.paths import ROOT
from tests.browser.desk import Theme, contrast, jupyterlab, switch_theme

# WCAG 2: what must be seen of a picture, and what must be read.
SEEN, READ = 3, 4.5
_THEMES: tuple[Theme, ...] = (
    "JupyterLab Dark",
    "JupyterLab Light",
    "JupyterLab Dark High Contrast",
)


@pytest.mark.slow
def test_every_arrow_is_seen_after_the_theme_was_switched(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    (tmp_path / "home").mkdir()
    drawn = _gallery(tmp_path / "course" / "diagrams.ipynb")
    with jupyterlab(tmp_path / "course", tmp_path / "home") as desk:
        desk.set("@jupyterlab/notebook-extension:tracker", {"windowingMode": "none"})
        page = browser.new_page(viewport={"width": 1300, "height": 1500})
        panel = desk.open(page, "diagrams.ipynb")
        pictures = panel.locator(".jp-RenderedMermaid img")
        expect(pictures).to_have_count(drawn, timeout=60_000)
        _all_is_seen(pictures)
        for theme in _THEMES:
            switch_theme(page, theme)
            expect(pictures).to_have_count(drawn)
            _all_is_seen(pictures)
        page.close()


def _gallery(path: Path) -> int:
    """Write a notebook of all diagrams of the walkthroughs; returns how many there are."""
    found = [
        diagram
        for stem in stems(ROOT / FOLDERS["walkthrough"][0], "*.py")
        for cell in generate(ROOT, "walkthrough", stem).cells
        for diagram in re.findall(r"```mermaid\n.*?\n```", cell.source, re.DOTALL)
    ]
    assert found
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    notebook.cells = [nbformat.v4.new_markdown_cell(one) for one in found]
    write(notebook, path)
    return len(found)


def _all_is_seen(pictures: Locator) -> None:
    """Look at each picture as it lies on the page now: its lines, their heads, and its words."""
    for picture in pictures.all():
        address = picture.get_attribute("src") or ""
        svg = unquote(address.removeprefix("data:image/svg+xml,"))
        # Its own elements beside it, on the same ground: a picture's inside cannot be asked.
        beside = picture.evaluate_handle(
            """(node, text) => {
              const place = document.createElement('div');
              place.className = 'opened';
              place.innerHTML = text;
              node.parentElement.appendChild(place);
              return place;
            }""",
            svg[svg.index("<svg") :],
        )
        opened = picture.locator("xpath=..").locator(".opened")
        edges = opened.locator("path[marker-end]")
        assert edges.count() > 0
        for edge in edges.all():
            assert contrast(edge, "stroke") >= SEEN
            for end in ("marker-start", "marker-end"):
                if reference := edge.get_attribute(end):
                    name = reference.removeprefix("url(#").removesuffix(")")
                    head = opened.locator(f'[id="{name}"]')
                    expect(head).to_have_count(1)
                    assert contrast(head.locator("path"), "fill") >= SEEN
        words = opened.locator(".edgeLabel p")
        for word in words.all():
            assert contrast(word) >= READ
        messages = opened.locator(".messageText")  # of a sequence diagram, on a ground of its own
        if messages.count():
            beside.evaluate(
                "node => node.style.backgroundColor ="
                " getComputedStyle(node.querySelector('rect.rect')).fill"
            )
        for message in messages.all():
            assert contrast(message, "fill") >= READ
        beside.evaluate("node => node.remove()")
