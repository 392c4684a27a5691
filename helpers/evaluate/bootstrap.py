"""Intervals by resampling, for any figure of one number a question."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from helpers.evaluate.estimate import Estimate

RESAMPLES = 10_000
_CHUNK = 2_000_000  # numbers held at once: 16 MB


def bootstrap_means(
    values: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Means of `resamples` samples drawn from the values with replacement, same size as they.

    Raises ValueError for no values, for a value that is not finite, and for no resamples.
    """
    data = np.asarray(values, dtype=float)
    if not data.size or not np.isfinite(data).all():
        raise ValueError("Give at least one value, and only finite ones.")
    if resamples < 1:
        raise ValueError(f"{resamples} resamples: take at least 1.")
    random = np.random.default_rng(seed)
    rows = max(1, _CHUNK // data.size)
    parts = [
        data[random.integers(data.size, size=(min(rows, resamples - start), data.size))].mean(
            axis=1
        )
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(parts)


def bootstrap_mean(
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """The mean with its percentile interval (Efron and Tibshirani 1993, chapter 13).

    Too narrow for fewer than about 30 values, and of width zero when all values are alike.
    """
    means = bootstrap_means(values, resamples=resamples, seed=seed)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(np.mean(values)), float(low), float(high), len(values), confidence)


def paired_bootstrap(
    before: Sequence[float],
    after: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """The mean difference, after minus before, of the same questions in the same order.

    Questions are drawn, each with both its values, so that what makes a question hard for both
    versions cancels out. It fits any figure: right or wrong (1 and 0), seconds, dollars.

    Raises ValueError when the two are not equally long.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} values before and {len(after)} after: pair them.")
    differences = [second - first for first, second in zip(before, after, strict=True)]
    return bootstrap_mean(differences, confidence=confidence, resamples=resamples, seed=seed)
