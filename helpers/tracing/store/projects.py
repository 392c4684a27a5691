"""Projects, which LangSmith's API calls sessions; an experiment is one with a dataset."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Conflict, Missing, Unspoken
from helpers.tracing.store.incoming import identifier, instant
from helpers.tracing.store.stats import request_stats

TENANT = "00000000-0000-0000-0000-000000000000"
"""There is one workspace."""

_KNOWN = {
    "id",
    "name",
    "extra",
    "description",
    "start_time",
    "end_time",
    "reference_dataset_id",
    # How far an experiment has come: shown while it runs, and not kept.
    "num_examples",
    "num_repetitions",
    "evaluator_keys",
}


def create(
    connection: sqlite3.Connection, payload: Mapping[str, Any], *, upsert: bool
) -> dict[str, Any]:
    """Make a project.

    Raises:
        Conflict: there is one of that name, and `upsert` is not set.
    """
    _check(payload)
    name = payload.get("name") or "default"
    found = connection.execute("SELECT id FROM projects WHERE name = ?", [name]).fetchone()
    if found is not None:
        if not upsert:
            raise Conflict(f"There is a project {name!r} already.")
        return update(connection, found["id"], {**payload, "name": None})
    project_id = identifier(payload.get("id") or uuid4(), "the project's id")
    dataset = payload.get("reference_dataset_id")
    started = payload.get("start_time")
    connection.execute(
        "INSERT INTO projects (id, name, description, extra, started, dataset_id) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            project_id,
            name,
            payload.get("description"),
            _json(payload.get("extra")),
            instant(started, "start_time") if started else now(),
            identifier(dataset, "reference_dataset_id") if dataset else None,
        ],
    )
    return read(connection, project_id)


def update(
    connection: sqlite3.Connection, project_id: str, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """Change what is given and not None; `extra` is replaced as a whole.

    Raises:
        Missing: there is no such project.
        Conflict: the new name is taken.
    """
    _check(payload)
    read(connection, project_id)
    ended = payload.get("end_time")
    changes = {
        "name": payload.get("name"),
        "description": payload.get("description"),
        "extra": _json(payload.get("extra")),
        "ended": instant(ended, "end_time") if ended else None,
    }
    for column, value in changes.items():
        if value is None:
            continue
        try:
            connection.execute(
                f"UPDATE projects SET {column} = ? WHERE id = ?", [value, project_id]
            )
        except sqlite3.IntegrityError:
            raise Conflict(f"There is a project {value!r} already.") from None
    return read(connection, project_id)


def read(connection: sqlite3.Connection, project_id: str, *, stats: bool = False) -> dict[str, Any]:
    """One project, with its statistics where they are asked for.

    Raises:
        Missing: there is no such project.
    """
    row = connection.execute("SELECT * FROM projects WHERE id = ?", [project_id]).fetchone()
    if row is None:
        raise Missing(f"There is no project {project_id}.")
    return _item(connection, row, stats=stats)


def find(
    connection: sqlite3.Connection,
    *,
    ids: Sequence[str],
    name: str | None,
    name_contains: str | None,
    datasets: Sequence[str],
    without_dataset: bool | None,
    metadata: Mapping[str, Any] | None,
    stats: bool,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """Projects, the newest first."""
    where: list[str] = ["1"]
    values: list[Any] = []
    for column, chosen in (("id", ids), ("dataset_id", datasets)):
        if chosen:
            where.append(f"{column} IN ({', '.join('?' * len(chosen))})")
            values += chosen
    if name is not None:
        where.append("name = ?")
        values.append(name)
    if name_contains is not None:
        where.append("instr(lower(name), lower(?)) > 0")
        values.append(name_contains)
    if without_dataset is not None:
        where.append(f"dataset_id IS {'' if without_dataset else 'NOT '}NULL")
    for key, value in (metadata or {}).items():
        where.append(
            "EXISTS (SELECT 1 FROM json_each(extra, '$.metadata') AS m "
            "WHERE m.key = ? AND m.value = json_extract(?, '$'))"
        )
        values += [key, orjson.dumps(value).decode()]
    rows = connection.execute(
        f"SELECT * FROM projects WHERE {' AND '.join(where)} "
        "ORDER BY started DESC, id LIMIT ? OFFSET ?",
        [*values, limit, offset],
    ).fetchall()
    return [_item(connection, row, stats=stats) for row in rows]


def delete(connection: sqlite3.Connection, project_id: str) -> None:
    """Delete a project with its runs and their feedback.

    Raises:
        Missing: there is no such project.
    """
    read(connection, project_id)
    runs = "SELECT id FROM runs WHERE project_id = ?"
    for statement in (
        f"DELETE FROM bodies WHERE id IN ({runs})",
        f"DELETE FROM totals WHERE run_id IN ({runs})",
        f"DELETE FROM marks WHERE run_id IN ({runs})",
        f"DELETE FROM feedback WHERE run_id IN ({runs})",
        "DELETE FROM feedback WHERE project_id = ?",
        "DELETE FROM runs WHERE project_id = ?",
        "DELETE FROM projects WHERE id = ?",
    ):
        connection.execute(statement, [project_id])


def _check(payload: Mapping[str, Any]) -> None:
    if unknown := {key for key, value in payload.items() if value is not None} - _KNOWN:
        raise Unspoken(f"the field {min(unknown)} of a project")


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _item(connection: sqlite3.Connection, row: sqlite3.Row, *, stats: bool) -> dict[str, Any]:
    found = {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "extra": None if row["extra"] is None else orjson.Fragment(row["extra"]),
        "start_time": iso(row["started"]),
        "end_time": iso(row["ended"]),
        "reference_dataset_id": row["dataset_id"],
        "tenant_id": TENANT,
    }
    return {**found, **request_stats(connection, row["id"])} if stats else found
