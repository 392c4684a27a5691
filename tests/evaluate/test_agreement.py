"""A scorer against labels: worked examples, hopeless scorers, thresholds."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from helpers.evaluate.agreement import agreement, auc, choose_threshold
from helpers.evaluate.proportion import Proportion


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


def test_cohens_kappa() -> None:
    # Wikipedia's example of grant proposals: 20, 5, 10, 15 give 0.4.
    found = agreement(*cells(20, 5, 10, 15))
    assert found.kappa.value == pytest.approx(0.4)
    assert found.agreed == Proportion(35, 50)
    assert found.sensitivity == Proportion(20, 30)
    assert found.specificity == Proportion(15, 20)
    # By hand, as Fleiss, Cohen and Everitt 1969 have it.
    assert (found.kappa.low, found.kappa.high) == pytest.approx((0.1511, 0.6489), abs=5e-5)
    assert found.informative


@pytest.mark.parametrize("table", [(20, 5, 10, 15), (40, 9, 1, 2), (3, 0, 8, 30), (1, 9, 9, 1)])
def test_kappa_is_scikit_learns(table: tuple[int, int, int, int]) -> None:
    verdicts, labels = cells(*table)
    found = agreement(verdicts, labels)
    assert found.kappa.value == pytest.approx(cohen_kappa_score(labels, verdicts))
    assert found.kappa.low < found.kappa.value < found.kappa.high


def test_the_interval_of_a_kappa_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    labels = np.arange(80) % 2 == 0
    covered = 0
    for _ in range(120):  # accepts 80% of the good and 30% of the bad answers: kappa 0.5
        accepted = random.random(80) < np.where(labels, 0.8, 0.3)
        found = agreement(list(accepted), list(labels)).kappa
        covered += found.low <= 0.5 <= found.high
    assert covered / 120 > 0.92


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


def test_a_scorer_as_good_as_a_coin_is_not_informative() -> None:
    assert not agreement(*cells(11, 10, 9, 10)).informative


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
    for scored in (auc, choose_threshold):
        with pytest.raises(ValueError, match="finite"):
            scored([float("nan"), 1.0], [True, False])


def test_auc() -> None:
    # The example of scikit-learn's roc_auc_score.
    found = auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    assert found.value == 0.75
    assert 0 <= found.low <= 0.75 <= found.high <= 1
    assert auc([1.0] * 6, [True, False] * 3).value == 0.5
    alone = auc([2.0, 1.0], [True, False])
    assert (alone.value, alone.low, alone.high) == (1, 0, 1)  # nothing to draw from


def test_the_interval_of_an_auc_is_that_of_hanley_and_mcneil() -> None:
    random = np.random.default_rng(5)
    scores = np.concatenate([random.normal(1, 1, 60), random.normal(0, 1, 60)])
    labels = [True] * 60 + [False] * 60
    found = auc(list(scores), labels)
    area = float(roc_auc_score(labels, scores))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = ((area * (1 - area) + 59 * (q1 - area**2) + 59 * (q2 - area**2)) / 3600) ** 0.5
    assert found.value == area
    assert (found.low, found.high) == pytest.approx(
        (area - 1.96 * error, area + 1.96 * error), abs=0.02
    )
    assert auc(list(scores), labels) == found  # the same seed, the same interval


def test_a_threshold_lies_between_scores() -> None:
    assert choose_threshold([0.1, 0.3, 0.7, 0.9], [False, False, True, True]) == 0.5
    assert choose_threshold([0.5, 0.5], [True, False]) == 0.5


def test_a_threshold_is_the_best_of_all_and_the_lowest_of_those() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        scores, labels = random.integers(0, 8, 30) / 8, random.random(30) < 0.5
        candidates = [scores.min(), *(np.unique(scores)[:-1] + 1 / 16)]

        def worth(limit: float, scores: object = scores, labels: object = labels) -> float:
            values, truth = np.asarray(scores), np.asarray(labels)
            return float((values >= limit)[truth].mean() - (values >= limit)[~truth].mean())

        best = max(map(worth, candidates))
        found = choose_threshold(list(scores), list(labels))
        assert worth(found) == pytest.approx(best)
        assert not [c for c in candidates if worth(c) > best - 1e-9 and c < found - 0.07]
