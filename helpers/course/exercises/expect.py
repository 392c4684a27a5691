"""What a case expects of a result, and the words for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.course.exercises.equality import Verdict, apart, is_number, near, same
from helpers.course.exercises.words import brief, kind


@dataclass(frozen=True)
class Expectation:
    """What must come of a call.

    Attributes:
        text: what is expected, in words or as Python writes it.
        judge: takes the result (or the error, where one is expected) and gives the verdict.
        error: the error that the call must raise; None where it must return.
        show: how a result is written, where its `repr` says too little.
    """

    text: str
    judge: Callable[[Any], Verdict]
    error: type[BaseException] | None = None
    show: Callable[[Any], str] | None = None


def equal(value: object, *, rel: float = 0.0) -> Expectation:
    """A result equal to `value`, by this course's equality and not by the result's own.

    True is not 1, a list is not a tuple, an array must be equal as a whole, and numbers are equal
    whatever their type (1, 1.0, `Decimal(1)`, `numpy.int64(1)`). Where `value` holds floats, each
    may differ by `rel` times its size.
    """

    def judge(got: Any) -> Verdict:
        verdict = same(got, value, rel)
        if verdict is False and brief(got) == brief(value):
            return apart(got, value, rel) or False
        return verdict

    return Expectation(text=brief(value), judge=judge)


def approx(
    value: float, *, rel: float = 1e-6, abs: float = 1e-12, text: str | None = None
) -> Expectation:
    """A number within `rel` times `value`, or within `abs`, whichever is wider.

    Any number counts: int, float, Decimal, Fraction, NumPy's; a bool, a complex number or an array
    does not. `text` says what is expected where the number itself would give the answer away.
    """

    def judge(got: Any) -> Verdict:
        if not is_number(got):
            return f"A number is expected; this is {kind(got)}."
        return near(got, value, rel, abs)

    return Expectation(text=text or f"about {value!r}", judge=judge)


def satisfies(text: str, test: Callable[[Any], Verdict]) -> Expectation:
    """A result for which `test` is True; `text` says in words what is expected.

    `test` may return a sentence instead of False, which says what is wrong with this result.
    """
    return Expectation(text=text, judge=test)


def raises(error: type[BaseException], part: str = "") -> Expectation:
    """A call that raises `error`, with `part` somewhere in its message (in any case)."""

    def judge(got: Any) -> Verdict:
        if part.lower() in str(got).lower():
            return True
        return f"The error is right; its message should name {part!r}."

    words = f", with {part!r} in its message" if part else ""
    return Expectation(text=f"{error.__name__} is raised{words}", judge=judge, error=error)


def at_least(count: int, *, of: int, what: str) -> Expectation:
    """At least `count` of `of` tries come out true; the call returns a list, one boolean a try."""
    return _counted(f"at least {count} of {of} {what}", lambda n: n >= count, of, what)


def at_most(count: int, *, of: int, what: str) -> Expectation:
    """At most `count` of `of` tries come out true; the call returns a list, one boolean a try."""
    return _counted(f"at most {count} of {of} {what}", lambda n: n <= count, of, what)


def _counted(text: str, enough: Callable[[int], bool], of: int, what: str) -> Expectation:
    def judge(got: Sequence[bool]) -> Verdict:
        if len(got) != of:  # the exercise's own fault: a threshold for another sample
            raise ValueError(f"{of} tries were announced, {len(got)} came")
        return enough(sum(map(bool, got)))

    def show(got: Sequence[bool]) -> str:
        return f"{sum(map(bool, got))} of {len(got)} {what}"

    return Expectation(text=text, judge=judge, show=show)
