"""SQL over one customer's own records, safe whoever writes the SQL.

Two layers. *Parameters* keep values out of the statement: a value is never parsed, so nothing in it
can become SQL (CWE-89). Where the statement itself comes from somebody else, from a model that
writes SQL or from a programmer who glued strings together, the second layer holds: SQLite asks an
*authorizer* about every table, column and function while it compiles the statement, and this one
lets it read the customer's own views and nothing else. A third layer ends what is allowed but
endless: the size of the statement, SQLite's own limits on lengths and depths, steps and CPU seconds
of its virtual machine, and rows. Steps alone are no cap, since one of them,
a `LIKE`, may take seconds; the limits on lengths keep each step short.

What stays open: a statement may still use `MOST_SECONDS` of a core, each time that it is run.

See https://www.sqlite.org/c3ref/set_authorizer.html, https://www.sqlite.org/c3ref/c_limit_attached.html
and https://www.sqlite.org/security.html.
"""

import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

MOST_STEPS: Final = 200_000
"""Steps of SQLite's virtual machine; a look-up of Fernhill's takes some hundreds."""
MOST_ROWS: Final = 100
MOST_SECONDS: Final = 1.0
"""CPU seconds of the thread that runs a statement, looked at between steps."""
MOST_BYTES: Final = 10_000
"""Of a statement, and of any text, blob or row that it makes on the way."""
MOST_TOKENS: Final = 250
"""Words and signs of a statement; a join of all views with two sums has about 100."""
MOST_SELECTS: Final = 3
"""Words SELECT and VALUES. SQLite copies an expression to each place where its name is used, at
each level of subqueries: ten levels of a few words compile for longer than anyone waits."""

LIMITS: Final[Mapping[int, int]] = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: MOST_BYTES,
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_BYTES,
    # One LIKE takes as many comparisons as pattern and text are long, multiplied.
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 50,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_COLUMN: 50,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 10,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
"""SQLite's own limits on one connection."""

VIEWS: Final[Mapping[str, str]] = {
    "my_orders": (
        "SELECT id, status, delivery, carrier, tracking, ordered_on, expected_on, shipped_on,"
        " delivered_on, returned_on, cancelled_on FROM orders"
        " WHERE customer_id = current_customer()"
    ),
    "my_items": (
        "SELECT order_id, line, product_id, title, quantity, price FROM items WHERE order_id IN"
        " (SELECT id FROM orders WHERE customer_id = current_customer())"
    ),
    "my_refunds": (
        "SELECT order_id, amount FROM refunds WHERE order_id IN"
        " (SELECT id FROM orders WHERE customer_id = current_customer())"
    ),
}
"""What a customer may read: the views' names and their statements. Amounts are pence."""

# fmt: off
FUNCTIONS: Final = frozenset({
    "avg", "count", "max", "min", "sum", "total", "abs", "round", "length", "lower", "upper",
    "coalesce", "ifnull", "like", "date", "current_customer",
})
# fmt: on
"""The SQL functions that may be called. Of those left out, some load code, some make large texts,
and some (`glob`, `trim`, `instr`) compare each character of one text with each of another."""

_STEPS_A_CALL: Final = 100
# What may come before the first word: white space and SQL's two kinds of comments.
_BEGINS: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*(?:select|values)\b", re.IGNORECASE
)
_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_SELECTS: Final = ("select", "values")

Value = str | int | float | bytes | None


class QueryRefused(RuntimeError):  # noqa: N818 - it reads as what it is
    """The statement was not run, or was stopped; the message says why, fit for a model."""


