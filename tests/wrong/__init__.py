"""Wrong answers to the exercises, which every check must catch; one file a module: `mNN.py`.

Each exercise has at least one of each kind:

- "no-op": does nothing, or hands back what it was given;
- "slip": right but for a boundary, a sign, a rounding, an order;
- "misreading": a right answer to another question, one that a learner may well read into the text.

A wrong answer is a function that makes the submission, so that what it needs (a model, an index)
is made only when it is tried:

    @wrong("01.2", "slip", "Ranks start at 1.", says="ranks start at 0")
    def ranks_from_one() -> object:
        def rank(...): ...
        return rank

`says`: words that the card must contain, where the check knows this mistake.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Kind = Literal["no-op", "slip", "misreading"]
KINDS: tuple[str, ...] = get_args(Kind)

_all: list["Wrong"] = []


@dataclass(frozen=True)
class Wrong:
    """One wrong answer, and why it is wrong."""

    exercise: str
    kind: Kind
    why: str
    says: str
    make: Callable[[], object]

    def __str__(self) -> str:
        return f"{self.exercise}-{self.make.__name__}"


def wrong(
    exercise_id: str, kind: Kind, why: str, *, says: str = ""
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register the function that makes a wrong answer."""

    def register(make: Callable[[], object]) -> Callable[[], object]:
        _all.append(Wrong(exercise_id, kind, why, says, make))
        return make

    return register


def load() -> list[Wrong]:
    """Every wrong answer of every module."""
    for file in sorted(Path(__file__).parent.glob("m[0-9][0-9].py")):
        importlib.import_module(f"{__name__}.{file.stem}")
    return list(_all)
