"""Slides as one HTML file: light and dark, by keyboard, on paper, and without a network.

No browser lays a slide out here: heights are estimates, in lines of the slide's text.
"""

import base64
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nh3

from helpers.pages import STYLE, page
from helpers.workshop.page import html_of
from helpers.workshop.slides import Slide, room
from helpers.workshop.slides_cut import ends_of, fitted, rows_of
from helpers.workshop.slides_tables import HALF, WHOLE, breakable, fits_half, lines_of, shortened

COLUMN_EM = 27  # of a picture: what is wider has the slide's whole width
LINE_EM = 1.4
PICTURE_LINES, TABLE_LINES = 8, 5  # at least, of a picture and of a table below it
TITLE_LETTERS = 52  # in a line of it
HALF_EM, WHOLE_EM = 25, 52  # widths of a plot
HALF_CODE, WHOLE_CODE = 42, 90  # letters in a line of code, which is lower than one of text
CODE_LINE, CODE_EDGE = 0.84, 1.1
GAP = 0.3  # lines between code and the output below it
CODE_ABOVE = 8  # rows of it above a plot that has the whole width
WIDE = 2  # width over height of a plot that goes below the code in any case
PLOT_SHAPE = 1.6  # width over height, where the file does not say it
_FILES = Path(__file__).parent / "pages"
_TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "img", "strong", "em", "code"}
_ATTRIBUTES = {
    "td": {"style"},
    "caption": {"style"},
    "th": {"scope", "style"},
    "img": {"alt", "src"},
}


@dataclass(frozen=True)
class _Layout:
    """Code and output in the room that they have; `lost` are rows of each, and wrapped ones."""

    code: str
    output: str
    lost: tuple[int, int, int] = (0, 0, 0)


def slides_page(title: str, made: Sequence[Slide], lab: str = "") -> str:
    """The whole page.

    Args:
        title: of the module, such as "01 Build an agent".
        made: the slides, at least one.
        lab: the file with the module's exercises.
    """
    sections = "\n".join(
        _section(slide, number, len(made), lab) for number, slide in enumerate(made, start=1)
    )
    controls = (
        '<nav id="controls" aria-label="Slides">'
        '<button type="button" data-do="previous">Previous</button>'
        '<button type="button" data-do="next">Next</button>'
        f'<span id="place" role="status">1 of {len(made)}</span>'
        f'<progress id="bar" max="{len(made)}" value="1" aria-label="Progress"></progress>'
        '<button type="button" data-do="overview" aria-pressed="false">Overview (Esc)</button>'
        '<button type="button" data-do="notes" aria-pressed="false">Notes (n)</button>'
        '<button type="button" data-do="presenter">Presenter (p)</button></nav>'
    )
    script = (_FILES / "slides.js").read_text("utf-8")
    style = STYLE + (_FILES / "slides.css").read_text("utf-8")
    return page(f"{title}: slides", f"<main>{sections}</main>{controls}", style, script)


def _section(slide: Slide, number: int, total: int, lab: str) -> str:
    level = "h1" if number == 1 else "h2"
    # A title such as "3. Why?" is no list.
    words = re.sub(r"^(\d+)([.)])", r"\1\\\2", slide.title)
    title = re.sub(r"^<p>|</p>\s*$", "", html_of(words))
    title += f" <small>{slide.place}</small>" if slide.place else ""
    top, below = html_of(slide.lead), room(slide.lead) - (1.5 if slide.exercises else 0)
    below -= 1.5 if len(slide.title + slide.place) > TITLE_LETTERS else 0
    width, height = _size_em(slide.picture)
    left_for_it = below - (TABLE_LINES if slide.figure or slide.printed else 0)
    lines = min(max(PICTURE_LINES, math.floor(left_for_it)), math.ceil(height / LINE_EM))
    drawn = _drawn(slide, lines)
    column = bool(drawn) and width <= COLUMN_EM
    if not column:
        top, drawn, below = top + drawn, "", below - lines
    figure = breakable(_figure(slide.figure))
    beside = _beside(slide, figure, below, below - (lines if column else 0))
    under = _under(slide, figure, below - (lines if column else 0))
    if not slide.code and not column:
        two, chosen = False, under
    elif "<img" in figure and not column:
        wider = _plot_em(figure, _left(under.code, below)) / _plot_em(figure, below, HALF_EM)
        two = wider <= 1 or (_shape(figure) <= WIDE and beside.lost < under.lost)
        chosen = beside if two else under
    else:
        two = fits_half(figure) and (column or beside.lost <= under.lost)
        chosen = beside if two else under
    parts = [_pre(chosen.code), drawn + chosen.output]
    columns = "".join(f"<div>{part}</div>" for part in parts if part)
    aside = ""
    if slide.notes:
        notes = "".join(html_of(note) for note in slide.notes)
        aside = f'<aside class="note"><h3>For the instructor</h3>{notes}</aside>'
    return (
        f'<section class="slide" id="slide-{number}" tabindex="-1" '
        f'aria-label="Slide {number} of {total}" data-then="{", ".join(slide.exercises)}">'
        f"<{level}>{title}</{level}>{aside}{top}"
        f'<div class="columns{" two" if two and all(parts) else ""}">{columns}</div>'
        f"{_exercises(slide.exercises, lab)}</section>"
    )


