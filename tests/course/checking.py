"""Exercises for the tests of the check machinery."""

from collections.abc import Callable, Iterable
from typing import Any

from helpers.course.card import Card, CaseResult
from helpers.course.check import run_check
from helpers.course.exercises import Case, Exercise


def one_case(call: Callable[[Any], Any], expect: Any, **more: Any) -> Exercise:
    """An exercise of a single case, which calls `call(submission)`."""

    def cases(submission: Any) -> Iterable[Case]:
        yield Case("it works", lambda: call(submission), expect, show="f()", **more)

    return Exercise("99.1", "Test", ("Look.", "Look closely."), cases)


def result_of(submission: Any, expect: Any = 1, **more: Any) -> tuple[Card, CaseResult]:
    """The card and the only case of a check that calls `submission()`."""
    card = run_check(one_case(lambda f: f(), expect, **more), submission)
    return card, card.cases[0]


def rows(result: CaseResult) -> dict[str, str]:
    """A case's rows by label."""
    return dict(result.rows)
