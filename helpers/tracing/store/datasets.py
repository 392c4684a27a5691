"""Datasets and their examples."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Conflict, Invalid, Missing, Unspoken
from helpers.tracing.store.incoming import decoded, identifier, instant
from helpers.tracing.store.projects import TENANT

SPLIT = "dataset_split"
"""The metadata key under which LangSmith keeps an example's splits."""
BASE = "base"
"""The split of examples that name none."""

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
        raise Invalid("A dataset needs a name.")
    dataset_id = identifier(given.get("id") or uuid4(), "the dataset's id")
    moment = now()
    try:
        connection.execute(
            "INSERT INTO datasets VALUES (?, ?, ?, 'kv', ?, ?, ?, ?, ?)",
            [
                dataset_id,
                given["name"],
                given.get("description"),
                _json(given.get("extra")),
                _json(given.get("inputs_schema_definition")),
                _json(given.get("outputs_schema_definition")),
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
    ids: Sequence[str] = (),
    name: str | None = None,
    name_contains: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    limit: int,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Datasets, the newest first."""
    where: list[str] = ["1"]
    values: list[Any] = []
    if ids:
        where.append(f"id IN ({', '.join('?' * len(ids))})")
        values += ids
    if name is not None:
        where.append("name = ?")
        values.append(name)
    if name_contains is not None:
        where.append("instr(lower(name), lower(?)) > 0")
        values.append(name_contains)
    for key, value in (metadata or {}).items():
        where.append(_METADATA.format("extra", "'$.metadata'"))
        values += [key, orjson.dumps(value).decode()]
    rows = connection.execute(
        "SELECT d.*, (SELECT count(*) FROM examples WHERE dataset_id = d.id) AS example_count, "
        "(SELECT count(*) FROM projects WHERE dataset_id = d.id) AS session_count, "
        "(SELECT max(started) FROM projects WHERE dataset_id = d.id) AS last_session "
        f"FROM datasets AS d WHERE {' AND '.join(where)} "
        "ORDER BY created DESC, id LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return list(map(_item, rows))


def delete(connection: sqlite3.Connection, dataset_id: str) -> None:
    """Delete a dataset with its examples; experiments on it stay.

    Raises:
        Missing: there is no such dataset.
    """
    read(connection, dataset_id)
    connection.execute("DELETE FROM examples WHERE dataset_id = ?", [dataset_id])
    connection.execute("DELETE FROM datasets WHERE id = ?", [dataset_id])


# --- examples ------------------------------------------------------------------------------------


def from_parts(parts: Iterable[tuple[str, bytes]]) -> dict[str, dict[str, Any]]:
    """The examples of a multipart form: id -> fields, with inputs and outputs as JSON text.

    Raises:
        Invalid: a part is not what its name says.
        Unspoken: it has attachments.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, content in parts:
        example_id, _, part = name.partition(".")
        if not part:
            found[identifier(example_id, "an example's id")] = decoded(content, name)
        elif part.startswith("attachment"):
            raise Unspoken("attachments of examples")
        elif part not in ("inputs", "outputs") or example_id not in found:
            raise Invalid(f"The part {name[:80]!r} belongs to no example that was sent before it.")
        else:
            decoded(content, name)
            found[example_id][part] = content.decode()
    return found


def add_examples(
    connection: sqlite3.Connection, dataset_id: str, examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Add examples to a dataset, in order.

    Raises:
        Missing: there is no such dataset, or not the run that one is to be made of.
        Conflict: there is an example of that id.
    """
    read(connection, dataset_id)
    moment = now()
    for example_id, example in examples.items():
        created = example.get("created_at")
        inputs, outputs = _content(connection, example)
        try:
            connection.execute(
                "INSERT INTO examples (id, dataset_id, inputs, outputs, metadata, source_run_id, "
                "created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    example_id,
                    dataset_id,
                    inputs,
                    outputs,
                    _json(_with_split(example.get("metadata"), example.get("split"))),
                    example.get("source_run_id"),
                    instant(created, "created_at") if created else moment,
                    moment,
                ],
            )
        except sqlite3.IntegrityError:
            raise Conflict(f"There is an example {example_id} already.") from None
    return _changed(connection, dataset_id, list(examples), moment)


def update_examples(
    connection: sqlite3.Connection, dataset_id: str, examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Change what is given of each example.

    Raises:
        Missing: one of them is not in the dataset.
    """
    moment = now()
    for example_id, example in examples.items():
        row = connection.execute(
            "SELECT metadata FROM examples WHERE id = ? AND dataset_id = ?",
            [example_id, dataset_id],
        ).fetchone()
        if row is None:
            raise Missing(f"There is no example {example_id} in the dataset {dataset_id}.")
        metadata = example.get("metadata")
        if metadata is None and example.get("split") is not None:
            metadata = orjson.loads(row["metadata"]) if row["metadata"] else {}
        changes = {
            "inputs": example.get("inputs"),
            "outputs": example.get("outputs"),
            "metadata": _json(_with_split(metadata, example.get("split"))),
            "modified": moment,
        }
        for column, value in changes.items():
            if value is not None:
                connection.execute(
                    f"UPDATE examples SET {column} = ? WHERE id = ?", [value, example_id]
                )
    return _changed(connection, dataset_id, list(examples), moment)


def find_examples(
    connection: sqlite3.Connection,
    *,
    dataset_id: str | None,
    ids: Sequence[str] = (),
    splits: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    as_of: str | None = None,
    limit: int,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Examples in the order in which they were added.

    Raises:
        Unspoken: an older version of the dataset is asked for.
    """
    if as_of not in (None, "latest"):
        _check_version(connection, dataset_id, as_of or "")
    where: list[str] = ["1"]
    values: list[Any] = []
    if dataset_id is not None:
        where.append("dataset_id = ?")
        values.append(dataset_id)
    if ids:
        where.append("id IN (SELECT value FROM json_each(?))")
        values.append(orjson.dumps(list(ids)).decode())
    if splits:
        where.append(
            f"EXISTS (SELECT 1 FROM json_each(coalesce(json_extract(metadata, '$.{SPLIT}'), "
            f"'[\"{BASE}\"]')) AS s WHERE s.value IN ({', '.join('?' * len(splits))}))"
        )
        values += splits
    for key, value in (metadata or {}).items():
        where.append(_METADATA.format("metadata", "'$'"))
        values += [key, orjson.dumps(value).decode()]
    rows = connection.execute(
        f"SELECT * FROM examples WHERE {' AND '.join(where)} ORDER BY number LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return list(map(_example, rows))


def read_example(connection: sqlite3.Connection, example_id: str) -> dict[str, Any]:
    """One example.

    Raises:
        Missing: there is no such example.
    """
    found = find_examples(connection, dataset_id=None, ids=[example_id], limit=1)
    if not found:
        raise Missing(f"There is no example {example_id}.")
    return found[0]


def delete_examples(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    """Delete examples; how many there were.

    Raises:
        Missing: none of them is there.
    """
    listed = orjson.dumps(list(ids)).decode()
    chosen = "id IN (SELECT value FROM json_each(?))"
    datasets = connection.execute(
        f"SELECT DISTINCT dataset_id FROM examples WHERE {chosen}", [listed]
    ).fetchall()
    if not datasets:
        raise Missing("None of these examples is there.")
    for row in datasets:
        connection.execute(
            "UPDATE datasets SET modified = ? WHERE id = ?", [now(), row["dataset_id"]]
        )
    return connection.execute(f"DELETE FROM examples WHERE {chosen}", [listed]).rowcount


def splits(connection: sqlite3.Connection, dataset_id: str) -> list[str]:
    """The names of a dataset's splits."""
    rows = connection.execute(
        f"SELECT DISTINCT s.value FROM examples, json_each(coalesce(json_extract(metadata, "
        f"'$.{SPLIT}'), '[\"{BASE}\"]')) AS s WHERE dataset_id = ? ORDER BY s.value",
        [dataset_id],
    )
    return [row[0] for row in rows]


def change_splits(
    connection: sqlite3.Connection, dataset_id: str, ids: Sequence[str], *, add: bool, split: str
) -> None:
    """Put examples into a split, or take them out of it.

    Raises:
        Missing: one of them is not in the dataset.
    """
    for example_id in ids:
        row = connection.execute(
            "SELECT metadata FROM examples WHERE id = ? AND dataset_id = ?",
            [example_id, dataset_id],
        ).fetchone()
        if row is None:
            raise Missing(f"There is no example {example_id} in the dataset {dataset_id}.")
        metadata = orjson.loads(row["metadata"]) if row["metadata"] else {}
        names = [name for name in metadata.get(SPLIT, [BASE]) if name != split]
        changed = {**metadata, SPLIT: [*names, split] if add else names}
        update_examples(connection, dataset_id, {example_id: {"metadata": changed}})


_METADATA = (
    "EXISTS (SELECT 1 FROM json_each({0}, {1}) AS m "
    "WHERE m.key = ? AND m.value = json_extract(?, '$'))"
)


def _content(
    connection: sqlite3.Connection, example: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """The inputs and outputs: as sent, or those of the run that the example is made of."""
    if not example.get("use_source_run_io"):
        return example.get("inputs"), example.get("outputs")
    run_id = example.get("source_run_id")
    row = connection.execute("SELECT inputs, outputs FROM bodies WHERE id = ?", [run_id]).fetchone()
    if row is None:
        raise Missing(f"There is no run {run_id} to make an example of.")
    return example.get("inputs") or row["inputs"], example.get("outputs") or row["outputs"]


def _with_split(metadata: Any, split: Any) -> dict[str, Any] | None:
    if split is None:
        return metadata if isinstance(metadata, dict) else None
    return {**(metadata or {}), SPLIT: [split] if isinstance(split, str) else list(split)}


def _changed(
    connection: sqlite3.Connection, dataset_id: str, ids: list[str], moment: int
) -> dict[str, Any]:
    connection.execute("UPDATE datasets SET modified = ? WHERE id = ?", [moment, dataset_id])
    return {"example_ids": ids, "count": len(ids), "as_of": iso(moment)}


def _check_version(connection: sqlite3.Connection, dataset_id: str | None, as_of: str) -> None:
    row = connection.execute(
        "SELECT max(modified) FROM datasets WHERE id = coalesce(?, id)", [dataset_id]
    ).fetchone()
    try:
        moment = instant(as_of, "as_of")
    except Invalid:
        raise Unspoken(f"the dataset version {as_of!r}; only the latest is kept") from None
    if moment < (row[0] or 0):
        raise Unspoken("older versions of a dataset; only the latest is kept")


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _fragment(content: str | None) -> Any:
    return None if content is None else orjson.Fragment(content)


def _item(row: sqlite3.Row) -> dict[str, Any]:
    extra = orjson.loads(row["extra"]) if row["extra"] else {}
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "data_type": row["data_type"],
        "metadata": extra.get("metadata"),
        "inputs_schema_definition": _fragment(row["inputs_schema"]),
        "outputs_schema_definition": _fragment(row["outputs_schema"]),
        "created_at": iso(row["created"]),
        "modified_at": iso(row["modified"]),
        "example_count": row["example_count"],
        "session_count": row["session_count"],
        "last_session_start_time": iso(row["last_session"]),
        "tenant_id": TENANT,
    }


def _example(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "dataset_id": row["dataset_id"],
        "inputs": _fragment(row["inputs"]) or {},
        "outputs": _fragment(row["outputs"]),
        "metadata": _fragment(row["metadata"]),
        "source_run_id": row["source_run_id"],
        "created_at": iso(row["created"]),
        "modified_at": iso(row["modified"]),
    }
