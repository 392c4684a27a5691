"""Statistics over runs, without counting anything twice."""

import sqlite3
from collections.abc import Iterable, Sequence
from operator import add
from typing import Any

from helpers.tracing.clock import iso
from helpers.tracing.store import feedback
from helpers.tracing.store.incoming import ancestors
from helpers.tracing.store.read import RunQuery, values_of
from helpers.tracing.store.schema import PICO

# What statistics need of the runs `r` and their sums `t`; times in microseconds.
_VALUES = {
    "id": "r.id",
    "started": "r.started",
    "ended": "r.ended",
    "status": "r.status",
    "first_token": "t.first_token",
    **{
        name: f"coalesce(t.{name}, 0)"
        for name in (
            "model_runs",
            "unmetered",
            "unpriced",
            "prompt_tokens",
            "completion_tokens",
            "prompt_cost",
            "completion_cost",
        )
    },
}
_PLACES = "r.dotted_order"

_Columns = dict[str, tuple[Any, ...]]


def run_stats(connection: sqlite3.Connection, query: RunQuery) -> dict[str, Any]:
    """The statistics of the runs that a query means, as LangSmith names them.

    Latencies in seconds, costs in US dollars. Tokens and costs are those of the runs with all
    that is below them; where one of the runs is below another, its share is counted once.
    `unpriced_runs` says how many model runs the costs leave out, `unmetered_runs` how many the
    tokens leave out. Percentiles interpolate between the two nearest runs.
    """
    if query.is_root:
        runs = _columns(values_of(connection, query, list(_VALUES.values())))
        apart = runs
    else:
        rows = list(values_of(connection, query, [*_VALUES.values(), _PLACES]))
        runs = _columns(row[:-1] for row in rows)
        apart = _columns(row[:-1] for row in _topmost(rows))
    given = feedback.stats_of_all(connection, runs["id"])
    return {**_times(runs), **_sums(apart), "feedback_stats": given}


def request_stats(connection: sqlite3.Connection, project_id: str) -> dict[str, Any]:
    """The same of a project's requests, its root runs, and of the feedback in all of it.

    `run_facets` says, where the sums leave model runs out, how many.
    """
    query = RunQuery(projects=[project_id], is_root=True)
    runs = _columns(values_of(connection, query, list(_VALUES.values())))
    found = {**_times(runs), **_sums(runs)}
    on_runs, on_project = feedback.stats_of_project(connection, project_id)
    facets = [
        {"key": key, "value": "none", "n": found[count], "query": ""}
        for key, count in (("price", "unpriced_runs"), ("usage", "unmetered_runs"))
        if found[count]
    ]
    return {
        **found,
        "feedback_stats": on_runs,
        "session_feedback_stats": on_project,
        "run_facets": facets,
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


def _columns(rows: Iterable[tuple[Any, ...]]) -> _Columns:
    """The rows' values by name: thousands of them are summed and sorted column by column."""
    columns = list(zip(*rows, strict=True))
    return dict(zip(_VALUES, columns or [()] * len(_VALUES), strict=True))


def _topmost(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The runs that are below none of the others."""
    ids = {row[0] for row in rows}
    return [row for row in rows if ids.isdisjoint(ancestors(row[-1])[:-1])]


def _times(runs: _Columns) -> dict[str, Any]:
    """How many, how long, how many failed."""
    count = len(runs["id"])
    latencies, first = (
        sorted(
            end - start
            for start, end in zip(runs["started"], runs[name], strict=True)
            if end is not None
        )
        for name in ("ended", "first_token")
    )
    return {
        "run_count": count,
        "latency_p50": _scaled(percentile(latencies, 0.5), 1e6),
        "latency_p99": _scaled(percentile(latencies, 0.99), 1e6),
        "first_token_p50": _scaled(percentile(first, 0.5), 1e6),
        "first_token_p99": _scaled(percentile(first, 0.99), 1e6),
        "last_run_start_time": iso(max(runs["started"], default=None)),
        "error_rate": runs["status"].count("error") / count if count else None,
        "streaming_rate": len(first) / count if count else None,
    }


def _sums(runs: _Columns) -> dict[str, Any]:
    """Tokens and costs of runs of which none is below another."""
    models, unmetered, unpriced = runs["model_runs"], runs["unmetered"], runs["unpriced"]
    prompts, completions = (
        _known(runs[name], models, unmetered) for name in ("prompt_tokens", "completion_tokens")
    )
    prompt_costs, completion_costs = (
        _known(runs[name], models, unpriced) for name in ("prompt_cost", "completion_cost")
    )
    tokens = sorted(map(add, prompts, completions))
    costs = sorted(map(add, prompt_costs, completion_costs))
    by_side = {"prompt_tokens": sorted(prompts), "completion_tokens": sorted(completions)}
    spent = {
        "total_cost": sum(costs),
        "prompt_cost": sum(prompt_costs),
        "completion_cost": sum(completion_costs),
    }
    return {
        "total_tokens": sum(tokens),
        "median_tokens": percentile(tokens, 0.5),
        "tokens_p99": percentile(tokens, 0.99),
        **{name: sum(values) for name, values in by_side.items()},
        **{f"{name}_p50": percentile(values, 0.5) for name, values in by_side.items()},
        **{f"{name}_p99": percentile(values, 0.99) for name, values in by_side.items()},
        **{name: _scaled(amount if costs else None, PICO) for name, amount in spent.items()},
        "cost_p50": _scaled(percentile(costs, 0.5), PICO),
        "cost_p99": _scaled(percentile(costs, 0.99), PICO),
        "model_runs": sum(models),
        "unpriced_runs": sum(unpriced),
        "unmetered_runs": sum(unmetered),
    }


def _known(
    values: tuple[int, ...], models: tuple[int, ...], missing: tuple[int, ...]
) -> Sequence[int]:
    """The values of the runs of which something is known: not all their model runs miss it."""
    if not any(missing):
        return values
    return [
        value
        for value, model, missed in zip(values, models, missing, strict=True)
        if not model or missed < model
    ]


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit
