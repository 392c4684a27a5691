"""Equality by the course's rules: the expected value's type compares, never the learner's."""

import dataclasses
import math
from collections import deque
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from numbers import Number, Rational
from typing import Any

import numpy

from helpers.course.exercises.words import brief, kind

Verdict = bool | str
"""True: right. False: wrong. A sentence: wrong, and this is why."""

_HONEST = (str, bytes, int, float, type(None))  # exactly these; they hash and compare as Python's
_SEQUENCES = (list, tuple, deque)


def accepts(verdict: Any) -> bool:
    """Whether a verdict means right: a sentence does not, and NumPy's booleans count."""
    return not isinstance(verdict, str) and bool(verdict)


def same(got: Any, value: Any, rel: float = 0.0) -> Verdict:
    """Whether two values are the same; a sentence where their types tell them apart.

    Floats that are expected may differ by `rel` times their size. NaN is NaN.
    """
    if got is value:
        return True
    own = type(got)  # isinstance() would ask the learner's object for its __class__
    if _is_boolean(value):
        return bool(got) is bool(value) if _is_boolean(got) else _other(got, value)
    if is_number(value):
        return _same_number(got, value, rel) if is_number(got) else _other(got, value)
    if isinstance(value, str | bytes):
        base: Any = str if isinstance(value, str) else bytes
        return base.__eq__(value, got) is True if issubclass(own, base) else _other(got, value)
    for base in _SEQUENCES:
        if isinstance(value, base):
            if not issubclass(own, base):
                return _other(got, value)
            return len(got) == len(value) and _all_same(zip(got, value, strict=True), rel)
    if isinstance(value, dict):
        return _same_dict(got, value, rel) if issubclass(own, dict) else _other(got, value)
    if isinstance(value, set | frozenset):
        there = issubclass(own, set | frozenset)
        return _same_set(list(got), list(value), rel) if there else _other(got, value)
    if value is None or got is None:
        return _other(got, value)
    if isinstance(value, numpy.ndarray):
        return (
            _same_array(got, value, rel) if issubclass(own, numpy.ndarray) else _other(got, value)
        )
    if type(value).__module__.startswith("pandas.") and hasattr(value, "axes"):
        return _same_table(got, value, rel) if own is type(value) else _other(got, value)
    if fields := _fields(value):
        if own is not type(value):
            return _other(got, value)
        return _all_same(((vars(got)[n], vars(value)[n]) for n in fields), rel)
    if isinstance(value, date) and issubclass(own, datetime) != isinstance(value, datetime):
        return _other(got, value)
    compare: Any = type(value).__eq__
    equal = compare(value, got)
    return equal is not NotImplemented and bool(equal)


def is_number(got: Any) -> bool:
    """Whether this is one real number, of Python's or of another library's types."""
    own = type(got)
    if _is_boolean(got):
        return False
    if issubclass(own, Number):
        return not issubclass(own, complex) and hasattr(own, "__float__")
    return issubclass(own, numpy.ndarray) and got.shape == () and got.dtype.kind in "iuf"


def _is_boolean(got: Any) -> bool:
    own = type(got)
    if issubclass(own, numpy.ndarray):
        return bool(got.shape == () and got.dtype.kind == "b")
    return issubclass(own, bool | numpy.bool_)


def _same_number(got: Any, value: Any, rel: float) -> bool:
    mine, theirs = _exact(got), _exact(value)
    if isinstance(mine, float) and isinstance(theirs, float):  # neither is finite
        return mine == theirs or (math.isnan(mine) and math.isnan(theirs))
    if mine == theirs:
        return True
    if not rel or not isinstance(value, float | numpy.floating) or isinstance(mine, float):
        return False
    return bool(near(got, float(value), rel, 1e-12))


def near(got: Any, value: float, rel: float, absolute: float) -> bool:
    """Whether a number is within `rel` times `value` or within `absolute`; NaN is near NaN."""
    try:
        number = float(got)
    except OverflowError:  # larger than any float
        return False
    if math.isnan(value):
        return math.isnan(number)
    return math.isclose(number, value, rel_tol=rel, abs_tol=absolute)


def _exact(number: Any) -> Any:
    """A number as a fraction, so that no rounding hides a difference; otherwise a float."""
    if isinstance(number, Rational):
        return Fraction(int(number.numerator), int(number.denominator))
    if isinstance(number, Decimal):
        if number.is_nan():  # float() refuses a signalling one
            return math.nan
        return Fraction(number) if number.is_finite() else float(number)
    number = float(number)
    return Fraction(number) if math.isfinite(number) else number


