"""Numbers of questions, against published calculators and by summing outcomes."""

from itertools import product
from math import comb

import pytest

from helpers.evaluate.compare import mcnemar
from helpers.evaluate.sample_size import (
    power_paired,
    questions_needed,
    questions_needed_unpaired,
)


@pytest.mark.parametrize(
    ("size", "changed", "expected"),
    [
        (0.40, 0.50, 23),  # Connor's formula, powerandsamplesize.com
        (0.15, 0.45, 155),  # the same, with 80.1% power
    ],
)
def test_paired(size: float, changed: float, expected: int) -> None:
    assert questions_needed(size, changed) == questions_needed(-size, changed) == expected


def test_unpaired() -> None:
    # R: power.prop.test(p1 = .50, p2 = .75, power = .90) gives n = 76.7 (its help page).
    assert questions_needed_unpaired(0.5, 0.75, power=0.9) == 77
    assert questions_needed_unpaired(0.75, 0.5, power=0.9) == 77


def test_pairing_saves_questions() -> None:
    paired, unpaired = questions_needed(0.05, 0.15), questions_needed_unpaired(0.60, 0.65)
    assert paired < unpaired / 3


def test_smaller_differences_need_more() -> None:
    needed = [questions_needed(size, 0.2) for size in (0.15, 0.10, 0.05, 0.02)]
    assert needed == sorted(needed)
    # Half the difference, four times the questions.
    assert needed[2] / needed[1] == pytest.approx(4, rel=0.1)


def test_exact_power_is_the_sum_over_outcomes() -> None:
    questions, size, changed = 12, 0.4, 0.6
    gain, loss = (changed + size) / 2, (changed - size) / 2
    total = 0.0
    for gained, lost in product(range(questions + 1), repeat=2):
        rest = questions - gained - lost
        if rest >= 0 and mcnemar(lost, gained) <= 0.05:
            ways = comb(questions, gained) * comb(questions - gained, lost)
            total += ways * gain**gained * loss**lost * (1 - changed) ** rest
    assert power_paired(questions, size, changed) == pytest.approx(total, rel=1e-9)


def test_the_exact_test_raises_false_alarms_no_more_often_than_it_says() -> None:
    for questions in (10, 40, 140):
        assert power_paired(questions, 0.0, 0.2) <= 0.05


def test_the_formula_and_the_exact_test_agree_roughly() -> None:
    for size, changed in ((0.10, 0.30), (0.05, 0.10), (0.2, 0.4)):
        needed = questions_needed(size, changed)
        assert 0.70 < power_paired(needed, size, changed) < 0.82
        assert power_paired(round(needed * 1.25), size, changed) > 0.8


@pytest.mark.parametrize(
    "call",
    [
        lambda: questions_needed(0.2, 0.1),
        lambda: questions_needed(0.0, 0.1),
        lambda: questions_needed(0.1, 0.3, power=1.0),
        lambda: questions_needed_unpaired(0.5, 0.5),
        lambda: questions_needed_unpaired(-0.1, 0.5),
        lambda: power_paired(0, 0.1, 0.2),
        lambda: power_paired(10, 0.3, 0.2),
        lambda: power_paired(10, 0.1, 0.2, alpha=0),
    ],
)
def test_impossible_questions_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError):  # noqa: PT011 (each has a sentence of its own)
        call()
