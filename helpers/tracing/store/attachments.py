"""Files that runs carry: kept as they came, read back by the SDK from an address that it gets."""

import sqlite3
from collections.abc import Iterable, Sequence

from helpers.tracing.errors import Missing
from helpers.tracing.store.conditions import one_of
from helpers.tracing.store.incoming import Incoming


def write(connection: sqlite3.Connection, runs: Iterable[Incoming]) -> None:
    """Keep the attachments of runs; one of the same name is replaced."""
    connection.executemany(
        "INSERT OR REPLACE INTO attachments (run_id, name, content_type, content) "
        "VALUES (?, ?, ?, ?)",
        [
            [run.id, one.name, one.content_type, one.content]
            for run in runs
            for one in run.attachments
        ],
    )


def listed(connection: sqlite3.Connection, runs: Sequence[str]) -> dict[str, list[sqlite3.Row]]:
    """Run -> name, content type and size in bytes of each of its attachments, by name."""
    chosen = one_of("run_id", runs)
    rows = connection.execute(
        "SELECT run_id, name, content_type, length(content) AS size FROM attachments "
        f"WHERE {chosen.sql} ORDER BY run_id, name",
        chosen.values,
    )
    found: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        found.setdefault(row["run_id"], []).append(row)
    return found


def read(connection: sqlite3.Connection, run_id: str, name: str) -> bytes:
    """The content of one attachment.

    Raises:
        Missing: the run has none of that name.
    """
    row = connection.execute(
        "SELECT content FROM attachments WHERE run_id = ? AND name = ?", [run_id, name]
    ).fetchone()
    if row is None:
        raise Missing(f"The run {run_id} has no attachment {name[:80]!r}.")
    content: bytes = row["content"]
    return content
