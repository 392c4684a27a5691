"""The cells and sections of a notebook's source, as an instructor's commands read them.

The build (`helpers.authoring`) reads the same files with jupytext, which is one of the development
packages. An instructor has a learner's installation, so here the percent format is read as text. A
test holds both readings together.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_CELL = re.compile(r"# %%(?P<text> \[markdown\])?(?P<attributes>( .*)?)")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_CHECK = re.compile(r"(?:await )?check\(\s*[\"'](\d\d)\.(\d+)[\"']")
_HEADING = re.compile(r"#{1,6} (.+)")
_SHOWN = re.compile(r"\bshow\.(?!progress\b)\w+\(")


class SourceMissing(LookupError):  # noqa: N818 - it reads as what it is
    """There is no such module, or its source cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell of a source.

    `text` of a text cell is Markdown. `only` is the edition that it is for, "" for all. `then` are
    the exercises that people can do from an instructor's note on; `needs` are the headings of the
    earlier sections that these use.
    """

    name: str
    kind: Literal["code", "markdown"]
    text: str
    only: str = ""
    then: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading, and the learner's cells from there to the next one.

    `names` and `code` count and name what the walkthrough has; a cell whose text begins a new
    section in its middle belongs to the new one. `figure` says whether it ends in a table or plot
    made by `show`. `then` are the exercises that the instructor's notes in it name, each with the
    headings of the earlier sections that it uses. `code` has the code cells.
    """

    heading: str
    names: tuple[str, ...]
    figure: bool
    then: tuple[tuple[str, tuple[str, ...]], ...] = ()
    code: tuple[str, ...] = ()


def source_of(number: str, folder: str, *, root: Path) -> Path:
    """The source of a module: of its walkthrough ("notebooks") or its lab ("solutions").

    Raises:
        SourceMissing: there is none.
    """
    sources = root / folder / "src"
    found = sorted(sources.glob(f"{number}_*.py")) if re.fullmatch(r"\d\d", number) else []
    if not found:
        there = ", ".join(sorted({path.name[:2] for path in sources.glob("[0-9][0-9]_*.py")}))
        if not there:
            raise SourceMissing(
                f"The folder {folder}/src has no sources: run this in a complete copy of the "
                "course's repository."
            )
        raise SourceMissing(f"There is no module {number!r}. The modules are: {there}.")
    return found[0]


def read(source: Path) -> list[Cell]:
    """The cells of a source, in order.

    Raises:
        SourceMissing: the file cannot be read.
    """
    try:
        lines = source.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        shown = "/".join(source.parts[-3:])
        raise SourceMissing(
            f"{shown} cannot be read: in the course's folder, run `git restore {shown}`."
        ) from error
    cells: list[Cell] = []
    opening: re.Match[str] | None = None
    body: list[str] = []
    for line in [*lines, "# %%"]:  # a last mark, which ends the last cell
        if not (mark := _CELL.fullmatch(line)):
            body.append(line)
            continue
        if opening:
            cells.append(_cell(opening, body))
        opening, body = mark, []
    return cells


def headings(text: str) -> list[tuple[int, str]]:
    """The headings of a Markdown text outside of code blocks: number of the line, and words."""
    found, fenced = [], False
    for number, line in enumerate(text.splitlines()):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.fullmatch(line)):
            found.append((number, heading[1].strip()))
    return found


def sections(cells: list[Cell]) -> list[Section]:
    """The sections of a source's learner's cells; the first one is the title's."""
    found: list[tuple[str, list[Cell], list[tuple[str, tuple[str, ...]]]]] = []
    for cell in cells:
        if cell.only:
            if found:
                found[-1][2].extend((one, cell.needs) for one in cell.then)
            continue
        if cell.kind == "markdown":
            found += [(words, [], []) for _, words in headings(cell.text)]
        if found:
            found[-1][1].append(cell)
    return [_section(words, inside, tuple(then)) for words, inside, then in found]


def _section(
    heading: str, cells: list[Cell], then: tuple[tuple[str, tuple[str, ...]], ...]
) -> Section:
    code = tuple(cell.text for cell in cells if cell.kind == "code")
    figure = any(_SHOWN.search(text) for text in code)
    return Section(heading, tuple(cell.name for cell in cells), figure, then, code)


def _cell(mark: re.Match[str], body: list[str]) -> Cell:
    attributes = dict(_ATTRIBUTE.findall(mark["attributes"]))
    name = attributes.get("name", "")
    text = "\n".join(body).strip("\n")
    if exercise := attributes.get("exercise"):
        name = f"exercise-{exercise.replace('.', '-')}"
    elif not name and (called := _CHECK.match(text)):
        name = f"check-{called[1]}-{called[2]}"
    if mark["text"]:
        text = "\n".join(re.sub("^# ?", "", line) for line in text.splitlines())
    kind: Literal["code", "markdown"] = "markdown" if mark["text"] else "code"
    then = tuple(attributes.get("then", "").split())
    needs = tuple(filter(None, attributes.get("needs", "").split("; ")))
    return Cell(name, kind, text, attributes.get("only", ""), then, needs)
