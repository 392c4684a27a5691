"""What a learner has done so far: every check, hint and quiz answer, in one SQLite file.

The file is `progress.db` in the course folder (`helpers.paths.course_dir`). Rows are only ever
added, each in a transaction of its own, so a kernel that dies loses nothing that was recorded,
and two kernels may record at once. A damaged file is set aside under a dated name. Where the file
cannot be used at all, this kernel keeps its progress in memory. Both are said in a sentence on
standard error; neither ever raises into a notebook.
"""

import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from helpers.course.given import GIVEN, Mark, counts, is_given
from helpers.paths import course_dir

STATUSES = ("not done yet", "wrong", "partly", "passed")  # from the least to the best

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS checks (
    at TEXT NOT NULL, exercise TEXT NOT NULL, status TEXT NOT NULL,
    passed INTEGER NOT NULL, total INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hints (at TEXT NOT NULL, exercise TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    at TEXT NOT NULL, module TEXT NOT NULL, question TEXT NOT NULL, correct INTEGER NOT NULL);
"""
# Came later. The version is the same on purpose: a kernel that runs the course's earlier code finds
# its own three tables as they were, and would set a file of another version aside.
_GIVEN = """
CREATE TABLE IF NOT EXISTS given (
    at TEXT NOT NULL, exercise TEXT NOT NULL, given INTEGER NOT NULL, after INTEGER NOT NULL)
"""
_PATIENCE_S = 20.0  # how long one kernel waits for another one's write
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

T = TypeVar("T")


class _OtherLayoutError(sqlite3.DatabaseError):
    """The file is a database, but not one that this version of the course wrote."""


@dataclass(frozen=True)
class CheckRecord:
    """How an exercise stands: the best status so far, and what it took.

    `status` is one of `STATUSES`, or *given* where the lab has the course's solution and the
    learner had not passed before. `passed` of `total` counts the parts of the best try; `tries`
    leaves out *not done yet*, and both leave out tries of a given solution.
    """

    exercise: str
    status: str
    passed: int
    total: int
    tries: int
    hints: int


@dataclass(frozen=True)
class QuizRecord:
    """How a quiz question stands: answered rightly at some time, and in how many tries."""

    question: str
    right: bool
    tries: int


@dataclass(frozen=True)
class ModuleProgress:
    """What was recorded of one module; exercises and questions never tried are absent."""

    module: str
    checks: tuple[CheckRecord, ...]
    quiz: tuple[QuizRecord, ...]


def progress_file() -> Path:
    """Where progress is kept."""
    return course_dir() / "progress.db"


def record_check(exercise_id: str, status: str, passed: int, total: int) -> None:
    """Record one run of a check: its status, and how many of its parts passed.

    Raises ValueError for a status that is none of `STATUSES` (a slip in the course, not of the
    learner).
    """
    if status not in STATUSES:
        raise ValueError(f"unknown status {status!r}: use one of {', '.join(STATUSES)}")
    _run(
        lambda db: db.execute(
            "INSERT INTO checks VALUES (?, ?, ?, ?, ?)",
            (_now(), exercise_id, status, passed, total),
        )
    )


def use_hint(exercise_id: str) -> int:
    """Record that one more hint of an exercise was shown; return how many were, with this one."""

    def add(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO hints VALUES (?, ?)", (_now(), exercise_id))
        return _count_hints(db, exercise_id)

    return _run(add)


def hints_used(exercise_id: str) -> int:
    """How many hints of an exercise were shown so far."""
    return _run(lambda db: _count_hints(db, exercise_id))


def record_given(exercise_ids: Iterable[str]) -> None:
    """Record that the solutions of exercises were put into the learner's lab."""
    _mark(list(exercise_ids), given=True)


def record_taken_back(module: str) -> None:
    """Record that a lab has no given solutions any more: from now on, tries are the learner's."""
    standing = [name for name, marks in given_marks().items() if is_given(marks)]
    _mark([name for name in standing if module_of(name) == module], given=False)


def record_own(exercise_id: str) -> None:
    """Record that the learner's own code has replaced a given solution: tries count again."""
    _mark([exercise_id], given=False)


def record_quiz(module: str, question_id: str, right: bool) -> None:
    """Record one answer to a quiz question."""
    _run(
        lambda db: db.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?)", (_now(), module, question_id, int(right))
        )
    )


def rows(query: str) -> list[tuple[Any, ...]]:
    """What a SELECT finds in the tables checks, hints, answers and given."""
    return _run(lambda db: db.execute(query).fetchall())


def last_module() -> str | None:
    """The module that the learner worked on last; None before anything was recorded."""
    found = rows(
        "SELECT at, exercise FROM checks UNION ALL SELECT at, exercise FROM hints"
        " UNION ALL SELECT at, exercise FROM given WHERE given"
        " UNION ALL SELECT at, module FROM answers"
    )
    last = max(found, key=lambda one: datetime.fromisoformat(one[0]), default=None)
    return module_of(last[1]) if last else None


def given_marks() -> dict[str, list[Mark]]:
    """Exercise -> when its solution was given and taken back, in order."""
    found: dict[str, list[Mark]] = {}
    for exercise, given, after in rows("SELECT exercise, given, after FROM given ORDER BY rowid"):
        found.setdefault(exercise, []).append(Mark(bool(given), after))
    return found


