"""The examples of datasets."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Conflict, Invalid, Missing, Unspoken
from helpers.tracing.multipart import Form
from helpers.tracing.store import datasets, exact, json_schema
from helpers.tracing.store.conditions import Condition, has_all_metadata, one_of, where
from helpers.tracing.store.datasets import as_json, fragment
from helpers.tracing.store.incoming import identifier, instant

SPLIT = "dataset_split"
"""The metadata key under which LangSmith keeps an example's splits."""
BASE = "base"
"""The split of examples that name none."""
_SPLITS = f"json_each(coalesce(json_extract(metadata, '$.{SPLIT}'), '[\"{BASE}\"]'))"


def from_form(form: Form) -> dict[str, dict[str, Any]]:
    """The examples of a multipart form: id -> fields, with inputs and outputs as JSON text.

    Raises:
        Invalid: a part is not what its name says.
        Unspoken: it has attachments.
    """
    if form.problems:
        raise Invalid(form.problems[0])
    found: dict[str, dict[str, Any]] = {}
    for one in form.parts:
        given, _, part = one.name.partition(".")
        example_id = given.lower()
        if not part:
            fields = exact.strict(one.content, one.name[:80])
            if not isinstance(fields, dict):
                raise Invalid(f"The example {given[:80]} is no JSON object.")
            found[identifier(example_id, "an example's id")] = _checked(fields)
        elif part.startswith("attachment"):
            raise Unspoken("attachments of examples")
        elif part not in ("inputs", "outputs") or example_id not in found:
            raise Invalid(
                f"The part {one.name[:80]!r} belongs to no example that was sent before it."
            )
        else:
            found[example_id][part] = _side(exact.strict(one.content, one.name[:80]), part)
    return found


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an example, each of its type."""
    for name in ("metadata", "attachments_operations"):
        if not isinstance(fields.get(name) or {}, dict):
            raise Invalid(f"{name} of an example is a JSON object.")
    if fields.get("attachments_operations"):
        raise Unspoken("attachments of examples")
    split = fields.get("split")
    texts = split if isinstance(split, list) else [split] if split is not None else []
    if not all(isinstance(text, str) for text in texts):
        raise Invalid("split of an example is a text or a list of texts.")
    source = fields.get("source_run_id")
    return {
        **fields,
        **{side: _side(fields[side], side) for side in ("inputs", "outputs") if side in fields},
        "source_run_id": None if source is None else identifier(source, "source_run_id"),
    }


def _side(value: Any, side: str) -> str | None:
    if value is not None and not isinstance(value, dict):
        raise Invalid(f"{side} of an example is a JSON object.")
    return None if value is None else exact.text(value)


def add(
    connection: sqlite3.Connection, dataset_id: str, examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Add examples to a dataset, in order.

    Raises:
        Missing: there is no such dataset, or not the run that one is to be made of.
        Conflict: there is an example of that id.
    """
    schemas = datasets.schemas(connection, dataset_id)
    moment = now()
    for example_id, example in examples.items():
        created = example.get("created_at")
        inputs, outputs = _content(connection, example)
        _enforce(schemas, {"inputs": inputs or "{}", "outputs": outputs}, example_id)
        try:
            connection.execute(
                "INSERT INTO examples (id, dataset_id, inputs, outputs, metadata, source_run_id, "
                "created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    example_id,
                    dataset_id,
                    inputs,
                    outputs,
                    as_json(_with_split(example.get("metadata"), example.get("split"))),
                    example.get("source_run_id"),
                    instant(created, "created_at") if created else moment,
                    moment,
                ],
            )
        except sqlite3.IntegrityError:
            raise Conflict(f"There is an example {example_id} already.") from None
    return _changed(connection, dataset_id, list(examples), moment)


def update(
    connection: sqlite3.Connection, dataset_id: str, examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Change what is given of each example.

    Raises:
        Missing: one of them is not in the dataset.
    """
    schemas = datasets.schemas(connection, dataset_id)
    moment = now()
    for example_id, example in examples.items():
        row = connection.execute(
            "SELECT metadata FROM examples WHERE id = ? AND dataset_id = ?",
            [example_id, dataset_id],
        ).fetchone()
        if row is None:
            raise Missing(f"There is no example {example_id} in the dataset {dataset_id}.")
        _enforce(schemas, example, example_id)
        metadata = example.get("metadata")
        if metadata is None and example.get("split") is not None:
            metadata = orjson.loads(row["metadata"]) if row["metadata"] else {}
        changes = {
            "inputs": example.get("inputs"),
            "outputs": example.get("outputs"),
            "metadata": as_json(_with_split(metadata, example.get("split"))),
            "modified": moment,
        }
        for column, value in changes.items():
            if value is not None:
                connection.execute(
                    f"UPDATE examples SET {column} = ? WHERE id = ?", [value, example_id]
                )
    return _changed(connection, dataset_id, list(examples), moment)


def _enforce(schemas: Mapping[str, Any], sides: Mapping[str, Any], example_id: str) -> None:
    for side, schema in schemas.items():
        if sides.get(side) is not None:
            content = orjson.loads(sides[side])
            json_schema.enforce(schema, content, f"{side} of the example {example_id}")


def find(
    connection: sqlite3.Connection,
    *,
    dataset_id: str | None,
    ids: Sequence[str] | None = None,
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
    conditions = has_all_metadata("metadata", "$", metadata)
    if dataset_id is not None:
        conditions.append(Condition("dataset_id = ?", (dataset_id,)))
    if ids is not None:
        conditions.append(one_of("id", ids))
    if splits:
        inner = one_of("s.value", splits)
        conditions.append(
            Condition(f"EXISTS (SELECT 1 FROM {_SPLITS} AS s WHERE {inner.sql})", inner.values)
        )
    chosen, values = where(conditions)
    rows = connection.execute(
        f"SELECT * FROM examples WHERE {chosen} ORDER BY number LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return list(map(_example, rows))


def read(connection: sqlite3.Connection, example_id: str) -> dict[str, Any]:
    """One example.

    Raises:
        Missing: there is no such example.
    """
    found = find(connection, dataset_id=None, ids=[example_id], limit=1)
    if not found:
        raise Missing(f"There is no example {example_id}.")
    return found[0]


def delete(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
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
        f"SELECT DISTINCT s.value FROM examples, {_SPLITS} AS s WHERE dataset_id = ? "
        "ORDER BY s.value",
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
        update(connection, dataset_id, {example_id: {"metadata": changed}})


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


def _example(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "dataset_id": row["dataset_id"],
        "inputs": fragment(row["inputs"]) or {},
        "outputs": fragment(row["outputs"]),
        "metadata": fragment(row["metadata"]),
        "source_run_id": row["source_run_id"],
        "created_at": iso(row["created"]),
        "modified_at": iso(row["modified"]),
    }
