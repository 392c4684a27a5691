# Written by `course build` from solutions/src/02_evaluate_before_shipping.py: change it there.
# The exercise's own cell.
import numpy as np
from scipy.stats import permutation_test


def paired_p(before: list[float], after: list[float]) -> float:
    """The two-sided p-value of a sign-flip test, above 0 and at most 1."""
    def total(one, other, axis):
        return np.sum(other - one, axis=axis)

    found = permutation_test(
        (before, after), total, permutation_type="samples", n_resamples=10_000, rng=0
    )
    return float(found.pvalue)
ANSWER = paired_p
