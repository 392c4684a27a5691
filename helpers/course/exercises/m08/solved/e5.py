# Written by `course build` from solutions/src/08_monitor_in_production.py: change it there.
# The exercise's own cell.
import math

import numpy as np
from scipy.stats import permutation_test

Pairs = list[tuple[float, float]]


def unfair(pairs: Pairs, control: Pairs) -> dict:
    """Whether the two of each pair are treated differently, by more than chance and the control."""
    if len(pairs) < 2:
        raise ValueError("pairs needs two pairs or more")
    if len(control) < 2:
        raise ValueError("control needs two pairs or more")

    def mean_gap(first, second, axis):
        return np.mean(first - second, axis=axis)

    first, second = np.array(pairs).T
    tested = permutation_test(
        (first, second), mean_gap, permutation_type="samples", n_resamples=999, rng=8)

    one, other = np.array(control).T
    error = np.std(one - other, ddof=1) / math.sqrt(len(control))
    margin = abs(np.mean(one - other)) + 2 * error
    gap = np.mean(first - second)
    accused = tested.pvalue < 0.05 and abs(gap) > margin + 1e-12
    return {"gap": float(gap), "p": float(tested.pvalue), "margin": float(margin),
            "accused": bool(accused)}
ANSWER = unfair
