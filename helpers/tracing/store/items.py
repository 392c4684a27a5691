"""A run as the SDK reads it: LangSmith's older form (`list_runs`) and its newer (`runs.query`)."""

import sqlite3
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from helpers.tracing.clock import iso
from helpers.tracing.errors import Unspoken
from helpers.tracing.store.incoming import BODIES, ancestors
from helpers.tracing.store.schema import PICO
from helpers.tracing.store.stats import no_price, no_tokens

_PREVIEW = 250  # characters


class Source:
    """Everything an item is made of: the row, its bodies, feedback and attachments."""

    def __init__(
        self,
        row: sqlite3.Row,
        bodies: Mapping[str, Any] | None = None,
        feedback: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        own: bool = False,
    ) -> None:
        self.row = row
        self.bodies = bodies or {}
        self.feedback = feedback or {}
        self.files = files or {}
        self._prefix = "own_" if own else ""
        self._own = own

    def json(self, name: str) -> Any:
        """A body, as the JSON that was sent."""
        content = self.bodies.get(name)
        return None if content is None else orjson.Fragment(content)

    def tokens(self, *names: str) -> int | None:
        """Tokens of the run with all that is below it, or its own; None where it is not known."""
        if self._own:
            return self._sum(names) if self.row["metered"] else None
        return None if no_tokens(self.row) else self._sum(names)

    def cost(self, *names: str) -> Decimal | None:
        """Dollars, likewise; None where nothing has a price."""
        unknown = self.row["own_prompt_cost"] is None if self._own else no_price(self.row)
        return None if unknown else Decimal(self._sum(names)) / PICO

    def first_token(self) -> str | None:
        """When the first token came, here or below, or here alone."""
        return iso(self.row[self._prefix + "first_token"])

    def details(self, side: str) -> dict[str, Any] | None:
        """A breakdown of the run's own tokens, or of its costs where the run states one."""
        content = self.row["token_details"]
        found: dict[str, Any] | None = orjson.loads(content).get(side) if content else None
        return found

    def path(self) -> list[str]:
        """The ids of the runs above, the root's first."""
        return ancestors(self.row["dotted_order"])[:-1]

    def _sum(self, names: tuple[str, ...]) -> int:
        return sum(self.row[self._prefix + name] or 0 for name in names)


_Getter = Callable[[Source], Any]


def _column(name: str) -> _Getter:
    return lambda source: source.row[name]


def _body(name: str) -> _Getter:
    return lambda source: source.json(name)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _tags(source: Source) -> Any:
    tags = source.row["tags"]
    return None if tags is None else orjson.Fragment(tags)


_TOKENS = ("prompt_tokens", "completion_tokens")
_COSTS = ("prompt_cost", "completion_cost")

# --- the older form ------------------------------------------------------------------------------

_ALWAYS: dict[str, _Getter] = {
    "id": _column("id"),
    "name": _column("name"),
    "run_type": _column("run_type"),
    "status": _column("status"),
    "start_time": lambda source: iso(source.row["started"]),
    "trace_id": _column("trace_id"),
    "dotted_order": _column("dotted_order"),
    "session_id": _column("project_id"),
}
_FIELDS: dict[str, _Getter] = {
    **_ALWAYS,
    "end_time": lambda source: iso(source.row["ended"]),
    "parent_run_id": _column("parent_id"),
    "parent_run_ids": Source.path,
    "reference_example_id": _column("example_id"),
    "thread_id": _column("thread_id"),
    "tags": _tags,
    "first_token_time": Source.first_token,
    "total_tokens": lambda source: source.tokens(*_TOKENS),
    "prompt_tokens": lambda source: source.tokens("prompt_tokens"),
    "completion_tokens": lambda source: source.tokens("completion_tokens"),
    "prompt_token_details": lambda source: source.details("input"),
    "completion_token_details": lambda source: source.details("output"),
    "prompt_cost_details": lambda source: source.details("input_cost"),
    "completion_cost_details": lambda source: source.details("output_cost"),
    "total_cost": lambda source: _text(source.cost(*_COSTS)),
    "prompt_cost": lambda source: _text(source.cost("prompt_cost")),
    "completion_cost": lambda source: _text(source.cost("completion_cost")),
    "app_path": lambda source: f"/traces/{source.row['id']}",
    "feedback_stats": lambda source: source.feedback or None,
    "inputs": _body("inputs"),
    "outputs": _body("outputs"),
    "extra": _body("extra"),
    "events": _body("events"),
    "serialized": _body("serialized"),
    "error": lambda source: source.bodies.get("error"),
    "s3_urls": lambda source: {f"attachment.{name}": one for name, one in source.files.items()},
}
READABLE = tuple(_FIELDS)
"""The fields of the older form."""


# Asked for one figure, the answer breaks it down too: `list_runs` does not name these.
_IMPLIED = {
    name: f"{name.removesuffix('s')}_details"
    for name in ("prompt_tokens", "completion_tokens", "prompt_cost", "completion_cost")
}


def selected(names: list[str] | None) -> tuple[list[str], list[str]]:
    """The fields that an answer has, and the bodies that they need.

    Raises:
        Unspoken: a field is none of those that are spoken here.
    """
    chosen = list(READABLE) if names is None else [*_ALWAYS, *names]
    chosen += [_IMPLIED[name] for name in chosen if name in _IMPLIED]
    if unknown := [name for name in chosen if name not in _FIELDS]:
        raise Unspoken(f"the field {unknown[0]} of a run")
    return list(dict.fromkeys(chosen)), [name for name in BODIES if name in chosen]


def item(source: Source, fields: list[str]) -> dict[str, Any]:
    """A run in the older form."""
    return {name: _FIELDS[name](source) for name in fields}


# --- the newer form ------------------------------------------------------------------------------


def _preview(name: str) -> _Getter:
    def preview(source: Source) -> str | None:
        content = source.bodies.get(name)
        if content is None:
            return None
        return str(content)[:_PREVIEW]

    return preview


def _metadata(source: Source) -> Any:
    extra = source.bodies.get("extra")
    return orjson.loads(extra).get("metadata") if extra else None


def _seconds(source: Source) -> float | None:
    row = source.row
    return None if row["ended"] is None else (row["ended"] - row["started"]) / 1e6


def _raw(side: str) -> _Getter:
    def details(source: Source) -> dict[str, Any] | None:
        found = source.details(side)
        return {"raw": found} if found else None

    return details


_NEWER: dict[str, tuple[str, _Getter, tuple[str, ...]]] = {
    "ID": ("id", _column("id"), ()),
    "NAME": ("name", _column("name"), ()),
    "RUN_TYPE": ("run_type", lambda s: s.row["run_type"].upper(), ()),
    "STATUS": ("status", lambda s: s.row["status"].upper(), ()),
    "START_TIME": ("start_time", lambda s: iso(s.row["started"]), ()),
    "END_TIME": ("end_time", lambda s: iso(s.row["ended"]), ()),
    "LATENCY_SECONDS": ("latency_seconds", _seconds, ()),
    "FIRST_TOKEN_TIME": ("first_token_time", Source.first_token, ()),
    "ERROR": ("error", lambda s: s.bodies.get("error"), ("error",)),
    "ERROR_PREVIEW": ("error_preview", _preview("error"), ("error",)),
    "EXTRA": ("extra", _body("extra"), ("extra",)),
    "METADATA": ("metadata", _metadata, ("extra",)),
    "EVENTS": ("events", _body("events"), ("events",)),
    "INPUTS": ("inputs", _body("inputs"), ("inputs",)),
    "INPUTS_PREVIEW": ("inputs_preview", _preview("inputs"), ("inputs",)),
    "OUTPUTS": ("outputs", _body("outputs"), ("outputs",)),
    "OUTPUTS_PREVIEW": ("outputs_preview", _preview("outputs"), ("outputs",)),
    "MANIFEST": ("manifest", _body("serialized"), ("serialized",)),
    "PARENT_RUN_IDS": ("parent_run_ids", Source.path, ()),
    "PROJECT_ID": ("project_id", _column("project_id"), ()),
    "TRACE_ID": ("trace_id", _column("trace_id"), ()),
    "THREAD_ID": ("thread_id", _column("thread_id"), ()),
    "DOTTED_ORDER": ("dotted_order", _column("dotted_order"), ()),
    "IS_ROOT": ("is_root", lambda s: s.row["parent_id"] is None, ()),
    "REFERENCE_EXAMPLE_ID": ("reference_example_id", _column("example_id"), ()),
    "TOTAL_TOKENS": ("total_tokens", lambda s: s.tokens(*_TOKENS), ()),
    "PROMPT_TOKENS": ("prompt_tokens", lambda s: s.tokens("prompt_tokens"), ()),
    "COMPLETION_TOKENS": ("completion_tokens", lambda s: s.tokens("completion_tokens"), ()),
    "TOTAL_COST": ("total_cost", lambda s: _float(s.cost(*_COSTS)), ()),
    "PROMPT_COST": ("prompt_cost", lambda s: _float(s.cost("prompt_cost")), ()),
    "COMPLETION_COST": ("completion_cost", lambda s: _float(s.cost("completion_cost")), ()),
    "PROMPT_TOKEN_DETAILS": ("prompt_token_details", _raw("input"), ()),
    "COMPLETION_TOKEN_DETAILS": ("completion_token_details", _raw("output"), ()),
    "PROMPT_COST_DETAILS": ("prompt_cost_details", _raw("input_cost"), ()),
    "COMPLETION_COST_DETAILS": ("completion_cost_details", _raw("output_cost"), ()),
    "TAGS": ("tags", _tags, ()),
    "APP_PATH": ("app_path", lambda s: f"/traces/{s.row['id']}", ()),
    "ATTACHMENTS": (
        "attachments",
        lambda s: {name: one["presigned_url"] for name, one in s.files.items()},
        (),
    ),
    "FEEDBACK_STATS": ("feedback_stats", lambda s: s.feedback or None, ()),
}


def newer_selected(names: list[str] | None) -> tuple[list[str], list[str]]:
    """The fields of the newer form that an answer has, and the bodies that they need.

    Raises:
        Unspoken: a field is none of those that are spoken here.
    """
    chosen = list(dict.fromkeys(["ID", *(names or [])]))
    if unknown := [name for name in chosen if name not in _NEWER]:
        raise Unspoken(f"the field {unknown[0]} of a run")
    needed = {body for name in chosen for body in _NEWER[name][2]}
    return chosen, [name for name in BODIES if name in needed]


def newer_item(source: Source, fields: list[str]) -> dict[str, Any]:
    """A run in the newer form, with how many of its model runs its cost leaves out."""
    found = {_NEWER[name][0]: _NEWER[name][1](source) for name in fields}
    if "TOTAL_COST" in fields:
        found["unpriced_runs"] = source.row["unpriced"]
    return found
