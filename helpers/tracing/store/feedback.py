"""Feedback: what people and evaluators said about a run, or about a whole project."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import orjson

from helpers.tracing.clock import iso, now
from helpers.tracing.errors import Invalid, Missing, Refused, Unspoken
from helpers.tracing.store import exact, feedback_configs
from helpers.tracing.store.conditions import one_of, where
from helpers.tracing.store.incoming import identifier, instant, plain_text

_LARGEST_SCORE = 1e100  # means and deviations of such scores can still be computed
_JSON = ("score", "value", "correction", "source", "extra")
_COLUMNS = (
    "id",
    "run_id",
    "trace_id",
    "project_id",
    "key",
    "score",
    "value",
    "comment",
    "correction",
    "source",
    "extra",
    "group_id",
    "run_started",
    "error",
    "created",
    "modified",
)


def write(connection: sqlite3.Connection, payloads: Sequence[Mapping[str, Any]]) -> list[Refused]:
    """Keep feedback, also when its run has not arrived yet; why some of it was left out.

    A known id is replaced. Each piece is judged alone: it needs a key, and a run or a project.
    """
    rows, refusals = [], []
    for payload in payloads:
        try:
            row = _row(payload)
            if payload.get("feedback_config") is not None:
                feedback_configs.remember(connection, row["key"], payload["feedback_config"])
        except Refused as refused:
            refusals.append(refused)
        else:
            rows.append([row[name] for name in _COLUMNS])
    connection.executemany(
        f"INSERT OR REPLACE INTO feedback ({', '.join(_COLUMNS)}) "
        f"VALUES ({', '.join('?' * len(_COLUMNS))})",
        rows,
    )
    return refusals


def _row(payload: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(payload.get("key"), str) or not payload["key"]:
        raise Invalid('Feedback needs a key, such as "helpful".')
    if payload.get("comparative_experiment_id") or payload.get("address"):
        raise Unspoken("comparative experiments and agent addresses in feedback")
    row: dict[str, Any] = {
        name: identifier(payload[given], f"the feedback's {given}") if payload.get(given) else None
        for name, given in (
            ("id", "id"),
            ("run_id", "run_id"),
            ("trace_id", "trace_id"),
            ("project_id", "session_id"),
            ("group_id", "feedback_group_id"),
        )
    }
    if row["id"] is None:
        raise Invalid("Feedback needs an id.")
    row["run_id"] = row["run_id"] or row["trace_id"]
    if row["run_id"] is None and row["project_id"] is None:
        raise Invalid("Feedback belongs to a run (run_id) or to a project (session_id).")
    for name, given in (("created", "created_at"), ("modified", "modified_at")):
        row[name] = instant(payload[given], given) if payload.get(given) else now()
    started = payload.get("start_time")
    row["run_started"] = instant(started, "start_time") if started else None
    row["key"] = payload["key"]
    row["comment"] = plain_text(payload.get("comment"), "the feedback's comment")
    _check(payload)
    row["error"] = int(bool(payload.get("error")))
    for name, given in zip(_JSON, (*_JSON[:3], "feedback_source", "extra"), strict=True):
        row[name] = None if payload.get(given) is None else exact.text(payload[given])
    return row


def _check(payload: Mapping[str, Any]) -> None:
    """The types of what a piece of feedback says."""
    score = payload.get("score")
    if score is not None and not isinstance(score, bool | int | float):
        raise Invalid(f"The feedback's score is {score!r:.80}, which is no number, true or false.")
    if score is not None and abs(score) > _LARGEST_SCORE:
        raise Invalid("The feedback's score is out of range.")
    for name in ("feedback_source", "extra"):
        if not isinstance(payload.get(name) or {}, dict):
            raise Invalid(f"The feedback's {name} is a JSON object.")


def find(
    connection: sqlite3.Connection,
    *,
    runs: Sequence[str] | None = None,
    projects: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    limit: int,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Feedback on some runs or projects, in the order in which it was given."""
    conditions = [
        one_of(column, chosen)
        for column, chosen in (
            ("f.run_id", runs),
            ("coalesce(f.project_id, r.project_id)", projects),
            ("f.key", keys),
            ("json_extract(f.source, '$.type')", sources),
        )
        if chosen is not None
    ]
    chosen, values = where(conditions)
    rows = connection.execute(
        f"SELECT f.*, r.project_id AS run_project FROM feedback AS f "
        f"LEFT JOIN runs AS r ON r.id = f.run_id WHERE {chosen} "
        "ORDER BY f.created, f.id LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return list(map(_item, rows))


def read(connection: sqlite3.Connection, feedback_id: str) -> dict[str, Any]:
    """One piece of feedback.

    Raises:
        Missing: there is none of that id.
    """
    row = connection.execute(
        "SELECT f.*, r.project_id AS run_project FROM feedback AS f "
        "LEFT JOIN runs AS r ON r.id = f.run_id WHERE f.id = ?",
        [feedback_id],
    ).fetchone()
    if row is None:
        raise Missing(f"There is no feedback {feedback_id}.")
    return _item(row)


def update(
    connection: sqlite3.Connection, feedback_id: str, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Change score, value, correction or comment; None clears one.

    Raises:
        Missing: there is none of that id.
        Unspoken: another field is to change.
    """
    if unknown := changes.keys() - {"score", "value", "correction", "comment"}:
        raise Unspoken(f"changing a feedback's {min(unknown)}")
    read(connection, feedback_id)
    _check(changes)
    plain_text(changes.get("comment"), "the feedback's comment")
    for name, value in changes.items():
        stored = exact.text(value) if name in _JSON and value is not None else value
        connection.execute(
            f"UPDATE feedback SET {name} = ?, modified = ? WHERE id = ?",
            [stored, now(), feedback_id],
        )
    return read(connection, feedback_id)


def delete(connection: sqlite3.Connection, feedback_id: str) -> None:
    """Delete one piece of feedback.

    Raises:
        Missing: there is none of that id.
    """
    read(connection, feedback_id)
    connection.execute("DELETE FROM feedback WHERE id = ?", [feedback_id])


def stats_of_runs(
    connection: sqlite3.Connection, runs: Iterable[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Run -> key -> statistics, for the runs that have feedback."""
    rows = connection.execute(
        "SELECT * FROM feedback WHERE run_id IN (SELECT value FROM json_each(?)) "
        "ORDER BY created, id",
        [orjson.dumps(list(runs)).decode()],
    ).fetchall()
    by_run: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        by_run.setdefault(row["run_id"], []).append(row)
    return {run: _stats(found) for run, found in by_run.items()}


def stats_of_all(connection: sqlite3.Connection, runs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Key -> statistics, over some runs together."""
    chosen = set(runs)
    # Far fewer runs have feedback than a project has runs: look through the former.
    with_feedback = connection.execute("SELECT DISTINCT run_id FROM feedback").fetchall()
    wanted = [row[0] for row in with_feedback if row[0] in chosen]
    rows = connection.execute(
        "SELECT * FROM feedback WHERE run_id IN (SELECT value FROM json_each(?))",
        [orjson.dumps(wanted).decode()],
    )
    return _stats(rows.fetchall())


def stats_of_project(
    connection: sqlite3.Connection, project_id: str
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Key -> statistics over the project's runs, and of the feedback on the project itself."""
    on_runs = connection.execute(
        # From the feedback to its runs, not the other way: there are far more runs.
        "SELECT f.* FROM feedback AS f CROSS JOIN runs AS r "
        "ON r.id = f.run_id WHERE r.project_id = ?",
        [project_id],
    )
    on_project = connection.execute(
        "SELECT * FROM feedback WHERE project_id = ? AND run_id IS NULL", [project_id]
    )
    return _stats(on_runs.fetchall()), _stats(on_project.fetchall())


def _stats(rows: Iterable[sqlite3.Row]) -> dict[str, dict[str, Any]]:
    by_key: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        by_key.setdefault(row["key"], []).append(row)
    return {key: _stats_of_key(found) for key, found in sorted(by_key.items())}


def _stats_of_key(rows: list[sqlite3.Row]) -> dict[str, Any]:
    scores = [
        float(score)
        for row in rows
        if row["score"] is not None
        and isinstance(score := orjson.loads(row["score"]), bool | int | float)
    ]
    values: dict[str, int] = {}
    for row in rows:
        if row["value"] is not None and isinstance(value := orjson.loads(row["value"]), str):
            values[value] = values.get(value, 0) + 1
    return {
        "n": len(rows),
        "avg": fmean(scores) if scores else None,
        "stdev": stdev(scores) if len(scores) > 1 else None,
        "min": min(scores) if scores else None,
        "max": max(scores) if scores else None,
        "errors": sum(row["error"] for row in rows),
        "values": values,
        "comments": [row["comment"] for row in rows if row["comment"]],
    }


def _item(row: sqlite3.Row) -> dict[str, Any]:
    found = {
        "id": row["id"],
        "run_id": row["run_id"],
        "trace_id": row["trace_id"],
        "session_id": row["project_id"] or row["run_project"],
        "key": row["key"],
        "comment": row["comment"],
        "feedback_group_id": row["group_id"],
        "start_time": iso(row["run_started"]),
        "created_at": iso(row["created"]),
        "modified_at": iso(row["modified"]),
    }
    for name, shown in zip(_JSON, (*_JSON[:3], "feedback_source", "extra"), strict=True):
        found[shown] = orjson.Fragment(row[name]) if row[name] is not None else None
    return found
