"""LangSmith's filter language, as far as the course uses it, as conditions in SQL.

    and(eq(run_type, "llm"), gt(latency, 2.5))
    has(tags, "night")
    and(eq(metadata_key, "intent"), eq(metadata_value, "refund"))
    and(eq(feedback_key, "helpful"), lt(feedback_score, 0.5))

What it does not know is refused by name; a condition is never left out or guessed.
Syntax: https://docs.langchain.com/langsmith/trace-query-syntax
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpers.tracing.clock import micros
from helpers.tracing.errors import Invalid, Unspoken
from helpers.tracing.store import merge
from helpers.tracing.store.filter_language import Call, Name, parse
from helpers.tracing.store.schema import PICO


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the run `r` and its sums `t`, with the values of its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()


_OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def condition(text: str) -> Condition:
    """The condition that a filter expression means.

    Raises:
        Invalid: it is not an expression of the language.
        Unspoken: it uses a part of the language that is not spoken here.
    """
    return _compiled(parse(text))


def among_traces(text: str, *, root: bool) -> Condition:
    """A condition on the root of the run's trace, or on any run of it."""
    inner = condition(text)
    only = " AND r.parent_id IS NULL" if root else ""
    return Condition(
        "r.trace_id IN (SELECT r.trace_id FROM runs AS r LEFT JOIN totals AS t ON t.run_id = r.id "
        f"WHERE {inner.sql}{only})",
        inner.values,
    )


def _compiled(call: Call) -> Condition:
    if call.name == "and":
        return _all_of(call)
    if call.name == "or":
        return _joined(" OR ", [_compiled(item) for item in _calls(call)])
    if call.name == "not":
        (inner,) = _calls(call, exactly=1)
        negated = _compiled(inner)
        return Condition(f"NOT coalesce(({negated.sql}), 0)", negated.values)
    if call.name == "has":
        return _has(call)
    if call.name == "in":
        return _in(call)
    if call.name in _OPERATORS:
        field, value = _field_and_value(call)
        if field in _PAIRED:
            return _paired([call])
        return _compared(field, _OPERATORS[call.name], value)
    raise Unspoken(f"the filter function {call.name}()")


def _all_of(call: Call) -> Condition:
    """The conditions of an `and`; those on a key and on its value speak of the same pair."""
    calls = _calls(call)
    paired = [item for item in calls if _paired_field(item) is not None]
    plain = [item for item in calls if _paired_field(item) is None]
    found = [_compiled(item) for item in plain]
    for family in ("metadata", "feedback"):
        members = [item for item in paired if (_paired_field(item) or "").startswith(family)]
        if members:
            found.append(_paired(members))
    return _joined(" AND ", found)


def _joined(word: str, conditions: list[Condition]) -> Condition:
    if not conditions:
        raise Invalid("and() and or() need at least one condition.")
    return Condition(
        "(" + word.join(item.sql for item in conditions) + ")",
        tuple(value for item in conditions for value in item.values),
    )


def _calls(call: Call, *, exactly: int | None = None) -> list[Call]:
    calls = [item for item in call.arguments if isinstance(item, Call)]
    if len(calls) != len(call.arguments) or (exactly and len(calls) != exactly):
        raise Invalid(f"{call.name}() takes {exactly or 'only'} conditions.")
    return calls


def _field_and_value(call: Call) -> tuple[str, Any]:
    if len(call.arguments) != 2 or not isinstance(call.arguments[0], Name):
        raise Invalid(f"{call.name}() takes the name of a field and a value.")
    field, value = call.arguments
    if isinstance(value, Name | Call):
        raise Invalid(f"Put the value of {field.text} into quotation marks.")
    return field.text, value


# --- plain fields --------------------------------------------------------------------------------


def _as_is(value: Any) -> Any:
    return value


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise Invalid('A time in a filter is written as text: "2026-06-15T09:00:00Z".')
    try:
        return micros(value)
    except ValueError:
        raise Invalid(f"{value!r} in a filter is no ISO 8601 time.") from None


def _seconds(value: Any) -> Any:
    return round(_number(value) * 1_000_000)


def _dollars(value: Any) -> Any:
    return round(_number(value) * PICO)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"{value!r} in a filter must be a number.")
    return value


PRICED = (
    "CASE WHEN t.model_runs > 0 AND t.unpriced = t.model_runs THEN NULL ELSE coalesce({}, 0) END"
)
"""A sum of costs, with NULL where the run has model runs and none of them has a price."""
METERED = PRICED.replace("unpriced", "unmetered")
"""A sum of tokens, with NULL where the run has model runs and none of them reports any."""
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "id": ("r.id", _as_is),
    "name": ("r.name", _as_is),
    "run_type": ("r.run_type", _as_is),
    "status": ("r.status", _as_is),
    "trace_id": ("r.trace_id", _as_is),
    "parent_run_id": ("r.parent_id", _as_is),
    "thread_id": ("r.thread_id", _as_is),
    "reference_example_id": ("r.example_id", _as_is),
    "is_root": ("(r.parent_id IS NULL)", _as_is),
    "error": ("(SELECT error FROM bodies WHERE bodies.id = r.id)", _as_is),
    "start_time": ("r.started", _moment),
    "end_time": ("r.ended", _moment),
    "latency": ("(r.ended - r.started)", _seconds),
    "prompt_tokens": (METERED.format("t.prompt_tokens"), _number),
    "completion_tokens": (METERED.format("t.completion_tokens"), _number),
    "total_tokens": (METERED.format("t.prompt_tokens + t.completion_tokens"), _number),
    "prompt_cost": (PRICED.format("t.prompt_cost"), _dollars),
    "completion_cost": (PRICED.format("t.completion_cost"), _dollars),
    "total_cost": (PRICED.format("t.prompt_cost + t.completion_cost"), _dollars),
}


