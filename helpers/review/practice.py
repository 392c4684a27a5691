"""`practice("mcp")`: short questions for each heading of the chapter, with answers to open.

The questions are in `practice.yaml`, grouped by heading:

    - id: mcp                          # the same ids as in coverage.yaml
      title: Model Context Protocol
      questions:
        - id: mcp-who-is-the-customer  # unique in the file
          level: know                  # know, apply or judge
          question: One open question.
          answer: Two to five sentences.
          cell: {notebook: 11_operate_and_improve, section: "What is MCP, and whom do you trust?"}
          minutes: 2                   # to think and to say the answer

Nothing is recorded: you compare your own answer with the one that you open.
"""

import argparse
import random
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from pathlib import Path
from typing import ClassVar, Literal

import yaml

from helpers.course.show.output import Output, put
from helpers.course.show.tables import render
from helpers.review.targets import anchor

FILE = Path(__file__).with_name("practice.yaml")

Level = Literal["know", "apply", "judge"]
LEVELS: tuple[Level, ...] = ("know", "apply", "judge")
DRAWN = 3  # questions that `seed` draws: one of each level

_WIDTH = 96  # characters a line in a terminal


class PracticeError(ValueError):
    """There is no such heading or level, or the file breaks the format; the message says what."""


@dataclass(frozen=True)
class Cell:
    """Where the course measures it: a walkthrough's name, and a heading in it."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    notebook: str
    section: str

    @property
    def link(self) -> str:
        """The section's address, from a notebook in the same folder."""
        return f"{self.notebook}.ipynb#{anchor(self.section)}"


@dataclass(frozen=True)
class Question:
    """One open question with its answer, its level and the minutes that it takes."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    id: str
    level: Level
    question: str
    answer: str
    cell: Cell
    minutes: int


@dataclass(frozen=True)
class Heading:
    """A heading of the chapter with its questions."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    id: str
    title: str
    questions: tuple[Question, ...]


