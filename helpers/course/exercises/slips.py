"""Known wrong results, and what a card says of each."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from helpers.course.exercises.equality import accepts
from helpers.course.exercises.expect import Expectation, approx, equal


@dataclass(frozen=True)
class Slip:
    """One known mistake: how it shows, and the sentence that names it.

    Made by the four functions of this class, which name its kind. `id` is short, such as
    "whole-prompt": tests of wrong answers name it, so that a sentence can be rewritten freely.
    """

    id: str
    kind: Literal["value", "raises", "when", "like"]
    mark: Any
    text: str

    @classmethod
    def value(cls, slip_id: str, value: object, text: str) -> "Slip":
        """The result is this value, or what this `Expectation` describes."""
        return cls(slip_id, "value", value, text)

    @classmethod
    def raises(cls, slip_id: str, error: type[BaseException], text: str) -> "Slip":
        """The call raised an error of this type."""
        return cls(slip_id, "raises", error, text)

    @classmethod
    def when(cls, slip_id: str, test: Callable[[Any], bool], text: str) -> "Slip":
        """`test(result)` is True. A test that raises is False."""
        return cls(slip_id, "when", test, text)

    @classmethod
    def like(cls, slip_id: str, faulty: Callable[..., Any], text: str) -> "Slip":
        """The result is what this faulty function gives for the same arguments.

        For cases that know their arguments: `example` and `generated`. With generated inputs it has
        to explain every difference that was met.
        """
        return cls(slip_id, "like", faulty, text)

    def shows(
        self, value: Any, error: BaseException | None, calls: Sequence[tuple[Any, Any]]
    ) -> bool:
        """Whether a call that gave `value`, or raised `error`, made this mistake.

        A faulty function has to explain all `calls`, each the arguments and the result, and there
        must be one. May raise what the test or the faulty function raises.
        """
        if self.kind == "raises":
            return isinstance(error, self.mark)
        if error is not None:
            return False
        if self.kind == "when":
            return accepts(self.mark(value))
        if self.kind == "like":
            return bool(calls) and all(
                accepts(_near(self.mark(*copy.deepcopy(arguments))).judge(got))
                for arguments, got in calls
            )
        return accepts(_near(self.mark).judge(value))


def _near(value: Any) -> Expectation:
    if isinstance(value, Expectation):
        return value
    return approx(value, rel=1e-9) if isinstance(value, float) else equal(value, rel=1e-9)


def from_pair(number: int, pair: tuple[Any, str]) -> Slip:
    """A slip that an exercise from before the kinds wrote as a pair; it has no id of its own."""
    mark, text = pair
    name = f"slip-{number}"
    if isinstance(mark, type) and issubclass(mark, BaseException):
        return Slip.raises(name, mark, text)
    if callable(mark) and not isinstance(mark, Expectation):
        return Slip.when(name, mark, text)
    return Slip.value(name, mark, text)
