"""From batches to figures: CPU per request, throughput, time to first token, latencies, ratios.

Every round runs every subject once at every number of clients, so a ratio is taken within a round:
what else the machine does falls on both sides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.service.load import Load


@dataclass(frozen=True)
class Batch:
    """One subject's load of one round.

    `cpu` is in seconds, of the subject alone: neither the upstream's nor the client's.
    """

    upstream: str
    clients: int
    subject: str
    round: int
    load: Load
    cpu: float

    @property
    def cpu_a_request(self) -> float:
        """CPU seconds a request."""
        return self.cpu / len(self.load.answers)

    @property
    def first_token(self) -> float:
        """Seconds to the first token, in the middle of the batch."""
        return median(one.first for one in self.load.answers)

    @property
    def throughput(self) -> float:
        """Whole streams a second."""
        return sum(one.ok for one in self.load.answers) / self.load.seconds


@dataclass(frozen=True)
class Row:
    """The figures of one subject; times are in milliseconds of the streams that were whole."""

    upstream: str
    clients: int
    subject: str
    requests: int
    lost: int
    cpu_ms: float
    per_second: float
    first_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Ratio:
    """One figure of a subject over that of another: median and range of the rounds."""

    upstream: str
    clients: int
    what: str
    goal: str
    value: float
    low: float
    high: float


# Fernhill's agent is a `create_agent` too and makes the agent path's model calls; the one
# without tools and middleware sends shorter requests, and shows what Fernhill's own parts cost.
GOALS = (
    ("plain path / bare route, CPU", "plain path", "bare route", "cpu_a_request", "<= 1.3"),
    (
        "plain path by LangChain / bare route, CPU",
        "plain path, LangChain",
        "bare route",
        "cpu_a_request",
        "<= 1.3",
    ),
    ("plain path / LiteLLM proxy, CPU", "plain path", "LiteLLM proxy", "cpu_a_request", "< 0.5"),
    ("plain path / model's server, throughput", "plain path", "upstream", "throughput", ">= 0.97"),
    (
        "agent path / its bare agent, CPU",
        "agent path",
        "Fernhill's agent",
        "cpu_a_request",
        "<= 1.15",
    ),
    (
        "agent path / its bare agent, first token",
        "agent path",
        "Fernhill's agent",
        "first_token",
        "<= 1.3",
    ),
    ("agent path / agent without tools, CPU", "agent path", "create_agent", "cpu_a_request", "-"),
)


def rows(batches: Iterable[Batch]) -> list[Row]:
    """One row for each upstream, number of clients and subject."""
    groups: dict[tuple[str, int, str], list[Batch]] = defaultdict(list)
    for batch in batches:
        groups[batch.upstream, batch.clients, batch.subject].append(batch)
    return [_row(found) for found in groups.values()]


def _row(batches: list[Batch]) -> Row:
    first = batches[0]
    answers = [one for batch in batches for one in batch.load.answers]
    whole = [one for one in answers if one.ok]
    times = [1000 * one.whole for one in whole] or [float("nan")]
    p50, p95, p99 = (float(value) for value in np.percentile(times, [50, 95, 99]))
    return Row(
        upstream=first.upstream,
        clients=first.clients,
        subject=first.subject,
        requests=len(answers),
        lost=len(answers) - len(whole),
        cpu_ms=1000 * median(batch.cpu_a_request for batch in batches),
        per_second=median(batch.throughput for batch in batches),
        first_ms=1000 * median(one.first for one in whole) if whole else float("nan"),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def ratios(batches: Iterable[Batch]) -> list[Ratio]:
    """The ratios that the goals are about, wherever both subjects answered every request.

    A lost request is cheap, and would make whoever lost it look good.
    """
    found = {
        (b.upstream, b.clients, b.round, b.subject): b
        for b in batches
        if all(one.ok for one in b.load.answers)
    }
    places = dict.fromkeys((upstream, clients) for upstream, clients, _, _ in found)
    made = []
    for upstream, clients in places:
        rounds = {r for u, c, r, _ in found if (u, c) == (upstream, clients)}
        for what, over, under, figure, goal in GOALS:
            if figure == "throughput" and upstream != "model":
                continue  # nothing keeps up with a model that takes no time
            pairs = [
                (found.get((upstream, clients, r, over)), found.get((upstream, clients, r, under)))
                for r in rounds
            ]
            values = [
                getattr(a, figure) / getattr(b, figure)
                for a, b in pairs
                if a is not None and b is not None and getattr(b, figure) > 0
            ]
            if values:
                made.append(
                    Ratio(upstream, clients, what, goal, median(values), min(values), max(values))
                )
    return made


def table(of: Sequence[Row] | Sequence[Ratio]) -> str:
    """Rows as a Markdown table, numbers to three digits."""
    if not of:
        return "(nothing was measured)"
    names = list(asdict(of[0]))
    cells = [[_text(value) for value in asdict(one).values()] for one in of]
    lines = [names, ["---"] * len(names), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
