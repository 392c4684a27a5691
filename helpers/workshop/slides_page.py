"""Slides as one HTML file: light and dark, by keyboard, on paper, and without a network."""

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import nh3

from helpers.pages import STYLE, page
from helpers.workshop.page import html_of
from helpers.workshop.slides import Slide, room
from helpers.workshop.slides_tables import HALF, WHOLE, breakable, fits_half, lines_of, shortened

COLUMN_EM = 27  # of a picture: what is wider has the slide's whole width
LINE_EM = 1.4
PICTURE_LINES, TABLE_LINES = 8, 5  # at least, of a picture and of a table below it
_FILES = Path(__file__).parent / "pages"
_TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "img", "strong", "em", "code"}
_ATTRIBUTES = {
    "td": {"style"},
    "caption": {"style"},
    "th": {"scope", "style"},
    "img": {"alt", "src"},
}


def slides_page(title: str, made: Sequence[Slide]) -> str:
    """The whole page.

    Args:
        title: of the module, such as "01 Build an agent".
        made: the slides, at least one.
    """
    sections = "\n".join(
        _section(slide, number, len(made)) for number, slide in enumerate(made, start=1)
    )
    controls = (
        '<nav id="controls" aria-label="Slides">'
        '<button type="button" data-do="previous">Previous</button>'
        '<button type="button" data-do="next">Next</button>'
        f'<span id="place" role="status">1 of {len(made)}</span>'
        f'<progress id="bar" max="{len(made)}" value="1" aria-label="Progress"></progress>'
        '<button type="button" data-do="overview" aria-pressed="false">Overview (Esc)</button>'
        '<button type="button" data-do="notes" aria-pressed="false">Notes (n)</button></nav>'
    )
    script = (_FILES / "slides.js").read_text("utf-8")
    style = STYLE + (_FILES / "slides.css").read_text("utf-8")
    return page(f"{title}: slides", f"<main>{sections}</main>{controls}", style, script)


def _section(slide: Slide, number: int, total: int) -> str:
    level = "h1" if number == 1 else "h2"
    top, below = html_of(slide.lead), room(slide.lead)
    width, height = _size_em(slide.picture)
    left_for_it = below - (TABLE_LINES if slide.figure else 0)
    lines = min(max(PICTURE_LINES, left_for_it), math.ceil(height / LINE_EM))
    drawn, below = _drawn(slide, lines), below - lines
    if width > COLUMN_EM:
        top, drawn = top + drawn, ""
    figure = breakable(_figure(slide.figure))
    halves = bool(slide.code) and fits_half(figure)
    if halves and shortened(figure, WHOLE, below) == figure:  # no row is lost for the code's sake
        halves = shortened(figure, HALF, below) == figure
    figure = shortened(figure, HALF if halves else WHOLE, below)
    right = drawn + (f'<div class="figure">{figure}</div>' if figure else "")
    right += _printed(slide.printed)
    left, under = _pre(slide.code), ""
    if not halves:  # its code goes below, where there is room
        left, under = "", _pre(_cut(slide.code, below - math.ceil(lines_of(figure, WHOLE))))
    columns = "".join(f"<div>{part}</div>" for part in (left, right, under) if part)
    two = " two" if left and right else ""
    notes = "".join(html_of(note) for note in slide.notes)
    aside = f'<aside class="note"><h3>For the instructor</h3>{notes}</aside>' if notes else ""
    # A title such as "3. Why?" is no list.
    words = re.sub(r"^(\d+)([.)])", r"\1\\\2", slide.title)
    title = re.sub(r"^<p>|</p>\s*$", "", html_of(words))
    return (
        f'<section class="slide" id="slide-{number}" tabindex="-1" '
        f'aria-label="Slide {number} of {total}"><{level}>{title}</{level}>{aside}{top}'
        f'<div class="columns{two}">{columns}</div></section>'
    )


def _cut(code: str, most: int) -> str:
    """The first lines of code; none where not even four fit."""
    lines = code.splitlines()
    if len(lines) <= most:
        return code
    return "\n".join([*lines[: most - 1], "..."]) if most > 3 else ""


def _pre(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>" if text else ""


def _printed(text: str) -> str:
    return f'<p class="label">It prints</p>{_pre(text)}' if text else ""


def _drawn(slide: Slide, lines: int) -> str:
    """The diagram's picture, which has its arrows as text for those who cannot see it; or these.

    Args:
        lines: of text that the picture may be as high as.
    """
    if slide.picture:
        return f'<figure style="--lines: {lines}">{slide.picture}</figure>'
    if len(slide.diagram) == 1 and "\n" in slide.diagram[0]:  # one that cannot be put into words
        return _pre(slide.diagram[0])
    items = "".join(f"<li>{escape(one)}</li>" for one in slide.diagram)
    return f'<ul class="arrows" aria-label="Diagram">{items}</ul>' if items else ""


def _size_em(picture: str) -> tuple[float, float]:
    """Width and height of a picture whose text is as large as the text around it."""
    found = re.search(r' viewBox="\S+ \S+ (\S+) (\S+)" width="(\S+)em"', picture)
    if not found:
        return 0, 0
    width, height, wide = map(float, found.groups())
    return wide, wide * height / width


def _figure(html: str) -> str:
    """A stored output without anything that runs, loads or leaves the slide's colours."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"data"},
        url_relative="deny",
        filter_style_properties={"text-align"},
        link_rel=None,
    )
