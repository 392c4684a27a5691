"""What a key of feedback means: its type, its range, its categories. One for each key."""

import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Invalid, Missing, Refused
from helpers.tracing.store import exact
from helpers.tracing.store.conditions import contains, one_of, where
from helpers.tracing.store.schema import TENANT

TYPES = ("continuous", "categorical", "freeform")


class OtherConfigError(Refused):
    """The key has another configuration already, as LangSmith answers it."""

    status = 400


def remember(connection: sqlite3.Connection, key: str, config: Any) -> None:
    """Keep what came with a piece of feedback, unless the key has a configuration already.

    Raises:
        Invalid: it is no configuration.
    """
    connection.execute(
        "INSERT OR IGNORE INTO feedback_configs VALUES (?, ?, ?, NULL, ?)",
        [key, str(uuid4()), _checked(config), now()],
    )


def create(
    connection: sqlite3.Connection, key: Any, config: Any, lower_is_better: Any
) -> dict[str, Any]:
    """Keep a configuration; the same one twice is one.

    Raises:
        Invalid: it is no configuration.
        OtherConfigError: the key has another one.
    """
    if not isinstance(key, str) or not key:
        raise Invalid("feedback_key is the key that the configuration is of, a text.")
    if not isinstance(lower_is_better, bool | None):
        raise Invalid("is_lower_score_better is true or false.")
    content = _checked(config)
    known = connection.execute(
        "SELECT config, lower_is_better FROM feedback_configs WHERE key = ?", [key]
    ).fetchone()
    if known is not None:
        if orjson.loads(known["config"]) != config or lower_is_better not in (
            None,
            known["lower_is_better"],
        ):
            raise OtherConfigError(f"The feedback key {key!r} has another configuration already.")
        return find(connection, keys=[key], limit=1)[0]
    connection.execute(
        "INSERT INTO feedback_configs VALUES (?, ?, ?, ?, ?)",
        [key, str(uuid4()), content, lower_is_better, now()],
    )
    return find(connection, keys=[key], limit=1)[0]


def find(
    connection: sqlite3.Connection,
    *,
    keys: Sequence[str] | None = None,
    name_contains: str | None = None,
    limit: int,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Configurations, by key."""
    conditions = [] if keys is None else [one_of("key", keys)]
    if name_contains is not None:
        conditions.append(contains("key", name_contains))
    chosen, values = where(conditions)
    rows = connection.execute(
        f"SELECT * FROM feedback_configs WHERE {chosen} ORDER BY key LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return [
        {
            "id": row["id"],
            "feedback_key": row["key"],
            "feedback_config": orjson.Fragment(row["config"]),
            "is_lower_score_better": None
            if row["lower_is_better"] is None
            else bool(row["lower_is_better"]),
            "is_enforced": False,
            "is_first": True,
            "modified_at": iso(row["modified"]),
            "tenant_id": TENANT,
        }
        for row in rows
    ]


def delete(connection: sqlite3.Connection, key: str) -> None:
    """Delete a key's configuration; its feedback stays.

    Raises:
        Missing: it has none.
    """
    if not connection.execute("DELETE FROM feedback_configs WHERE key = ?", [key]).rowcount:
        raise Missing(f"The feedback key {key[:80]!r} has no configuration.")


def _checked(config: Any) -> str:
    if not isinstance(config, dict) or config.get("type") not in TYPES:
        raise Invalid(f"feedback_config is a JSON object whose type is one of {', '.join(TYPES)}.")
    return exact.text(config)
