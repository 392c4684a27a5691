"""Exercise 12.3: how prompt injection compromises an application, and what stops it."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, exercise
from helpers.course.exercises.m12.reviewed import cases, hints


@exercise(
    "12.3",
    title="How prompt injection works, and what stops it",
    gate=True,
    hints=hints(
        parts=(
            "Describe both ways in: what a customer types, and what a document brings in. Then "
            "follow one attack through each control."
        ),
        counter=(
            "Find an attack that succeeds against the control you trust most, or a harmless "
            "message that the control refuses."
        ),
    ),
)
def injection(answer: Any) -> Iterator[Case]:
    """Each aspect of the answer to Q3, over the evidence that the answer names."""
    yield from cases("Q3", answer)