def _exercises(numbers: Sequence[str], lab: str) -> str:
    if not numbers:
        return ""
    word, where = "exercise" if len(numbers) == 1 else "exercises", f", in {lab}" if lab else ""
    listed = " and ".join(filter(None, [", ".join(numbers[:-1]), numbers[-1]]))
    said = f"From here on, you can do {word} {listed}{where}."
    return f'<p class="then">{escape(said)}</p>'


def _beside(slide: Slide, figure: str, code_lines: float, lines: float) -> _Layout:
    """The code, and beside it the output."""
    code = fitted(slide.code, _code_rows(code_lines), HALF_CODE)
    if "<img" in figure:
        plot = _plot(figure, _plot_em(figure, lines, HALF_EM))
        return _Layout(code, plot, (0, _missing(code, slide.code), 0))
    table = shortened(figure, HALF, math.floor(lines))
    printed = ends_of(slide.printed, _code_rows(lines - 1), HALF_CODE)
    lost = _lost(table, figure) + _missing(printed, slide.printed) + _wrapped(printed, HALF_CODE)
    wrapped = _wrapped(code, HALF_CODE)
    return _Layout(
        code, _output(table, printed, slide.label), (lost, _missing(code, slide.code), wrapped)
    )


def _under(slide: Slide, figure: str, lines: float) -> _Layout:
    """The output, and above it the code, where there is room for it."""
    if "<img" in figure:
        rows = min(CODE_ABOVE, _code_rows(lines - PICTURE_LINES))
        code = fitted(slide.code, rows, WHOLE_CODE)
        plot = _plot(figure, _plot_em(figure, _left(code, lines)))
        return _Layout(code, plot, (0, _missing(code, slide.code), 0))
    table = shortened(figure, WHOLE, math.floor(lines))
    printed = ends_of(slide.printed, _code_rows(lines - 1), WHOLE_CODE)
    left = lines - lines_of(table, WHOLE) - GAP if table else lines
    if printed:
        left -= 1 + GAP + CODE_EDGE + CODE_LINE * rows_of(printed, WHOLE_CODE)
    code = fitted(slide.code, _code_rows(left), WHOLE_CODE)
    lost = _lost(table, figure) + _missing(printed, slide.printed) + _wrapped(printed, WHOLE_CODE)
    wrapped = _wrapped(code, WHOLE_CODE)
    return _Layout(
        code, _output(table, printed, slide.label), (lost, _missing(code, slide.code), wrapped)
    )


def _code_rows(lines: float) -> int:
    return max(0, math.floor((lines - CODE_EDGE) / CODE_LINE))


def _left(code: str, lines: float) -> float:
    """The lines below this code."""
    taken = GAP + CODE_EDGE + CODE_LINE * rows_of(code, WHOLE_CODE) if code else 0
    return lines - taken


def _lost(table: str, whole: str) -> int:
    return max(0, whole.count("<tr") - table.count("<tr") + ("more rows in the" in table))


def _missing(text: str, whole: str) -> int:
    return sum(bool(line.strip()) for line in whole.splitlines()) - sum(
        bool(line.strip("\n .")) for line in text.splitlines()
    )


def _wrapped(text: str, width: int) -> int:
    return sum(len(line) > width for line in text.splitlines())


def _pre(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>" if text else ""


def _output(figure: str, printed: str, label: str) -> str:
    """What is hidden until it has been guessed."""
    if figure:
        return f'<div class="answer figure">{figure}</div>'
    return (
        f'<div class="answer"><p class="label">{label}</p>{_pre(printed)}</div>' if printed else ""
    )


def _plot(figure: str, wide: float) -> str:
    return f'<div class="answer figure" style="--wide: {wide:.1f}em">{figure}</div>'


def _plot_em(figure: str, lines: float, most: float = WHOLE_EM) -> float:
    """How wide a plot may be that has so many lines for its height."""
    return min(most, max(PICTURE_LINES, lines) * LINE_EM * _shape(figure))


def _shape(figure: str) -> float:
    """A plot's width over its height, which are at the beginning of a PNG."""
    found = re.search(r'src="data:image/png;base64,([\w+/]{32})', figure)
    head = base64.b64decode(found[1]) if found else b""
    width, height = (int.from_bytes(head[at : at + 4]) for at in (16, 20))
    return width / height if width and height else PLOT_SHAPE


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
