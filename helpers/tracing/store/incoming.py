"""A run as it arrives: one create or one update, whose parts are kept as the text that was sent.

Inputs, outputs and the like are checked to be JSON, but stored and returned as they came, so that
nothing is lost on the way (large integers, the order of keys).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import orjson

from helpers.tracing.clock import micros
from helpers.tracing.errors import Invalid, Unspoken

BODIES = ("inputs", "outputs", "extra", "events", "error", "serialized")

_KNOWN_BY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Incoming:
    """One create ("post") or update ("patch"): the plain fields, and the bodies as JSON text."""

    kind: Literal["post", "patch"]
    id: str
    fields: dict[str, Any]
    bodies: dict[str, str] = field(default_factory=dict)


def identifier(value: Any, what: str) -> str:
    """A UUID in its usual form.

    Raises:
        Invalid: it is none; the sentence names `what`.
    """
    text = str(value)
    if _KNOWN_BY_ID.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise Invalid(f"{what} is {text[:80]!r}, which is no UUID.") from None


def instant(value: Any, what: str) -> int:
    """A time in microseconds since 1970.

    Raises:
        Invalid: it is no ISO 8601 time; the sentence names `what`.
    """
    try:
        return micros(value)
    except (TypeError, ValueError):
        raise Invalid(f"{what} is {str(value)[:80]!r}, which is no ISO 8601 time.") from None


def decoded(content: bytes, what: str) -> Any:
    """Parse JSON.

    Raises:
        Invalid: it is no JSON; the sentence names `what`.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{what} is no JSON: {error}.") from None


def from_mapping(kind: Literal["post", "patch"], payload: Mapping[str, Any]) -> Incoming:
    """A run from one JSON object, as `POST /runs` and `POST /runs/batch` send it."""
    fields = dict(payload)
    bodies = {
        name: orjson.dumps(value).decode()
        for name in BODIES
        if (value := fields.pop(name, None)) is not None
    }
    run_id = identifier(fields.get("id"), "a run's id")
    return _checked(Incoming(kind, run_id, fields, bodies))


def from_parts(parts: Iterable[tuple[str, bytes]]) -> tuple[list[Incoming], list[dict[str, Any]]]:
    """The runs and the feedback of a multipart form, in order.

    Raises:
        Invalid: a part is not what its name says.
        Unspoken: it has attachments.
    """
    runs: list[Incoming] = []
    latest: dict[tuple[str, str], Incoming] = {}
    feedback: list[dict[str, Any]] = []
    for name, content in parts:
        event, _, rest = name.partition(".")
        run_id, _, part = rest.partition(".")
        if event == "feedback":
            feedback.append(decoded(content, name))
        elif event == "attachment":
            raise Unspoken("attachments of runs")
        elif event not in ("post", "patch"):
            raise Invalid(f"A part is named {name[:80]!r}: neither a run nor feedback.")
        elif not part:
            kind: Literal["post", "patch"] = "post" if event == "post" else "patch"
            fields = decoded(content, name)
            runs.append(Incoming(kind, identifier(run_id, "a run's id"), fields))
            latest[event, run_id] = runs[-1]
        elif (event, run_id) not in latest or part not in BODIES:
            raise Invalid(f"The part {name[:80]!r} belongs to no run that was sent before it.")
        else:
            decoded(content, name)
            latest[event, run_id].bodies[part] = content.decode()
    return list(map(_checked, runs)), feedback


def ancestors(dotted_order: str) -> list[str]:
    """The ids in a dotted order, the root's first and the run's own last."""
    return [part[-36:] for part in dotted_order.split(".")]


def _checked(run: Incoming) -> Incoming:
    """Bring the plain fields into the database's form; what is None was not sent."""
    raw = run.fields
    if raw.get("address") is not None:
        raise Unspoken("agent addresses; send runs to a project")
    tags, dotted_order = raw.get("tags"), raw.get("dotted_order")
    if tags is not None and not _is_texts(tags):
        raise Invalid(f"tags of run {run.id} must be a list of texts.")
    found: dict[str, Any] = {
        "name": raw.get("name"),
        "run_type": raw.get("run_type"),
        "session_name": raw.get("session_name"),
        "dotted_order": dotted_order,
        "tags": orjson.dumps(tags).decode() if tags is not None else None,
    }
    for name, column in _IDS.items():
        found[column] = identifier(raw[name], f"{name} of run {run.id}") if raw.get(name) else None
    for name, column in _TIMES.items():
        found[column] = instant(raw[name], f"{name} of run {run.id}") if raw.get(name) else None
    if dotted_order is not None:
        path = ancestors(dotted_order)
        if path[-1] != run.id or path[0] != (found["trace_id"] or path[0]):
            raise Invalid(
                f"dotted_order of run {run.id} must begin with its trace_id and end with its id."
            )
        found["trace_id"] = path[0]
        found["parent_id"] = found["parent_id"] or (path[-2] if len(path) > 1 else None)
    run.fields = {name: value for name, value in found.items() if value is not None}
    return run


_IDS = {
    "trace_id": "trace_id",
    "parent_run_id": "parent_id",
    "session_id": "project_id",
    "reference_example_id": "example_id",
}
_TIMES = {"start_time": "started", "end_time": "ended"}


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
