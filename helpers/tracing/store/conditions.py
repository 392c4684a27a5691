"""Conditions in SQL that the queries of runs, projects, datasets, examples and feedback share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from helpers.tracing.errors import Unspoken


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition with the values of its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()


def one_of(column: str, values: Sequence[Any]) -> Condition:
    """The column has one of the values; of none where there are none."""
    if len(values) == 1:  # the form that lets an index give the order
        return Condition(f"{column} = ?", (values[0],))
    listed = orjson.dumps(list(values)).decode()
    return Condition(f"{column} IN (SELECT value FROM json_each(?))", (listed,))


def contains(column: str, text: str) -> Condition:
    """The column contains a text, in upper or lower case."""
    return Condition(f"instr(lower({column}), lower(?)) > 0", (text,))


def metadata_text(value: Any) -> str | None:
    """The text by which metadata are compared ("3" is 3, "true" is true); None for other values."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return orjson.dumps(value).decode()
    return None


def has_metadata(
    document: str, path: str, keys: Sequence[str], values: Sequence[str] | None = None
) -> Condition:
    """A JSON document has one of the keys and, where values are given, one of them under it.

    The values are texts by `metadata_text`.
    """
    sql = f"EXISTS (SELECT 1 FROM json_each({document}, '{path}') AS m WHERE m.key IN "
    sql += "(SELECT value FROM json_each(?))"
    placed = [orjson.dumps(list(keys)).decode()]
    if values is not None:
        sql += (
            " AND m.type NOT IN ('array', 'object') AND CASE m.type WHEN 'true' THEN 'true' "
            "WHEN 'false' THEN 'false' ELSE CAST(m.value AS TEXT) END IN "
            "(SELECT value FROM json_each(?))"
        )
        placed.append(orjson.dumps(list(values)).decode())
    return Condition(sql + ")", tuple(placed))


def has_all_metadata(document: str, path: str, pairs: Mapping[str, Any] | None) -> list[Condition]:
    """A JSON document has every one of the pairs.

    Raises:
        Unspoken: a value is no text, number, true or false.
    """
    found = []
    for key, value in (pairs or {}).items():
        text = metadata_text(value)
        if text is None:
            raise Unspoken("metadata values other than texts, numbers and true or false")
        found.append(has_metadata(document, path, [key], [text]))
    return found


def where(conditions: Iterable[Condition]) -> tuple[str, list[Any]]:
    """All of the conditions as one, for after WHERE, and the values of its placeholders."""
    listed = list(conditions)
    sql = " AND ".join(f"({one.sql})" for one in listed) or "1"
    return sql, [value for one in listed for value in one.values]