@cache
def load(file: Path = FILE) -> tuple[Heading, ...]:
    """The headings in the chapter's order.

    Raises:
        PracticeError: the file is not YAML or breaks the format.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        return TypeAdapter(tuple[Heading, ...]).validate_python(raw)
    except yaml.YAMLError as error:
        raise PracticeError(f"{file.name} is not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ", ".join(str(part) for part in first["loc"])
        raise PracticeError(f"Correct {file.name} at {place}: {first['msg']}.") from None


def find(
    heading: str | None = None,
    level: str | None = None,
    *,
    headings: Sequence[Heading] | None = None,
) -> tuple[Heading, ...]:
    """The headings that fit, each with its questions of one level.

    Args:
        heading: an id or any part of a title, without case; None for all headings.
        level: one of `LEVELS`; None for all levels.
        headings: where to look; None for those of the file.

    Raises:
        PracticeError: no heading fits, or there is no such level; the message lists what there is.
    """
    found = tuple(load() if headings is None else headings)
    if level is not None and level not in LEVELS:
        raise PracticeError(f"There is no level {level!r}; choose one of {', '.join(LEVELS)}.")
    if heading is not None:
        wanted = " ".join(str(heading).casefold().split())
        same = [one for one in found if wanted == one.id]
        part = [one for one in found if wanted and wanted in f"{one.id} {one.title}".casefold()]
        if not (same or part):
            ids = ", ".join(one.id for one in found)
            raise PracticeError(f"There is no heading {heading!r}; choose one of {ids}.")
        found = tuple(same or part)
    if level is None:
        return found
    of_level = [
        replace(one, questions=tuple(each for each in one.questions if each.level == level))
        for one in found
    ]
    return tuple(one for one in of_level if one.questions)


def draw(headings: Sequence[Heading], seed: int) -> tuple[Heading, ...]:
    """Three questions by chance, one of each level if there are such; the same for a seed."""
    chance = random.Random(str(seed))
    everything = [one for heading in headings for one in heading.questions]
    chance.shuffle(everything)
    first = [next((one for one in everything if one.level == level), None) for level in LEVELS]
    chosen = [one for one in first if one]
    chosen += [one for one in everything if one not in chosen][: DRAWN - len(chosen)]
    kept = [
        replace(one, questions=tuple(each for each in one.questions if each in chosen))
        for one in headings
    ]
    return tuple(one for one in kept if one.questions)


def practice(heading: str | None = None, level: str | None = None, seed: int | None = None) -> None:
    """Show short questions, each with its answer folded away; nothing is recorded.

    Args:
        heading: an id such as "mcp" or any part of a title; None for the table of all headings.
        level: "know", "apply" or "judge"; None for all. It works without a heading too.
        seed: any number draws three questions, one of each level; the same number, the same three.
    """
    try:
        put(_shown(heading, level, seed))
    except PracticeError as error:
        print(error)


def _shown(
    heading: str | None, level: str | None, seed: int | None, *, answers: bool = False
) -> Output:
    found = find(heading, level)
    if heading is None and level is None and seed is None:
        return overview(found)
    return questions(found if seed is None else draw(found, seed), answers=answers)


def overview(headings: Sequence[Heading]) -> Output:
    """A table of the headings: how many questions of each level, and the minutes for all."""
    rows = [
        {
            "id": heading.id,
            "heading": heading.title,
            **{level: sum(one.level == level for one in heading.questions) for level in LEVELS},
            "minutes": sum(one.minutes for one in heading.questions),
        }
        for heading in headings
    ]
    count = sum(len(heading.questions) for heading in headings)
    return render(rows, caption=f"{count} questions under {len(headings)} headings")


def questions(headings: Sequence[Heading], *, answers: bool = False) -> Output:
    """The questions by heading: answers to open in a notebook, and in a text if `answers`."""
    return Output("\n".join(_html(headings)), "\n".join(_text(headings, answers)))


def _html(headings: Sequence[Heading]) -> Iterator[str]:
    # Colours come from the notebook's theme; two dollar signs in an answer are no formula.
    yield '<div class="mathjax_ignore">'
    for heading in headings:
        yield f"<p><strong>{escape(heading.title)}</strong></p>\n<ol>"
        for one in heading.questions:
            link = (
                f'<a href="{escape(one.cell.link)}">'
                f"{escape(one.cell.notebook[:2])}: {escape(one.cell.section)}</a>"
            )
            yield (
                f'<li style="margin-bottom: 10px">{_coded(one.question)} '
                f"<em>({_about(one)})</em>\n"
                f"<details><summary>Answer</summary>\n<p>{_coded(one.answer)}</p>\n"
                f"<p>See {link}</p></details></li>"
            )
        yield "</ol>"
    yield "</div>"


def _text(headings: Sequence[Heading], answers: bool) -> Iterator[str]:
    for heading in headings:
        yield f"{heading.title} ({heading.id})"
        for number, one in enumerate(heading.questions, start=1):
            yield _wrapped(f"{number}. {one.question} ({_about(one)})", 3)
            if answers:
                yield _wrapped(f"   {one.answer}", 3)
                yield f"   See {one.cell.notebook}, {one.cell.section}"
        yield ""
    if not answers:
        yield "Answer first. Then add --answers to `course review practice`, or open the answers"
        yield 'in a notebook: practice("ID").'


def _coded(text: str) -> str:
    """The text as HTML, with what is in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _about(one: Question) -> str:
    return f"{one.level}, {one.minutes} {'minute' if one.minutes == 1 else 'minutes'}"


def _wrapped(text: str, indent: int) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)


def practice_command(argv: Sequence[str]) -> int:
    """`course review practice`: the questions in a terminal; 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="course review practice",
        allow_abbrev=False,
        description="Short questions for each heading of the chapter. Without a heading: which "
        "headings there are.",
    )
    parser.add_argument("heading", nargs="*", help="an id or any part of a heading's title")
    parser.add_argument("--level", help="only know, apply or judge")
    parser.add_argument(
        "--seed", type=int, help="draw three questions; the same number draws the same three"
    )
    parser.add_argument("--answers", action="store_true", help="print the answers as well")
    options = parser.parse_args(argv)
    try:
        shown = _shown(
            " ".join(options.heading) or None,
            options.level,
            options.seed,
            answers=options.answers,
        )
    except PracticeError as error:
        print(f"course review practice: {error}", file=sys.stderr)
        return 2
    print(shown.text)
    return 0
