"""Exercise 12.5: which requirements production has, and their trade-offs."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, exercise
from helpers.course.exercises.m12.reviewed import cases, hints


@exercise(
    "12.5",
    title="What production requires, and what it costs",
    gate=True,
    hints=hints(
        parts=(
            "Take each requirement with the figure that you measured for it, and the other figure "
            "that gets worse when you raise it."
        ),
        counter=(
            "Find the requirement that your own figures do not meet, or a trade-off that went the "
            "other way than you claim."
        ),
    ),
)
def demands(answer: Any) -> Iterator[Case]:
    """Each aspect of the answer to Q5, over the evidence that the answer names."""
    yield from cases("Q5", answer)
