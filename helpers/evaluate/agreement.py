"""How far an automatic scorer agrees with people, and what its counts are worth after that.

The labels of people are taken for the truth; where people disagree among themselves, no scorer
can be measured better than that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from helpers.evaluate.estimate import Estimate
from helpers.evaluate.proportion import Proportion

RESAMPLES = 4_000
_Numbers = npt.NDArray[np.float64]


class UselessScorer(ValueError):  # noqa: N818 (named after what was found)
    """The scorer tells good from bad no better than chance: its rates cannot be corrected."""


@dataclass(frozen=True)
class Agreement:
    """A yes/no scorer against the labels of people.

    Attributes:
        agreed: share of answers on which scorer and label say the same. It flatters a scorer that
            always says the more frequent word; see `kappa`.
        kappa: Cohen's kappa (1960, Educ. Psychol. Meas. 20, 37-46): 1 is full agreement, 0 what
            chance would give with the same shares of yes.
        sensitivity: of the answers that people call good, the share that the scorer accepts.
        specificity: of the answers that people call bad, the share that the scorer rejects.
    """

    agreed: Proportion
    kappa: Estimate
    sensitivity: Proportion
    specificity: Proportion

    @property
    def informative(self) -> bool:
        """Whether the scorer is better than chance beyond doubt.

        Sensitivity plus specificity exceeds 1 by more than the intervals leave open: the interval
        of Youden's index (their sum minus 1) lies above 0.
        """
        return youden(self.sensitivity, self.specificity).low > 0


def agreement(
    verdicts: Sequence[bool], labels: Sequence[bool], *, confidence: float = 0.95, seed: int = 0
) -> Agreement:
    """Compare a scorer's verdicts with the labels of the same answers.

    Raises ValueError when they are not equally many, or the labels hold only one of the two words:
    then nothing says whether the scorer can tell them apart.
    """
    given, truth = _pair(verdicts, labels)

    def proportion(hits: npt.NDArray[np.bool_]) -> Proportion:
        return Proportion(int(hits.sum()), int(hits.size), confidence)

    return Agreement(
        agreed=proportion(given == truth),
        kappa=_bootstrapped(_kappas, given, truth, confidence, seed),
        sensitivity=proportion(given[truth]),
        specificity=proportion(~given[~truth]),
    )


def auc(
    scores: Sequence[float], labels: Sequence[bool], *, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """Chance that a good answer scores higher than a bad one; ties count half. 0.5 is chance.

    The area under the ROC curve (J. A. Hanley, B. J. McNeil 1982, Radiology 143, 29-36), with the
    interval of a bootstrap over the answers. Raises ValueError as `agreement` does, and for a
    score that is not finite.
    """
    if not np.isfinite(np.asarray(scores, dtype=float)).all():
        raise ValueError("A score is not a finite number: leave out what could not be scored.")
    _, truth = _pair([False] * len(scores), labels)
    return _bootstrapped(_aucs, np.asarray(scores, dtype=float), truth, confidence, seed)


def choose_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The threshold with the highest sensitivity plus specificity, when "at least" means good.

    It lies half way between two scores, so that a new score never sits on it by construction.
    What it reaches on the answers it was chosen on is too good; measure it on others.
    Raises ValueError as `auc` does.
    """
    values = np.asarray(scores, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("A score is not a finite number: leave out what could not be scored.")
    _, truth = _pair([False] * len(scores), labels)
    steps = np.unique(values)
    candidates = np.concatenate([steps[:1], (steps[:-1] + steps[1:]) / 2])
    accepted = values[None, :] >= candidates[:, None]
    youdens = accepted[:, truth].mean(axis=1) - accepted[:, ~truth].mean(axis=1)
    return float(candidates[int(np.argmax(youdens))])


def youden(
    sensitivity: Proportion, specificity: Proportion, *, confidence: float = 0.95
) -> Estimate:
    """Sensitivity plus specificity minus 1 (W. J. Youden 1950): 1 is perfect, 0 is a coin.

    The interval puts the two Wilson intervals together (square and add, Newcombe 1998, method 10
    for independent proportions). Raises ValueError when either has no counts.
    """
    if not (sensitivity.total and specificity.total):
        raise ValueError("Label at least one good and one bad answer.")
    first = Proportion(sensitivity.successes, sensitivity.total, confidence)
    second = Proportion(specificity.successes, specificity.total, confidence)
    assert first.rate is not None
    assert first.interval is not None
    assert second.rate is not None
    assert second.interval is not None
    value = first.rate + second.rate - 1
    low = sqrt((first.rate - first.interval[0]) ** 2 + (second.rate - second.interval[0]) ** 2)
    high = sqrt((first.interval[1] - first.rate) ** 2 + (second.interval[1] - second.rate) ** 2)
    return Estimate(value, value - low, value + high, first.total + second.total, confidence)


def corrected_rate(
    accepted: Proportion, measured: Agreement, *, confidence: float = 0.95
) -> Estimate:
    """The rate of good answers, estimated from how many the scorer accepts.

    W. J. Rogan and B. Gladen 1978, Am. J. Epidemiol. 107, 71-76, with the interval of Z. Lang and
    J. Reiczigel 2014, Prev. Vet. Med. 113, 13-22, which also counts that sensitivity and
    specificity were themselves only estimated. It holds when the labelled answers are like the
    new ones: a scorer that was measured on an easier mix is corrected wrongly.

    Args:
        accepted: of new answers without labels, those that the scorer accepts.
        measured: the scorer's agreement on labelled answers.
        confidence: of the interval.

    Raises:
        UselessScorer: the scorer is not better than chance beyond doubt; the correction would
            divide by something that may be zero.
        ValueError: there are no new answers, or so many or few were accepted that they cannot be
            like the labelled ones.
    """
    if not accepted.total:
        raise ValueError("There are no new answers to estimate a rate from.")
    if not measured.informative:
        raise UselessScorer(
            f"The scorer's sensitivity is {measured.sensitivity} and its specificity "
            f"{measured.specificity}: that is not beyond doubt better than chance, so its counts "
            "say nothing. Label more answers, or use another scorer."
        )
    z = float(norm.ppf((1 + confidence) / 2))
    seen = accepted.successes / accepted.total
    sensitivity, specificity = measured.sensitivity, measured.specificity
    rate = (seen + _rate(specificity) - 1) / (_rate(sensitivity) + _rate(specificity) - 1)
    # The interval is built around shrunken versions of the three rates.
    n_sensitivity, n_specificity = sensitivity.total + 2, specificity.total + 2
    sensitivity_ = (sensitivity.successes + 1) / n_sensitivity
    specificity_ = (specificity.successes + 1) / n_specificity
    n_seen = accepted.total + z**2
    seen_ = (accepted.successes + z**2 / 2) / n_seen
    centre = (seen_ + specificity_ - 1) / (sensitivity_ + specificity_ - 1)
    from_sensitivity = sensitivity_ * (1 - sensitivity_) / n_sensitivity
    from_specificity = specificity_ * (1 - specificity_) / n_specificity
    shift = 2 * z**2 * (centre * from_sensitivity - (1 - centre) * from_specificity)
    variance = (
        seen_ * (1 - seen_) / n_seen
        + centre**2 * from_sensitivity
        + (1 - centre) ** 2 * from_specificity
    ) / (sensitivity_ + specificity_ - 1) ** 2
    half = z * sqrt(variance)
    low, high = centre + shift - half, centre + shift + half
    if high < 0 or low > 1:
        raise ValueError(
            f"The scorer accepts {accepted} of the new answers, which fits no mix of answers like "
            "the labelled ones: label some of the new ones and measure the scorer on them."
        )
    return Estimate(_unit(rate), _unit(low), _unit(high), accepted.total, confidence)


def _rate(proportion: Proportion) -> float:
    return proportion.successes / proportion.total


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))


