"""How far an automatic scorer agrees with people.

The labels of people are taken for the truth; where people disagree among themselves, no scorer
can be measured better than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, mannwhitneyu
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from helpers.evaluate.estimate import Estimate
from helpers.evaluate.proportion import Proportion

_Numbers = npt.NDArray[np.float64]
_Truth = npt.NDArray[np.bool_]


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
        """Whether the scorer is better than chance beyond doubt: kappa's interval is above 0."""
        return self.kappa.low > 0


def agreement(verdicts: Sequence[bool], labels: Sequence[bool]) -> Agreement:
    """Compare a scorer's verdicts with the labels of the same answers.

    Raises ValueError when they are not equally many, or the labels hold only one of the two words:
    then nothing says whether the scorer can tell them apart.
    """
    if len(verdicts) != len(labels):
        raise ValueError(f"{len(verdicts)} verdicts and {len(labels)} labels: pair them.")
    table = confusion_matrix(_truth(labels), np.asarray(verdicts, dtype=bool))
    (rejected_bad, accepted_bad), (rejected_good, accepted_good) = table.tolist()
    return Agreement(
        agreed=Proportion(rejected_bad + accepted_good, len(labels)),
        kappa=_kappa(table),
        sensitivity=Proportion(accepted_good, rejected_good + accepted_good),
        specificity=Proportion(rejected_bad, rejected_bad + accepted_bad),
    )


def _kappa(table: npt.NDArray[np.int_]) -> Estimate:
    """Kappa with its large-sample interval; of a scorer that has one word for all, 0 without one.

    The interval is that of J. L. Fleiss, J. Cohen, B. S. Everitt 1969, Psychol. Bull. 72, 323-327.
    """
    if not table.sum(axis=0).all():
        return Estimate(0.0, 0.0, 0.0, int(table.sum()))
    from statsmodels.stats.inter_rater import cohens_kappa  # takes seconds; for `course judge` only

    found = cohens_kappa(table)
    return Estimate(
        float(found.kappa), float(found.kappa_low), float(found.kappa_upp), int(table.sum())
    )


def auc(scores: Sequence[float], labels: Sequence[bool], *, seed: int = 0) -> Estimate:
    """Chance that a good answer scores higher than a bad one; ties count half. 0.5 is chance.

    The area under the ROC curve (J. A. Hanley, B. J. McNeil 1982, Radiology 143, 29-36). Its
    interval is a bootstrap of the good and of the bad answers; one answer of a kind leaves it open.

    Raises ValueError as `agreement` does, and for a score that is not finite.
    """
    values, truth = _scores(scores), _truth(labels)
    area = float(roc_auc_score(truth, values))
    good, bad = values[truth], values[~truth]
    if min(good.size, bad.size) == 1:
        return Estimate(area, 0.0, 1.0, truth.size)
    found = bootstrap((good, bad), _area, method="percentile", n_resamples=4_000, rng=seed)
    ends = found.confidence_interval
    return Estimate(area, float(ends.low), float(ends.high), truth.size)


def _area(good: _Numbers, bad: _Numbers, axis: int) -> _Numbers:
    """The areas of many samples at once, which scikit-learn takes one by one: Mann-Whitney's U."""
    u = mannwhitneyu(good, bad, axis=axis, method="asymptotic").statistic
    areas: _Numbers = u / (good.shape[axis] * bad.shape[axis])
    return areas


def choose_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The threshold with the highest sensitivity plus specificity, when "at least" means good.

    It lies half way between two scores, so that a new score never sits on it by construction; of
    several that are equally good it is the lowest. What it reaches on the answers it was chosen on
    is too good; measure it on others. Raises ValueError as `auc` does.
    """
    false_alarms, hits, steps = roc_curve(_truth(labels), _scores(scores), drop_intermediate=False)
    youden = (hits - false_alarms)[1:]  # the first step accepts nothing
    steps = steps[1:]
    best = int(np.flatnonzero(np.isclose(youden, youden.max()))[-1])
    return float(steps[best : best + 2].mean())


def _scores(scores: Sequence[float]) -> _Numbers:
    values = np.asarray(scores, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("A score is not a finite number: leave out what could not be scored.")
    return values


def _truth(labels: Sequence[bool]) -> _Truth:
    truth = np.asarray(labels, dtype=bool)
    if not truth.any() or truth.all():
        raise ValueError("The labels need both good and bad answers.")
    return truth
