"""How many questions are needed to see a difference between two versions.

Both versions are asked the same questions, so that only those on which they differ count.
"""

import numpy as np
from scipy.stats import binom


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