def _compared(field: str, operator: str, value: Any) -> Condition:
    expression, convert = _field(field)
    if value is None:
        if operator not in ("=", "<>"):
            raise Invalid(f"{field} can be eq or neq to null, nothing else.")
        return Condition(f"{expression} IS {'NOT ' if operator == '<>' else ''}NULL")
    if operator == "<>":  # what has no value differs from every value
        return Condition(f"{expression} IS NOT ?", (convert(value),))
    return Condition(f"{expression} {operator} ?", (convert(value),))


def _field(name: str) -> tuple[str, Callable[[Any], Any]]:
    if name not in _FIELDS:
        raise Unspoken(f"the field {name} in a filter")
    return _FIELDS[name]


def _in(call: Call) -> Condition:
    field, values = _field_and_value(call)
    if not isinstance(values, list) or not values:
        raise Invalid(f"in({field}, ...) takes a list with at least one value.")
    if field in _PAIRED:
        return _paired([call])
    expression, convert = _field(field)
    marks = ", ".join("?" * len(values))
    return Condition(f"{expression} IN ({marks})", tuple(map(convert, values)))


# --- tags, metadata, feedback --------------------------------------------------------------------

_PAIRED = ("metadata_key", "metadata_value", "feedback_key", "feedback_score")


def _has(call: Call) -> Condition:
    field, value = _field_and_value(call)
    if field == "tags" and isinstance(value, str):
        return _marked("tag", [(value, "")])
    if field == "metadata" and isinstance(value, str):
        try:
            pairs = json.loads(value)
        except ValueError:
            pairs = None
        if not isinstance(pairs, dict) or not pairs:
            raise Invalid('has(metadata, ...) takes a JSON object: has(metadata, \'{"a": "b"}\').')
        return _joined(" AND ", [_metadata([key], [val]) for key, val in pairs.items()])
    raise Unspoken(f"has() on {field}; it knows tags and metadata")


def _paired_field(call: Call) -> str | None:
    if call.arguments and isinstance(call.arguments[0], Name):
        name = call.arguments[0].text
        return name if name in _PAIRED else None
    return None


def _paired(calls: list[Call]) -> Condition:
    """Conditions on one key and its value: each at most once."""
    found: dict[str, tuple[str, list[Any]]] = {}
    for call in calls:
        field, value = _field_and_value(call)
        if field in found:
            raise Unspoken(f"two conditions on {field} in one and(); put each pair into its own")
        values = value if call.name == "in" else [value]
        found[field] = (call.name, values)
    if "metadata_key" in found or "metadata_value" in found:
        return _metadata_pair(found)
    return _feedback_pair(found)


def _metadata_pair(found: dict[str, tuple[str, list[Any]]]) -> Condition:
    if any(operator not in ("eq", "in") for operator, _ in found.values()):
        raise Unspoken("other comparisons of metadata than eq and in")
    if "metadata_key" not in found:
        raise Unspoken("metadata_value without metadata_key")
    keys = found["metadata_key"][1]
    return _metadata(keys, found["metadata_value"][1] if "metadata_value" in found else None)


def _metadata(keys: list[Any], values: list[Any] | None) -> Condition:
    """Runs with one of the keys and, where values are given, one of them under it."""
    if not all(isinstance(key, str) for key in keys):
        raise Invalid("A metadata key in a filter is a text.")
    texts = None if values is None else [merge.mark_value(value) for value in values]
    if texts is not None and None in texts:
        raise Unspoken("metadata values other than texts, numbers and true or false in a filter")
    if not any(merge.is_automatic(key) for key in keys):
        pairs = None if texts is None else [(key, text) for key in keys for text in texts]
        return _marked("metadata", pairs if pairs is not None else [(key, None) for key in keys])
    # Not in the index: look into the runs themselves.
    sql = (
        "EXISTS (SELECT 1 FROM bodies AS b, json_each(b.extra, '$.metadata') AS m "
        f"WHERE b.id = r.id AND m.key IN ({', '.join('?' * len(keys))})"
    )
    chosen: list[Any] = list(keys)
    if texts is not None:
        sql += (
            " AND CASE m.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
            f"ELSE CAST(m.value AS TEXT) END IN ({', '.join('?' * len(texts))})"
        )
        chosen += texts
    return Condition(sql + ")", tuple(chosen))


def _marked(kind: str, pairs: list[tuple[str, str | None]]) -> Condition:
    parts, values = [], [kind]
    for key, value in pairs:
        parts.append("key = ?" if value is None else "key = ? AND value = ?")
        values += [key] if value is None else [key, value]
    return Condition(
        f"r.id IN (SELECT run_id FROM marks WHERE kind = ? AND ({' OR '.join(parts)}))",
        tuple(values),
    )


def _feedback_pair(found: dict[str, tuple[str, list[Any]]]) -> Condition:
    parts, values = [], []
    for field, (operator, given) in found.items():
        column = "key" if field == "feedback_key" else "json_extract(score, '$')"
        if operator == "in":
            parts.append(f"{column} IN ({', '.join('?' * len(given))})")
        elif given[0] is None:
            raise Unspoken(f"{field} compared with null")
        else:
            parts.append(f"{column} {_OPERATORS[operator]} ?")
        values += given
    return Condition(
        f"r.id IN (SELECT run_id FROM feedback WHERE {' AND '.join(parts)})", tuple(values)
    )
