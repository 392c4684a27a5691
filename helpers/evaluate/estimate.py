"""A figure with its interval, for what is not a plain proportion."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A value, the ends of its interval, and how many observations it rests on."""

    value: float
    low: float
    high: float
    count: int
    confidence: float = 0.95

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}] n={self.count}"
