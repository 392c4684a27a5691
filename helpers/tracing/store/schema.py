"""The database's tables, and how a connection to it is opened.

A run's figures are in `runs`, which lists and statistics scan; what it carries (inputs, outputs)
is beside it in `bodies`, and is read only for the runs that an answer holds. `totals` has, for
every run, the sums over itself and everything below it. It is kept while runs arrive, by adding
what changed to every ancestor, so that the order of arrival does not matter. Costs are whole
picodollars (1e-12 US dollars): sums of them are exact.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PICO = 1_000_000_000_000
"""Picodollars in a dollar."""

TENANT = "00000000-0000-0000-0000-000000000000"
"""There is one workspace."""

VERSION = 2
BUSY_MS = 20_000

_TABLES = """
CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    extra TEXT,
    started INTEGER NOT NULL,
    ended INTEGER,
    dataset_id TEXT
) WITHOUT ROWID;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    project_id TEXT,
    trace_id TEXT,
    parent_id TEXT,
    dotted_order TEXT,
    name TEXT,
    run_type TEXT,
    status TEXT NOT NULL,
    started INTEGER,
    ended INTEGER,
    first_token INTEGER,
    example_id TEXT,
    thread_id TEXT,
    tags TEXT,
    patched INTEGER NOT NULL,
    model TEXT,
    metered INTEGER,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    prompt_cost INTEGER,
    completion_cost INTEGER,
    token_details TEXT,
    notes TEXT
);
CREATE INDEX runs_by_time ON runs (project_id, started);
-- With all that statistics need of a request, which then do not touch the table.
CREATE INDEX runs_by_root ON runs (project_id, started, ended, status, name, id)
    WHERE parent_id IS NULL;
CREATE INDEX runs_by_error ON runs (project_id, started) WHERE status = 'error';
CREATE INDEX runs_by_type ON runs (project_id, run_type, started);
CREATE INDEX runs_by_trace ON runs (trace_id, dotted_order);
CREATE INDEX runs_by_example ON runs (example_id) WHERE example_id IS NOT NULL;

CREATE TABLE bodies (
    id TEXT PRIMARY KEY,
    inputs TEXT,
    outputs TEXT,
    extra TEXT,
    events TEXT,
    error TEXT,
    serialized TEXT
);

CREATE TABLE totals (
    run_id TEXT PRIMARY KEY,
    model_runs INTEGER NOT NULL,
    unmetered INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    prompt_cost INTEGER NOT NULL,
    completion_cost INTEGER NOT NULL,
    first_token INTEGER
) WITHOUT ROWID;

CREATE TABLE marks (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (kind, key, value, run_id)
) WITHOUT ROWID;

CREATE TABLE datasets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    data_type TEXT NOT NULL,
    extra TEXT,
    inputs_schema TEXT,
    outputs_schema TEXT,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE examples (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    dataset_id TEXT NOT NULL,
    inputs TEXT,
    outputs TEXT,
    metadata TEXT,
    source_run_id TEXT,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
);
CREATE INDEX examples_by_dataset ON examples (dataset_id, number);

CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    run_id TEXT,
    trace_id TEXT,
    project_id TEXT,
    key TEXT NOT NULL,
    score TEXT,
    value TEXT,
    comment TEXT,
    correction TEXT,
    source TEXT,
    extra TEXT,
    group_id TEXT,
    run_started INTEGER,
    error INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX feedback_by_run ON feedback (run_id);
CREATE INDEX feedback_by_project ON feedback (project_id) WHERE run_id IS NULL;
"""

# What version 2 has more than version 1.
_ADDED = """
CREATE TABLE attachments (
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run_id, name)
);

CREATE TABLE feedback_configs (
    key TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    config TEXT NOT NULL,
    lower_is_better INTEGER,
    modified INTEGER NOT NULL
) WITHOUT ROWID;
"""


class UnusableFileError(RuntimeError):
    """The traces' file cannot be used; the sentence has its path and what to do."""


class WrongVersionError(UnusableFileError):
    """The file was written by another version of the course."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the traces' file, which is made when it is missing.

    What was committed is in the file when the process is killed; two processes may write, one
    waits up to 20 seconds for the other. Threads may share a connection one after another.

    Raises:
        UnusableFileError: it is no SQLite file, is damaged, or cannot be opened.
        WrongVersionError: the file's tables are not those of this version.
    """
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )
    except sqlite3.DatabaseError as error:
        raise UnusableFileError(sentence(error, path)) from None
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # A commit is in the system's hands before it is acknowledged: a killed process loses
        # nothing. Only a power cut can take the last ones; waiting for the disk would cost 20
        # times the speed.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -16000")
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UnusableFileError(sentence(error, path)) from None
    except BaseException:
        connection.close()
        raise
    return connection


def sentence(error: sqlite3.Error, path: Path) -> str:
    """What is wrong with the traces' file, and what to do about it."""
    name = getattr(error, "sqlite_errorname", "")
    for part, told in _TROUBLE.items():
        if part in name:
            return told.format(path=path)
    return f"The traces' file {path} cannot be used: {error}."


_AWAY = "Move it away, with its -wal and -shm files, and trace again."
_TROUBLE = {
    "BUSY": "Another process is writing to the traces' file {path}; try again.",
    "LOCKED": "Another process is writing to the traces' file {path}; try again.",
    "FULL": "The disk that holds the traces' file {path} is full: nothing of this request was "
    "stored. Free some space and send it again.",
    "NOTADB": "{path} is no file of traces: it is no SQLite database. " + _AWAY,
    "CORRUPT": "The traces' file {path} is damaged. " + _AWAY,
    "CANTOPEN": "The traces' file {path} cannot be opened: its folder must exist, and both must "
    "be yours to write.",
    "READONLY": "The traces' file {path} cannot be written: it and its folder must be yours to "
    "write.",
    "IOERR": "The disk failed to read or write the traces' file {path}; check the disk.",
}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; other processes wait their turn before, not in the middle."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) in (0, 1):
        with transaction(connection):
            _bring_up(connection)
    if (found := _version(connection)) != VERSION:
        raise WrongVersionError(
            f"{path} holds traces of another version of the course (format {found}, not "
            f"{VERSION}): move the file away and trace again."
        )


def _bring_up(connection: sqlite3.Connection) -> None:
    """Make the tables, or what version 1 lacks; another process may have been first."""
    found = _version(connection)
    if found == 0:
        statements = _TABLES + _ADDED
    elif found == 1:
        statements = "ALTER TABLE runs ADD COLUMN notes TEXT;" + _ADDED
    else:
        return
    for statement in filter(str.strip, statements.split(";")):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found
