"""What a module's plan is made of: sections to show and exercises to let people do, with minutes.

All minutes come from the lines that open the walkthrough and the lab (`helpers.course.minutes`).
Sections share the walkthrough's minutes by their number of cells; exercises share the lab's evenly.
Together they are exactly what the two lines say. An exercise follows the section whose instructor's
note names it (`then="01.1"`); others come after the last section.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from helpers.course.minutes import before, of_module
from helpers.programs import used
from helpers.review.targets import Exercise, exercises
from helpers.workshop.cells import Section, read, sections, source_of

# What people can read by themselves afterwards.
TAIL = ("In production", "Where it breaks", "Keep this", "Without the course", "Quiz", "Next")
RESULT = "What you measured"
GATE = "This is the gate."


@dataclass(frozen=True)
class Piece:
    """One thing to show or to let people do.

    `minutes` are at least 1. `place` orders the pieces of a module as they are taught. `rank` is 0
    for what a plan of this module cannot do without; the others join by rising rank. `needs` are
    the titles of the sections without which an exercise makes no sense, the one before it first.
    """

    module: str
    kind: Literal["show", "do"]
    title: str
    minutes: int
    place: int
    rank: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Module:
    """A module as a workshop sees it.

    `machine` is how many minutes of it the machine works; `sections` are those of its walkthrough.
    """

    number: str
    title: str
    before: tuple[str, ...]
    machine: int
    programs: str
    pieces: tuple[Piece, ...]
    sections: tuple[Section, ...]

    @property
    def least(self) -> int:
        """The minutes of what it cannot do without."""
        return sum(piece.minutes for piece in self.pieces if piece.rank == 0)

    @property
    def whole(self) -> int:
        """The minutes of walkthrough and lab."""
        return sum(piece.minutes for piece in self.pieces)


@cache  # a plan asks for the same module many times
def module(number: str, *, root: Path) -> Module:
    """A module's pieces.

    Args:
        number: two digits.

    Raises:
        SourceMissing: there is no such module, or its source is not in this copy of the course.
        MinutesError: its walkthrough or lab does not say how long it takes.
    """
    found = sections(read(source_of(number, "notebooks", root=root)))
    stated = of_module(number, root=root)
    tasks = [task for task in exercises(root).values() if task.id.startswith(f"{number}.")]
    tasks.sort(key=lambda task: int(task.id.split(".")[1]))
    at = {name: (one.heading, *needs) for one in found for name, needs in one.then}
    ranks = _task_ranks([task.id for task in tasks], _gate(number, root))
    done = [
        Piece(number, "do", _title(task), minutes, 0, rank, at.get(task.id, ()))
        for task, minutes, rank in zip(
            tasks, shares(stated.lab, [1] * len(tasks)), ranks, strict=True
        )
    ]
    least = {needed for task in done if task.rank == 0 for needed in task.needs}
    pieces = _merged(_shown(number, found, stated.walkthrough, least), done)
    return Module(
        number=number,
        title=found[0].heading.removeprefix(number).strip(),
        before=before(number, root=root),
        machine=stated.machine,
        programs=", ".join(used(number)),
        pieces=pieces,
        sections=tuple(found),
    )


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Whole minutes that add up to `total`, each at least 1, by weight (largest remainders).

    Raises:
        ValueError: there are more parts than minutes.
    """
    if not weights:
        return []
    if total < len(weights):
        raise ValueError(f"{len(weights)} parts cannot share {total} minutes.")
    left, whole = total - len(weights), sum(weights)
    exact = [left * weight / whole for weight in weights]
    given = [int(part) for part in exact]
    by_rest = sorted(range(len(exact)), key=lambda n: (given[n] - exact[n], n))
    for place in by_rest[: left - sum(given)]:
        given[place] += 1
    return [1 + minutes for minutes in given]


def _shown(number: str, found: list[Section], total: int, least: set[str]) -> list[Piece]:
    """The walkthrough's sections; what is for reading afterwards is one piece, the last to join.

    `least` are the titles of sections that no plan can do without.
    """
    if total < 2 * len(found):  # sections of less than two minutes cannot be planned one by one
        return [Piece(number, "show", "The whole walkthrough", total, 0, 0)]
    taught = [section for section in found if not section.heading.startswith(TAIL)]
    tail = [section for section in found if section.heading.startswith(TAIL)]
    weights = [len(section.names) for section in taught]
    if tail:
        weights.append(sum(len(section.names) for section in tail))
    minutes = shares(total, weights)
    titles = ["The picture, and what you will build", *(one.heading for one in taught[1:])]
    if tail:
        titles.append("The rest: " + ", ".join(one.heading for one in tail))
    ranks = _section_ranks(taught, minutes, total, least)
    if tail:
        ranks.append(_LAST)
    return [
        Piece(number, "show", title, own, place, rank)
        for place, (title, own, rank) in enumerate(zip(titles, minutes, ranks, strict=True))
    ]


def _merged(shown: list[Piece], done: list[Piece]) -> tuple[Piece, ...]:
    """Exercises after the sections that they need, which join first; the others at the end."""
    found: list[Piece] = []
    for piece in shown:
        using = [task.rank for task in done if piece.title in task.needs]
        rank = min([piece.rank, *(max(rank - 1, 0) for rank in using)])
        following = [task for task in done if task.needs[:1] == (piece.title,)]
        found += [replace(piece, rank=rank), *following]
    found += [replace(task, needs=()) for task in done if task not in found]
    return tuple(replace(piece, place=place) for place, piece in enumerate(found))


_LAST = 1000  # no module has as many pieces


def _section_ranks(
    taught: list[Section], minutes: list[int], total: int, least: set[str]
) -> list[int]:
    """0 for opening, first section, result and `least`; also the longest, up to a third of `total`.

    The longest sections build the most. Of two that are as long, the one with a figure comes first.
    """
    needed = {0, 1}
    needed |= {
        n for n, one in enumerate(taught) if one.heading.startswith(RESULT) or one.heading in least
    }
    used = sum(minutes[place] for place in needed)
    others = sorted(
        set(range(len(taught))) - needed, key=lambda n: (-minutes[n], not taught[n].figure, n)
    )
    ranks = [0] * len(taught)
    rank = 0
    for place in others:
        if used + minutes[place] <= total / 3:
            used += minutes[place]
        else:
            rank += 2  # two sections, then an exercise: see _task_ranks
            ranks[place] = rank
    return ranks


def _task_ranks(tasks: Sequence[str], gate: str) -> list[int]:
    """The first exercise and the gate are needed; the others join in their order."""
    needed = {*tasks[:1], gate if gate in tasks else tasks[-1]} if tasks else set()
    return [0 if task in needed else 4 * place + 1 for place, task in enumerate(tasks)]


def _gate(number: str, root: Path) -> str:
    """The exercise whose note in the lab begins with `GATE`; "" where none does."""
    exercise = ""
    for cell in read(source_of(number, "solutions", root=root)):
        if found := re.fullmatch(r"exercise-(\d\d)-(\d+)", cell.name):
            exercise = f"{found[1]}.{found[2]}"
        if cell.only == "instructor" and cell.text.startswith(GATE):
            return exercise
    return ""


def _title(task: Exercise) -> str:
    """An exercise as its lab's heading calls it."""
    words = re.sub(r"^\d+\. ", "", task.heading or "") or task.title
    return f"{task.id} {words}"
