"""A rate with its counts and its interval."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist


@dataclass(frozen=True)
class Proportion:
    """A rate with its counts and its interval.

    The interval is Wilson's (E. B. Wilson 1927, J. Am. Stat. Assoc. 22, 209-212), which keeps its
    coverage for few counts and for rates near 0 and 1. Without any counts there is no rate.

    It is the `proportion_confint(method="wilson")` of statsmodels, whose figures the tests compare.
    Its four lines are written here because every command shows rates: importing statsmodels takes
    four seconds, and a call there 200 microseconds (scipy's `binomtest`: 1,000) against 3 here.
    """

    successes: int
    total: int
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.total:
            raise ValueError(f"{self.successes} of {self.total} is no proportion.")

    @property
    def rate(self) -> float | None:
        """Successes per trial, 0 to 1."""
        return self.successes / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end of the interval, 0 to 1."""
        if not self.total:
            return None
        rate, total = self.successes / self.total, self.total
        z = NormalDist().inv_cdf((1 + self.confidence) / 2)
        scale = 1 + z**2 / total
        centre = (rate + z**2 / (2 * total)) / scale
        half = z / scale * sqrt(rate * (1 - rate) / total + z**2 / (4 * total**2))
        # At rates of 0 and 1 one end is the rate itself, which rounding would miss.
        low = 0.0 if self.successes == 0 else centre - half
        return low, 1.0 if self.successes == total else centre + half

    @classmethod
    def of(cls, verdicts: Iterable[bool | None]) -> "Proportion":
        """Count the verdicts that were given; None is none."""
        given = [verdict for verdict in verdicts if verdict is not None]
        return cls(sum(given), len(given))

    def __str__(self) -> str:
        if self.rate is None or self.interval is None:
            return "-"
        low, high = self.interval
        return f"{self.rate:.0%} [{low:.0%}, {high:.0%}] {self.successes}/{self.total}"