def report() -> dict[str, ModuleProgress]:
    """What was recorded, module by module ("00", "01", ...).

    An exercise that once passed stays passed: trying something else afterwards takes nothing away.
    """

    def read(db: sqlite3.Connection) -> tuple[list[tuple[Any, ...]], ...]:
        checks = db.execute(
            "SELECT rowid, exercise, status, passed, total FROM checks ORDER BY rowid"
        )
        hints = db.execute("SELECT exercise, '', COUNT(*), 0 FROM hints GROUP BY exercise")
        answers = db.execute(
            "SELECT module, question, MAX(correct), COUNT(*) FROM answers"
            " GROUP BY module, question ORDER BY MIN(rowid)"
        )
        return checks.fetchall(), hints.fetchall(), answers.fetchall()

    checks, hints, answers = _run(read)
    given = given_marks()
    shown = {exercise: number for exercise, _, number, _ in hints}
    by_exercise: dict[str, list[tuple[str, int, int]]] = {name: [] for name in [*shown, *given]}
    for number, exercise, status, passed, total in checks:
        runs = by_exercise.setdefault(exercise, [])
        if counts(number, given.get(exercise, [])):
            runs.append((status, passed, total))
    records = [
        _summary(exercise, runs, shown.get(exercise, 0), is_given(given.get(exercise, [])))
        for exercise, runs in sorted(by_exercise.items())
    ]
    modules = {module_of(record.exercise) for record in records} | {row[0] for row in answers}
    return {
        module: ModuleProgress(
            module,
            tuple(record for record in records if module_of(record.exercise) == module),
            tuple(
                QuizRecord(question, bool(right), tries)
                for owner, question, right, tries in answers
                if owner == module
            ),
        )
        for module in sorted(modules)
    }


def module_of(exercise_id: str) -> str:
    """The module of an exercise: "03" of "03.2"."""
    return exercise_id.partition(".")[0]


def _summary(
    exercise: str, runs: list[tuple[str, int, int]], hints: int, given: bool
) -> CheckRecord:
    status, passed, total = max(
        runs,
        key=lambda run: (STATUSES.index(run[0]), run[1]),
        default=(STATUSES[0], 0, 0),
    )
    tries = sum(one != STATUSES[0] for one, _, _ in runs)
    if given and status != STATUSES[-1]:
        status = GIVEN
    return CheckRecord(exercise, status, passed, total, tries=tries, hints=hints)


def _mark(exercise_ids: list[str], *, given: bool) -> None:
    def add(db: sqlite3.Connection) -> None:
        last = db.execute("SELECT COALESCE(MAX(rowid), 0) FROM checks").fetchone()[0]
        marks = [(_now(), exercise, int(given), last) for exercise in exercise_ids]
        db.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", marks)

    if exercise_ids:
        _run(add)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _count_hints(db: sqlite3.Connection, exercise_id: str) -> int:
    row = db.execute("SELECT COUNT(*) FROM hints WHERE exercise = ?", (exercise_id,)).fetchone()
    return int(row[0])


# --- the file ------------------------------------------------------------------------------------


class _Memory:
    """The stand-in for this kernel's progress when the file cannot be used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.database: sqlite3.Connection | None = None
        self.announced: set[Path] = set()

    def run(self, work: Callable[[sqlite3.Connection], T], file: Path, reason: str) -> T:
        with self.lock:
            if file not in self.announced:
                self.announced.add(file)
                _say(
                    f"Your progress cannot be kept in {file} ({reason}). It is kept in this kernel"
                    " alone until it stops. Check that the folder may be written and that the disk"
                    " is not full, then run the cell again."
                )
            if self.database is None:
                self.database = sqlite3.connect(":memory:", check_same_thread=False)
                self.database.executescript(_SCHEMA + _GIVEN)
            return work(self.database)


_memory = _Memory()


def _run(work: Callable[[sqlite3.Connection], T]) -> T:
    """Do `work` in one transaction, on a sound file, or in memory where there can be none."""
    try:
        file = progress_file()
    except OSError as error:
        return _memory.run(work, Path("progress.db"), str(error))
    try:
        inode = _inode(file)
        try:
            return _transact(file, work)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            _set_aside(file, inode, error)
            return _transact(file, work)
    except (sqlite3.Error, OSError) as error:
        return _memory.run(work, file, str(error))


def _transact(file: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    # A connection of its own for each transaction: kernels fork, threads check, files get moved.
    # The rollback journal (SQLite's default) is on purpose: unlike the write-ahead log it syncs
    # each commit and works on the network folders of a classroom.
    db = sqlite3.connect(file, timeout=_PATIENCE_S, isolation_level=None)
    with contextlib.closing(db), _immediate(db):
        _prepare(db)
        return work(db)


@contextlib.contextmanager
def _immediate(db: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE takes the write lock at once: a reader that turns writer could meet a deadlock,
    # for which SQLite does not wait.
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # the first error is the one to report
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _prepare(db: sqlite3.Connection) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == _SCHEMA_VERSION:
        db.execute(_GIVEN)  # a file of an earlier course has everything but this
        return
    if version != 0 or db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
        raise _OtherLayoutError("it was not written by this version of the course")
    for statement in filter(str.strip, _SCHEMA.split(";")):
        db.execute(statement)
    db.execute(_GIVEN)
    db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte names the kind
    return isinstance(error, _OtherLayoutError) or code in _DAMAGED


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return None


def _set_aside(file: Path, inode: int | None, error: sqlite3.Error) -> None:
    if inode is None or _inode(file) != inode:
        return  # another kernel was faster: what stands there now is its new file
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    target = file.with_name(f"progress-damaged-{stamp}.db")
    number = 1
    while target.exists():
        number += 1
        target = file.with_name(f"progress-damaged-{stamp}-{number}.db")
    file.replace(target)
    for suffix in ("-journal", "-wal", "-shm"):  # they belong to the file set aside
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + suffix).replace(target.with_name(target.name + suffix))
    _say(
        f"The progress file could not be read ({error}). It is kept as {target.name}, and a new one"
        " was started: run your labs again, and their checks count again."
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
