"""Slides of a built walkthrough: for each heading, with what the notebook itself holds.

There is no second source: title, first lines, code, and the table, plot or printed lines come from
the notebook's cells and their stored outputs. An instructor's note says which cell of a section
matters: each noted cell has a slide. A section without notes shows its longest code and its last
output. A diagram's picture is found by the diagram's text (`helpers.workshop.diagrams`).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

from helpers.workshop.arrows import arrows
from helpers.workshop.cells import SourceMissing, headings
from helpers.workshop.diagrams import diagrams, picture
from helpers.workshop.notes import Note
from helpers.workshop.slides_cut import fitted

# On a slide at 1280 x 720: the lines that fit below its title, and letters in a line of its text.
LINES, LETTERS = 18.5, 88
BETWEEN = 0.6  # lines of space below a paragraph
LEAD_WORDS = 45
BOTH_WORDS = 50  # of a section's first text and of the one that is about the cell
FENCE_ROWS, FENCE_WIDTH = 14, 90
# Headings of what people do or read for themselves.
NO_SLIDE = {"Quiz", "Next", "Without the course"}
_FENCE = re.compile(r"^( *)```(\w*).*?^\1```", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"(?:[-*+]|\d+\.) ")
# A sentence of the notebook about the notebook's other cells, which the slide does not show.
_ELSEWHERE = re.compile(
    r"\b(next|following) (cells?|function|class|table|plot)\b|\b(these|those) cells\b"
    r"|\bcells? (above|below)\b|\btable (after|below)\b"
)
_NO_CODE = re.compile(r"(import|from) \w|\s*$|[%!]")


class SlidesError(Exception):
    """A walkthrough cannot be made into slides; the message says what to do."""


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: the heading's words, in Markdown.
        place: which of the section's slides it is, such as "1 of 2"; "" where there is one.
        lead: the first lines of its text, in Markdown.
        diagram: the arrows of its diagram, or the diagram's own text as the one item of a list.
        picture: the diagram's picture as an SVG element; "" where none comes with the course.
        code: of one cell, from its first line that does something.
        figure: HTML of a table or plot, as the notebook stores it; "" where there is none.
        printed: what it printed, where it has no figure.
        label: what is above the printed lines.
        notes: for the instructor, in Markdown.
        exercises: what people can do from here on.
    """

    title: str
    place: str = ""
    lead: str = ""
    diagram: tuple[str, ...] = ()
    picture: str = ""
    code: str = ""
    figure: str = ""
    printed: str = ""
    label: str = "It prints"
    notes: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()


@dataclass
class _Part:
    heading: str
    cells: list[dict[str, Any]] = field(default_factory=list)

    @property
    def code(self) -> list[dict[str, Any]]:
        return [cell for cell in self.cells if cell["kind"] == "code"]

    @property
    def texts(self) -> list[str]:
        return [cell["text"] for cell in self.cells if cell["kind"] == "markdown"]


