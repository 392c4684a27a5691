"""Stated rates, and what a right answer costs with and without people and mistakes."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from helpers.cost.rates import Outcome, Rates, total

D = Decimal


@pytest.mark.parametrize("name", ["person_usd", "wrong_usd", "cpu_hour_usd", "embed_seconds"])
@pytest.mark.parametrize("value", [D("-0.01"), D("NaN"), D("Infinity")])
def test_a_rate_that_cannot_be_is_named(name: str, value: Decimal) -> None:
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=name):
        Rates(**arguments)


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match=r"wrong_usd is 2\.5"):
        Rates(wrong_usd=2.5)  # type: ignore[arg-type]


def test_a_search_costs_its_processor_time() -> None:
    assert float(Rates().search_usd(3)) == pytest.approx(3 * 0.0054 * 0.04 / 3600)
    with pytest.raises(ValueError, match="-1 texts"):
        Rates().search_usd(-1)


def test_a_right_answer_pays_for_the_others_too() -> None:
    outcomes: list[Outcome] = ["right", "right", "wrong", "handed over"]
    found = total(outcomes, [D("0.01")] * 4, ["a", "b", "c", "d"])
    assert found.counts == {"right": 2, "wrong": 1, "handed over": 1}
    assert found.spent_usd == D("0.04")
    assert found.with_people_usd == D("7.04")
    assert found.a_right_answer
    assert found.a_right_answer_with_people
    assert found.a_right_answer.value == pytest.approx(0.02)
    assert found.a_right_answer.count == 2
    assert found.a_right_answer_with_people.value == pytest.approx(3.52)
    changed = total(outcomes, [D("0.01")] * 4, ["a", "b", "c", "d"], Rates(person_usd=D(0)))
    assert changed.with_people_usd == D("5.04")


def test_nothing_right_has_no_cost_of_a_right_answer() -> None:
    found = total(["wrong", "handed over"], [D("0.01")] * 2, ["a", "b"])
    assert found.a_right_answer is found.a_right_answer_with_people is None
    assert found.with_people_usd == D("7.02")


def test_wordings_of_one_intent_are_drawn_together() -> None:
    random = np.random.default_rng(5)
    right = random.random(40) < 0.6
    once: list[Outcome] = ["right" if each else "wrong" for each in right]
    intents = [f"i{n}" for n in range(40)]
    alone = total(once, [D("0.01")] * 40, intents).a_right_answer
    five = total(once * 5, [D("0.01")] * 200, intents * 5).a_right_answer
    assert alone
    assert five
    assert five.value == pytest.approx(alone.value)
    # Five wordings each that are right or wrong together say no more than one.
    assert five.high - five.low == pytest.approx(alone.high - alone.low, rel=1e-9)


@pytest.mark.parametrize("intents", [[], ["a"], ["a", "b", "c"]])
def test_what_does_not_belong_together_is_refused(intents: list[str]) -> None:
    with pytest.raises(ValueError, match="one of each"):
        total(["right", "wrong"], [D(1), D(1)], intents)
    with pytest.raises(ValueError, match="at least one"):
        total([], [], [])
