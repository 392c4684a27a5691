"""Thresholds: what one figure of the evidence must meet, and how figure and threshold are shown."""

from dataclasses import dataclass
from typing import Literal

from helpers.evaluate.evidence import Figure

Sense = Literal["at least", "at most"]
End = Literal["value", "low", "high"]


@dataclass(frozen=True)
class Threshold:
    """What one figure must meet.

    Attributes:
        figure: its name in the evidence.
        sense: whether it must be at least or at most the limit.
        limit: in the figure's own unit.
        counts: the fewest observations that it may rest on.
        end: what must meet the limit: the value itself, or an end of its interval, where even the
            unlucky reading of the figure has to be good enough.
    """

    figure: str
    sense: Sense
    limit: float
    counts: int
    end: End = "value"

    @property
    def wanted(self) -> str:
        """What the figure must meet, in words."""
        ends = {"value": "", "low": " at the lower end", "high": " at the upper end"}
        return f"{self.sense} {self.limit:g}{ends[self.end]}"

    def of(self, figure: Figure) -> float | None:
        """What of a figure has to meet the limit, None where its interval has no such end."""
        ends = {"value": figure.value, "low": figure.low, "high": figure.high}
        return ends[self.end]

    def met(self, figure: Figure) -> bool:
        """Whether a figure meets the limit; one without the end that has to meet it does not."""
        found = self.of(figure)
        return found is not None and not self.worse(found, self.limit)

    def worse(self, value: float, other: float) -> bool:
        """Whether a value is further on the wrong side than another one."""
        return value < other if self.sense == "at least" else value > other

    def __str__(self) -> str:
        ends = {"value": "", "low": ", lower end", "high": ", upper end"}
        return f"{self.figure}{ends[self.end]}: {self.sense} {self.limit:g} (n >= {self.counts})"


def shown(name: str, figure: Figure) -> str:
    """A figure with its name, its interval and its count."""
    interval = ""
    if figure.low is not None or figure.high is not None:
        low, high = (f"{e:.4g}" if e is not None else "open" for e in (figure.low, figure.high))
        interval = f" [{low}, {high}]"
    return f"{name} {value_shown(figure)}{interval} n={figure.count}"


def value_shown(figure: Figure) -> str:
    """A figure's value with four digits."""
    return f"{figure.value:.4g}"
