"""A figure with its interval, for what is not a plain proportion."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import fmean

MOST_DRAWN = 2_000_000
"""Numbers that a bootstrap holds at once: 16 MB."""


@dataclass(frozen=True)
class Estimate:
    """A value, the ends of its interval, and how many observations it rests on.

    An end that too few observations leave open is infinite.
    """

    value: float
    low: float
    high: float
    count: int
    confidence: float = 0.95

    @classmethod
    def of_mean(
        cls, values: Sequence[float], *, confidence: float = 0.95, seed: int = 0
    ) -> "Estimate":
        """The mean with its percentile interval (`scipy.stats.bootstrap`).

        Too narrow for fewer than about 30 values, of width zero when all are alike, and open for
        a single one. Raises ValueError for no values and for a value that is not finite.
        """
        if not values or not all(map(isfinite, values)):
            raise ValueError("Give at least one value, and only finite ones.")
        if len(values) == 1:
            return cls(values[0], -inf, inf, 1, confidence)
        import numpy as np
        from scipy.stats import bootstrap  # 3 seconds, for which `course ship-check` has no use

        found = bootstrap(
            (values,),
            np.mean,
            confidence_level=confidence,
            method="percentile",
            batch=max(1, MOST_DRAWN // len(values)),
            rng=seed,
        ).confidence_interval
        return cls(fmean(values), float(found.low), float(found.high), len(values), confidence)

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}] n={self.count}"
