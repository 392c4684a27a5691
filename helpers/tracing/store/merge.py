"""What becomes of a run when a create or an update arrives, in whatever order they do."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from helpers.tracing.clock import micros
from helpers.tracing.store.conditions import metadata_text
from helpers.tracing.store.incoming import BODIES, Incoming
from helpers.tracing.usage import (
    METERED_TYPES,
    Pricer,
    Usage,
    model_of,
    priced,
    reported,
    usage_of,
)

COLUMNS = (
    "id",
    "project_id",
    "trace_id",
    "parent_id",
    "dotted_order",
    "name",
    "run_type",
    "status",
    "started",
    "ended",
    "first_token",
    "example_id",
    "thread_id",
    "tags",
    "patched",
    "model",
    "metered",
    "prompt_tokens",
    "completion_tokens",
    "prompt_cost",
    "completion_cost",
    "token_details",
    "notes",
)
"""The columns of `runs`, in order."""

SUMMED = (
    "model_runs",
    "unmetered",
    "unpriced",
    "prompt_tokens",
    "completion_tokens",
    "prompt_cost",
    "completion_cost",
)
"""The columns of `totals` that are sums."""

STATUSES = ("success", "error", "pending")
"""What a run can be: ended, failed, or not ended yet."""

# Written by the SDK and its libraries into every run: not worth an index entry each.
_AUTOMATIC = ("ls_", "lc_", "langgraph_", "LANGSMITH_", "LANGCHAIN_", "__", "checkpoint_ns")
_THREAD_KEYS = ("session_id", "thread_id", "conversation_id")


MOST_NOTES = 50
MOST = 10**16
"""Tokens, or picodollars (10,000 US dollars), of one run: sums of them stay whole numbers."""


@dataclass(frozen=True, slots=True)
class State:
    """What other tables hold of a run: its share of the sums, its marks, its first token."""

    own: Counter[str] = field(default_factory=Counter)
    marks: frozenset[tuple[str, str, str]] = frozenset()
    first_token: int | None = None


@dataclass(slots=True)
class Record:
    """A run's row and bodies, and what other tables held of it before it was changed."""

    row: dict[str, Any]
    bodies: dict[str, Any]
    before: State = field(default_factory=State)


def is_automatic(key: str) -> bool:
    """Whether a metadata key is one of those that no index holds."""
    return key.startswith(_AUTOMATIC) or key == "revision_id"


def existing(row: dict[str, Any], bodies: dict[str, Any]) -> Record:
    """A record from what the database has."""
    record = Record(row, bodies)
    record.before = state(record)
    return record


def new(run_id: str) -> Record:
    """A record of which nothing is known yet."""
    row = dict.fromkeys(COLUMNS)
    return Record({**row, "id": run_id, "status": "pending", "patched": 0}, dict.fromkeys(BODIES))


def merge(record: Record, run: Incoming, project_id: str | None, pricer: Pricer) -> None:
    """Bring what arrived into the record.

    An update replaces what it names; of `extra` it replaces the keys that it names. A create that
    comes after an update, or a second time, only fills what is still empty: the update is newer,
    whenever it arrives.
    """
    fields = {k: v for k, v in run.fields.items() if k in record.row}
    if project_id is not None:
        fields["project_id"] = project_id
    bodies: dict[str, Any] = dict(run.bodies)
    if "error" in bodies:
        bodies["error"] = _error_text(bodies["error"])
    late = run.kind == "post" and record.row["patched"]
    if "extra" in bodies and record.bodies["extra"] is not None:
        had, came = record.bodies["extra"], bodies.pop("extra")
        record.bodies["extra"] = _joined(came, had) if late else _joined(had, came)
    for target, values in ((record.row, fields), (record.bodies, bodies)):
        for name, value in values.items():
            if not late or target[name] is None:
                target[name] = value
    if run.kind == "patch":
        record.row["patched"] = 1
    _derive(record, run.notes, pricer)
    _note(record.row, run.notes)


def _joined(older: str, newer: str) -> str:
    """The newer `extra` with what only the older one has, also inside metadata and runtime.

    The SDK sends updates whose `extra` has nothing but the runtime.
    """
    # Not orjson: it would round integers beyond 64 bits.
    before, after = json.loads(older), json.loads(newer)
    if not isinstance(before, dict) or not isinstance(after, dict):
        return newer
    found = {**before, **after}
    for part in ("metadata", "runtime"):
        if isinstance(before.get(part), dict) and isinstance(after.get(part), dict):
            found[part] = {**before[part], **after[part]}
    return newer if found == after else json.dumps(found, ensure_ascii=False)


def _note(row: dict[str, Any], notes: list[str]) -> None:
    """Keep what could not be stored of the run, each remark once."""
    if notes:
        had = orjson.loads(row["notes"]) if row["notes"] else []
        row["notes"] = orjson.dumps(list(dict.fromkeys([*had, *notes]))[:MOST_NOTES]).decode()


