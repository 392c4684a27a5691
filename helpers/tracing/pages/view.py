"""What the pages show, ready for the templates."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from helpers.tracing.errors import Refused
from helpers.tracing.pages import words
from helpers.tracing.store import Store, attachments, feedback, merge, projects, read
from helpers.tracing.store.incoming import BODIES, RUN_TYPES, ancestors

PER_PAGE = 50
MOST_STEPS = 2000
LONGEST = 200_000  # characters of one value on a page


@dataclass(frozen=True)
class Asked:
    """What the address asks of a list of runs."""

    runs: str = "requests"
    status: str = ""
    type: str = ""
    name: str = ""
    tag: str = ""
    filter: str = ""
    sort: str = "time"
    order: str = "desc"
    page: int = 1

    def with_(self, **changes: Any) -> str:
        """The address of this list with something changed, on its first page."""
        values = {**self.__dict__, "page": 1, **changes}
        return "?" + urlencode({key: value for key, value in values.items() if value})


@dataclass(frozen=True)
class Step:
    """A run in the tree of its trace; `left` and `width` are its bar, of 1000."""

    row: sqlite3.Row
    depth: int
    left: float
    width: float
    begins: str
    lasts: str


def project_list(store: Store) -> list[dict[str, Any]]:
    """Every project with its figures."""
    connection = store.reading()
    return projects.find(connection, stats=True, limit=500)


def run_list(store: Store, project_id: str, asked: Asked) -> dict[str, Any]:
    """A project's runs, filtered and sorted; `problem` says what is wrong with the filter."""
    connection = store.reading()
    project = projects.read(connection, project_id, stats=True)
    query = read.RunQuery(
        projects=[project_id],
        is_root=True if asked.runs == "requests" else None,
        run_type=asked.type or None,
        name_contains=asked.name or None,
        filter=_filter(asked),
    )
    by = asked.sort if asked.sort in read.ORDERS else "time"
    rows: list[sqlite3.Row] = []
    count, problem = 0, ""
    try:
        rows, count = read.ranked(
            connection,
            query,
            by=by,
            descending=asked.order != "asc",
            limit=PER_PAGE,
            offset=PER_PAGE * (max(asked.page, 1) - 1),
        )
    except Refused as refused:
        problem = str(refused)
    return {
        "project": project,
        "asked": asked,
        "rows": rows,
        "count": count,
        "pages": -(-count // PER_PAGE),
        "problem": problem,
        "orders": read.ORDERS,
        "statuses": merge.STATUSES,
        "types": RUN_TYPES,
        "scores": _scores(connection, rows),
    }


def trace(store: Store, run_id: str) -> dict[str, Any]:
    """A run, and the tree that it is part of."""
    connection = store.reading()
    chosen = read.find(connection, read.RunQuery(ids=[run_id]), limit=1, bodies=BODIES)
    if not chosen.rows:
        return {}
    row = chosen.rows[0]
    query = read.RunQuery(trace=row["trace_id"], oldest_first=True)
    rows = read.find(connection, query, limit=MOST_STEPS + 1).rows
    given = feedback.find(connection, runs=[run_id], limit=100)
    return {
        "run": row,
        "project": projects.read(connection, row["project_id"]),
        "steps": steps(rows[:MOST_STEPS]),
        "cut": len(rows) > MOST_STEPS,
        "values": _values(chosen.bodies[run_id]),
        "notes": orjson.loads(row["notes"] or "[]"),
        "files": attachments.listed(connection, [run_id]).get(run_id, []),
        "metadata": _metadata(chosen.bodies[run_id]["extra"]),
        "tags": orjson.loads(row["tags"] or "[]"),
        "feedback": [orjson.loads(orjson.dumps(one)) for one in given],
        "scores": _scores(connection, rows),
    }


def steps(rows: Sequence[sqlite3.Row]) -> list[Step]:
    """The runs of a trace in the order of its tree, each with its bar on the common time axis."""
    if not rows:
        return []
    start = min(row["started"] for row in rows)
    end = max(row["ended"] or row["started"] for row in rows)
    whole = max(end - start, 1)
    ordered = sorted(rows, key=lambda row: row["dotted_order"])
    top = min(len(ancestors(row["dotted_order"])) for row in ordered)
    return [
        Step(
            row,
            len(ancestors(row["dotted_order"])) - top,
            1000 * (row["started"] - start) / whole,
            # A bar too thin to see would hide that something ran at all.
            max(1000 * ((row["ended"] or end) - row["started"]) / whole, 3),
            words.between(start, row["started"]),
            words.between(row["started"], row["ended"]),
        )
        for row in ordered
    ]


def _filter(asked: Asked) -> str | None:
    parts = []
    if asked.status in merge.STATUSES:
        parts.append(f"eq(status, {json.dumps(asked.status)})")
    if asked.tag:
        parts.append(f"has(tags, {json.dumps(asked.tag)})")
    if asked.filter.strip():
        parts.append(asked.filter.strip())
    return f"and({', '.join(parts)})" if parts else None


def _scores(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> dict[str, str]:
    """Run -> its feedback in a few words."""
    found = feedback.stats_of_runs(connection, [row["id"] for row in rows])
    return {run: ", ".join(map(_score, keys.items())) for run, keys in found.items()}


def _score(entry: tuple[str, Mapping[str, Any]]) -> str:
    key, stats = entry
    if stats["avg"] is not None:
        return f"{key} {stats['avg']:.2g}"
    return f"{key} {'/'.join(stats['values']) or '(' + str(stats['n']) + ')'}"


def _values(bodies: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The contents to show, with their headings."""
    found = []
    if bodies["error"] is not None:
        found.append(("Error", bodies["error"]))
    for name in ("inputs", "outputs", "events"):
        if bodies[name] is not None:
            found.append((name.capitalize(), _pretty(bodies[name])))
    return [(name, _cut(text)) for name, text in found]


def _pretty(content: str) -> str:
    # Not orjson: it would round integers beyond 64 bits.
    return json.dumps(json.loads(content), indent=2, ensure_ascii=False)


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST] + f"\n... {len(text) - LONGEST:,} more characters: read them by the SDK."


def _metadata(extra: str | None) -> list[tuple[str, str]]:
    found = json.loads(extra).get("metadata") if extra else None
    if not isinstance(found, dict):
        return []
    return [
        (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for key, value in sorted(found.items())
    ]
