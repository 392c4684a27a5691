"""Write runs: one transaction for all that one request brought."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Invalid
from helpers.tracing.store import attachments, merge
from helpers.tracing.store.incoming import BODIES, Incoming, ancestors
from helpers.tracing.usage import Pricer

_RUN = (
    f"INSERT OR REPLACE INTO runs ({', '.join(merge.COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(merge.COLUMNS))})"
)
_BODY = (
    f"INSERT OR REPLACE INTO bodies (id, {', '.join(BODIES)}) "
    f"VALUES ({', '.join('?' * (len(BODIES) + 1))})"
)
_TOTAL = (
    f"INSERT INTO totals (run_id, {', '.join(merge.SUMMED)}, first_token) "
    f"VALUES ({', '.join('?' * (len(merge.SUMMED) + 2))}) ON CONFLICT (run_id) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in merge.SUMMED)
    + ", first_token = min(coalesce(first_token, excluded.first_token), "
    "coalesce(excluded.first_token, first_token))"
)


def write_runs(
    connection: sqlite3.Connection, runs: Sequence[Incoming], pricer: Pricer
) -> list[Invalid]:
    """Write creates and updates, inside the caller's transaction; why some were left out.

    A run is left out when its project is gone, or when it has a parent and no dotted order.
    """
    projects = _Projects(connection)
    records = _existing(connection, {run.id for run in runs})
    kept, refusals = [], []
    for run in runs:
        record = records.get(run.id) or merge.new(run.id)
        try:
            _check_place(record, run)
            project_id = projects.of(run)
        except Invalid as invalid:
            refusals.append(invalid)
            continue
        records[run.id] = record
        merge.merge(record, run, project_id, pricer)
        _place(record)
        kept.append(run)
    connection.executemany(
        _RUN, [[record.row[name] for name in merge.COLUMNS] for record in records.values()]
    )
    connection.executemany(
        _BODY,
        [[key, *(record.bodies[name] for name in BODIES)] for key, record in records.items()],
    )
    states = {key: merge.state(record) for key, record in records.items()}
    _write_totals(connection, records, states)
    _write_marks(connection, records, states)
    attachments.write(connection, kept)
    return refusals


class _Projects:
    """The projects that a request names, made when they are not there yet."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._by_name: dict[str, str] = {}
        self._known: set[str] = set()

    def of(self, run: Incoming) -> str | None:
        project_id: str | None = run.fields.get("project_id")
        if project_id is None:
            name = run.fields.get("session_name")
            return None if name is None else self._named(name, run)
        if project_id not in self._known:
            query = "SELECT 1 FROM projects WHERE id = ?"
            if self._connection.execute(query, [project_id]).fetchone() is None:
                raise Invalid(f"Run {run.id} belongs to the project {project_id}, which is gone.")
            self._known.add(project_id)
        return project_id

    def _named(self, name: str, run: Incoming) -> str:
        if name not in self._by_name:
            self._connection.execute(
                "INSERT OR IGNORE INTO projects (id, name, started) VALUES (?, ?, ?)",
                [str(uuid4()), name, run.fields.get("started") or now()],
            )
            query = "SELECT id FROM projects WHERE name = ?"
            self._by_name[name] = self._connection.execute(query, [name]).fetchone()[0]
        return self._by_name[name]


def _existing(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, merge.Record]:
    chosen = orjson.dumps(sorted(ids)).decode()
    rows = connection.execute(
        f"SELECT {', '.join(f'r.{name}' for name in merge.COLUMNS)}, "
        f"{', '.join(f'b.{name}' for name in BODIES)} FROM json_each(?) AS wanted "
        "JOIN runs AS r ON r.id = wanted.value JOIN bodies AS b ON b.id = r.id",
        [chosen],
    )
    cut = len(merge.COLUMNS)
    return {
        row["id"]: merge.existing(
            dict(zip(merge.COLUMNS, row[:cut], strict=True)),
            dict(zip(BODIES, row[cut:], strict=True)),
        )
        for row in rows
    }


def _check_place(record: merge.Record, run: Incoming) -> None:
    """A run below another one has to say where.

    Raises:
        Invalid: it has a parent, and nothing says where in its trace it is.
    """
    parent = run.fields.get("parent_id") or record.row["parent_id"]
    placed = run.fields.get("dotted_order") or record.row["dotted_order"]
    started = run.fields.get("started") or record.row["started"]
    if parent is not None and placed is None and started is not None:
        raise Invalid(
            f"Run {run.id} has a parent but no dotted_order: send both, or trace with "
            "`traceable` or LangChain, which do."
        )


def _place(record: merge.Record) -> None:
    """A run that is sent alone, without its place in a tree, is the root of one."""
    row = record.row
    if row["dotted_order"] is not None or row["started"] is None:
        return
    text = (iso(row["started"]) or "").removesuffix("+00:00")
    stamp = text.translate(str.maketrans("", "", "-:."))
    row["dotted_order"] = f"{stamp}Z{row['id']}"
    row["trace_id"] = row["id"]


def _write_totals(
    connection: sqlite3.Connection,
    records: Mapping[str, merge.Record],
    states: Mapping[str, merge.State],
) -> None:
    """Add what changed to every ancestor, whether it has arrived yet or not."""
    changes: dict[str, Counter[str]] = {}
    first: dict[str, int] = {}
    for key, state in states.items():
        before = records[key].before
        change = state.own.copy()
        change.subtract(before.own)
        token = state.first_token
        if token == before.first_token and not any(change.values()):
            continue
        for ancestor in ancestors(records[key].row["dotted_order"]):
            changes.setdefault(ancestor, Counter()).update(change)
            if token is not None:
                first[ancestor] = min(token, first.get(ancestor, token))
    connection.executemany(
        _TOTAL,
        [
            [key, *(change[name] for name in merge.SUMMED), first.get(key)]
            for key, change in changes.items()
        ],
    )


def _write_marks(
    connection: sqlite3.Connection,
    records: Mapping[str, merge.Record],
    states: Mapping[str, merge.State],
) -> None:
    gone, fresh = [], []
    for key, state in states.items():
        had = records[key].before.marks
        gone += [[*mark, key] for mark in had - state.marks]
        fresh += [[*mark, key] for mark in state.marks - had]
    connection.executemany(
        "DELETE FROM marks WHERE kind = ? AND key = ? AND value = ? AND run_id = ?", gone
    )
    connection.executemany(
        "INSERT INTO marks (kind, key, value, run_id) VALUES (?, ?, ?, ?)", fresh
    )
