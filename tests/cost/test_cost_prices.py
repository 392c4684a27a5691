"""Prices in Decimal: the same as helpers.models.prices, dated, and never an unknown zero."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages.ai import UsageMetadata

from helpers.cost.prices import (
    OldPrices,
    PriceList,
    check_hosted_prices,
    hosted_prices_date,
    price,
)
from helpers.models import prices
from helpers.models.errors import UnknownPrice

D = Decimal
STATED = {
    "as_of": "2026-11-01",
    "models": {"small": {"input": 0.15, "output": "0.6", "cache_read": 0.075}},
}


def usage(read: int, written: int, **details: int) -> UsageMetadata:
    found = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    if details:
        found["input_token_details"] = details  # type: ignore[typeddict-item]
    return found


@pytest.mark.parametrize(
    "model",
    [
        *("local", "smollm2-135m-instruct", "gpt-4o-mini", "openai:gpt-5-mini"),
        "anthropic:claude-sonnet-4-5",
    ],
)
@pytest.mark.parametrize(
    "used",
    [
        *(usage(0, 0), usage(1, 1), usage(1_234_567, 89_012), usage(5000, 10, cache_read=4096)),
        usage(5000, 10, cache_read=1024, cache_creation=2048),
    ],
)
def test_the_same_as_the_models_prices(model: str, used: UsageMetadata) -> None:
    found = price(model, used)
    assert isinstance(found, Decimal)
    assert float(found) == pytest.approx(prices.cost(model, used), abs=1e-12)


def test_a_sum_does_not_depend_on_the_order() -> None:
    parts = [price("local", usage(n, 7)) for n in range(500)]
    assert sum(parts) == sum(reversed(parts))


def test_an_answer_from_a_cache_costs_nothing() -> None:
    assert price("gpt-4o-mini", usage(1000, 1000), cached=True) == 0


def test_the_processor_has_the_price_that_is_stated() -> None:
    twice = price("local", usage(100, 10), cpu_hour_usd=D("0.08"))
    assert float(twice) == pytest.approx(2 * float(price("local", usage(100, 10))))


@pytest.mark.parametrize("model", ["nonsense", "openai:nonsense", "", ":"])
def test_an_unknown_price_is_an_error(model: str) -> None:
    with pytest.raises(UnknownPrice, match="PriceList"):
        price(model, usage(10, 10))


@pytest.mark.parametrize("used", [usage(-1, 0), usage(0, -1), usage(10, 0, cache_read=11)])
def test_tokens_that_cannot_be_are_refused(used: UsageMetadata) -> None:
    with pytest.raises(ValueError, match=r"negative|More tokens"):
        price("local", used)


def test_a_list_of_your_own() -> None:
    found = PriceList.of(json.loads(json.dumps(STATED)))
    today = date(2026, 11, 28)
    million = usage(1_000_000, 1_000_000)
    assert found.price("small", million, today=today) == D("0.75")
    assert found.price("openai:small", million, today=today) == D("0.75")
    cached = usage(1_000_000, 0, cache_read=1_000_000)
    assert found.price("small", cached, today=today) == D("0.075")
    assert found.price("small", million, cached=True, today=date(2040, 1, 1)) == 0
    with pytest.raises(UnknownPrice, match=r"'large'.*has small"):
        found.price("large", million, today=today)


def test_an_old_list_says_its_date() -> None:
    found = PriceList.of(STATED, max_age_days=120)
    found.check(date(2027, 3, 1))
    with pytest.raises(OldPrices, match=r"as of 2026-11-01, 121 days ago.*set its as_of"):
        found.price("small", usage(1, 1), today=date(2027, 3, 2))
    with pytest.raises(OldPrices, match="2026-11-01, which is still to come"):
        found.check(date(2026, 10, 1))


def test_the_hosted_prices_have_a_date_too() -> None:
    today = date(2026, 11, 28)
    as_of = hosted_prices_date(today)
    assert date(2026, 11, 1) <= as_of <= today
    assert check_hosted_prices(today=today) == as_of
    with pytest.raises(OldPrices, match=rf"genai-prices is as of {as_of}.*pip install -U"):
        check_hosted_prices(today=today, max_age_days=0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"as_of": "yesterday"}, "says its date"),
        ({"as_of": None}, "says its date"),
        ({"models": {}}, "at least one"),
        ({"models": {"m": 3}}, "'m' needs input and output"),
        ({"models": {"m": {"input": 1}}}, "'m' needs input and output"),
        ({"models": {"m": {"input": 1, "output": 1, "cached": 2}}}, "'m' needs"),
        ({"models": {"m": {"input": -1, "output": 1}}}, "input of 'm' is -1"),
        ({"models": {"m": {"input": 1, "output": "NaN"}}}, "output of 'm' is NaN"),
        ({"models": {"m": {"input": "free", "output": 1}}}, "input of 'm' is no number"),
    ],
)
def test_a_list_that_cannot_be_used_names_the_entry(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        PriceList.of({**STATED, **change})
