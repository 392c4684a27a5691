"""Exercise 12.2: which security risks an application has, and which mitigations."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, exercise
from helpers.course.exercises.m12.reviewed import cases, hints


@exercise(
    "12.2",
    title="Which security risks, and what reduces them",
    gate=True,
    hints=hints(
        parts=(
            "Take the OWASP list one risk at a time: what it does to this shop, and which control "
            "you have measured against it."
        ),
        counter=(
            "Find an attack that your controls let through, or a risk that none of your figures "
            "measures."
        ),
    ),
)
def risks(answer: Any) -> Iterator[Case]:
    """Each aspect of the answer to Q2, over the evidence that the answer names."""
    yield from cases("Q2", answer)
