"""Exercises whose solution the course gave (`course catch-up`): what counts as the learner's own.

From the moment at which a solution was given, tries of that exercise count no more: they would try
the course's code. They count again after `course reset`, which takes the given code out of the lab,
and once the learner has run code of their own in its place.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

GIVEN = "given"
"""The status of an exercise whose solution was given and that the learner has not passed."""

_MARK = "# Given by `course catch-up`: the course's solution of {}.\n"
_MARKED = re.compile(re.escape(_MARK).replace(r"\{\}", r"(\d\d\.\d+)"))


def mark(exercise: str) -> str:
    """The line that a cell with a given solution begins with."""
    return _MARK.format(exercise)


def is_marked(cell: str) -> bool:
    """Whether a cell's source is a given solution."""
    return _MARKED.match(cell) is not None


def ran_given(exercise: str, cells: Sequence[str]) -> bool:
    """Whether the given solution of an exercise is what a kernel has in place now.

    Args:
        exercise: such as "01.2".
        cells: the sources that the kernel ran, in order. A later cell that defines one of the same
            names puts the learner's own code in place.
    """
    given = False
    names: set[str] = set()
    for cell in cells:
        if (found := _MARKED.match(cell)) and found[1] == exercise:
            given, names = True, _defined(cell)
        elif given and names & _defined(cell):
            given = False
    return given


def _defined(cell: str) -> set[str]:
    """The names that a cell defines at its top level; none of what is no Python."""
    try:
        body = ast.parse(cell).body
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {
                one.id
                for target in targets
                for one in ast.walk(target)
                if isinstance(one, ast.Name)
            }
    return found


@dataclass(frozen=True)
class Mark:
    """A solution was put into a lab (`given`), or taken out again.

    `after` is the number of the last try, of any exercise, that was recorded before it.
    """

    given: bool
    after: int


def counts(number: int, marks: Sequence[Mark]) -> bool:
    """Whether a try of an exercise is the learner's own.

    Args:
        number: of the try, as tries of all exercises are counted.
        marks: those of the exercise, in order.
    """
    given = False
    for mark in marks:
        if mark.after < number:
            given = mark.given
    return not given


def is_given(marks: Sequence[Mark]) -> bool:
    """Whether the lab has the given solution of the exercise now."""
    return bool(marks) and marks[-1].given
