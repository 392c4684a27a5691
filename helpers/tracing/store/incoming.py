"""A run as it arrives: one create or one update, judged alone, its parts kept as they were sent.

What says which run it is and where it belongs (ids, name, type, project, start) must be right, or
the run is left out and the sender told. Any other part that cannot be kept is left out, and a note
on the run says so. Its neighbours in a batch lose nothing by either.

Inputs, outputs and the like are checked to be JSON, but stored and returned as they came, so that
nothing is lost on the way (large integers, the order of keys).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from uuid import UUID

from helpers.tracing.clock import micros
from helpers.tracing.errors import Invalid, Refused, Unspoken
from helpers.tracing.multipart import Form, Part
from helpers.tracing.store import exact

Kind = Literal["post", "patch"]
BODIES = ("inputs", "outputs", "extra", "events", "error", "serialized")
RUN_TYPES = ("llm", "tool", "retriever", "chain", "prompt", "parser", "embedding")
"""The types of runs; there are no others."""
LARGEST_PART = 20_971_520
"""Bytes of one part of a run, such as its inputs or an attachment."""

_KNOWN_BY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a run carries."""

    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class Incoming:
    """One create ("post") or update ("patch"): the plain fields, and the bodies as JSON text."""

    kind: Kind
    id: str
    fields: dict[str, Any]
    bodies: dict[str, str] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """The runs of a request that can be stored, its feedback, and why others were left out."""

    runs: list[Incoming] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)


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


def plain_text(value: Any, what: str) -> str | None:
    """A text, or None.

    Raises:
        Invalid: it is something else; the sentence names `what`.
    """
    if value is not None and not isinstance(value, str):
        raise Invalid(f"{what} is {str(value)[:80]!r}, which is no text.")
    return value


def run_type(value: Any, what: str) -> str | None:
    """A type of runs, or None.

    Raises:
        Invalid: there is no such type; the sentence names `what`.
    """
    if value is not None and value not in RUN_TYPES:
        raise Invalid(f"{what} is {str(value)[:80]!r}; it must be one of {', '.join(RUN_TYPES)}.")
    found: str | None = value
    return found


def from_mapping(kind: Kind, payload: Any) -> Incoming:
    """A run from one JSON object, as `POST /runs` and `POST /runs/batch` send it.

    Raises:
        Refused: it cannot be stored.
    """
    if not isinstance(payload, dict):
        raise Invalid(f"A run is a JSON object, not {str(payload)[:80]!r}.")
    fields = dict(payload)
    attached = fields.pop("attachments", None)
    bodies = {name: value for name in BODIES if (value := fields.pop(name, None)) is not None}
    fields, remarks = exact.repaired(fields, "the run")
    run = _identified(kind, fields.get("id"), fields, remarks)
    for name, value in bodies.items():
        try:
            value, remarks = exact.repaired(value, name)
        except Invalid as invalid:
            run.notes.append(f"{name} left out: {invalid}")
        else:
            _keep(run, name, exact.text(value), value, remarks)
    if attached:
        run.notes.append("attachments left out: they can be sent in a multipart form only.")
    return run


def from_list(pairs: Iterable[tuple[Kind, Any]]) -> Batch:
    """Creates and updates that each are one JSON object."""
    batch = Batch()
    for kind, payload in pairs:
        try:
            batch.runs.append(from_mapping(kind, payload))
        except Refused as refused:
            batch.refusals.append(refused)
    return batch


def from_form(form: Form) -> Batch:
    """The runs and the feedback of a multipart form, in order."""
    batch = Batch(refusals=[Invalid(problem) for problem in form.problems])
    latest: dict[tuple[str, str], Incoming | None] = {}
    for part in form.parts:
        event, _, rest = part.name.partition(".")
        try:
            if event == "feedback":
                batch.feedback.append(_object(part))
            elif event in ("post", "patch", "attachment"):
                _run_part(batch, latest, event, rest, part)
            else:
                raise Invalid(f"A part is named {part.name[:80]!r}: neither a run nor feedback.")
        except Refused as refused:
            batch.refusals.append(refused)
    return batch


def ancestors(dotted_order: str) -> list[str]:
    """The ids in a dotted order, the root's first and the run's own last."""
    return [part[-36:] for part in dotted_order.split(".")]


def _run_part(
    batch: Batch,
    latest: dict[tuple[str, str], Incoming | None],
    event: str,
    rest: str,
    part: Part,
) -> None:
    """A run's own part, or something that belongs to a run which came before it."""
    given, _, name = rest.partition(".")
    key = given.lower()
    if event != "attachment" and not name:
        latest[event, key] = None  # until it is found to be good
        kind: Kind = "post" if event == "post" else "patch"
        _, fields, remarks = exact.read(part.content, part.name[:80])
        run = _identified(kind, given, fields, remarks)
        latest[event, key] = run
        batch.runs.append(run)
        return
    owners = [(event, key)] if event != "attachment" else [("patch", key), ("post", key)]
    known = [latest[owner] for owner in owners if owner in latest]
    if not known:
        raise Invalid(f"The part {part.name[:80]!r} belongs to no run that was sent before it.")
    for owner in filter(None, known):  # the refusal of a run says all that there is to say
        if event == "attachment":
            _attach(owner, name, part)
        else:
            _add_body(owner, name, part.content)
        return