def _all_same(pairs: Iterable[tuple[Any, Any]], rel: float) -> Verdict:
    for a, b in pairs:
        verdict = same(a, b, rel)
        if verdict is not True:
            return verdict
    return True


def _same_dict(got: dict[Any, Any], value: dict[Any, Any], rel: float) -> Verdict:
    items = list(dict.items(got))
    if len(items) != len(value):
        return False
    if all(type(key) in _HONEST for key in [*value, *(key for key, _ in items)]):
        mine = dict(items)
        return mine.keys() == value.keys() and _all_same(
            ((mine[key], value[key]) for key in value), rel
        )
    for key, wanted in value.items():
        at = next((n for n, (mine, _) in enumerate(items) if same(mine, key) is True), None)
        if at is None:
            return False
        verdict = same(items.pop(at)[1], wanted, rel)
        if verdict is not True:
            return verdict
    return True


def _same_set(got: list[Any], value: list[Any], rel: float) -> bool:
    if not rel and all(type(item) in _HONEST for item in [*got, *value]):
        return set(got) == set(value)
    if len(got) != len(value):
        return False
    for item in value:
        at = next((n for n, mine in enumerate(got) if same(mine, item, rel) is True), None)
        if at is None:
            return False
        got.pop(at)
    return True


def _same_array(got: Any, value: Any, rel: float) -> Verdict:
    if got.shape != value.shape:
        return f"Its shape is {got.shape}, where {value.shape} is expected."
    if rel or "O" in got.dtype.kind + value.dtype.kind:
        return same(got.tolist(), value.tolist(), rel)
    if "b" in got.dtype.kind + value.dtype.kind and got.dtype.kind != value.dtype.kind:
        return False
    floats = "f" in got.dtype.kind and "f" in value.dtype.kind
    return bool(numpy.array_equal(got, value, equal_nan=floats))


def _same_table(got: Any, value: Any, rel: float) -> Verdict:
    labels = zip(got.axes, value.axes, strict=True)
    verdict = _all_same(((mine.tolist(), theirs.tolist()) for mine, theirs in labels), 0.0)
    return (
        same(got.to_numpy().tolist(), value.to_numpy().tolist(), rel)
        if verdict is True
        else verdict
    )


def _fields(value: Any) -> list[str]:
    """The fields by which a dataclass or a Pydantic model compares; none for other objects.

    Their own equality asks that of each field's value, which may be the learner's.
    """
    if not hasattr(value, "__dict__"):
        return []
    names = [*getattr(type(value), "__pydantic_fields__", ())]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names += [field.name for field in dataclasses.fields(value) if field.compare]
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return [name for name in names if name in vars(value)] if not extra else []


def _other(got: object, value: object) -> Verdict:
    there, wanted = kind(got), kind(value)
    if there == wanted:
        return False
    return f"{brief(got)} is {there}, where {wanted} is expected."


def apart(got: Any, value: Any, rel: float = 0.0) -> str:
    """Where two values part that a card would write alike, as a sentence; "" where it is unclear.

    A card cuts what is long.
    """
    if isinstance(got, str) and isinstance(value, str):
        pairs = zip_longest(str.__iter__(got), str.__iter__(value))
        at = next((n for n, (a, b) in enumerate(pairs) if a != b), len(value))
        mine, theirs = brief(str(got)[at : at + 40]), brief(value[at : at + 40])
        return f"From character {at} on it is {mine}, where {theirs} is expected."
    if isinstance(got, dict) and isinstance(value, dict):
        for key in value:
            if key not in got:
                return f"The key {brief(key)} is missing."
            if same(got[key], value[key], rel) is not True:
                return _place(f"At the key {brief(key)}", got[key], value[key], rel)
        return f"It has {len(got)} keys, where {len(value)} are expected."
    if isinstance(got, _SEQUENCES) and isinstance(value, _SEQUENCES):
        for n, (mine, theirs) in enumerate(zip(got, value, strict=False)):
            if same(mine, theirs, rel) is not True:
                return _place(f"At index {n}", mine, theirs, rel)
        return f"It has {len(got)} items, where {len(value)} are expected."
    return ""


def _place(where: str, got: Any, value: Any, rel: float) -> str:
    if brief(got) == brief(value):
        return f"{where}: {apart(got, value, rel)}"
    return f"{where} is {brief(got)}, where {brief(value)} is expected."
