"""Draw the pictures of the walkthroughs' diagrams that slides show (`helpers/workshop/pictures`).

    python -m tests.browser.pictures

JupyterLab's own mermaid draws each diagram in several layouts. What is kept is the one with the
largest text on a slide, in plain shapes: no style, no id, no reference, and colours that the
slides' style sheet replaces by those of the theme. Pictures of diagrams that no walkthrough has
are deleted.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

import nbformat
from playwright.sync_api import expect, sync_playwright

from helpers.authoring.notebook import METADATA, write
from helpers.course.copies import write_whole
from helpers.course.minutes import modules
from helpers.paths import ROOT
from helpers.workshop.arrows import arrows
from helpers.workshop.diagrams import PICTURES, diagrams, picture_name
from helpers.workshop.slides import read_notebook
from tests.browser.desk import START_LIMIT_S, browser_program, jupyterlab, launch

# Of a slide at 1280 x 720: what is left below title and lead, and how large its text is.
WIDTH, HEIGHT, TEXT = 1178, 440, 22.4
# Wide letters, on every system: a narrower one that replaces them does not leave its box.
_FONT = "Verdana, DejaVu Sans, sans-serif"
# Sizes of the text, and widths of a box's text in letters of full width. Mermaid breaks an edge's
# words at 200 units, and what it has between messages is fixed: large text comes closer together.
_LAYOUTS = ((16, 13), (16, 9), (24, 7), (32, 9))
_SPLIT = re.compile(r"<br\s*/?>|[\s\[\](){}\"|;]+")
_COLOURS = {
    "box": {"fill": "#f1f1f1", "stroke": "#777"},
    "group": {"fill": "none", "stroke": "#777", "stroke-dasharray": "6 4"},
    "life": {"fill": "none", "stroke": "#777"},
    "edge": {"fill": "none", "stroke": "#1b1b1b", "stroke-width": "2"},
    "head": {"fill": "#1b1b1b"},
    "ground": {"fill": "#fff"},
    "words": {},
}


def settings(size: int, letters: int) -> dict[str, Any]:
    """Mermaid's settings: text as SVG's own, and little space between the boxes."""
    return {
        "theme": "neutral",
        "htmlLabels": False,
        "fontFamily": _FONT,
        "fontSize": size,  # of a sequence diagram
        "themeVariables": {"fontSize": f"{size}px"},
        "flowchart": {
            "htmlLabels": False,
            "nodeSpacing": size * 0.45,
            "rankSpacing": size * 1.3,
            "padding": size * 0.45,
            "diagramPadding": 4,
            "wrappingWidth": letters * size,
            "subGraphTitleMargin": {"top": size * 0.3, "bottom": size * 0.6},
        },
        "sequence": {
            "mirrorActors": False,
            "messageMargin": 6,
            "boxMargin": 2,
            "noteMargin": 2,
            "boxTextMargin": 1,
            "actorMargin": 12,
            "width": 6 * size,
            "height": 2 * size,
            "diagramMarginX": 4,
            "diagramMarginY": 4,
            "bottomMarginAdj": 1,
        },
    }


def draw(texts: Sequence[str]) -> Iterator[str]:
    """An SVG file's text for each diagram.

    Raises:
        SystemExit: there is no browser.
    """
    program = browser_program()
    if program is None:
        raise SystemExit("There is no Chromium or Chrome on the path.")
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    for text in texts:
        for size, letters in _LAYOUTS:
            directive = f"%%{{init: {json.dumps(settings(size, letters))}}}%%"
            cell = nbformat.v4.new_markdown_cell(f"```mermaid\n{directive}\n{text}\n```")
            notebook.cells.append(cell)
    takes_apart = Path(__file__).with_suffix(".js").read_text("utf-8")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as there,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        sync_playwright() as play,
    ):
        write(notebook, Path(there) / "diagrams.ipynb")
        browser = launch(play, program)
        with jupyterlab(Path(there), Path(home)) as lab:
            lab.set("@jupyterlab/notebook-extension:tracker", {"windowingMode": "none"})
            page = browser.new_page(viewport={"width": 1300, "height": 1500})
            panel = lab.open(page, "diagrams.ipynb")
            drawn = panel.locator(".jp-RenderedMermaid img")
            expect(drawn).to_have_count(len(notebook.cells), timeout=START_LIMIT_S * 1000)
            sources = [unquote(one.get_attribute("src") or "") for one in drawn.all()]
        blank = browser.new_page()
        apart = []
        for source in sources:
            blank.set_content(source[source.index("<svg") :])
            apart.append(blank.locator("svg").first.evaluate(takes_apart))
        browser.close()
    for place, text in enumerate(texts):
        start = place * len(_LAYOUTS)
        ways = apart[start : start + len(_LAYOUTS)]
        yield svg(text, max(ways, key=lambda way, text=text: (_whole(text, way), _text_size(way))))


def _whole(diagram: str, drawn: dict[str, Any]) -> bool:
    """Whether no word was broken to fit into its box."""
    rows = [one.get("text", "") for _, one in drawn["shapes"]]
    return {*_SPLIT.split(" ".join(rows))} <= {"", *_SPLIT.split(diagram)}


def _text_size(drawn: dict[str, Any]) -> float:
    """The size of its text in pixels on a slide; more than that of other text is no better."""
    _, _, width, height = drawn["view"]
    return min(TEXT, float(drawn["size"]) * min(WIDTH / width, HEIGHT / height))


def svg(diagram: str, drawn: dict[str, Any]) -> str:
    """A picture's file. It is as wide as makes its text as large as the text around it."""
    view = " ".join(f"{number:g}" for number in drawn["view"])
    wide = drawn["view"][2] / drawn["size"]
    said = "; ".join(arrows(diagram) or [])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" viewBox="{view}" '
        f'width="{wide:.1f}em" aria-label={quoteattr(said)}>',
        f'<g font-family="{_FONT}" font-size="{drawn["size"]:g}" text-anchor="middle">',
    ]
    for tag, attributes in drawn["shapes"]:
        text = attributes.pop("text", None)
        named = {**_COLOURS[attributes["class"]], **attributes}
        words = " ".join(f"{name}={quoteattr(str(value))}" for name, value in named.items())
        lines.append(
            f"<{tag} {words}/>" if text is None else f"<{tag} {words}>{escape(text)}</{tag}>"
        )
    return "\n".join([*lines, "</g>", "</svg>", ""])


def main() -> None:
    """Renew the folder of pictures."""
    cells = [cell for number in modules(root=ROOT) for cell in read_notebook(number, root=ROOT)]
    texts = list(dict.fromkeys(diagrams(cells)))
    PICTURES.mkdir(exist_ok=True)
    for text, picture in zip(texts, draw(texts), strict=True):
        path = PICTURES / picture_name(text)
        write_whole(path, picture.encode())
        print(f"{path.relative_to(ROOT).as_posix()}: {len(picture):,} bytes")
    for path in sorted({*PICTURES.glob("*.svg")} - {PICTURES / picture_name(t) for t in texts}):
        path.unlink()
        print(f"{path.relative_to(ROOT).as_posix()}: no walkthrough has this diagram; deleted")


if __name__ == "__main__":
    main()