def _add_body(run: Incoming, name: str, content: bytes) -> None:
    if name not in BODIES:
        run.notes.append(f"{name[:80]} left out: a run has no such part.")
    elif len(content) > LARGEST_PART:
        run.notes.append(f"{name} left out: it has {_size(content)}.")
    else:
        try:
            _keep(run, name, *exact.read(content, name))
        except Invalid as invalid:
            run.notes.append(f"{name} left out: {invalid}")


def _attach(run: Incoming, name: str, part: Part) -> None:
    if not name:
        run.notes.append("An attachment without a name was left out.")
    elif len(part.content) > LARGEST_PART:
        run.notes.append(f"attachment {name[:80]} left out: it has {_size(part.content)}.")
    else:
        kind = part.content_type or "application/octet-stream"
        run.attachments.append(Attachment(name, kind, part.content))


def _size(content: bytes) -> str:
    return f"{len(content):,} bytes, and up to {LARGEST_PART:,} are kept"


_OBJECTS = ("inputs", "outputs", "extra", "serialized")


def _keep(run: Incoming, name: str, content: str, value: Any, remarks: list[str]) -> None:
    """Keep a body, in the shape in which it can be read back; None was not sent."""
    run.notes += [f"{name}: {remark}." for remark in remarks]
    if value is None:
        return
    if name in ("inputs", "outputs") and not isinstance(value, dict):
        key = name.removesuffix("s")
        run.notes.append(f"{name} is no JSON object: kept as the value of {key}.")
        content = f'{{"{key}":{content}}}'
    elif name in _OBJECTS and not isinstance(value, dict):
        run.notes.append(f"{name} left out: it is no JSON object.")
        return
    elif name == "events":
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            run.notes.append("events left out: they are no list of JSON objects.")
            return
        _check_times(run, value)
    run.bodies[name] = content


def _check_times(run: Incoming, events: list[dict[str, Any]]) -> None:
    for event in events:
        if event.get("time") is None:
            continue
        try:
            instant(event["time"], "the time of an event")
        except Invalid as invalid:
            run.notes.append(f"events: {invalid} It does not count as the first token.")
            return


def _object(part: Part) -> dict[str, Any]:
    found = exact.strict(part.content, part.name[:80])
    if not isinstance(found, dict):
        raise Invalid(f"{part.name[:80]} is no JSON object.")
    return found


def _identified(kind: Kind, run_id: Any, raw: Any, remarks: list[str]) -> Incoming:
    """A run with its plain fields in the database's form.

    Raises:
        Refused: it cannot be said which run it is, or where it belongs.
    """
    own = identifier(run_id, "a run's id")
    if not isinstance(raw, dict):
        raise Invalid(f"Run {own} is no JSON object.")
    try:
        return _checked(Incoming(kind, own, raw, notes=[f"{remark}." for remark in remarks]))
    except Invalid as invalid:
        raise Invalid(f"Run {own}: {invalid}") from None


def _checked(run: Incoming) -> Incoming:
    """Bring the plain fields into the database's form; what is None was not sent."""
    raw = run.fields
    if raw.get("address") is not None:
        raise Unspoken("agent addresses; send runs to a project")
    found: dict[str, Any] = {
        "name": plain_text(raw.get("name"), "name"),
        "run_type": run_type(raw.get("run_type"), "run_type"),
        "session_name": plain_text(raw.get("session_name"), "session_name"),
        "started": _sent(raw, "start_time", instant),
        "trace_id": _sent(raw, "trace_id", identifier),
        "parent_id": _sent(raw, "parent_run_id", identifier),
        "project_id": _sent(raw, "session_id", identifier),
        "ended": _spared(run, raw, "end_time", instant),
        "example_id": _spared(run, raw, "reference_example_id", identifier),
        "tags": _spared(run, raw, "tags", _tags),
    }
    dotted_order = plain_text(raw.get("dotted_order"), "dotted_order")
    if dotted_order is not None:
        found |= _path(run.id, dotted_order, found)
    run.fields = {name: value for name, value in found.items() if value is not None}
    return run


def _path(run_id: str, dotted_order: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Where a dotted order puts a run: order, trace and parent."""
    steps = dotted_order.split(".")
    ids = [identifier(step[-36:], "an id in dotted_order") for step in steps]
    if ids[-1] != run_id or ids[0] != (found["trace_id"] or ids[0]):
        raise Invalid("dotted_order must begin with its trace_id and end with its id.")
    return {
        "dotted_order": ".".join(step[:-36] + one for step, one in zip(steps, ids, strict=True)),
        "trace_id": ids[0],
        "parent_id": found["parent_id"] or (ids[-2] if len(ids) > 1 else None),
    }


def _sent(raw: Mapping[str, Any], name: str, convert: Callable[[Any, str], _T]) -> _T | None:
    value = raw.get(name)
    return None if value is None or value == "" else convert(value, name)


def _spared(
    run: Incoming, raw: Mapping[str, Any], name: str, convert: Callable[[Any, str], _T]
) -> _T | None:
    """A field that the run can do without."""
    try:
        return _sent(raw, name, convert)
    except Invalid as invalid:
        run.notes.append(f"{name} left out: {invalid}")
        return None


def _tags(value: Any, what: str) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid(f"{what} must be a list of texts.")
    return exact.text(value)
