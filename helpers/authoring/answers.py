"""Right and wrong answers to an exercise, by which its check is tested.

They are in `tests/exercises/mNN/eN_name.py`, beside the tests, one file an exercise. An answer is a
function that makes the submission, so that what it needs (a model, an index) is made only when it
is tried:

    from helpers.authoring.answers import right, wrong

    @wrong("Ranks start at 1.", slip="from-one")
    def ranks_from_one() -> object:
        def rank(...): ...
        return rank

    @right("It sorts a copy.")
    def sorts_a_copy() -> object: ...

    EQUIVALENT = {"line 3, Lt -> LtE: if left < right:": "both sides are never equal"}

An exercise has at least four wrong ones and two right ones that differ from the solution. `slip` is
the id of the known mistake that the check must recognise, where it knows it. `EQUIVALENT` names the
mutants (as `course strength` prints them) that no input tells from the solution.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from helpers.course.exercises import Exercise

Make = TypeVar("Make", bound=Callable[[], object])

FEWEST_WRONG, FEWEST_RIGHT = 4, 2
FEWEST_FAULTY = 10
"""How many wrong answers a live gate has at least: they stand in for mutants."""


@dataclass(frozen=True)
class Answer:
    """One answer: its function's name, what it does, the slip that it makes, and how to make it."""

    name: str
    why: str
    slip: str
    make: Callable[[], object]
    right: bool


@dataclass(frozen=True)
class Answers:
    """All answers to an exercise, in the order of the file."""

    wrong: tuple[Answer, ...] = ()
    right: tuple[Answer, ...] = ()
    equivalent: Mapping[str, str] = field(default_factory=dict)


def wrong(why: str, *, slip: str = "") -> Callable[[Make], Make]:
    """Mark the function that makes a wrong answer; `why` says what is wrong with it."""
    return _marked(why, slip, is_right=False)


def right(why: str) -> Callable[[Make], Make]:
    """Mark the function that makes a right answer; `why` says how it differs from the solution."""
    return _marked(why, "", is_right=True)


def _marked(why: str, slip: str, *, is_right: bool) -> Callable[[Make], Make]:
    def mark(make: Make) -> Make:
        vars(make)["answer"] = Answer(make.__name__, why, slip, make, is_right)
        return make

    return mark


def answers_file(root: Path, exercise: Exercise) -> Path | None:
    """The file of an exercise's answers; None where there is none."""
    folder = root / "tests" / "exercises" / f"m{exercise.id[:2]}"
    found = sorted(folder.glob(f"e{exercise.id[3:]}_*.py"))
    return found[0] if found else None


def answers_to(root: Path, exercise: Exercise) -> Answers:
    """The answers to an exercise; none in a checkout without `tests/`."""
    path = answers_file(root, exercise)
    if path is None:
        return Answers()
    module = ModuleType(f"answers_{path.parent.name}_{path.stem}")
    exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))
    found = [value.answer for value in vars(module).values() if isinstance(_answer(value), Answer)]
    return Answers(
        tuple(answer for answer in found if not answer.right),
        tuple(answer for answer in found if answer.right),
        dict(vars(module).get("EQUIVALENT", {})),
    )


def _answer(value: object) -> object:
    return getattr(value, "__dict__", {}).get("answer") if callable(value) else None
