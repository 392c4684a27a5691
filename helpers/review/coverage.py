"""Where the course covers each heading of the chapter: the cells that show it, what proves it."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import outfile
from helpers.paths import ROOT
from helpers.review import targets

FILE = Path(__file__).with_name("coverage.yaml")


class CoverageError(Exception):
    """The file of the coverage cannot be used; the message says what to change in it."""


@dataclass(frozen=True)
class Cell:
    """A place in a walkthrough: one cell by its name, or a whole section by its heading."""

    notebook: str
    cell: str | None = None
    section: str | None = None

    @property
    def source(self) -> str:
        """The notebook's source, from the root of the checkout."""
        return f"notebooks/src/{self.notebook}.py"

    def heading(self, root: Path = ROOT) -> str | None:
        """The heading that the place stands below; None if there is no such place."""
        for section in targets.sections(root / self.source):
            if self.section == section.heading or self.cell in section.cells:
                return section.heading
        return None

    def missing(self, root: Path = ROOT) -> str | None:
        """What is not there, in one sentence; None if the place exists."""
        if not (root / self.source).is_file():
            return f"there is no {self.source}."
        if self.heading(root) is not None:
            return None
        if self.cell is not None:
            return f'{self.source} has no cell called "{self.cell}".'
        return f'{self.source} has no section "{self.section}".'


@dataclass(frozen=True)
class Check:
    """What proves something: an exercise ("05.3"), or a test ("tests/...py::test_...")."""

    name: str

    @property
    def test(self) -> tuple[str, str] | None:
        """File and function of a test; None for an exercise."""
        path, found, function = self.name.partition("::")
        return (path, function) if found else None

    def missing(self, root: Path = ROOT) -> str | None:
        """What is not there, in one sentence; None if the check exists."""
        if self.test is None:
            known = self.name in targets.exercises(root)
            return None if known else f"there is no exercise {self.name}."
        path, function = self.test
        if not (root / path).is_file():
            return f"there is no {path}."
        return None if function in targets.tests(root / path) else f"{path} has no {function}()."


@dataclass(frozen=True)
class Topic:
    """A heading of the chapter, or a claim of its summary in the course's words."""

    id: str
    heading: str
    cells: tuple[Cell, ...]
    checks: tuple[Check, ...]
    limits: str = ""


@dataclass(frozen=True)
class Coverage:
    """All headings of the chapter in its order, and all claims of its summary."""

    headings: tuple[Topic, ...]
    claims: tuple[Topic, ...]

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Headings and claims."""
        return self.headings + self.claims

    def about(self, words: str) -> "Coverage":
        """Only the headings and claims that contain these words, in capitals or not."""

        def fits(topics: Iterable[Topic]) -> tuple[Topic, ...]:
            return tuple(topic for topic in topics if words.casefold() in topic.heading.casefold())

        return Coverage(fits(self.headings), fits(self.claims))


def coverage(file: Path = FILE) -> Coverage:
    """The coverage of the chapter, as the file has it.

    Raises:
        CoverageError: the file does not have the form that its first lines describe.
    """
    import yaml

    try:
        data = yaml.safe_load(file.read_text("utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CoverageError(
            f"{file.name}, line {line}, is no YAML ({error.problem}); correct it."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CoverageError(f"{file.name} is missing or is not text; restore it.") from error
    if not isinstance(data, dict) or set(data) != {"headings", "claims"}:
        raise CoverageError(f"{file.name} needs two lists, `headings` and `claims`; add them.")
    headings, claims = (
        tuple(_topic(row, f"{file.name}, {key}, number {number}") for number, row in rows)
        for key in ("headings", "claims")
        for rows in [enumerate(data[key] or (), start=1)]
    )
    return Coverage(headings, claims)


def problems(covered: Coverage, root: Path = ROOT) -> list[str]:
    """What the coverage names and a checkout does not have, and topics without cell or check."""
    found = []
    for topic in covered.topics:
        if not topic.cells:
            found.append(f"{topic.heading}: no cell shows it.")
        if not topic.checks:
            found.append(f"{topic.heading}: nothing proves it.")
        named: list[Cell | Check] = [*topic.cells, *topic.checks]
        for target in named:
            if missing := target.missing(root):
                found.append(f"{topic.heading}: {missing}")
    return found


def coverage_command(argv: Sequence[str]) -> int:
    """Print where the chapter is covered; 1 if a target is missing or nothing fits, else 0."""
    parser = argparse.ArgumentParser(
        prog="course coverage",
        description="For each heading of the chapter and each claim of its summary: the cell that "
        "shows it and the check that proves it.",
    )
    parser.add_argument("--heading", metavar="WORDS", help="only headings with these words")
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=outfile.named(".html"),
        help="write one HTML page; an earlier one is replaced, and nothing else",
    )
    options = parser.parse_args(argv)
    from helpers.review.coverage_page import TITLE, as_html, as_text

    try:
        covered = coverage()
    except CoverageError as problem:
        print(f"course coverage: {problem}", file=sys.stderr)
        return 1
    if options.heading is not None:
        covered = covered.about(options.heading)
        if not covered.topics:
            print(
                f"course coverage: no heading contains {options.heading!r}; run `course coverage` "
                "to see them all.",
                file=sys.stderr,
            )
            return 1
    missing = problems(covered)
    if options.html is None:
        print(as_text(covered))
    else:
        try:
            outfile.save(options.html, as_html(covered).encode(), lambda old: TITLE.encode() in old)
        except outfile.OutError as error:
            print(f"course coverage: {error}", file=sys.stderr)
            return 1
        print(f"Written to {options.html}.")
    for line in missing:
        print(f"course coverage: {line}", file=sys.stderr)
    return int(bool(missing))


def _topic(row: Any, where: str) -> Topic:
    known = {"id", "heading", "cells", "checks", "limits"}
    if not isinstance(row, dict) or not {"id", "heading"} <= set(row) <= known:
        raise CoverageError(f"{where} needs id, heading, cells and checks, and may have limits.")
    texts = [row["id"], row["heading"], row.get("limits", "")]
    cells, checks = row.get("cells") or (), row.get("checks") or ()
    if not all(isinstance(text, str) for text in texts) or not isinstance(checks, list | tuple):
        raise CoverageError(f"{where} has a value that is no text; put it in quotes.")
    if not all(isinstance(check, str) for check in checks):
        raise CoverageError(f"{where} has a check that is no text; put it in quotes.")
    name, heading, limits = texts
    return Topic(
        name,
        heading,
        tuple(_cell(cell, where) for cell in cells),
        tuple(Check(check) for check in checks),
        limits,
    )


def _cell(row: Any, where: str) -> Cell:
    allowed = ({"notebook", "cell"}, {"notebook", "section"})
    if not isinstance(row, dict) or set(row) not in allowed:
        raise CoverageError(f"{where}: a cell needs notebook, and either cell or section.")
    return Cell(**{key: str(value) for key, value in row.items()})
