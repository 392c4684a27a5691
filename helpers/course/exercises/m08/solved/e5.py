# Written by `course build` from solutions/src/08_monitor_in_production.py: change it there.
# The exercise's own cell.
import math

import numpy as np
from scipy.stats import permutation_test

Pairs = list[tuple[float, float]]


def unfair(pairs: Pairs, control: Pairs) -> dict:
    """Whether the first of each pair gets something else than the second, and than the control."""
    if len(pairs) < 2:
        raise ValueError("pairs needs two pairs or more")
    if len(control) < 2:
        raise ValueError("control needs two pairs or more")

    def gap(first, second, axis=-1):
        return np.mean(first, axis=axis) - np.mean(second, axis=axis)

    first, second = np.array(pairs, dtype=float).T
    tested = permutation_test(
        (first, second), gap, permutation_type="samples", n_resamples=999, rng=8)

    one, other = np.array(control, dtype=float).T
    error = np.std(one - other, ddof=1) / math.sqrt(len(control))
    margin = abs(gap(one, other)) + 2 * error
    found = gap(first, second)
    accused = tested.pvalue < 0.05 and abs(found) > margin + 1e-12
    return {"gap": float(found), "p": float(tested.pvalue), "margin": float(margin),
            "accused": bool(accused)}
ANSWER = unfair
