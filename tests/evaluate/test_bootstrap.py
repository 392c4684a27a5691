"""Intervals by resampling."""

from statistics import fmean, stdev

import numpy as np
import pytest

from helpers.evaluate.bootstrap import bootstrap_mean, bootstrap_means, paired_bootstrap


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    values = list(np.random.default_rng(3).gamma(4, size=200))
    found = bootstrap_mean(values)
    half = 1.96 * stdev(values) / 200**0.5
    assert found.value == pytest.approx(fmean(values))
    assert found.count == 200
    assert (found.low, found.high) == pytest.approx(
        (found.value - half, found.value + half), abs=0.1 * half
    )


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert not np.array_equal(bootstrap_means(values, seed=1), bootstrap_means(values, seed=2))


def test_chunks_change_nothing_but_memory() -> None:
    assert bootstrap_means([0.0, 1.0] * 1500, resamples=1001).shape == (1001,)


def test_pairing_takes_out_what_questions_share() -> None:
    random = np.random.default_rng(0)
    hard = random.normal(10, 5, size=80)
    before, after = list(hard), list(hard - 0.5 + random.normal(0, 0.2, size=80))
    found = paired_bootstrap(before, after)
    assert found.value == pytest.approx(-0.5, abs=0.1)
    assert found.high < 0
    turned = paired_bootstrap(before, list(reversed(after)))
    assert turned.low < 0 < turned.high


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_what_cannot_be_resampled(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(values)


def test_unpaired_values_are_refused() -> None:
    with pytest.raises(ValueError, match="pair them"):
        paired_bootstrap([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="at least 1"):
        bootstrap_mean([1.0], resamples=0)
