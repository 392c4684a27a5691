"""The traces' SQLite file: its tables, what is written to them, and what is read from them."""

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.tracing.store.schema import connect, transaction


class Store:
    """The file, shared by the threads of one process; other processes may have it open too.

    Each thread reads over a connection of its own, so a long query holds nobody up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = threading.local()
        # Signs the addresses of attachments, until this process ends.
        self.secret = secrets.token_bytes(32)
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self.reading()  # makes the file, or says what is wrong with it, right away

    def reading(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = connect(self.path)
            with self._lock:
                self._opened.append(found)
        return found

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection inside a transaction, committed at the end of the block."""
        connection = self.reading()
        with self._lock, transaction(connection):
            yield connection

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            while self._opened:
                self._opened.pop().close()