class OwnRecords:
    """One customer's records in a file of the shop, read-only."""

    def __init__(self, path: Path | str, customer_id: str) -> None:
        """Look at the file at `path` with the eyes of `customer_id`.

        The customer comes from the service's login (`helpers.agent.Caller`), never from a text.
        """
        self._path, self._customer = Path(path), customer_id

    def query(
        self, statement: str, values: Sequence[Value] | Mapping[str, Value] = ()
    ) -> list[dict[str, Value]]:
        """The rows of one SELECT over the views in `VIEWS`.

        Args:
            statement: the SQL, with `?` or `:name` where a value belongs.
            values: for those places, in order or by name.

        Raises:
            QueryRefused: it reads something else, writes, is no single statement or no SQL, or is
                over a cap.
        """
        refuse_by_text(statement)
        with self._connection() as connection:
            try:
                cursor = connection.execute(statement, values)
                rows = cursor.fetchmany(MOST_ROWS + 1)
            except (sqlite3.Error, UnicodeError, OverflowError) as error:
                raise QueryRefused(_reason(error)) from error
            if len(rows) > MOST_ROWS:
                raise QueryRefused(f"More than {MOST_ROWS} rows: ask for fewer, with WHERE.")
            columns = [column[0] for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each statement: nothing one leaves behind helps the next."""
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        # A statement may name a subquery like a view (WITH my_orders AS ...), and SQLite then
        # reports reads inside it under that name. So the tables belong to views with names that
        # nobody can know, and the views that a statement sees read from those.
        hidden = {name: f"own_{secrets.token_hex(16)}" for name in VIEWS}
        with closing(sqlite3.connect(uri, uri=True, cached_statements=0)) as connection:
            connection.create_function(
                "current_customer", 0, lambda: self._customer, deterministic=True
            )
            for name, select in VIEWS.items():
                connection.execute(f"CREATE TEMP VIEW {hidden[name]} AS {select}")
                connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {hidden[name]}")
            for limit, most in LIMITS.items():
                connection.setlimit(limit, most)
            connection.set_progress_handler(_meter(), _STEPS_A_CALL)
            connection.set_authorizer(_authorizer(frozenset(hidden.values())))
            yield connection


def _meter() -> Callable[[], bool]:
    """What SQLite calls once in `_STEPS_A_CALL` steps; a true value interrupts the statement."""
    left = iter(range(MOST_STEPS // _STEPS_A_CALL))
    # Of this thread, so that a busy machine interrupts nothing.
    last = time.thread_time() + MOST_SECONDS

    def over() -> bool:
        return next(left, None) is None or time.thread_time() > last

    return over


def _authorizer(hidden: frozenset[str]) -> Callable[..., int]:
    """The answer to SQLite's question, which comes once for each thing that a statement does."""

    def authorize(
        action: int, first: str | None, second: str | None, database: str | None, inside: str | None
    ) -> int:
        """For a read, `first` is the table, and `inside` the innermost view that reads it."""
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and (
            inside in hidden or first in hidden or first in VIEWS
        ):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return authorize


def refuse_by_text(statement: str) -> None:
    """Refuse what the authorizer is not asked about, since it happens before or beside its work.

    EXPLAIN names the tables behind the views. WITH and deep subqueries let SQLite copy a short
    statement to a huge one while it compiles it, where no step is counted. The words are looked
    for in texts and comments too, so that no way to hide one matters: a text is given as a value.

    Raises:
        QueryRefused: the statement is none of those that may be tried.
    """
    allowed = f"Only SELECT over {', '.join(VIEWS)} is allowed"
    if len(statement) > MOST_BYTES:
        raise QueryRefused(f"The statement is too large: at most {MOST_BYTES:,} bytes.")
    if not _BEGINS.match(statement):
        raise QueryRefused(f"{allowed}.")
    tokens = _TOKEN.findall(statement.lower())
    if "with" in tokens:
        raise QueryRefused(f"{allowed}, without WITH. Give texts that hold the word as values.")
    if len(tokens) > MOST_TOKENS:
        raise QueryRefused(f"The statement has more than {MOST_TOKENS} words and signs.")
    if sum(tokens.count(word) for word in _SELECTS) > MOST_SELECTS:
        raise QueryRefused(f"The statement has more than {MOST_SELECTS} SELECTs in it.")


def _reason(error: Exception) -> str:
    text = str(error)
    if text == "interrupted":
        most = f"{MOST_STEPS:,} steps or {MOST_SECONDS:g} s"
        return f"The statement takes more than {most}: ask for less."
    if "not authorized" in text or "prohibited" in text:
        return f"Only SELECT over {', '.join(VIEWS)} is allowed ({text})."
    return f"The statement was not run: {text}."
