"""Equality is the course's: what a result says of itself does not count."""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from unittest.mock import ANY, MagicMock

import numpy as np
import pandas as pd
import pytest
from checking import result_of, rows
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from helpers.course.exercises import approx, equal
from helpers.course.exercises.equality import accepts
from helpers.course.exercises.words import brief, kind


class Liar:
    """Says that it equals everything."""

    shape = ()
    __hash__ = lambda self: hash("a")  # noqa: E731

    def __eq__(self, other: object) -> bool:
        return True


class Text(str):
    __eq__ = Liar.__eq__
    __hash__ = str.__hash__


class Whole(int):
    __eq__ = Liar.__eq__
    __hash__ = int.__hash__


class Items(list):  # type: ignore[type-arg]
    __eq__ = Liar.__eq__


class Pretender:
    """Says that it is a number."""

    __class__ = float  # type: ignore[assignment]


@dataclass
class Point:
    x: Any
    parts: list[Any] = field(default_factory=list)


class Order(BaseModel):
    lines: list[Any]
    buyer: Any = None


NAN = float("nan")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
VALUES = [
    1,
    1.5,
    True,
    None,
    "a",
    b"a",
    ["a"],
    ("a", 1),
    {"a": 1},
    {"a"},
    frozenset({"a"}),
    deque(["a"]),
    Point("a"),
    Order(lines=["a"]),
    HumanMessage("a"),
    NOON,
    NOON.date(),
    Decimal("1.5"),
    Fraction(1, 3),
    1 + 2j,
    np.array([1, 2]),
    np.float64(1.5),
    np.bool_(True),
    pd.DataFrame({"a": [1]}),
    pd.Series([1]),
]


@pytest.mark.parametrize("value", VALUES, ids=kind)
@pytest.mark.parametrize(
    "liar", [ANY, Liar(), MagicMock(), Pretender()], ids=["ANY", "eq", "mock", "class"]
)
def test_what_says_that_it_equals_everything_does_not(value: object, liar: object) -> None:
    assert not accepts(equal(value).judge(liar))
    assert not accepts(equal([value]).judge([liar]))
    assert not accepts(equal({"k": value}).judge({"k": liar}))
    assert not accepts(equal(Point(1, [value])).judge(Point(1, [liar])))
    assert not accepts(equal(Order(lines=[value])).judge(Order.model_construct(lines=[liar])))
    assert not accepts(approx(1.5).judge(liar))


def test_neither_do_keys_members_and_items_of_arrays() -> None:
    liar = Liar()
    assert equal({"a": 1}).judge({liar: 1}) is False
    assert not accepts(equal({"a"}).judge({liar}))
    assert not accepts(equal(deque(["a"])).judge(deque([liar])))
    assert not accepts(equal(np.array([1])).judge(np.array([liar], dtype=object)))
    assert not accepts(equal(pd.DataFrame({"a": [1]})).judge(pd.DataFrame({"a": [liar]})))
    assert not accepts(equal(HumanMessage("a")).judge(HumanMessage.model_construct(content=liar)))


@pytest.mark.parametrize(
    ("value", "got"), [("a", Text("b")), (1, Whole(2)), ([1], Items([2])), ({1: 2}, {Whole(2): 2})]
)
def test_a_subclass_that_lies_is_compared_by_what_it_holds(value: object, got: object) -> None:
    assert not accepts(equal(value).judge(got))


def test_a_subclass_that_holds_the_same_passes() -> None:
    for value, got in [("a", Text("a")), (1, Whole(1)), ([1], Items([1])), ("a", np.str_("a"))]:
        assert accepts(equal(value).judge(got))


@pytest.mark.parametrize("value", VALUES, ids=kind)
def test_a_value_equals_a_copy_of_itself(value: object) -> None:
    import copy

    assert equal(value).judge(copy.deepcopy(value)) is True