def _pair(
    verdicts: Sequence[bool], labels: Sequence[bool]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if len(verdicts) != len(labels):
        raise ValueError(f"{len(verdicts)} verdicts and {len(labels)} labels: pair them.")
    truth = np.asarray(labels, dtype=bool)
    if not truth.any() or truth.all():
        raise ValueError("The labels need both good and bad answers.")
    return np.asarray(verdicts, dtype=bool), truth


def _kappas(given: _Numbers, truth: npt.NDArray[np.bool_]) -> _Numbers:
    """Kappa of each row."""
    observed = (given.astype(bool) == truth).mean(axis=-1)
    yes_1, yes_2 = given.mean(axis=-1), truth.mean(axis=-1)
    expected = yes_1 * yes_2 + (1 - yes_1) * (1 - yes_2)
    # Expected is 1 only when both always say the same word, which the labels rule out unless a
    # resample holds one word alone; that resample says nothing and counts as no agreement.
    result: _Numbers = np.where(
        expected < 1, (observed - expected) / np.where(expected < 1, 1 - expected, 1), 0.0
    )
    return result


def _aucs(scores: _Numbers, truth: npt.NDArray[np.bool_]) -> _Numbers:
    """Area under the curve of each row, from the ranks (Mann and Whitney's U)."""
    ranks = rankdata(scores, axis=-1)
    good = truth.sum(axis=-1)
    bad = truth.shape[-1] - good
    u = np.where(truth, ranks, 0).sum(axis=-1) - good * (good + 1) / 2
    pairs = good * bad
    result: _Numbers = np.where(pairs > 0, u / np.where(pairs > 0, pairs, 1), 0.5)
    return result


def _bootstrapped(
    figure: Callable[[_Numbers, npt.NDArray[np.bool_]], _Numbers],
    values: npt.NDArray[np.float64] | npt.NDArray[np.bool_],
    truth: npt.NDArray[np.bool_],
    confidence: float,
    seed: int,
) -> Estimate:
    numbers = values.astype(float)
    drawn = np.random.default_rng(seed).integers(truth.size, size=(RESAMPLES, truth.size))
    tail = (1 - confidence) / 2
    low, high = np.quantile(figure(numbers[drawn], truth[drawn]), [tail, 1 - tail])
    return Estimate(float(figure(numbers, truth)), float(low), float(high), truth.size, confidence)
