"""Which exercise a call in a lab's cell checks, and what it hands to the check.

`check("03.2", answer)` checks exercise 03.2. `review("Q1", answer)` is the check of exercise 12.1;
`review("Q1")` only shows the question.
"""

import ast
import re
from dataclasses import dataclass

_QUESTION = re.compile(r"Q([1-9]\d?)", re.IGNORECASE)
MODULE_OF_REVIEWS = "12"


@dataclass(frozen=True)
class Checked:
    """A call that checks an exercise; `answer` is what it hands over, None where it has nothing."""

    exercise: str
    answer: ast.expr | None


def checked_in(tree: ast.AST) -> list[Checked]:
    """All calls in a cell's code that check an exercise, in the order in which they are found."""
    return [found for node in ast.walk(tree) if (found := _checked(node))]


def exercise_reviewed(question: str) -> str | None:
    """The exercise that a review question is: "12.1" for "Q1"; None for another text."""
    found = _QUESTION.fullmatch(question.strip())
    return f"{MODULE_OF_REVIEWS}.{found[1]}" if found else None


def _checked(node: ast.AST) -> Checked | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
        return None
    first, *others = node.args
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return None
    answer = others[0] if others else None
    if node.func.id == "check":
        return Checked(first.value, answer)
    if node.func.id == "review":
        answer = answer or next((one.value for one in node.keywords if one.arg == "answer"), None)
        exercise = exercise_reviewed(first.value)
        return Checked(exercise, answer) if exercise and answer is not None else None
    return None
