"""What a page about the course can point to: sections and cells, exercises, and tests.

Everything is read from the sources as text. No notebook is run and no test is collected.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CELL = re.compile(r"# %%(?P<text> \[markdown\])?.*?name=\"(?P<name>[^\"]+)\"(?P<rest>.*)")
_HEADING = re.compile(r"# #{1,6} (?P<heading>.+)")
_EXERCISE = re.compile(r"(\d\d)\.(\d+)")


@dataclass(frozen=True)
class Section:
    """One heading of a notebook, and the names of the cells below it, that of its text included."""

    heading: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Exercise:
    """An exercise of a lab; `heading` is None where the lab's source is not in this checkout."""

    id: str
    title: str
    lab: str
    heading: str | None


def anchor(heading: str) -> str:
    """The anchor of a heading, as JupyterLab and GitHub make it."""
    shown = re.sub(r"[*`]", "", heading)
    return shown.replace(" ", "-")


@cache
def sections(source: Path) -> tuple[Section, ...]:
    """The sections of a notebook's source, in order; none if there is no such file."""
    if not source.is_file():
        return ()
    found: list[tuple[str, list[str]]] = []
    name, in_text, fenced = "", False, False
    for line in source.read_text("utf-8").splitlines():
        if cell := _CELL.fullmatch(line):
            # What only instructors get is no part of the notebook.
            name = "" if "only=" in cell["rest"] else cell["name"]
            in_text, fenced = bool(cell["text"]), False
            if name and found:
                found[-1][1].append(name)
        elif line.startswith("# ```"):
            fenced = not fenced
        elif name and in_text and not fenced and (heading := _HEADING.fullmatch(line)):
            if found:
                found[-1][1].remove(name)
            found.append((heading["heading"], [name]))
    return tuple(Section(heading, tuple(cells)) for heading, cells in found)


@cache
def exercises(root: Path) -> dict[str, Exercise]:
    """Number -> exercise, of all labs of a checkout."""
    found = {}
    for path in sorted((root / "helpers/course/exercises").glob("m*/e*.py")):
        for number, title in _defined(path):
            labs = sorted(path.stem for path in (root / "labs").glob(f"{number[:2]}_*.ipynb"))
            lab = labs[0] if labs else ""
            found[number] = Exercise(number, title, lab, _heading(root, lab, number))
    return found


@cache
def tests(path: Path) -> frozenset[str]:
    """The names of a file's test functions; none if there is no such file."""
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def _defined(path: Path) -> list[tuple[str, str]]:
    """Numbers and titles of the exercises that a file defines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id == "exercise" and node.args and isinstance(node.args[0], ast.Constant):
            number = str(node.args[0].value)
            titles = [each.value for each in node.keywords if each.arg == "title"]
            if _EXERCISE.fullmatch(number) and titles and isinstance(titles[0], ast.Constant):
                found.append((number, str(titles[0].value)))
    return found


def _heading(root: Path, lab: str, number: str) -> str | None:
    place = f"{int(number.split('.')[1])}. "
    for section in sections(root / "solutions/src" / f"{lab}.py"):
        if section.heading.startswith(place):
            return section.heading
    return None
