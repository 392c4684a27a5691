"""Slides as one HTML file: light and dark, by keyboard, on paper, and without a network."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import nh3

from helpers.workshop.page import STYLE, html_of, page
from helpers.workshop.slides import Slide

ROWS = 12  # of a table; a slide is no page
COLUMN_EM = 27  # of a picture: what is wider has the slide's whole width
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
    lead, drawn = html_of(slide.lead), _drawn(slide)
    wide = ""
    if drawn and _width_em(slide.picture) > COLUMN_EM:
        lead, wide, drawn = "", lead + drawn, ""
    left = lead + _pre(slide.code)
    right = drawn + _figure(slide.figure) + _printed(slide.printed)
    columns = "".join(f"<div>{part}</div>" for part in (left, right) if part)
    two = " two" if left and right else ""
    notes = "".join(html_of(note) for note in slide.notes)
    aside = f'<aside class="note"><h3>For the instructor</h3>{notes}</aside>' if notes else ""
    title = re.sub(r"^<p>|</p>\s*$", "", html_of(slide.title))
    return (
        f'<section class="slide" id="slide-{number}" tabindex="-1" '
        f'aria-label="Slide {number} of {total}"><{level}>{title}</{level}>{aside}{wide}'
        f'<div class="columns{two}">{columns}</div></section>'
    )


def _pre(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>" if text else ""


def _printed(text: str) -> str:
    return f'<p class="label">It prints</p>{_pre(text)}' if text else ""


def _drawn(slide: Slide) -> str:
    """The diagram's picture, which has its arrows as text for those who cannot see it; or these."""
    if slide.picture:
        return f"<figure>{slide.picture}</figure>"
    if len(slide.diagram) == 1 and "\n" in slide.diagram[0]:  # one that cannot be put into words
        return _pre(slide.diagram[0])
    items = "".join(f"<li>{escape(one)}</li>" for one in slide.diagram)
    return f'<ul class="arrows" aria-label="Diagram">{items}</ul>' if items else ""


def _width_em(picture: str) -> float:
    """How wide a picture is at the size of the text around it."""
    found = re.search(r' width="([\d.]+)em"', picture)
    return float(found[1]) if found else 0


def _figure(html: str) -> str:
    """A stored output without anything that runs, loads or leaves the slide's colours."""
    if not html:
        return ""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"data"},
        url_relative="deny",
        filter_style_properties={"text-align"},
        link_rel=None,
    )
    return f'<div class="figure">{_shortened(clean)}</div>'


def _shortened(html: str) -> str:
    """A table with its first rows, and a line that says how many there are more."""
    rows = list(re.finditer(r"<tr>.*?</tr>", html, re.DOTALL))
    body = [row for row in rows if "<td" in row[0]]
    if len(body) <= ROWS:
        return html
    more = f'<tr><td colspan="9">and {len(body) - ROWS + 1} more rows in the notebook</td></tr>'
    return html[: body[ROWS - 1].start()] + more + html[body[-1].end() :]
