"""The power of a paired comparison: by summing outcomes, by drawing them, and as published."""

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from helpers.evaluate.sample_size import power_paired, questions_needed


def test_exact_power_is_the_sum_over_outcomes() -> None:
    questions, size, changed = 12, 0.4, 0.6
    gain, loss = (changed + size) / 2, (changed - size) / 2
    total = 0.0
    for gained, lost in product(range(questions + 1), repeat=2):
        rest = questions - gained - lost
        if rest < 0 or gained + lost == 0 or binomtest(gained, gained + lost).pvalue > 0.05:
            continue
        ways = comb(questions, gained) * comb(questions - gained, lost)
        total += ways * gain**gained * loss**lost * (1 - changed) ** rest
    assert power_paired(questions, size, changed) == pytest.approx(total, rel=1e-9)
    assert power_paired(questions, -size, changed) == power_paired(questions, size, changed)


def test_it_is_how_often_drawn_versions_show_the_difference() -> None:
    drawn = np.random.default_rng(4).multinomial(40, [0.04, 0.16, 0.8], size=20_000)
    outcomes, times = np.unique(drawn[:, :2], axis=0, return_counts=True)
    shown = [
        n > 0 and binomtest(g, n).pvalue <= 0.05
        for g, n in zip(outcomes[:, 1], outcomes.sum(axis=1), strict=True)
    ]
    assert times[shown].sum() / 20_000 == pytest.approx(power_paired(40, 0.12, 0.2), abs=0.01)


@pytest.mark.parametrize(
    ("size", "changed", "expected"),
    [
        (0.40, 0.50, 23),  # Connor's formula, powerandsamplesize.com
        (0.15, 0.45, 155),  # the same, with 80.1% power
    ],
)
def test_the_formula_is_connors(size: float, changed: float, expected: int) -> None:
    assert questions_needed(size, changed) == questions_needed(-size, changed) == expected


def test_smaller_differences_need_more() -> None:
    needed = [questions_needed(size, 0.2) for size in (0.15, 0.10, 0.05, 0.02)]
    assert needed == sorted(needed)
    # Half the difference, four times the questions.
    assert needed[2] / needed[1] == pytest.approx(4, rel=0.1)


def test_the_formula_and_the_exact_test_agree_roughly() -> None:
    for size, changed in ((0.10, 0.30), (0.05, 0.10), (0.2, 0.4)):
        needed = questions_needed(size, changed)
        assert 0.70 < power_paired(needed, size, changed) < 0.82
        assert power_paired(round(needed * 1.25), size, changed) > 0.8


def test_the_exact_test_raises_false_alarms_no_more_often_than_it_says() -> None:
    for questions in (10, 40, 140):
        assert power_paired(questions, 0.0, 0.2) <= 0.05
    assert power_paired(140, 0.0, 0.2, alpha=0.01) <= 0.01
    assert power_paired(140, 0.0, 0.0) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: questions_needed(0.2, 0.1),
        lambda: questions_needed(0.0, 0.1),
        lambda: questions_needed(0.1, 0.3, power=1.0),
        lambda: questions_needed(0.1, 0.3, alpha=0.0),
        lambda: power_paired(0, 0.1, 0.2),
        lambda: power_paired(10, 0.3, 0.2),
        lambda: power_paired(10, 0.1, 1.2),
        lambda: power_paired(10, 0.1, 0.2, alpha=0),
    ],
)
def test_impossible_questions_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=r"at least one question|between 0 and 1|cannot make"):
        call()
