"""Exercises whose solution the course gave (`course catch-up`): what counts as the learner's own.

From the moment at which a solution was given, tries of that exercise count no more: they would try
the course's code. They count again after `course reset`, which takes the given code out of the lab.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GIVEN = "given"
"""The status of an exercise whose solution was given and that the learner has not passed."""


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
