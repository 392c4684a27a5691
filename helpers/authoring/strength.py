"""How strong a check is: the share of small faults in the solution that it rejects."""

import functools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.authoring.answers import FEWEST_FAULTY, Answers
from helpers.authoring.mutants import FIRST, Mutant, mutants
from helpers.authoring.solved import MARK
from helpers.course.card import Status
from helpers.course.check import run_check
from helpers.course.exercises.define import Exercise
from helpers.course.exercises.oracle import solved_file

ENOUGH = 0.9
"""The least share of mutants that a check has to reject."""

MOST_EQUIVALENT = 0.1
"""The largest share of mutants that may be listed as equivalent."""


@dataclass(frozen=True)
class Strength:
    """What a check did with the mutants of its exercise's solution.

    Attributes:
        exercise: its number.
        rejected: how many came out wrong or partly right.
        survivors: the names of those that passed.
        equivalent: those that are listed as equivalent, with the reason; they are not tried.
        unknown: listed as equivalent, but no mutant has this name.
        gate: whether it is a live gate, of which all faulty answers, ten or more, are rejected.
    """

    exercise: str
    rejected: int
    survivors: tuple[str, ...]
    equivalent: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    gate: bool = False

    @property
    def tried(self) -> int:
        """How many were tried."""
        return self.rejected + len(self.survivors)

    @property
    def share(self) -> float:
        """The share that was rejected, 0 to 1; 1 where there was none to try."""
        return self.rejected / self.tried if self.tried else 1.0

    @property
    def enough(self) -> bool:
        """Whether it is strong enough, and few mutants are called equivalent."""
        if self.gate:
            return not self.survivors and self.tried >= FEWEST_FAULTY
        few = len(self.equivalent) <= MOST_EQUIVALENT * (self.tried + len(self.equivalent))
        return self.share >= ENOUGH and few and not self.unknown and self.tried > 0


def measure(
    exercise: Exercise, answers: Answers, *, sample: int | None = None, seed: int = 0
) -> Strength:
    """Try an exercise's check on mutants of its solution; a live gate's on its wrong answers.

    Args:
        exercise: of a module with one file an exercise.
        answers: its answers, which also name the equivalent mutants.
        sample: how many to try, chosen by `seed`; all by default.
        seed: for the choice.

    Raises:
        FileNotFoundError: the build has not written the reference solution.
    """
    faults = _faulty(answers) if exercise.gate else _mutated(exercise)
    chosen = [name for name in faults if name not in answers.equivalent]
    if sample is not None and sample < len(chosen):
        chosen = random.Random(seed).sample(chosen, sample)
    survivors = [name for name in chosen if _passes(exercise, faults[name])]
    return Strength(
        exercise.id,
        len(chosen) - len(survivors),
        tuple(survivors),
        {name: why for name, why in answers.equivalent.items() if name in faults},
        tuple(name for name in answers.equivalent if name not in faults),
        gate=exercise.gate,
    )


def _faulty(answers: Answers) -> dict[str, Callable[[], object]]:
    return {f"{one.name}: {one.why}": one.make for one in answers.wrong}


def _mutated(exercise: Exercise) -> dict[str, Callable[[], object]]:
    path = solved_file(exercise.id)
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing: run `course build {exercise.id[:2]}`.")
    prelude, _, own = path.read_text("utf-8").partition(f"{MARK}\n")
    cell, _, answer = own.rpartition("ANSWER = ")

    def made(mutant: Mutant) -> object:
        space: dict[str, Any] = {"__name__": "mutant", FIRST: {}}
        exec(compile(prelude, str(path), "exec"), space)
        exec(compile(mutant.tree, "<mutant>", "exec"), space)
        return eval(answer.strip(), space)

    return {mutant.name: functools.partial(made, mutant) for mutant in mutants(cell)}


def _passes(exercise: Exercise, make: Callable[[], object]) -> bool:
    try:
        submission = make()
    except Exception:  # a cell that ends in an error hands nothing in
        return False
    return run_check(exercise, submission).status is Status.PASSED


def report(found: Sequence[Strength]) -> Iterator[str]:
    """The lines that `course strength` prints."""
    for one in found:
        verdict = "strong enough" if one.enough else "TOO WEAK"
        yield f"{one.exercise}: {one.rejected} of {one.tried} rejected ({one.share:.0%}), {verdict}"
        yield from (f"    passes: {name}" for name in one.survivors)
        yield from (f"    equivalent: {name} ({why})" for name, why in one.equivalent.items())
        yield from (f"    listed as equivalent, but gone: {name}" for name in one.unknown)