@pytest.mark.parametrize(
    ("value", "got", "right"),
    [
        (NAN, float("nan"), True),
        (NAN, 0.0, False),
        (NAN, Decimal("NaN"), True),
        (1.0, Decimal("sNaN"), False),
        ([NAN], [np.float32("nan")], True),
        (math.inf, np.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, Decimal("Infinity"), True),
        (0.0, -0.0, True),
        (0.5, Fraction(1, 2), True),
        (Decimal("0.5"), 0.5, True),
        (1, np.array(1), True),
        (1, np.array([1]), False),
        (2**53, 2**53 + 1, False),
        (float(2**53), 2**53 + 1, False),
        (10**400, 10**400, True),
        (10**400, math.inf, False),
        (1, 1 + 0j, False),
        (1, np.bool_(True), False),
        (True, np.bool_(True), True),
        (True, np.array(True), True),
        (np.bool_(True), True, True),
        (np.bool_(True), 1, False),
        ({1: "a"}, {True: "a"}, False),
        ({1}, {True}, False),
        ({1: "a"}, {1.0: "a"}, True),
        ({1, 2}, {2.0, np.int64(1)}, True),
        ({(1, "a"): 2, (2, "b"): 3}, {(2, "b"): 3, (1, "a"): 2}, True),
        (np.array([1.0, NAN]), np.array([1.0, NAN]), True),
        (np.array([True]), np.array([1]), False),
        (np.array(["a"]), np.array(["a"]), True),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1.0, 2.0]}), True),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [1, 2]}), False),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1]}), False),
        (pd.Series([1.0, NAN]), pd.Series([1.0, NAN]), True),
        (date(2026, 5, 1), datetime(2026, 5, 1, 3), False),
        (NOON, NOON.date(), False),
        (AIMessage("a", id="1"), AIMessage("a", id="1"), True),
        (AIMessage("a"), AIMessage("b"), False),
        (AIMessage("a"), HumanMessage("a"), False),
        (Point(1, [NAN]), Point(1.0, [NAN]), True),
        (b"a", "a", False),
    ],
)
def test_edges(value: object, got: object, right: bool) -> None:
    assert accepts(equal(value).judge(got)) is right


def test_a_number_beyond_floats_is_not_near() -> None:
    for got in (10**400, -(10**400), Fraction(10**400), Decimal("1e999")):
        assert approx(1.0).judge(got) is False
    assert approx(NAN).judge(NAN) is True
    assert approx(1.0).judge(NAN) is False
    assert approx(math.inf).judge(math.inf) is True
    assert approx(1.0).judge(Decimal("NaN")) is False


def test_what_is_huge_is_written_briefly() -> None:
    assert brief(10**5000) == "<int object of 16,610 bits>"
    assert len(brief("x" * 10**7)) < 400
    assert len(brief([[10**300] * 50] * 50)) < 60_000


def test_a_class_of_another_kinds_name_is_not_taken_for_it() -> None:
    for name in ("bool", "list", "dict", "str", "int", "ndarray", "bool_"):
        thing = type(name, (), {"__repr__": lambda self: "mine", "__module__": "numpy"})()
        assert brief(thing) == "mine"
        assert not accepts(equal(True).judge(thing))


async def later() -> None:
    pass


async def items() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((1,), "a tuple"),
        (None, "None"),
        (1, "an int"),
        ("", "a str"),
        (True, "a bool"),
        (np.float64(1), "a float64"),
        (len, "a function"),
        (lambda: 1, "a function"),
        ([].append, "a function"),
        (later, "an async function"),
        (items, "an async function"),
        (int, "the class int"),
        (AIMessage("a"), "an AIMessage"),
        (type("UUID", (), {})(), "a UUID"),
        (type("Usage", (), {})(), "a Usage"),
        (type("Upper", (), {})(), "an Upper"),
        (type("", (), {})(), "an object"),
        pytest.param(Pretender(), "a Pretender", id="pretender"),
    ],
)
def test_a_kind_is_named(value: object, words: str) -> None:
    assert kind(value) == words


def test_equal_texts_on_a_card_are_told_apart() -> None:
    class Mine:
        def __repr__(self) -> str:
            return "1"

    _, result = result_of(Mine, 1)
    assert rows(result)["Got"] == "1 (a Mine)"
    assert rows(result)["Why"] == "1 is a Mine, where an int is expected."


@pytest.mark.parametrize(
    ("value", "got", "why"),
    [
        (list(range(30)), [*range(29), 7], "At index 29 is 7, where 29 is expected."),
        (list(range(30)), list(range(31)), "It has 31 items, where 30 are expected."),
        ("x" * 999, "x" * 500 + "y" + "x" * 498, "From character 500 on it is"),
        ({n: n for n in range(30)}, {n: min(n, 20) for n in range(30)}, "At the key 21 is 20"),
        ([[[[[1]]]]], [[[[[2]]]]], "At index 0 is [[[[2]]]]"),
    ],
)
def test_where_the_card_cuts_what_differs_it_says_where(value: Any, got: Any, why: str) -> None:
    _, result = result_of(lambda: got, value)
    assert rows(result)["Why"].startswith(why)
