"""What a case expects of a result, and the words for it."""

import inspect
import math
import re
import reprlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from numbers import Number, Rational
from typing import Any

import numpy

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
    """A result equal to `value`, by this course's equality and not by the result's own.

    True is not 1, a list is not a tuple, an array must be equal as a whole, and numbers are equal
    whatever their type (1, 1.0, `Decimal(1)`, `numpy.int64(1)`).
    """
    return Expectation(text=brief(value), judge=lambda got: _equal(got, value))


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


def is_number(got: Any) -> bool:
    """Whether this is one real number, of Python's or of another library's types."""
    if isinstance(got, bool) or _is_boolean(got):
        return False
    if isinstance(got, Number):
        return not isinstance(got, complex) and hasattr(got, "__float__")
    # An array of no dimension holds one number; its type knows it by its name alone.
    return getattr(got, "shape", None) == () and getattr(got.dtype, "kind", "") in ("i", "u", "f")


def kind(value: object) -> str:
    """What a value is, in words for a card: "a tuple", "None", "a function", "an int"."""
    if value is None:
        return "None"
    if inspect.iscoroutinefunction(value):
        return "an async function"
    if inspect.isroutine(value):
        return "a function"
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _is_boolean(got: object) -> bool:
    return type(got).__module__ == "numpy" and type(got).__name__ in ("bool", "bool_")


def _equal(got: Any, value: Any) -> Verdict:
    """Whether two values are the same; a sentence where their types tell them apart.

    The expected value's own type compares: an object that says it equals everything does not pass.
    """
    if isinstance(value, bool):
        return (
            bool(got) is value if isinstance(got, bool) or _is_boolean(got) else _other(got, value)
        )
    if is_number(value):
        return _exact(got) == _exact(value) if is_number(got) else _other(got, value)
    if isinstance(value, str | bytes):
        base: Any = str if isinstance(value, str) else bytes
        return base.__eq__(value, got) is True if isinstance(got, base) else _other(got, value)
    if isinstance(value, list | tuple):
        if not isinstance(got, list if isinstance(value, list) else tuple):
            return _other(got, value)
        return len(got) == len(value) and _all_equal(zip(got, value, strict=True))
    if isinstance(value, dict):
        if not isinstance(got, dict):
            return _other(got, value)
        return value.keys() == got.keys() and _all_equal((got[key], value[key]) for key in value)
    if value is None or got is None:
        return got is value or _other(got, value)
    compare: Any = type(value).__eq__
    same = compare(value, got)
    if same is NotImplemented:
        return got is value
    if not hasattr(same, "shape"):
        return bool(same)
    # Arrays and tables compare item by item, a smaller one with each part of a larger.
    return getattr(got, "shape", None) == value.shape and bool(numpy.all(same))


def _all_equal(pairs: Iterable[tuple[Any, Any]]) -> Verdict:
    for a, b in pairs:
        verdict = _equal(a, b)
        if verdict is not True:
            return verdict
    return True


def _other(got: object, value: object) -> Verdict:
    there, wanted = kind(got), kind(value)
    if there == wanted:
        return False
    return f"{brief(got)} is {there}, where {wanted} is expected."


def _exact(number: Any) -> Any:
    """A number as a fraction, so that no rounding hides a difference; infinity as a float."""
    if isinstance(number, Rational):
        return Fraction(int(number.numerator), int(number.denominator))
    if isinstance(number, Decimal):
        return Fraction(number) if number.is_finite() else float(number)
    number = float(number)
    return Fraction(number) if math.isfinite(number) else number


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
