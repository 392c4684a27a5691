"""Stated rates, and what a right answer costs with and without people and mistakes."""

from decimal import Decimal
from typing import Any

import pytest

from helpers.cost.rates import Rates

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
