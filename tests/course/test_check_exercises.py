from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from checking import one_case, result_of, rows

from helpers.course.card import Status
from helpers.course.check import run_check
from helpers.course.exercises import (
    Case,
    Expectation,
    UnknownExercise,
    approx,
    at_least,
    at_most,
    define,
    equal,
    exercise,
    find,
    modules,
    satisfies,
)
from helpers.course.exercises.expect import brief


@pytest.mark.parametrize(
    ("expectation", "right", "wrong"),
    [
        (equal(1), [1, 1.0, np.int64(1)], [True, 2, "1", None, [1]]),
        (equal(True), [True], [1, False, "True"]),
        (equal(["a", 1]), [["a", 1]], [("a", 1), ["a"], ["a", True], "a1"]),
        (equal({"ok": True}), [{"ok": True}], [{"ok": 1}, {"ok": True, "more": 1}, {}]),
        (equal(None), [None], [0, "", False]),
        (
            equal(np.array([1, 2])),
            [np.array([1, 2]), np.array([1.0, 2.0])],
            [np.array([1, 3]), np.array([1, 2, 3]), 1, np.array([[1, 2], [1, 2]])],
        ),
        (
            approx(12.5, rel=0.01),
            [12.5, 12.6, np.float32(12.5), Decimal("12.5")],
            [12.7, -12.5, "12.5", True, None, float("nan"), float("inf"), np.array([12.5]), 12],
        ),
        (approx(0.0), [0, 0.0], [0.001, False]),
        (at_least(2, of=3, what="right"), [[True, True, False]], [[True, False, False]]),
        (at_most(1, of=3, what="succeed"), [[False] * 3], [[True, True, False]]),
        (satisfies("a list", lambda got: isinstance(got, list)), [[]], [(), None]),
    ],
    ids=lambda value: value.text if isinstance(value, Expectation) else "",
)
def test_expectations(expectation: Expectation, right: list[Any], wrong: list[Any]) -> None:
    for value in right:
        card, _ = result_of(lambda value=value: value, expectation)
        assert card.status is Status.PASSED, value
    for value in wrong:
        card, _ = result_of(lambda value=value: value, expectation)
        assert card.status is Status.WRONG, value


def test_a_count_is_told_with_its_sample_also_when_it_passes() -> None:
    _, result = result_of(lambda: [True] * 27 + [False] * 3, at_least(24, of=30, what="right"))
    assert rows(result) == {"Got": "27 of 30 right"}
    _, result = result_of(lambda: [True] * 23 + [False] * 7, at_least(24, of=30, what="right"))
    assert rows(result)["Got"] == "23 of 30 right"
    assert rows(result)["Expected"] == "at least 24 of 30 right"


def test_a_count_of_another_sample_is_refused() -> None:
    _, result = result_of(lambda: [True] * 29, at_least(24, of=30, what="right"))
    assert not result.passed
    assert "30 tries were announced, 29 came" in rows(result)["Why"]


def test_a_predicate_says_why() -> None:
    def three(got: list[str]) -> bool | str:
        return len(got) == 3 or f"There are {len(got)}."

    _, result = result_of(lambda: ["a"], satisfies("three ids", three))
    assert rows(result)["Expected"] == "three ids"
    assert rows(result)["Why"] == "There are 1."
    _, result = result_of(lambda: 5, satisfies("three ids", three))
    assert "TypeError" in rows(result)["Why"]


def test_a_predicate_of_numpy_counts_as_a_boolean() -> None:
    expectation = satisfies("above 1", lambda got: np.float64(got) > 1)
    assert result_of(lambda: 2, expectation)[0].status is Status.PASSED
    assert result_of(lambda: 0, expectation)[0].status is Status.WRONG


@pytest.mark.parametrize(
    ("slip", "submission", "said"),
    [
        (2, lambda: 2, True),
        (2, lambda: 3, False),
        (approx(2.0), lambda: 2.0000001, True),
        (lambda got: got > 5, lambda: 6, True),
        (lambda got: got > 5, lambda: None, False),
        (ZeroDivisionError, lambda: 1 / 0, True),
        (ZeroDivisionError, lambda: [][0], False),
        (ZeroDivisionError, lambda: 2, False),
        (None, lambda: 1 / 0, False),
    ],
)
def test_a_known_slip_is_named(slip: Any, submission: Any, said: bool) -> None:
    _, result = result_of(submission, slips=[(slip, "I know this one.")])
    assert (rows(result).get("Why") == "I know this one.") is said


def test_a_known_slip_takes_the_place_of_the_general_reason() -> None:
    expectation = satisfies("one", lambda got: "not one")
    _, result = result_of(lambda: 2, expectation, slips=[(2, "Two.")])
    assert [text for label, text in result.rows if label == "Why"] == ["Two."]


def test_values_are_written_briefly_and_in_their_order() -> None:
    assert brief({"b": 1, "a": [2]}) == "{'b': 1, 'a': [2]}"
    assert brief(list(range(20))) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]"
    assert brief({n: n for n in range(20)}).endswith("11: 11, ...}")
    assert " at 0x" not in brief(object())
    loop: list[Any] = []
    loop.append(loop)
    assert brief(loop).startswith("[[[[")


def test_an_exercise_is_found_by_its_number() -> None:
    assert find("00.1").title == "What one answer costs"
    assert "00" in modules()
    with pytest.raises(UnknownExercise, match=r"Module 00 has 00\.1, 00\.2"):
        find("00.9")


def test_definitions_that_cannot_be_right_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(define, "_exercises", {})

    def cases(submission: object) -> Iterator[Case]:
        yield Case("a", lambda: 1, 1, show="a")

    with pytest.raises(ValueError, match="write it like"):
        exercise("1.2", title="T", hints=["H"])(cases)
    with pytest.raises(ValueError, match="no hints"):
        exercise("99.1", title="T", hints=[])(cases)
    exercise("99.1", title="T", hints=["H"])(cases)
    with pytest.raises(ValueError, match=r"two exercises 99\.1"):
        exercise("99.1", title="T", hints=["H"])(cases)
    monkeypatch.setattr(cases, "__module__", "helpers.course.exercises.m03.e2_a")
    with pytest.raises(ValueError, match="not in m99/e2_"):
        exercise("99.2", title="T", hints=["H"])(cases)


def test_the_right_answers_of_module_00_pass() -> None:
    def tokens_per_second(usage: Mapping[str, int], seconds: float) -> float:
        if seconds <= 0:
            raise ValueError("seconds must be more than 0")
        return usage["output_tokens"] / seconds

    assert run_check("00.1", 0.000138).status is Status.PASSED
    assert run_check("00.2", tokens_per_second).status is Status.PASSED


def test_the_card_of_module_00_does_not_give_the_cost_away() -> None:
    text = run_check("00.1", 1.0).text()
    assert "0.000138" not in text
    assert "1.38" not in text


def test_an_exercise_of_one_case_is_counted_in_the_singular() -> None:
    assert run_check(one_case(lambda f: f(), 1), lambda: 1).summary == "1 of 1 case passed."