def read_notebook(number: str, *, root: Path) -> list[dict[str, Any]]:
    """The cells of a built walkthrough.

    Raises:
        SourceMissing: there is no such module.
        SlidesError: the file is damaged, or has no outputs.
    """
    folder = root / "notebooks"
    paths = sorted(folder.glob(f"{number}_*.ipynb")) if re.fullmatch(r"\d\d", number) else []
    if not paths:
        there = ", ".join(sorted(path.name[:2] for path in folder.glob("[0-9][0-9]_*.ipynb")))
        raise SourceMissing(f"There is no walkthrough {number!r}. There are: {there or 'none'}.")
    try:
        cells = json.loads(paths[0].read_text("utf-8"))["cells"]
        found = [
            {
                "name": str(cell.get("id", "")),
                "kind": str(cell["cell_type"]),
                "text": "".join(cell["source"]),
                "outputs": list(cell.get("outputs", [])),
            }
            for cell in cells
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise SlidesError(
            f"notebooks/{paths[0].name} cannot be read as a notebook: restore it with "
            f"`git restore notebooks/{paths[0].name}`."
        ) from error
    if not any(cell["outputs"] for cell in found):
        raise SlidesError(
            f"notebooks/{paths[0].name} has no outputs, so its slides would have no figures: "
            f"restore it with `git restore notebooks/{paths[0].name}`, or run it."
        )
    return found


def slides(cells: Sequence[dict[str, Any]], notes: Sequence[Note] = ()) -> list[Slide]:
    """The slides of a notebook's cells: at least one for each heading that is to be shown.

    Args:
        cells: as `read_notebook` gives them.
        notes: the instructor's, which go to the slides of their headings.
    """
    told: dict[str, list[Note]] = {}
    for note in notes:
        told.setdefault(note.heading, []).append(note)
    found = [
        slide
        for part in _parts(cells)
        if part.heading not in NO_SLIDE
        for slide in _slides(part, told.pop(part.heading, []))
    ]
    # Below the title are the notebook's settings, which are nothing to show.
    return [
        replace(slide, code="", printed="") if not n else slide for n, slide in enumerate(found)
    ]


def height(markdown: str) -> float:
    """How many lines of a slide a text takes."""
    taken = 0.0
    for block in _blocks(markdown):
        fenced = block.lstrip().startswith("```")
        lines = block.splitlines()[1:-1] if fenced else _unwrapped(block)
        taken += sum(max(1, ceil(len(line) / LETTERS)) for line in lines) + BETWEEN
    return taken


def room(lead: str) -> float:
    """How many lines a slide has below its title and this lead."""
    return max(4, LINES - height(lead))


def _unwrapped(block: str) -> list[str]:
    """The lines that a paragraph or a list has when they are as long as the page is wide."""
    lines: list[str] = []
    for line in block.splitlines():
        if lines and not re.match(r"\s*([-*+|]|\d+\.) ?", line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


def _parts(cells: Sequence[dict[str, Any]]) -> Iterator[_Part]:
    """The notebook cut at its headings, also where one is in the middle of a cell."""
    part = _Part("")
    for cell in cells:
        if cell["kind"] != "markdown":
            part.cells += [cell] if cell["kind"] == "code" else []
            continue
        lines = cell["text"].splitlines()
        start = 0
        for place, words in headings(cell["text"]):
            part.cells.append({**cell, "text": "\n".join(lines[start:place]).strip()})
            if part.heading:
                yield part
            part, start = _Part(words), place + 1
        part.cells.append({**cell, "text": "\n".join(lines[start:]).strip()})
    if part.heading:
        yield part


def _slides(part: _Part, notes: list[Note]) -> Iterator[Slide]:
    """The slides of a section: one for each noted cell, else one."""
    shown: dict[int, list[Note]] = {}
    loose: list[Note] = []
    for note in notes:
        place = _noted(part, note)
        if place is not None:
            shown.setdefault(place, []).extend([*loose, note])
            loose = []
        elif shown:  # a note on a text belongs to the cell that was shown before
            shown[max(shown)].append(note)
        else:
            loose.append(note)
    if not shown:
        yield _with(_whole(part), notes)
    before = -1
    for number, place in enumerate(sorted(shown), start=1):
        slide, before = _of_cell(part, place, before), place
        where = f"{number} of {len(shown)}" if len(shown) > 1 else ""
        yield replace(_with(slide, shown[place]), place=where)


def _noted(part: _Part, note: Note) -> int | None:
    """The place of the code cell that a note is about: before it, or before a text before it."""
    names = [cell.get("name") for cell in part.cells]
    if not note.after or note.after not in names:
        return None
    place = names.index(note.after)
    return next((n for n in (place, place - 1) if n >= 0 and part.cells[n]["kind"] == "code"), None)


def _with(slide: Slide, notes: Sequence[Note]) -> Slide:
    texts = (
        note.cell.text if note.cell.kind == "markdown" else f"```python\n{note.cell.text}\n```"
        for note in notes
    )
    return replace(
        slide, notes=tuple(texts), exercises=tuple(one for note in notes for one in note.cell.then)
    )


def _of_cell(part: _Part, place: int, after: int) -> Slide:
    """The slide of one cell.

    Args:
        part: its section.
        place: of the cell in it.
        after: the place of the cell on the slide before; -1 on the first one.
    """
    between = part.cells[after + 1 : place]
    texts = [cell["text"] for cell in between if cell["kind"] == "markdown" and cell["text"]]
    opening = _lead(texts[0], _few_words) if texts and after < 0 else ""
    lead = _lead(texts[-1], _few_words) if texts else ""
    far = all(cell["kind"] == "code" for cell in between[-2:])
    if far and "?" not in lead:
        lead = opening  # a text that is further away speaks of this cell only if it asks
    elif lead != opening and len(f"{opening} {lead}".split()) <= BOTH_WORDS:
        lead = f"{opening}\n\n{lead}".strip()
    slide = _drawn(part) if after < 0 else Slide(part.heading)
    code = [part.cells[place]]
    figure = _figure(code)[1]
    printed = "" if figure else _printed(code)
    return replace(slide, lead=lead, code=_code(code), figure=figure, printed=printed)


def _whole(part: _Part) -> Slide:
    """The slide of a whole section."""
    place, figure = _figure(part.code)
    rest = [cell for n, cell in enumerate(part.code) if n != place]
    texts = [text for text in part.texts if text]
    if part.code:
        lead = _lead(next(iter(texts), ""), _few_words)
    else:
        lead = _lead("\n\n".join(texts), lambda text: height(text) <= LINES)
    slide = replace(_drawn(part), lead=lead, code=_code(rest), figure=figure)
    if figure:
        return slide
    last = [cell for cell in part.code if _printed([cell])][-1:]
    label = slide.label if _code(last) == slide.code else "At its end the section prints"
    return replace(slide, printed=_printed(last), label=label)


def _drawn(part: _Part) -> Slide:
    """A slide with the section's diagram."""
    told = {"kind": "markdown", "text": "\n\n".join(filter(None, part.texts)), "outputs": []}
    diagram = next(diagrams([told, *part.code]), "")
    return Slide(
        part.heading,
        diagram=tuple(arrows(diagram) or [diagram]) if diagram else (),
        picture=picture(diagram) if diagram else "",
    )


def _few_words(text: str) -> bool:
    return len(text.split()) <= LEAD_WORDS


def _lead(text: str, fits: Callable[[str], bool]) -> str:
    """Whole blocks, and items of a list, of a text from its beginning; the first in any case."""
    taken: list[str] = []
    for block in _blocks(text):
        if block.startswith("```mermaid"):
            continue
        if block.lstrip().startswith("```"):
            block = _short_fence(block)
        elif not _ITEM.match(block):
            block = _sentences(block)
        if not block:
            continue
        if taken and not fits("\n\n".join([*taken, block])):
            block = _short_list(block, lambda some: fits("\n\n".join([*taken, some])))  # noqa: B023
            taken += [block] if block else []
            break
        taken.append(block)
    # What the last sentence announces is not on the slide.
    while taken and taken[-1].rstrip("*_").endswith(":"):
        taken[-1] = _sentences(taken[-1], announced=False)
        taken = [one for one in taken if one]
    return "\n\n".join(taken)


def _sentences(paragraph: str, *, announced: bool = True) -> str:
    """A paragraph without the sentences about other cells; or without its last."""
    found = re.split(r"(?<=[.?!])\s+(?=[A-Z*`(])", paragraph)
    if not announced:
        found = found[:-1]
    return " ".join(one for one in found if not _ELSEWHERE.search(one))


def _short_list(block: str, fits: Callable[[str], bool]) -> str:
    """The first items of a list that fit, and how many there are more; "" where none does."""
    items = re.split(r"\n(?=(?:[-*+]|\d+\.) )", block) if _ITEM.match(block) else []
    for shown in range(len(items) - 1, 0, -1):
        some = "\n".join([*items[:shown], f"- and {len(items) - shown} more in the notebook"])
        if fits(some):
            return some
    return ""


def _short_fence(block: str) -> str:
    """A code block of a text with as many lines as fit."""
    first, *lines, last = block.splitlines()
    return "\n".join([first, fitted("\n".join(lines), FENCE_ROWS, FENCE_WIDTH), last])


def _blocks(text: str) -> list[str]:
    """Paragraphs, and code blocks with their blank lines."""
    kept: list[str] = []

    def keep(fence: re.Match[str]) -> str:
        kept.append(fence[0])
        return f"\n\n\x00{len(kept) - 1}\n\n"

    pieces = re.split(r"\n\s*\n", _FENCE.sub(keep, text))
    found = [piece.strip("\n") for piece in pieces if piece.strip()]
    return [kept[int(one.strip()[1:])] if one.strip()[0] == "\x00" else one for one in found]


def _figure(code: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """The last plot, else the last table: the place of its cell (-1 for none), and its HTML."""
    found = -1, ""
    for place in range(len(code) - 1, -1, -1):
        for output in reversed(code[place]["outputs"]):
            data = output.get("data", {}) if isinstance(output, dict) else {}
            if "application/vnd.course.check+json" in data:
                continue  # a card of the desk
            html = _joined(data.get("text/html", ""))
            if "<img" in html:
                return place, html
            if "image/png" in data:
                packed = re.sub(r"\s", "", _joined(data["image/png"]))
                return place, f'<img alt="A plot" src="data:image/png;base64,{packed}">'
            if "<table" in html and found[0] < 0:
                found = place, html
    return found


def _code(code: Sequence[dict[str, Any]]) -> str:
    """The longest cell, from its first line that does something."""
    cells = [cell["text"].splitlines() for cell in code]
    longest: list[str] = max(cells, key=len, default=[])
    while longest and _NO_CODE.match(longest[0]) and not longest[0].startswith("%%writefile"):
        longest = longest[1:]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(longest).strip())


def _printed(code: Sequence[dict[str, Any]]) -> str:
    """What the last printing cell wrote to its output."""
    for cell in reversed(code):
        text = "".join(
            _joined(output.get("text", ""))
            for output in cell["outputs"]
            if isinstance(output, dict) and output.get("name") == "stdout"
        )
        if lines := [line for line in text.splitlines() if line.strip()]:
            return "\n".join(lines)
    return ""


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
