"""Read runs: which ones a query means, page by page, newest first."""

import base64
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from helpers.tracing.errors import Invalid
from helpers.tracing.store import filters
from helpers.tracing.store.conditions import Condition, contains, one_of, where
from helpers.tracing.store.filters import METERED, PRICED
from helpers.tracing.store.incoming import BODIES, identifier

LARGEST_PAGE = 100

_FIGURES = (
    "r.id, r.project_id, r.trace_id, r.parent_id, r.dotted_order, r.name, r.run_type, r.status, "
    "r.started, r.ended, r.first_token AS own_first_token, r.example_id, r.thread_id, r.tags, "
    "r.model, r.metered, r.prompt_tokens AS own_prompt_tokens, "
    "r.completion_tokens AS own_completion_tokens, r.prompt_cost AS own_prompt_cost, "
    "r.completion_cost AS own_completion_cost, r.token_details, r.notes, "
    "coalesce(t.model_runs, 0) AS model_runs, coalesce(t.unmetered, 0) AS unmetered, "
    "coalesce(t.unpriced, 0) AS unpriced, coalesce(t.prompt_tokens, 0) AS prompt_tokens, "
    "coalesce(t.completion_tokens, 0) AS completion_tokens, "
    "coalesce(t.prompt_cost, 0) AS prompt_cost, "
    "coalesce(t.completion_cost, 0) AS completion_cost, t.first_token"
)
# A run is there to be read once it is known what it is and where it belongs.
_COMPLETE = "r.name IS NOT NULL AND r.started IS NOT NULL AND r.project_id IS NOT NULL"


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs; what is None does not narrow the choice. Times in microseconds."""

    projects: Sequence[str] | None = None
    ids: Sequence[str] | None = None
    trace: str | None = None
    parent: str | None = None
    examples: Sequence[str] | None = None
    run_type: str | None = None
    is_root: bool | None = None
    error: bool | None = None
    started_from: int | None = None
    started_to: int | None = None
    filter: str | None = None
    trace_filter: str | None = None
    tree_filter: str | None = None
    name_contains: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a query's runs, and where the next page starts; None after the last."""

    rows: list[sqlite3.Row]
    cursor: str | None = None
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)


def find(
    connection: sqlite3.Connection,
    query: RunQuery,
    *,
    limit: int,
    cursor: str | None = None,
    bodies: Sequence[str] = (),
) -> Page:
    """One page of the runs that a query means, with the bodies that are asked for.

    Raises:
        Invalid: the query contradicts the format.
        Unspoken: it uses a part of the filter language that is not spoken here.
    """
    conditions = _conditions(query)
    if cursor is not None:
        conditions.append(_after(cursor, query.oldest_first))
    chosen, values = where(conditions)
    order = "ASC" if query.oldest_first else "DESC"
    rows = connection.execute(
        f"SELECT {_FIGURES} FROM {_tables(query)} WHERE {chosen} "
        f"ORDER BY r.started {order}, r.id {order} LIMIT ?",
        [*values, limit + 1],
    ).fetchall()
    following = _cursor(rows[limit - 1]) if len(rows) > limit else None
    rows = rows[:limit]
    return Page(rows, following, read_bodies(connection, [row["id"] for row in rows], bodies))


ORDERS = {
    "time": "r.started",
    "name": "r.name",
    "status": "r.status",
    "duration": "r.ended - r.started",
    "first token": "t.first_token - r.started",
    "tokens": METERED.format("t.prompt_tokens + t.completion_tokens"),
    "cost": PRICED.format("t.prompt_cost + t.completion_cost"),
}
"""What a list of runs can be sorted by."""


def ranked(
    connection: sqlite3.Connection,
    query: RunQuery,
    *,
    by: str,
    descending: bool,
    limit: int,
    offset: int,
) -> tuple[list[sqlite3.Row], int]:
    """Some of a query's runs in an order of `ORDERS`, and how many there are altogether.

    Runs that lack the value come last.
    """
    chosen, values = where(_conditions(query))
    order = ORDERS[by]
    count = connection.execute(
        f"SELECT count(*) FROM {_tables(query)} WHERE {chosen}", values
    ).fetchone()[0]
    rows = connection.execute(
        f"SELECT {_FIGURES} FROM {_tables(query)} WHERE {chosen} ORDER BY {order} IS NULL, "
        f"{order} {'DESC' if descending else 'ASC'}, r.id LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return rows.fetchall(), count


def values_of(
    connection: sqlite3.Connection, query: RunQuery, expressions: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Some values of all runs that a query means, of the run `r` and its sums `t`, as tuples."""
    chosen, values = where(_conditions(query))
    cursor = connection.cursor()
    cursor.row_factory = None  # rows with names take twice the time
    yield from cursor.execute(
        f"SELECT {', '.join(expressions)} FROM {_tables(query)} WHERE {chosen}", values
    )


def read_bodies(
    connection: sqlite3.Connection, ids: Iterable[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The named bodies of some runs: run -> name -> JSON text (`error`: plain text)."""
    if not names or not set(names) <= set(BODIES):
        return {}
    rows = connection.execute(
        f"SELECT id, {', '.join(names)} FROM bodies WHERE id IN (SELECT value FROM json_each(?))",
        [orjson.dumps(list(ids)).decode()],
    )
    return {row["id"]: {name: row[name] for name in names} for row in rows}


def _tables(query: RunQuery) -> str:
    hint = ""
    if query.is_root and query.projects and not (query.ids or query.trace or query.examples):
        # Left alone, SQLite goes through all runs of the project to find its requests.
        hint = "INDEXED BY runs_by_root "
    return f"runs AS r {hint}LEFT JOIN totals AS t ON t.run_id = r.id"


def _conditions(query: RunQuery) -> list[Condition]:
    found = [Condition(_COMPLETE)]
    for column, values in (
        ("project_id", query.projects),
        ("id", query.ids),
        ("example_id", query.examples),
    ):
        if values is not None:
            found.append(one_of(f"r.{column}", values))
    for column, value in (
        ("trace_id", query.trace),
        ("parent_id", query.parent),
        ("run_type", query.run_type),
    ):
        if value is not None:
            found.append(Condition(f"r.{column} = ?", (value,)))
    if query.is_root is not None:
        found.append(Condition(f"r.parent_id IS {'' if query.is_root else 'NOT '}NULL"))
    if query.error is not None:
        found.append(Condition(f"r.status {'=' if query.error else '<>'} 'error'"))
    if query.started_from is not None:
        found.append(Condition("r.started >= ?", (query.started_from,)))
    if query.started_to is not None:
        found.append(Condition("r.started <= ?", (query.started_to,)))
    if query.name_contains:
        found.append(contains("r.name", query.name_contains))
    if query.filter:
        found.append(filters.condition(query.filter))
    if query.trace_filter:
        found.append(filters.among_traces(query.trace_filter, root=True))
    if query.tree_filter:
        found.append(filters.among_traces(query.tree_filter, root=False))
    return found


def _cursor(row: sqlite3.Row) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["started"], row["id"]]).encode()).decode()


def _after(cursor: str, oldest_first: bool) -> Condition:
    try:
        started, run_id = json.loads(base64.urlsafe_b64decode(cursor))
        if type(started) is not int or abs(started) >= 2**63:
            raise ValueError(started)
        run_id = identifier(run_id, "a run's id")
    except (Invalid, RecursionError, TypeError, ValueError):
        raise Invalid("The cursor is not one that this service issued.") from None
    return Condition(f"(r.started, r.id) {'>' if oldest_first else '<'} (?, ?)", (started, run_id))
