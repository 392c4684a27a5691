"""Statistics over runs, without counting anything twice."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from helpers.tracing.clock import iso
from helpers.tracing.store import feedback
from helpers.tracing.store.incoming import ancestors
from helpers.tracing.store.read import RunQuery, each
from helpers.tracing.store.schema import PICO


def run_stats(connection: sqlite3.Connection, query: RunQuery) -> dict[str, Any]:
    """The statistics of the runs that a query means, as LangSmith names them.

    Latencies in seconds, costs in US dollars. Tokens and costs are those of the runs with all
    that is below them; where one of the runs is below another, its share is counted once.
    `unpriced_runs` says how many model runs the costs leave out, `unmetered_runs` how many the
    tokens leave out. Percentiles interpolate between the two nearest runs.
    """
    rows = each(connection, query)
    found = figures(rows if query.is_root else topmost(rows))
    ended = [row for row in rows if row["ended"] is not None]
    latencies = sorted((row["ended"] - row["started"]) / 1e6 for row in ended)
    first = sorted(
        (row["first_token"] - row["started"]) / 1e6 for row in rows if row["first_token"]
    )
    return {
        **found,
        "run_count": len(rows),
        "latency_p50": percentile(latencies, 0.5),
        "latency_p99": percentile(latencies, 0.99),
        "first_token_p50": percentile(first, 0.5),
        "first_token_p99": percentile(first, 0.99),
        "last_run_start_time": iso(max((row["started"] for row in rows), default=None)),
        "error_rate": _share(sum(row["status"] == "error" for row in rows), len(rows)),
        "streaming_rate": _share(len(first), len(rows)),
        "feedback_stats": feedback.stats_of_all(connection, [row["id"] for row in rows]),
    }


def topmost(rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    """The runs that are below none of the others."""
    ids = {row["id"] for row in rows}
    return [row for row in rows if ids.isdisjoint(ancestors(row["dotted_order"])[:-1])]


def figures(rows: Sequence[sqlite3.Row]) -> dict[str, Any]:
    """Sums and percentiles of tokens and costs over runs of which none is below another."""
    metered = [row for row in rows if not no_tokens(row)]
    priced = [row for row in rows if not no_price(row)]
    prompts = sorted(row["prompt_tokens"] for row in metered)
    completions = sorted(row["completion_tokens"] for row in metered)
    totals = sorted(row["prompt_tokens"] + row["completion_tokens"] for row in metered)
    costs = sorted((row["prompt_cost"] + row["completion_cost"]) / PICO for row in priced)
    return {
        "total_tokens": sum(totals),
        "prompt_tokens": sum(prompts),
        "completion_tokens": sum(completions),
        "median_tokens": percentile(totals, 0.5),
        "tokens_p99": percentile(totals, 0.99),
        "prompt_tokens_p50": percentile(prompts, 0.5),
        "prompt_tokens_p99": percentile(prompts, 0.99),
        "completion_tokens_p50": percentile(completions, 0.5),
        "completion_tokens_p99": percentile(completions, 0.99),
        "prompt_cost": _dollars(priced, "prompt_cost"),
        "completion_cost": _dollars(priced, "completion_cost"),
        "total_cost": _dollars(priced, "prompt_cost", "completion_cost"),
        "cost_p50": percentile(costs, 0.5),
        "cost_p99": percentile(costs, 0.99),
        "model_runs": sum(row["model_runs"] for row in rows),
        "unpriced_runs": sum(row["unpriced"] for row in rows),
        "unmetered_runs": sum(row["unmetered"] for row in rows),
    }


def no_price(row: sqlite3.Row) -> bool:
    """Whether nothing is known of a run's cost: it has model runs, and none has a price."""
    return bool(row["model_runs"]) and row["unpriced"] == row["model_runs"]


def no_tokens(row: sqlite3.Row) -> bool:
    """Whether nothing is known of a run's tokens: it has model runs, and none reports any."""
    return bool(row["model_runs"]) and row["unmetered"] == row["model_runs"]


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """A percentile of ascending values, between the two nearest; None of nothing."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _dollars(rows: Sequence[sqlite3.Row], *names: str) -> float | None:
    """A sum in dollars; None where there are no runs with a price."""
    return sum(row[name] for row in rows for name in names) / PICO if rows else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
