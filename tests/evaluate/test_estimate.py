"""The interval of a mean."""

from math import inf
from statistics import fmean, stdev

import numpy as np
import pytest

from helpers.evaluate.estimate import Estimate


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    values = list(np.random.default_rng(3).gamma(4, size=200))
    found = Estimate.of_mean(values)
    half = 1.96 * stdev(values) / 200**0.5
    assert found.value == pytest.approx(fmean(values))
    assert found.count == 200
    assert (found.low, found.high) == pytest.approx(
        (found.value - half, found.value + half), abs=0.1 * half
    )
    narrow = Estimate.of_mean(values, confidence=0.5)
    assert narrow.confidence == 0.5
    assert found.low < narrow.low < narrow.high < found.high


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [1.0, 2.0, 4.0, 8.0, 9.5]
    assert Estimate.of_mean(values, seed=1) == Estimate.of_mean(values, seed=1)
    assert Estimate.of_mean([3.0, 3.0]) == Estimate(3.0, 3.0, 3.0, 2)


def test_one_value_leaves_both_ends_open() -> None:
    assert Estimate.of_mean([4.0]) == Estimate(4.0, -inf, inf, 1)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_what_has_no_mean(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        Estimate.of_mean(values)
