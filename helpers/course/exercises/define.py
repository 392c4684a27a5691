"""How an exercise is defined, and how it is found by its number."""

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.exercises.expect import Expectation, equal

_ID = re.compile(r"(\d\d)\.[1-9]\d*")
_NO_STARTER = object()
_exercises: dict[str, "Exercise"] = {}


class UnknownExercise(LookupError):  # noqa: N818 - it reads as what it is
    """There is no exercise of this number; the message says which there are."""


@dataclass(frozen=True)
class Case:
    """One thing that an exercise's answer must do.

    Attributes:
        name: what is looked at, as the card names it.
        call: uses the learner's object and returns what is judged; may return an awaitable.
        expect: the value that must come, or an `Expectation`.
        show: the call as the learner would write it.
        slips: known wrong results with what to say of each. The result is given as a value, an
            `Expectation`, a test of the result, or the type of an error that was raised.
        limit: seconds after which the call is ended.
    """

    name: str
    call: Callable[[], Any]
    expect: Any
    show: str
    slips: Sequence[tuple[Any, str]] = ()
    limit: float = 10.0

    @property
    def expectation(self) -> Expectation:
        """What is expected, whichever way it was given."""
        return self.expect if isinstance(self.expect, Expectation) else equal(self.expect)


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number, its hints, and the cases that its answer is tried on."""

    id: str
    title: str
    hints: tuple[str, ...]
    cases: Callable[[Any], Iterable[Case]]
    starter: object = _NO_STARTER

    @property
    def mends(self) -> bool:
        """Whether the learner mends given code instead of replacing a `TODO`."""
        return self.starter is not _NO_STARTER


def exercise(
    exercise_id: str, *, title: str, hints: Sequence[str], starter: object = _NO_STARTER
) -> Callable[[Callable[[Any], Iterable[Case]]], Exercise]:
    """Define an exercise by the function that yields its cases; see `helpers.course.exercises`.

    Args:
        exercise_id: module and number, such as "01.2".
        title: what the learner makes, as a short phrase.
        hints: from gentle to explicit, at least one.
        starter: the code or value to mend, for exercises that have no `TODO`.

    Raises:
        ValueError: the number is malformed, used twice, or of another module than the file.
    """

    def define(cases: Callable[[Any], Iterable[Case]]) -> Exercise:
        found = _ID.fullmatch(exercise_id)
        if found is None:
            raise ValueError(f"{exercise_id!r} is no exercise's number: write it like '01.2'")
        file = cases.__module__.rpartition(".")[2]
        if re.fullmatch(r"m\d\d", file) and file[1:] != found[1]:
            raise ValueError(f"exercise {exercise_id} stands in {file}.py, not in m{found[1]}.py")
        if not hints:
            raise ValueError(f"exercise {exercise_id} has no hints")
        if exercise_id in _exercises:
            raise ValueError(f"there are two exercises {exercise_id}")
        made = Exercise(exercise_id, title, tuple(hints), cases, starter)
        _exercises[exercise_id] = made
        return made

    return define


def modules() -> list[str]:
    """The modules that have exercises, by number: "00", "01", ..."""
    return sorted(path.stem[1:] for path in Path(__file__).parent.glob("m[0-9][0-9].py"))


def of_module(module: str) -> list[Exercise]:
    """The exercises of one module, in order; none for a module that has no file of them."""
    if module in modules():
        importlib.import_module(f"helpers.course.exercises.m{module}")
    return sorted(
        (made for made in _exercises.values() if made.id[:2] == module),
        key=lambda made: int(made.id[3:]),
    )


def find(exercise_id: str) -> Exercise:
    """The exercise of this number.

    Raises:
        UnknownExercise: there is none.
    """
    there = of_module(exercise_id[:2]) if _ID.fullmatch(str(exercise_id)) else []
    for made in there:
        if made.id == exercise_id:
            return made
    if there:
        known = f"Module {exercise_id[:2]} has {', '.join(made.id for made in there)}."
    else:
        known = f"The modules with exercises are {', '.join(modules())}."
    raise UnknownExercise(f"There is no exercise {exercise_id!r}. {known}")
