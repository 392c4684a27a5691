"""How long answers take: quantiles with intervals that assume no distribution."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan

import numpy as np
from scipy.stats import quantile_test

from helpers.evaluate.estimate import Estimate
from helpers.evaluate.runs import Run


@dataclass(frozen=True)
class Latency:
    """Seconds of wall time an answer took, asked one after another on this machine.

    `median` and `p95` (19 of 20 answers take at most this long). `count` answers were timed;
    `untimed` ended in an error or a timeout and stand in neither, so read the two together.
    """

    median: Estimate
    p95: Estimate
    count: int
    untimed: int


def latency(runs: Sequence[Run], *, confidence: float = 0.95) -> Latency:
    """Summarise wall times. Raises ValueError when no run ended with an answer."""
    seconds = [run.wall_seconds for run in runs if run.status == "ok"]
    if not seconds:
        raise ValueError("No run ended with an answer: there is no time to report.")
    return Latency(
        median=quantile(seconds, 0.5, confidence=confidence),
        p95=quantile(seconds, 0.95, confidence=confidence),
        count=len(seconds),
        untimed=len(runs) - len(seconds),
    )


def quantile(values: Sequence[float], share: float, *, confidence: float = 0.95) -> Estimate:
    """The value that this share of the observations does not exceed, with its interval.

    The interval's ends are observations, too (`scipy.stats.quantile_test`, after W. J. Conover,
    Practical Nonparametric Statistics, 3rd edition 1999, section 3.2). Too few observations leave
    an end open: it is then infinite. For the 95th percentile the upper end needs 72 of them.

    Raises ValueError for no values or a share that is not between 0 and 1.
    """
    if not values or not 0 < share < 1:
        raise ValueError("Give at least one value, and a share between 0 and 1.")
    found = quantile_test(values, p=share).confidence_interval(confidence)
    return Estimate(
        value=float(np.quantile(values, share, method="inverted_cdf")),
        low=-inf if isnan(found.low) else float(found.low),
        high=inf if isnan(found.high) else float(found.high),
        count=len(values),
        confidence=confidence,
    )
