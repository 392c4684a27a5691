"""Exercise 12.4: what to call the operation of LLM applications."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, exercise
from helpers.course.exercises.m12.reviewed import cases, hints


@exercise(
    "12.4",
    title="What to call the operation of LLM applications",
    gate=True,
    hints=hints(
        parts=(
            "Compare the names by what their authors say they cover, each with its source and "
            "date as [stated: source, date]."
        ),
        counter=(
            "Find a team or a task that your name does not fit, and cite a figure of that task "
            "or quote what the team does."
        ),
    ),
)
def name(answer: Any) -> Iterator[Case]:
    """Each aspect of the answer to Q4, over the evidence that the answer names."""
    yield from cases("Q4", answer)
