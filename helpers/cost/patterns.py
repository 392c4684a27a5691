"""The patterns of use that cost most, in a table of requests.

A pattern is a group of requests that an operator can do something about: a client in a loop, a
customer who pastes whole letters. Each is found by one rule, stated in `PATTERNS`; a request may
belong to several, and its dollars count in each. Called again on a window that moves with the
stream (`window`), the table says what goes on now and since when.

The table has a row for each request: `at` (datetime), `customer`, `conversation`, `intent`,
`tools` (a list of names), `refused` (calls of tools that were refused), `calls` (of the model),
`read` and `written` (tokens), `usd`, `tier`, `text_hash`, `failed` (bool).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd

COLUMNS: Final = (
    *("at", "customer", "conversation", "intent", "tools", "refused", "calls"),
    *("read", "written", "usd", "tier", "text_hash", "failed"),
)
REPEATS: Final = 8
"""Requests with one text by one client in an hour, from which on it is a pattern."""
REFUSED: Final = 6
"""Requests of one client in an hour whose tools were refused, such as orders of others."""
CALLS: Final = 4
"""Calls of the model in one request: a loop."""
FAILURES: Final = 3
"""Requests of one client in an hour that follow a failure of its own within two minutes."""
LONG: Final = 3.0
"""Times the median of tokens, read or written, from which on a request is long."""
LONG_REQUESTS: Final = 3
"""Long requests of one client, from which on they are a pattern."""
_HOUR: Final = timedelta(hours=1)
_RETRY: Final = timedelta(minutes=2)


def patterns(
    requests: "pd.DataFrame | Iterable[Mapping[str, Any]]",
    *,
    until: datetime | None = None,
    window: timedelta | None = None,
    most: int = 5,
) -> pd.DataFrame:
    """The costliest patterns of a table, most expensive first.

    Args:
        requests: see the module. Who is not logged in is known by the conversation.
        until: the end of the window; the last request by default.
        window: how far back to look; everything by default.
        most: rows at most.

    Returns:
        One row a pattern and client: `pattern`, `client`, `requests`, `usd`, `share` (of all
        dollars of the window), `since` and `last`.

    Raises:
        ValueError: a column is missing, or a window is not positive.
    """
    table = requests if isinstance(requests, pd.DataFrame) else pd.DataFrame([*requests])
    if window is not None and window <= timedelta(0):
        raise ValueError(f"A window is longer than 0, not {window}.")
    shape = ["pattern", "client", "requests", "usd", "share", "since", "last"]
    if table.empty:
        return pd.DataFrame(columns=shape)
    if missing := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"The table of requests has no column {', '.join(missing)}.")
    table = table.sort_values("at", kind="stable")
    end = table["at"].iloc[-1] if until is None else until
    table = table[table["at"] <= end]
    if window is not None:
        table = table[table["at"] > end - window]
    table = table.assign(client=table["customer"].fillna(table["conversation"]))
    total = float(sum(table["usd"]))
    rows = []
    for name, rule in PATTERNS.items():
        for client, hits in table[rule(table)].groupby("client", sort=False):
            usd = float(sum(hits["usd"]))
            share = usd / total if total else 0.0
            since, last = hits["at"].iloc[0], hits["at"].iloc[-1]
            rows.append([name, client, len(hits), usd, share, since, last])
    found = pd.DataFrame(rows, columns=shape)
    return (
        found.sort_values("usd", ascending=False, kind="stable").head(most).reset_index(drop=True)
    )


def _within_an_hour(table: pd.DataFrame, hits: pd.Series, by: list[str], least: int) -> pd.Series:
    """Those of the hits that are among `least` or more of one group in an hour."""
    found = pd.Series(False, index=table.index)
    for _, group in table[hits].groupby(by, sort=False):
        times = group["at"]
        for first in range(len(group) - least + 1):
            if times.iloc[first + least - 1] - times.iloc[first] <= _HOUR:
                found[group.index[first : first + least]] = True
    return found


def _repeats(table: pd.DataFrame) -> pd.Series:
    every = pd.Series(True, index=table.index)
    return _within_an_hour(table, every, ["client", "text_hash"], REPEATS)


def _refused(table: pd.DataFrame) -> pd.Series:
    return _within_an_hour(table, table["refused"] > 0, ["client"], REFUSED)


def _loops(table: pd.DataFrame) -> pd.Series:
    return table["calls"] >= CALLS


def _retries(table: pd.DataFrame) -> pd.Series:
    failed_at = table["at"].where(table["failed"].astype(bool))
    before = failed_at.groupby(table["client"]).transform(lambda one: one.ffill().shift())
    after_a_failure = (table["at"] - before) <= _RETRY
    return _within_an_hour(table, after_a_failure, ["client"], FAILURES)


def _long(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    def rule(table: pd.DataFrame) -> pd.Series:
        # What no model read or wrote says nothing of what is usual.
        usual = table.loc[table[column] > 0, column].median()
        long = table[column] > LONG * usual
        return long & (long.groupby(table["client"]).transform("sum") >= LONG_REQUESTS)

    return rule


PATTERNS: Final[Mapping[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "one question again and again": _repeats,
    "long questions": _long("read"),
    "what a tool refuses, again and again": _refused,
    "many model calls in a request": _loops,
    "retries after failures": _retries,
    "long answers": _long("written"),
}
"""What marks the requests of each pattern, in a table in order of time."""
