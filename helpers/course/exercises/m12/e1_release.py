"""Exercise 12.1: what to check before a release, and why."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, exercise
from helpers.course.exercises.m12.reviewed import cases, hints


@exercise(
    "12.1",
    title="What to check before a release",
    gate=True,
    hints=hints(
        parts=(
            "Go through the checklist that `course ship-check` prints: each item has an incident "
            "that it would have caught, an owner and a threshold."
        ),
        counter=(
            "Find an item that passes although something is wrong: which customers does its "
            "sample not have?"
        ),
    ),
)
def release(answer: Any) -> Iterator[Case]:
    """Each aspect of the answer to Q1, over the evidence that the answer names."""
    yield from cases("Q1", answer)
