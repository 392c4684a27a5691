"""Projects, which LangSmith's API calls sessions; an experiment is one with a dataset."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Conflict, Invalid, Missing, Unspoken
from helpers.tracing.store import exact
from helpers.tracing.store.conditions import (
    Condition,
    contains,
    has_all_metadata,
    one_of,
    where,
)
from helpers.tracing.store.incoming import identifier, instant, plain_text
from helpers.tracing.store.schema import TENANT
from helpers.tracing.store.stats import request_stats

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
    name = plain_text(payload.get("name"), "a project's name") or "default"
    found = connection.execute("SELECT id FROM projects WHERE name = ?", [name]).fetchone()
    if found is not None:
        if not upsert:
            raise Conflict(f"There is a project {name!r} already.")
        return update(connection, found["id"], {**payload, "name": None})
    project_id = identifier(payload.get("id") or uuid4(), "the project's id")
    dataset = payload.get("reference_dataset_id")
    started = payload.get("start_time")
    values = [
        project_id,
        name,
        plain_text(payload.get("description"), "a project's description"),
        _extra(payload),
        instant(started, "start_time") if started else now(),
        identifier(dataset, "reference_dataset_id") if dataset else None,
    ]
    try:
        connection.execute(
            "INSERT INTO projects (id, name, description, extra, started, dataset_id) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
    except sqlite3.IntegrityError:
        raise Conflict(f"There is a project {project_id} already.") from None
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
        "name": plain_text(payload.get("name"), "a project's name"),
        "description": plain_text(payload.get("description"), "a project's description"),
        "extra": _extra(payload),
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
    ids: Sequence[str] | None = None,
    name: str | None = None,
    name_contains: str | None = None,
    datasets: Sequence[str] | None = None,
    without_dataset: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
    stats: bool,
    limit: int,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Projects, the newest first; what is None does not narrow the choice."""
    conditions = has_all_metadata("extra", "$.metadata", metadata)
    for column, chosen in (("id", ids), ("dataset_id", datasets)):
        if chosen is not None:
            conditions.append(one_of(column, chosen))
    if name is not None:
        conditions.append(Condition("name = ?", (name,)))
    if name_contains is not None:
        conditions.append(contains("name", name_contains))
    if without_dataset is not None:
        conditions.append(Condition(f"dataset_id IS {'' if without_dataset else 'NOT '}NULL"))
    chosen_sql, values = where(conditions)
    rows = connection.execute(
        f"SELECT * FROM projects WHERE {chosen_sql} ORDER BY started DESC, id LIMIT ? OFFSET ?",
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
        f"DELETE FROM attachments WHERE run_id IN ({runs})",
        f"DELETE FROM feedback WHERE run_id IN ({runs})",
        "DELETE FROM feedback WHERE project_id = ?",
        "DELETE FROM runs WHERE project_id = ?",
        "DELETE FROM projects WHERE id = ?",
    ):
        connection.execute(statement, [project_id])


def _check(payload: Mapping[str, Any]) -> None:
    if unknown := {key for key, value in payload.items() if value is not None} - _KNOWN:
        raise Unspoken(f"the field {min(unknown)} of a project")


def _extra(payload: Mapping[str, Any]) -> str | None:
    found = payload.get("extra")
    if found is not None and not isinstance(found, dict):
        raise Invalid("A project's extra is a JSON object.")
    return None if found is None else exact.text(found)


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
