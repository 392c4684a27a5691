"""Slides of a built walkthrough: one for each heading, with what the notebook itself holds.

There is no second source: title, first lines, code, and the last table, plot or printed lines of a
section come from the notebook's cells and their stored outputs. A diagram's picture is found by the
diagram's text (`helpers.workshop.diagrams`).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import Any

from helpers.workshop.arrows import arrows
from helpers.workshop.cells import SourceMissing, headings
from helpers.workshop.diagrams import diagrams, picture
from helpers.workshop.notes import Note

CODE_LINES = 10
PRINTED_LINES = 8
# On a slide at 1280 x 720: the lines that fit below its title, letters in a line of its text, and
# in a line of code beside a figure or alone, where a longer line takes several.
LINES, LETTERS, HALF, WHOLE = 18, 88, 42, 90
LEAD_WORDS = 45
_FENCE = re.compile(r"^( *)```(\w*).*?^\1```", re.MULTILINE | re.DOTALL)
_NO_CODE = re.compile(r"(import|from) \w|\s*$|[%!]")


class SlidesError(Exception):
    """A walkthrough cannot be made into slides; the message says what to do."""


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: the heading's words, in Markdown.
        lead: the first lines of its text, in Markdown.
        diagram: the arrows of its diagram, or the diagram's own text as the one item of a list.
        picture: the diagram's picture as an SVG element; "" where none comes with the course.
        code: at most `CODE_LINES` lines.
        figure: HTML of its last table or plot, as the notebook stores it; "" where there is none.
        printed: the last lines that it printed, where it has no figure.
        notes: for the instructor, in Markdown.
    """

    title: str
    lead: str = ""
    diagram: tuple[str, ...] = ()
    picture: str = ""
    code: str = ""
    figure: str = ""
    printed: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class _Part:
    heading: str
    texts: list[str] = field(default_factory=list)
    code: list[dict[str, Any]] = field(default_factory=list)


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
    """A slide for each heading of a notebook's cells.

    Args:
        cells: as `read_notebook` gives them.
        notes: the instructor's, which go to the slides of their headings.
    """
    told: dict[str, list[str]] = {}
    for note in notes:
        text = note.cell.text
        told.setdefault(note.heading, []).append(
            text if note.cell.kind == "markdown" else f"```python\n{text}\n```"
        )
    found = [_slide(part, told.pop(part.heading, [])) for part in _parts(cells)]
    # Below the title are the notebook's settings, which are nothing to show.
    return [
        replace(slide, code="", printed="") if not n else slide for n, slide in enumerate(found)
    ]


def room(lead: str) -> int:
    """How many lines a slide has below its title and this lead."""
    taken = 0
    for block in _blocks(lead):
        fenced = block.lstrip().startswith("```")
        lines = block.splitlines()[1:-1] if fenced else _unwrapped(block)
        taken += sum(max(1, ceil(len(line) / LETTERS)) for line in lines) + 1
    return max(4, LINES - taken)


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
        if cell["kind"] == "code":
            part.code.append(cell)
            continue
        if cell["kind"] != "markdown":
            continue
        lines = cell["text"].splitlines()
        start = 0
        for place, words in headings(cell["text"]):
            part.texts.append("\n".join(lines[start:place]).strip())
            if part.heading:
                yield part
            part, start = _Part(words), place + 1
        part.texts.append("\n".join(lines[start:]).strip())
    if part.heading:
        yield part


def _slide(part: _Part, notes: list[str]) -> Slide:
    text = "\n\n".join(filter(None, part.texts))
    figure_at, figure = _figure(part.code)
    lead = _lead(next(filter(None, part.texts), ""))
    left = room(lead)
    printed = "" if figure else _printed(part.code, left)
    width = HALF if figure or printed else WHOLE
    rest = [cell for place, cell in enumerate(part.code) if place != figure_at]
    told = [{"kind": "markdown", "text": text, "outputs": []}, *part.code]
    diagram = next(diagrams(told), "")
    return Slide(
        title=part.heading,
        lead=lead,
        diagram=tuple(arrows(diagram) or [diagram]) if diagram else (),
        picture=picture(diagram) if diagram else "",
        code=_code(rest, left, width),
        figure=figure,
        printed=printed,
        notes=tuple(notes),
    )


def _lead(text: str) -> str:
    """Whole blocks of a text from its beginning, until they have `LEAD_WORDS` words."""
    taken: list[str] = []
    words = 0
    for block in _blocks(text):
        if block.startswith("```mermaid"):
            continue
        if taken and words + len(block.split()) > LEAD_WORDS:
            break
        if block.lstrip().startswith("```"):
            block = _short_fence(block)
        taken.append(block)
        words += len(block.split())
    while len(taken) > 1 and taken[-1].rstrip("*_").endswith(":"):
        taken.pop()  # what it announces was too long
    return "\n\n".join(taken)


def _short_fence(block: str) -> str:
    """A code block of a text with as many lines as fit."""
    first, *lines, last = block.splitlines()
    fitting = _fitting(lines, CODE_LINES, LINES, WHOLE)
    if fitting < len(lines):
        lines = [*lines[: fitting - 1], "..."]
    return "\n".join([first, *lines, last])


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


def _code(code: Sequence[dict[str, Any]], rows: int, width: int) -> str:
    """The longest cell, from its first line that does something, trimmed."""
    cells = [cell["text"].splitlines() for cell in code]
    longest: list[str] = max(cells, key=len, default=[])
    while longest and _NO_CODE.match(longest[0]) and not longest[0].startswith("%%writefile"):
        longest = longest[1:]
    lines = [line for line in longest if line.strip()]
    fitting = _fitting(lines, CODE_LINES, rows, width)
    return "\n".join(lines if fitting == len(lines) else [*lines[: fitting - 1], "..."])


def _printed(code: Sequence[dict[str, Any]], rows: int) -> str:
    """The last lines that the last printing cell wrote to its output."""
    for cell in reversed(code):
        text = "".join(
            _joined(output.get("text", ""))
            for output in cell["outputs"]
            if isinstance(output, dict) and output.get("name") == "stdout"
        )
        if lines := [line for line in text.splitlines() if line.strip()]:
            fitting = _fitting(lines[::-1], PRINTED_LINES, rows, HALF)
            more = ["..."] if len(lines) > fitting else []
            return "\n".join([*more, *lines[-fitting:]])
    return ""


def _fitting(lines: Sequence[str], most: int, rows: int, width: int) -> int:
    """How many lines, from the first, are at most `most` and take at most `rows` rows."""
    taken = accumulate(max(1, ceil(len(line) / width)) for line in lines[:most])
    return max(min(2, len(lines)), sum(number <= rows for number in taken))


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
