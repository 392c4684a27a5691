"""The ratios of the subjects' figures, taken within each round."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.benchmarks.service.figures import Batch, Ratio

PAIRS = (
    ("course ray serve", "bare Serve application"),
    ("course ray serve", "course serve"),
)


@dataclass(frozen=True)
class Start:
    """From the start of a process to its first answer."""

    subject: str
    cpu_s: float
    seconds: float


def _p95(batch: Batch) -> float:
    return float(np.quantile([one.whole for one in batch.load.answers], 0.95))


FIGURES = {
    "CPU a request": lambda batch: batch.cpu_a_request,
    "p95": _p95,
    "first token": lambda batch: batch.first_token,
}
GOALS = {("CPU a request", "bare Serve application"): "<= 1.3"}


def ratios(batches: Sequence[Batch]) -> list[Ratio]:
    """Median and range over the rounds, where both subjects answered every request."""
    whole = [batch for batch in batches if all(one.ok for one in batch.load.answers)]
    by_place = {(batch.clients, batch.round, batch.subject): batch for batch in whole}
    made = []
    for clients in dict.fromkeys(batch.clients for batch in whole):
        for over, under in PAIRS:
            for figure, of in FIGURES.items():
                values = [
                    of(batch) / of(other)
                    for (level, number, subject), batch in by_place.items()
                    if (level, subject) == (clients, over)
                    and (other := by_place.get((clients, number, under)))
                ]
                if values:
                    what = f"{over} / {under}, {figure}"
                    goal = GOALS.get((figure, under), "-")
                    made.append(
                        Ratio(
                            "instant",
                            clients,
                            what,
                            goal,
                            median(values),
                            min(values),
                            max(values),
                        )
                    )
    return made
