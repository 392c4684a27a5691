"""A scorer against labels: worked examples, hopeless scorers, and corrected rates."""

import numpy as np
import pytest

from helpers.evaluate.agreement import (
    Agreement,
    UselessScorer,
    agreement,
    auc,
    choose_threshold,
    corrected_rate,
    youden,
)
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.summary import Proportion


def cells(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> tuple[list[bool], list[bool]]:
    """Verdicts and labels with so many of each pair (verdict first)."""
    pairs = (
        (True, True, yes_yes),
        (True, False, yes_no),
        (False, True, no_yes),
        (False, False, no_no),
    )
    flat = [(verdict, label) for verdict, label, times in pairs for _ in range(times)]
    return [verdict for verdict, _ in flat], [label for _, label in flat]


def measured(sensitivity: tuple[int, int], specificity: tuple[int, int]) -> Agreement:
    rest = (sensitivity[1] - sensitivity[0], specificity[1] - specificity[0])
    return agreement(*cells(sensitivity[0], rest[1], rest[0], specificity[0]))


def test_cohens_kappa() -> None:
    # Wikipedia's example of grant proposals: 20, 5, 10, 15 give 0.4.
    found = agreement(*cells(20, 5, 10, 15))
    assert found.kappa.value == pytest.approx(0.4)
    assert found.agreed == Proportion(35, 50)
    assert found.sensitivity == Proportion(20, 30)
    assert found.specificity == Proportion(15, 20)
    # The asymptotic interval of Fleiss, Cohen and Everitt 1969 is 0.15 to 0.65.
    assert (found.kappa.low, found.kappa.high) == pytest.approx((0.15, 0.65), abs=0.03)


def test_always_yes_agrees_often_and_knows_nothing() -> None:
    found = agreement([True] * 100, [True] * 90 + [False] * 10)
    assert found.agreed.rate == 0.9
    assert found.kappa.value == 0
    assert (found.sensitivity.rate, found.specificity.rate) == (1, 0)
    assert not found.informative


def test_a_perfect_and_a_perverse_scorer() -> None:
    labels = [True] * 20 + [False] * 20
    assert agreement(labels, labels).kappa.value == 1
    assert agreement(labels, labels).informative
    turned = agreement([not label for label in labels], labels)
    assert turned.kappa.value == -1
    assert not turned.informative


def test_labels_of_one_kind_measure_nothing() -> None:
    for call in (
        lambda: agreement([True, False], [True, True]),
        lambda: auc([0.1, 0.2], [False, False]),
        lambda: choose_threshold([0.1, 0.2], [False, False]),
    ):
        with pytest.raises(ValueError, match="both good and bad"):
            call()
    with pytest.raises(ValueError, match="pair them"):
        agreement([True], [True, False])
    with pytest.raises(ValueError, match="finite"):
        auc([float("nan"), 1.0], [True, False])


def test_auc() -> None:
    # The example of scikit-learn's roc_auc_score.
    assert auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True]).value == 0.75
    assert auc([1.0] * 6, [True, False] * 3).value == 0.5
    assert auc([2.0, 1.0], [True, False]).value == 1


def test_the_interval_of_an_auc_is_that_of_hanley_and_mcneil() -> None:
    random = np.random.default_rng(5)
    scores = np.concatenate([random.normal(1, 1, 60), random.normal(0, 1, 60)])
    found = auc(list(scores), [True] * 60 + [False] * 60)
    area = found.value
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = ((area * (1 - area) + 59 * (q1 - area**2) + 59 * (q2 - area**2)) / 3600) ** 0.5
    assert (found.low, found.high) == pytest.approx(
        (area - 1.96 * error, area + 1.96 * error), abs=0.02
    )


def test_a_threshold_lies_between_scores() -> None:
    assert choose_threshold([0.1, 0.3, 0.7, 0.9], [False, False, True, True]) == 0.5
    assert choose_threshold([0.5, 0.5], [True, False]) == 0.5


def test_youden_of_a_coin_straddles_zero() -> None:
    found = youden(Proportion(50, 100), Proportion(50, 100))
    assert found.value == 0
    assert found.low < 0 < found.high
    with pytest.raises(ValueError, match="at least one good"):
        youden(Proportion(0, 0), Proportion(1, 1))


def test_a_corrected_rate() -> None:
    # Rogan and Gladen by hand: (0.6 + 0.8 - 1) / (0.9 + 0.8 - 1) = 4/7.
    found = corrected_rate(Proportion(120, 200), measured((90, 100), (80, 100)))
    assert found.value == pytest.approx(4 / 7)
    assert found.low < found.value < found.high
    # Without doubt about the judge: the Wilson interval of what it accepts, through the same line.
    known = Agreement(
        Proportion(0, 0),
        Estimate(0, 0, 0, 0),
        Proportion(900_000, 10**6),
        Proportion(800_000, 10**6),
    )
    sure = corrected_rate(Proportion(120, 200), known)
    wilson = Proportion(120, 200).interval
    assert wilson is not None
    ends = tuple((end + 0.8 - 1) / (0.9 + 0.8 - 1) for end in wilson)
    assert (sure.low, sure.high) == pytest.approx(ends, abs=0.005)


def test_the_correction_knows_that_the_judge_was_only_sampled() -> None:
    few = corrected_rate(Proportion(600, 1000), measured((18, 20), (16, 20)))
    many = corrected_rate(Proportion(600, 1000), measured((900, 1000), (800, 1000)))
    assert few.value == pytest.approx(many.value)
    assert few.high - few.low > 3 * (many.high - many.low)


def test_a_rate_stays_a_rate() -> None:
    found = corrected_rate(Proportion(18, 100), measured((90, 100), (80, 100)))
    assert found.value == found.low == 0
    assert 0.02 < found.high < 0.2


@pytest.mark.parametrize("accepted", [1, 99])
def test_answers_unlike_the_labelled_ones_are_noticed(accepted: int) -> None:
    # This judge accepts 20% of bad and 90% of good answers: 1% can be no mix of the two.
    judge = measured((900, 1000), (800, 1000))
    with pytest.raises(ValueError, match="no mix"):
        corrected_rate(Proportion(accepted, 100), judge)


def test_a_useless_judge_cannot_be_corrected() -> None:
    with pytest.raises(UselessScorer, match="not beyond doubt"):
        corrected_rate(Proportion(60, 100), measured((11, 20), (10, 20)))
    with pytest.raises(ValueError, match="no new answers"):
        corrected_rate(Proportion(0, 0), measured((90, 100), (80, 100)))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    sensitivity, specificity, truth, trials = 0.85, 0.8, 0.6, 400
    seen = truth * sensitivity + (1 - truth) * (1 - specificity)
    nothing = Estimate(0, 0, 0, 0)
    covered = 0
    for _ in range(trials):
        judge = Agreement(
            Proportion(0, 0),
            nothing,
            Proportion(int(random.binomial(40, sensitivity)), 40),
            Proportion(int(random.binomial(40, specificity)), 40),
        )
        found = corrected_rate(Proportion(int(random.binomial(140, seen)), 140), judge)
        covered += found.low <= truth <= found.high
    assert covered / trials > 0.92
