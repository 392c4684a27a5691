"""How many questions are needed to see a difference between two versions.

Both versions are asked the same questions, so that only those on which they differ count.
"""

from math import ceil, sqrt

import numpy as np
from scipy.stats import binom, norm


def questions_needed(
    difference: float, changed: float, *, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Questions for a paired comparison to show a difference of this size, roughly.

    R. J. Connor 1987, Biometrics 43, 207-211: the normal approximation for McNemar's test. The
    exact test asks for somewhat more when few questions change; see `power_paired`.

    Args:
        difference: of the two rates, such as 0.05 for five points; the sign does not matter.
        changed: share of the questions on which one version is right and the other wrong.
        power: chance of seeing the difference when it is there.
        alpha: chance of seeing one when there is none (two-sided).

    Raises ValueError when the share that changes is smaller than the difference: each point of
    difference needs a question that changed.
    """
    size = abs(difference)
    if not 0 < size <= changed <= 1:
        raise ValueError(
            f"{changed:.3g} of the questions change, which cannot make a difference of {size:.3g}."
        )
    if not (0 < power < 1 and 0 < alpha < 1):
        raise ValueError("power and alpha are chances between 0 and 1.")
    false_alarm, seen = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    root = false_alarm * sqrt(changed) + seen * sqrt(changed - size**2)
    return ceil(root**2 / size**2)


def power_paired(
    questions: int, difference: float, changed: float, *, alpha: float = 0.05
) -> float:
    """Chance that McNemar's exact test shows a difference, by summing over every outcome.

    The number of questions that change is binomial, and so is how many of them are gained. (The
    packages have power for t-tests and for independent rates; none has it for this test.)

    Args:
        questions: that both versions are asked.
        difference: of the two rates, such as 0.05 for five points; the sign does not matter.
        changed: share of the questions on which one version is right and the other wrong.
        alpha: chance of seeing a difference when there is none (two-sided), at most.

    Raises ValueError for no questions, for a share that changes which is smaller than the
    difference (each point of difference needs a question that changed), and for no chance.
    """
    size = abs(difference)
    if questions < 1 or not size <= changed <= 1:
        raise ValueError("Take at least one question, and a difference within what changes.")
    if not 0 < alpha < 1:
        raise ValueError("alpha is a chance between 0 and 1.")
    if changed == 0:
        return 0.0
    gain = (changed + size) / (2 * changed)
    count = np.arange(1, questions + 1)
    # Two-sided at one half: the test rejects when the rarer side is at most `limit`.
    limit = binom.ppf(alpha / 2, count, 0.5)
    limit = np.where(binom.cdf(limit, count, 0.5) <= alpha / 2, limit, limit - 1)
    rejected = binom.cdf(limit, count, gain) + binom.sf(count - limit - 1, count, gain)
    rejected = np.where(limit < 0, 0.0, rejected)
    return float(np.sum(binom.pmf(count, questions, changed) * rejected))
