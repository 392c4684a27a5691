"""What a case expects of a result, and the words for it."""

import math
import re
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

Verdict = bool | str
"""True: right. False: wrong. A sentence: wrong, and this is why."""


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


def equal(value: object) -> Expectation:
    """A result equal to `value`. True is not 1 here, and an array must be equal as a whole."""
    return Expectation(text=brief(value), judge=lambda got: _equal(got, value))


def approx(
    value: float, *, rel: float = 1e-6, abs: float = 1e-12, text: str | None = None
) -> Expectation:
    """A number within `rel` times `value`, or within `abs`, whichever is wider.

    `text` says what is expected where the number itself would give the answer away.
    """

    def judge(got: Any) -> Verdict:
        if not _is_number(got):
            return f"A number is expected, and this is of type {type(got).__name__}."
        return math.isclose(float(got), value, rel_tol=rel, abs_tol=abs)

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


def _is_number(got: object) -> bool:
    """Whether this is a number, another library's (NumPy's, decimal's) included, and no array."""
    return not isinstance(got, bool) and hasattr(got, "__float__") and not _dimensions(got)


def _dimensions(got: object) -> int:
    return len(getattr(got, "shape", ()))


def _equal(got: Any, value: Any) -> Verdict:
    if isinstance(value, list | tuple) and type(got) is type(value):
        return len(got) == len(value) and all(
            _equal(a, b) is True for a, b in zip(got, value, strict=True)
        )
    if isinstance(value, dict) and isinstance(got, dict):
        return value.keys() == got.keys() and all(
            _equal(got[key], value[key]) is True for key in value
        )
    if isinstance(got, bool) != isinstance(value, bool):
        return False
    same = got == value
    if _dimensions(same):  # arrays compare item by item, a smaller one with each part of a larger
        return bool(getattr(got, "shape", ()) == getattr(value, "shape", ()) and same.all())
    return bool(same)


# --- values as text ---------------------------------------------------------------------------


class _Brief(reprlib.Repr):
    """`repr`, cut to what fits a card; a dictionary keeps its order."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 12
        self.maxdict = 12
        self.maxstring = self.maxlong = 300
        self.maxother = 500

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        pairs = [
            f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}"
            for key, value in islice(x.items(), self.maxdict)
        ]
        return "{" + ", ".join(pairs + ["..."] * (len(x) > self.maxdict)) + "}"

    def repr_instance(self, x: object, level: int) -> str:
        text = _ADDRESS.sub("", repr(x))  # an address says nothing, and is another one each time
        if len(text) <= self.maxother:
            return text
        half = (self.maxother - len(self.fillvalue)) // 2
        return text[:half] + self.fillvalue + text[-half:]


_BRIEF = _Brief()
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def brief(value: object) -> str:
    """A value as Python writes it, cut to what fits a card; its `repr` may raise."""
    try:
        return _BRIEF.repr(value)
    except Exception as error:
        return f"<{type(value).__name__} object whose repr() raises {type(error).__name__}>"
