"""Datasets, without their examples."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Conflict, Invalid, Missing, Unspoken
from helpers.tracing.store import exact, json_schema
from helpers.tracing.store.conditions import (
    Condition,
    contains,
    has_all_metadata,
    one_of,
    where,
)
from helpers.tracing.store.incoming import identifier, plain_text
from helpers.tracing.store.schema import TENANT

_KNOWN = {
    "id",
    "name",
    "description",
    "data_type",
    "extra",
    "inputs_schema_definition",
    "outputs_schema_definition",
}


def create(connection: sqlite3.Connection, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Make a dataset.

    Raises:
        Conflict: there is one of that name.
        Unspoken: it asks for more than key-value examples.
    """
    given = {key: value for key, value in payload.items() if value not in (None, [])}
    if unknown := given.keys() - _KNOWN:
        raise Unspoken(f"the field {min(unknown)} of a dataset")
    if given.get("data_type", "kv") != "kv":
        raise Unspoken(f"datasets of the type {given['data_type']}; use the default, kv")
    if not isinstance(given.get("name"), str):
        raise Invalid("A dataset needs a name, which is a text.")
    if not isinstance(given.get("extra", {}), dict):
        raise Invalid("A dataset's extra is a JSON object.")
    for side in ("inputs", "outputs"):
        json_schema.check(given.get(f"{side}_schema_definition"), f"{side}_schema")
    dataset_id = identifier(given.get("id") or uuid4(), "the dataset's id")
    moment = now()
    try:
        connection.execute(
            "INSERT INTO datasets VALUES (?, ?, ?, 'kv', ?, ?, ?, ?, ?)",
            [
                dataset_id,
                given["name"],
                plain_text(given.get("description"), "a dataset's description"),
                as_json(given.get("extra")),
                as_json(given.get("inputs_schema_definition")),
                as_json(given.get("outputs_schema_definition")),
                moment,
                moment,
            ],
        )
    except sqlite3.IntegrityError:
        raise Conflict(f"There is a dataset {given['name']!r} already.") from None
    return read(connection, dataset_id)


def read(connection: sqlite3.Connection, dataset_id: str) -> dict[str, Any]:
    """One dataset.

    Raises:
        Missing: there is no such dataset.
    """
    found = find(connection, ids=[dataset_id], limit=1)
    if not found:
        raise Missing(f"There is no dataset {dataset_id}.")
    return found[0]


def find(
    connection: sqlite3.Connection,
    *,
    ids: Sequence[str] | None = None,
    name: str | None = None,
    name_contains: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    limit: int,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Datasets, the newest first."""
    conditions = has_all_metadata("extra", "$.metadata", metadata)
    if ids is not None:
        conditions.append(one_of("id", ids))
    if name is not None:
        conditions.append(Condition("name = ?", (name,)))
    if name_contains is not None:
        conditions.append(contains("name", name_contains))
    chosen, values = where(conditions)
    rows = connection.execute(
        "SELECT d.*, (SELECT count(*) FROM examples WHERE dataset_id = d.id) AS example_count, "
        "(SELECT count(*) FROM projects WHERE dataset_id = d.id) AS session_count, "
        "(SELECT max(started) FROM projects WHERE dataset_id = d.id) AS last_session "
        f"FROM datasets AS d WHERE {chosen} "
        "ORDER BY created DESC, id LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return list(map(_item, rows))


def schemas(connection: sqlite3.Connection, dataset_id: str) -> dict[str, Any]:
    """The schemas that a dataset's examples must match, by side; none where there is none.

    Raises:
        Missing: there is no such dataset.
    """
    row = connection.execute(
        "SELECT inputs_schema, outputs_schema FROM datasets WHERE id = ?", [dataset_id]
    ).fetchone()
    if row is None:
        raise Missing(f"There is no dataset {dataset_id}.")
    sides = {"inputs": row["inputs_schema"], "outputs": row["outputs_schema"]}
    return {side: orjson.loads(text) for side, text in sides.items() if text is not None}


def delete(connection: sqlite3.Connection, dataset_id: str) -> None:
    """Delete a dataset with its examples; experiments on it stay.

    Raises:
        Missing: there is no such dataset.
    """
    read(connection, dataset_id)
    connection.execute("DELETE FROM examples WHERE dataset_id = ?", [dataset_id])
    connection.execute("DELETE FROM datasets WHERE id = ?", [dataset_id])


def as_json(value: Any) -> str | None:
    """A value as JSON text; None stays None."""
    return None if value is None else exact.text(value)


def fragment(content: str | None) -> Any:
    """JSON text as a piece of an answer in JSON; None stays None."""
    return None if content is None else orjson.Fragment(content)


def _item(row: sqlite3.Row) -> dict[str, Any]:
    extra = orjson.loads(row["extra"]) if row["extra"] else {}
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "data_type": row["data_type"],
        "metadata": extra.get("metadata"),
        "inputs_schema_definition": fragment(row["inputs_schema"]),
        "outputs_schema_definition": fragment(row["outputs_schema"]),
        "created_at": iso(row["created"]),
        "modified_at": iso(row["modified"]),
        "example_count": row["example_count"],
        "session_count": row["session_count"],
        "last_session_start_time": iso(row["last_session"]),
        "tenant_id": TENANT,
    }
