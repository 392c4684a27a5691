"""How an exercise is defined, and how it is found by its number."""

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.exercises.expect import Expectation, equal
from helpers.course.exercises.slips import Slip, from_pair

_ID = re.compile(r"(\d\d)\.([1-9]\d*)")
_FOLDER = Path(__file__).parent
_NO_STARTER = object()
_exercises: dict[str, "Exercise"] = {}


class UnknownExercise(LookupError):  # noqa: N818 - it reads as what it is
    """There is no exercise of this number; the message says which there are."""


@dataclass(frozen=True)
class Hint:
    """A hint that fits some cases: those whose `about` is one of these words."""

    text: str
    about: tuple[str, ...]

    def __init__(self, text: str, *about: str) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "about", about)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Case:
    """One thing that an exercise's answer must do.

    Attributes:
        name: what is looked at, as the card names it.
        call: uses the learner's object and returns what is judged; may return an awaitable.
        expect: the value that must come, or an `Expectation`.
        show: the call as the learner would write it; a function where it is known only afterwards.
        slips: known mistakes, with what to say of each.
        limit: seconds after which the call is ended.
        about: one word for what it tests, by which hints find it.
        arguments: what the learner's function is called with, where that is known: `Slip.like`
            compares with a faulty function by them.
        live: whether it starts a service or asks a model. Live cases are left out when every case
            before them failed. By default, those with a limit of more than 10 seconds.
        after_all: whether it is left out as soon as one case before it has failed: for what takes
            so long that a wrong answer should not wait for it.
    """

    name: str
    call: Callable[[], Any]
    expect: Any
    show: str | Callable[[], str]
    slips: Sequence[Slip | tuple[Any, str]] = ()
    limit: float = 10.0
    about: str = ""
    arguments: tuple[Any, ...] | None = None
    live: bool | None = None
    after_all: bool = False

    @property
    def expectation(self) -> Expectation:
        """What is expected, whichever way it was given."""
        return self.expect if isinstance(self.expect, Expectation) else equal(self.expect)

    @property
    def shown(self) -> str:
        """The call as the learner would write it."""
        return self.show if isinstance(self.show, str) else self.show()

    @property
    def is_live(self) -> bool:
        """Whether it takes a running service or a model."""
        return self.limit > 10 if self.live is None else self.live

    @property
    def known_slips(self) -> tuple[Slip, ...]:
        """The slips, with those of older exercises given a kind."""
        return tuple(
            slip if isinstance(slip, Slip) else from_pair(number, slip)
            for number, slip in enumerate(self.slips, 1)
        )


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number, its hints, and the cases that its answer is tried on.

    `gate`: it measures an effect on a running system.
    """

    id: str
    title: str
    hints: tuple[str | Hint, ...]
    cases: Callable[[Any], Iterable[Case]]
    starter: object = _NO_STARTER
    gate: bool = False

    @property
    def given(self) -> bool:
        """Whether the learner changes given code instead of replacing a `TODO`."""
        return self.starter is not _NO_STARTER

    def hints_for(self, about: str) -> list[int]:
        """The places of the hints that fit a case about this: its own, or else the general ones."""
        own = [n for n, hint in enumerate(self.hints) if about and about in _about(hint)]
        return own or self.general_hints()

    def general_hints(self) -> list[int]:
        """The places of the hints that fit any case."""
        return [n for n, hint in enumerate(self.hints) if not _about(hint)]


def _about(hint: str | Hint) -> tuple[str, ...]:
    return hint.about if isinstance(hint, Hint) else ()


def exercise(
    exercise_id: str,
    *,
    title: str,
    hints: Sequence[str | Hint],
    starter: object = _NO_STARTER,
    gate: bool = False,
) -> Callable[[Callable[[Any], Iterable[Case]]], Exercise]:
    """Define an exercise by the function that yields its cases; see `helpers.course.exercises`.

    Args:
        exercise_id: module and number, such as "01.2".
        title: what the learner makes, as a short phrase.
        hints: from gentle to explicit, at least one; a `Hint` for those that fit some cases alone.
        starter: the code or value to change, for exercises that have no `TODO`.
        gate: it measures an effect on a running system; the strength of its check is measured on
            faulty answers instead of mutants.

    Raises:
        ValueError: the number is malformed, used twice, or of another module than the file.
    """

    def define(cases: Callable[[Any], Iterable[Case]]) -> Exercise:
        found = _ID.fullmatch(exercise_id)
        if found is None:
            raise ValueError(f"{exercise_id!r} is no exercise's number: write it like '01.2'")
        file = re.search(r"\bexercises\.m(\d\d)\.e(\d+)_\w+$", cases.__module__)
        if file and file.groups() != (found[1], found[2]):
            raise ValueError(
                f"exercise {exercise_id} is in {cases.__module__}, not in"
                f" m{found[1]}/e{found[2]}_....py"
            )
        if not hints:
            raise ValueError(f"exercise {exercise_id} has no hints")
        if exercise_id in _exercises:
            raise ValueError(f"there are two exercises {exercise_id}")
        made = Exercise(exercise_id, title, tuple(hints), cases, starter, gate)
        _exercises[exercise_id] = made
        return made

    return define


def modules() -> list[str]:
    """The modules that have exercises, by number: "00", "01", ..."""
    return sorted({path.parent.name[1:] for path in exercise_files()})


def exercise_files(module: str = "[0-9][0-9]") -> list[Path]:
    """The files of modules that have one file an exercise: `mNN/eN_name.py`, in order."""
    found = _FOLDER.glob(f"m{module}/e[0-9]*_*.py")
    return sorted(found, key=lambda path: (path.parent.name, int(path.stem[1:].partition("_")[0])))


def of_module(module: str) -> list[Exercise]:
    """The exercises of one module, in order; none for a module that has no files of them."""
    if module in modules():
        for path in exercise_files(module):
            importlib.import_module(f"helpers.course.exercises.m{module}.{path.stem}")
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
