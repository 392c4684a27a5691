"""`course workshop notes`: the instructor's notes of a module, with the cells that they follow."""

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.paths import ROOT
from helpers.workshop.cells import Cell, SourceMissing, headings, read, source_of

PLACES = {"notebooks": "Walkthrough", "solutions": "Lab"}


@dataclass(frozen=True)
class Note:
    """A note beside the text.

    `heading` is the section that it is in, and `after` the learner's cell before it, by its name
    ("" at the beginning); `begins` is how that cell begins. `cell` is the note itself.
    """

    heading: str
    after: str
    cell: Cell
    begins: str = ""


def notes_of(cells: Sequence[Cell]) -> list[Note]:
    """The notes among a source's cells, in order."""
    found: list[Note] = []
    heading = after = begins = ""
    for cell in cells:
        if cell.only == "instructor":
            found.append(Note(heading, after, cell, begins))
            continue
        if cell.only != "solution":  # a cell that the lab does not have is no place to look for
            after, begins = cell.name, _beginning(cell)
        if cell.kind == "markdown" and (inside := headings(cell.text)):
            heading = inside[-1][1]
    return found


def _beginning(cell: Cell) -> str:
    """How a cell begins, as a reader finds it in the notebook, where cells have no names."""
    lines = [line.strip() for line in cell.text.splitlines()]
    return textwrap.shorten(next(filter(None, lines), ""), 60, placeholder=" ...")


def module_notes(number: str, *, root: Path) -> dict[str, list[Note]]:
    """The notes of a module: those of its walkthrough ("notebooks") and its lab ("solutions").

    Raises:
        SourceMissing: there is no such module, or its sources are not in this copy of the course.
    """
    return {folder: notes_of(read(source_of(number, folder, root=root))) for folder in PLACES}


def markdown(number: str, found: dict[str, list[Note]], titles: dict[str, str]) -> str:
    """The notes as Markdown."""
    parts = [f"# Instructor's notes, module {number}"]
    for folder, notes in found.items():
        parts.append(f"## {PLACES[folder]}: {titles[folder]}")
        if not notes:
            parts.append("No notes yet.")
        heading = ""
        for note in notes:
            if note.heading != heading:
                heading = note.heading
                parts.append(f"### {heading}")
            where = "Before the first cell:"
            if note.after:
                where = f"At the cell `{note.after}`, which begins ``{note.begins}``:"
            code = note.cell.kind == "code"
            text = f"```python\n{note.cell.text}\n```" if code else note.cell.text
            parts.append(f"{where}\n\n{text}")
            if note.cell.then:
                word = "exercise" if len(note.cell.then) == 1 else "exercises"
                parts.append(f"**From here on, people can do {word} {', '.join(note.cell.then)}.**")
    return "\n\n".join(parts) + "\n"


def run(argv: Sequence[str]) -> int:
    """Print or write the notes: 0 done, 1 the file cannot be written, 2 no such module."""
    from helpers.outfile import OutError, named
    from helpers.workshop.page import save, sheet

    parser = argparse.ArgumentParser(
        prog="course workshop notes",
        description="Print the instructor's notes on a module: what people get wrong, what to ask, "
        "how long to wait for an answer (in seconds or minutes), what to skip. Each note names the "
        "cell that it follows. Learners' notebooks do not contain these notes.",
        epilog="Exit status: 0 done, 1 the file cannot be written, 2 bad use or no such module.",
    )
    parser.add_argument("module", help="the module's number, such as 01")
    parser.add_argument(
        "--out",
        type=named(".md", ".html"),
        metavar="FILE",
        help="write to this new file: Markdown in .md, a page in .html",
    )
    options = parser.parse_args(argv)
    out: Path | None = options.out
    number = options.module.zfill(2) if options.module else ""
    try:
        found = module_notes(number, root=ROOT)
        text = markdown(number, found, {one: _title(number, one) for one in found})
        if out is None:
            print(text, end="")
            return 0
        html = out.suffix.lower() == ".html"
        save(out, sheet(f"Instructor's notes, module {number}", text) if html else text)
    except (SourceMissing, OutError) as problem:
        print(f"course workshop notes: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, SourceMissing) else 1
    print(f"Wrote {out}.")
    return 0


def _title(number: str, folder: str) -> str:
    """The title of a notebook, without its number."""
    for cell in read(source_of(number, folder, root=ROOT)):
        if cell.only in ("", "lab") and cell.kind == "markdown" and (all_of := headings(cell.text)):
            return re.sub(r"^(Lab )?\d\d:? ", "", all_of[0][1])
    return ""
