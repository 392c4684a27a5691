"""The file of an answer cache: SQLite, so that it survives a crash and several processes share it.

The cache in memory is what answers. The file never stops an answer: where it cannot be read or
written, that is warned of, and what is damaged is set aside under another name.
"""

import sqlite3
import warnings
from pathlib import Path
from typing import NamedTuple

_CREATE = """
CREATE TABLE IF NOT EXISTS answers (
    scope TEXT NOT NULL, version TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,
    stored_at REAL NOT NULL, vector BLOB, PRIMARY KEY (scope, version, question)
)
"""
_WAIT_S = 5.0


class Row(NamedTuple):
    """One stored answer; `vector` is float32 in this machine's byte order, of length 1."""

    scope: str
    version: str
    question: str
    answer: str
    stored_at: float
    vector: bytes | None


class CacheFile:
    """Rows of an answer cache in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data_version = -1
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._open()

    def read(self) -> list[Row] | None:
        """All rows, longest stored first; None when they cannot be read now."""
        for _ in range(2):
            try:
                found = self._connection.execute("SELECT * FROM answers ORDER BY stored_at, rowid")
                rows = [Row(*row) for row in found]
                self._data_version = self._version()
            except sqlite3.OperationalError as error:
                self._warn("read", error)
                return None
            except sqlite3.DatabaseError as error:
                self._set_aside(error)
            else:
                return rows
        return None

    def changed(self) -> bool:
        """Whether another process wrote since the last `read`."""
        try:
            return self._version() != self._data_version
        except sqlite3.DatabaseError:
            return True  # `read` deals with it

    def write(self, row: Row) -> None:
        """Add a row, or replace the one of the same question; also what other versions had."""
        self._change("DELETE FROM answers WHERE scope = ? AND version != ?", row[:2])
        self._change("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)

    def delete(self, scope: str, version: str, question: str) -> None:
        """Remove a row."""
        self._change(
            "DELETE FROM answers WHERE scope = ? AND version = ? AND question = ?",
            (scope, version, question),
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _change(self, sql: str, values: tuple[object, ...]) -> None:
        try:
            self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            self._warn("written", error)
        except sqlite3.DatabaseError as error:
            self._set_aside(error)

    def _warn(self, what: str, error: sqlite3.Error) -> None:
        warnings.warn(
            f"The cache file {self._path} could not be {what} ({error}): its entries are only "
            "in memory. Check the disk and who else uses the file.",
            stacklevel=4,
        )

    def _open(self) -> sqlite3.Connection:
        for _ in range(2):
            # Statements commit one by one; the lock of `AnswerCache` keeps threads apart.
            connection = sqlite3.connect(
                self._path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
            try:
                verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
                if verdict != "ok":
                    raise sqlite3.DatabaseError(verdict)
                connection.execute(_CREATE)
                columns = [row[1] for row in connection.execute("PRAGMA table_info(answers)")]
                if tuple(columns) != Row._fields:
                    raise sqlite3.DatabaseError(f"its columns are {columns}")
            except sqlite3.OperationalError:
                connection.close()
                raise
            except sqlite3.DatabaseError as error:
                self._move(connection, error)
            else:
                return connection
        raise sqlite3.DatabaseError(f"{self._path} is damaged again: choose another path.")

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        self._move(self._connection, error)
        self._connection = self._open()
        self._data_version = -1

    def _move(self, connection: sqlite3.Connection, error: sqlite3.DatabaseError) -> None:
        connection.close()
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.damaged-{number}")).exists():
            number += 1
        self._path.replace(aside)
        # A journal that stayed would be played into the new file.
        journal = self._path.with_name(f"{self._path.name}-journal")
        if journal.exists():
            journal.replace(aside.with_name(f"{aside.name}-journal"))
        warnings.warn(
            f"The cache file {self._path} is damaged ({error}). It is kept as {aside}; the cache "
            "starts empty.",
            stacklevel=4,
        )
