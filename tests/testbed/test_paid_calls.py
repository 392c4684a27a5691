"""The day of paid model calls: what is planted in it, and that it is the same each time."""

import pandas as pd
import pytest

from helpers.testbed.paid_calls import COLUMNS, GREETINGS, PRICES, paid_calls


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    return paid_calls()


def test_it_is_the_same_each_time_and_another_by_another_seed(calls: pd.DataFrame) -> None:
    assert paid_calls().equals(calls)
    assert not paid_calls(seed=1).equals(calls)
    assert list(calls.columns) == list(COLUMNS)


def test_calls_are_in_order_and_no_two_at_the_same_moment(calls: pd.DataFrame) -> None:
    assert calls["time"].is_monotonic_increasing
    assert calls["time"].is_unique


def test_the_calls_of_a_request_agree(calls: pd.DataFrame) -> None:
    same = calls.groupby("request")[["customer", "conversation", "intent", "text"]]
    assert (same.nunique() <= 1).all(axis=None)


@pytest.mark.parametrize("model", PRICES)
def test_each_call_costs_its_tokens(calls: pd.DataFrame, model: str) -> None:
    read, written = PRICES[model]
    of_model = calls[calls["model"] == model]
    exact = of_model["input_tokens"] * read + of_model["output_tokens"] * written
    assert ((of_model["micro_usd"] - exact).abs() <= 0.5).all()


def test_five_causes_are_planted(calls: pd.DataFrame) -> None:
    assert (calls["status"] == "error").sum() > 20
    assert calls["request"].value_counts().head(3).min() > 10
    repeated = calls[calls["customer"].isna()].groupby(["conversation", "text"])["request"]
    assert repeated.nunique().max() > 30
    assert calls.loc[calls["text"].str.len() > 700, "request"].nunique() > 20
    greetings = calls[calls["intent"] == "small talk"]
    assert set(greetings["text"]) == set(GREETINGS)
    assert set(greetings["model"]) == {"large"}


def test_a_day_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        paid_calls(49)