def _derive(record: Record, notes: list[str], pricer: Pricer) -> None:
    """Fill the columns that follow from the others."""
    row, bodies = record.row, record.bodies
    row["status"] = (
        "error" if bodies["error"] is not None else "success" if row["ended"] else "pending"
    )
    row["first_token"] = _first_token(bodies["events"])
    extra = _parsed(bodies["extra"])
    metadata = _metadata(extra)
    row["thread_id"] = next((str(metadata[k]) for k in _THREAD_KEYS if metadata.get(k)), None)
    if row["run_type"] in METERED_TYPES:
        outputs = _parsed(bodies["outputs"])
        row["model"] = model_of(extra, outputs)
        try:
            usage = _usage(extra, outputs, row["model"], pricer)
        except (ArithmeticError, TypeError, ValueError) as error:
            notes.append(f"usage_metadata left out: its tokens or costs make no sense ({error}).")
            usage = None
        _meter(row, usage)


def _usage(
    extra: dict[str, Any], outputs: dict[str, Any], model: str | None, pricer: Pricer
) -> Usage | None:
    """What a model run used, with its price.

    Raises:
        ArithmeticError, TypeError, ValueError: what it states is no amount.
    """
    usage = usage_of(extra, outputs)
    if usage is None:
        return None
    whole = reported(extra, outputs)
    for name, stated in whole.items():
        if name in ("input_tokens", "output_tokens") and (type(stated) is not int or stated < 0):
            raise ValueError(f"{name} is {stated!r:.80}")
    usage = priced(usage, model, pricer)
    figures = (usage.prompt_tokens, usage.completion_tokens, usage.prompt_cost or 0)
    if max(map(abs, (*figures, usage.completion_cost or 0))) > MOST:
        raise ValueError("more than can be counted")
    usage.details.update(_cost_details(whole))
    return usage


def _cost_details(whole: dict[str, Any]) -> dict[str, dict[str, float]]:
    """A breakdown of its costs that a run states itself; no price list here has one."""
    found = {}
    for side in ("input_cost", "output_cost"):
        stated = whole.get(f"{side}_details")
        if isinstance(stated, dict):
            found[side] = {k: v for k, v in stated.items() if isinstance(v, int | float)}
    return found


def _meter(row: dict[str, Any], usage: Usage | None) -> None:
    row["metered"] = int(usage is not None)
    if usage is None:
        return
    row["prompt_tokens"] = usage.prompt_tokens
    row["completion_tokens"] = usage.completion_tokens
    row["prompt_cost"] = usage.prompt_cost
    row["completion_cost"] = usage.completion_cost
    row["token_details"] = orjson.dumps(usage.details).decode() if usage.details else None


def state(record: Record) -> State:
    """What other tables have to hold of the run as it is now."""
    row = record.row
    marks = frozenset(_marks(row, _metadata(_parsed(record.bodies["extra"]))))
    # Without its place in the tree a run adds to nothing yet.
    if row["dotted_order"] is None:
        return State(marks=marks)
    return State(_own(row), marks, row["first_token"])


def _own(row: dict[str, Any]) -> Counter[str]:
    """What the run itself adds to the sums of its ancestors.

    A model run counts once it has ended or reported its use. One that failed without reporting
    any is taken to have used nothing; one that succeeded without is one that the sums leave out.
    """
    if not row["metered"] and (row["run_type"], row["status"]) != ("llm", "success"):
        return Counter()
    return Counter(
        model_runs=1,
        unmetered=int(not row["metered"]),
        unpriced=int(row["prompt_cost"] is None),
        prompt_tokens=row["prompt_tokens"] or 0,
        completion_tokens=row["completion_tokens"] or 0,
        prompt_cost=row["prompt_cost"] or 0,
        completion_cost=row["completion_cost"] or 0,
    )


def _marks(row: dict[str, Any], metadata: dict[str, Any]) -> set[tuple[str, str, str]]:
    """The index entries of a run: its tags, and its metadata that are plain values."""
    found = {("tag", tag, "") for tag in orjson.loads(row["tags"] or "[]")}
    for key, value in metadata.items():
        text = metadata_text(value)
        if text is not None and not is_automatic(key):
            found.add(("metadata", key, text))
    return found


def _first_token(events: str | None) -> int | None:
    if not events or '"new_token"' not in events:
        return None
    found = []
    for event in orjson.loads(events):
        if event.get("name") == "new_token":
            # A time that is none is noted on the run when it arrives.
            with suppress(TypeError, ValueError):
                found.append(micros(event.get("time")))
    return min(found, default=None)


def _error_text(content: str) -> str:
    error = orjson.loads(content)
    return error if isinstance(error, str) else content


def _metadata(extra: dict[str, Any]) -> dict[str, Any]:
    found = extra.get("metadata")
    return found if isinstance(found, dict) else {}


def _parsed(content: str | None) -> dict[str, Any]:
    found = orjson.loads(content) if content else {}
    return found if isinstance(found, dict) else {}
