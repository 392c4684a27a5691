"""LangSmith's filter language, as far as the course uses it, as conditions in SQL.

    and(eq(run_type, "llm"), gt(latency, 2.5))
    has(tags, "night")
    and(eq(metadata_key, "intent"), eq(metadata_value, "refund"))
    and(eq(feedback_key, "helpful"), lt(feedback_score, 0.5))

What it does not know is refused by name; a condition is never left out or guessed.
Syntax: https://docs.langchain.com/langsmith/trace-query-syntax
"""

import json
import re
from collections.abc import Callable
from typing import Any

from helpers.tracing.clock import micros
from helpers.tracing.errors import Invalid, Unspoken
from helpers.tracing.store import incoming, merge
from helpers.tracing.store.conditions import Condition, has_metadata, metadata_text, one_of
from helpers.tracing.store.filter_language import Call, Name, parse
from helpers.tracing.store.schema import PICO

_OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NEGATED = {"neq": "eq", "nin": "in"}
_LARGEST = 2**63 - 1


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
        return _negated(_compiled(inner))
    if call.name == "has":
        return _has(call)
    if call.name not in (*_OPERATORS, "in", "nin"):
        raise Unspoken(f"the filter function {call.name}()")
    field, value = _field_and_value(call)
    if field in _PAIRED:
        return _paired([call])
    if call.name in ("in", "nin"):
        expression, convert = _field(field)
        found = one_of(expression, [convert(one, field) for one in _list(call.name, field, value)])
        return found if call.name == "in" else _negated(found)
    return _compared(field, _OPERATORS[call.name], value)


def _negated(inner: Condition) -> Condition:
    return Condition(f"NOT coalesce(({inner.sql}), 0)", inner.values)


def _list(name: str, field: str, values: Any) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise Invalid(f"{name}({field}, ...) takes a list with at least one value.")
    return values


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
        raise Invalid("Each and() and or() needs at least one condition.")
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
        raise Invalid(f"Put the value of {field.text} in quotation marks.")
    return field.text, value


# --- plain fields --------------------------------------------------------------------------------


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{field} is compared with a text, not with {_short(value)}.")
    return value


def _uuid(value: Any, field: str) -> str:
    return incoming.identifier(_text(value, field), f"{field} in a filter")


def _one_of_the(choices: tuple[str, ...]) -> "_Convert":
    def convert(value: Any, field: str) -> str:
        if value not in choices:
            raise Invalid(f"{field} is one of {', '.join(choices)}, not {_short(value)}.")
        return str(value)

    return convert


def _truth(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{field} is compared with true or false, not with {_short(value)}.")
    return value


def _moment(value: Any, field: str) -> int:
    if not isinstance(value, str):
        raise Invalid(f'{field} is compared with a time as text: "2026-06-15T09:00:00Z".')
    try:
        return micros(value)
    except ValueError:
        raise Invalid(f"{field} is compared with {value[:80]!r}, no ISO 8601 time.") from None


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LENGTH = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def _micros(value: Any, field: str) -> int:
    """A duration: seconds as a number, or a text with units: "750ms", "5s", "1m30s"."""
    if isinstance(value, str) and _LENGTH.fullmatch(text := value.replace(" ", "")):
        value = sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))
    return _scaled(value, field, 1_000_000, ', or a duration such as "5s" or "750ms"')


def _dollars(value: Any, field: str) -> int:
    return _scaled(value, field, PICO)


def _number(value: Any, field: str, more: str = "") -> float:
    """A number, also when it is written in quotation marks."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = repr(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"{field} is compared with {_short(value)}: it must be a number{more}.")
    if not abs(value) <= _LARGEST:
        raise Invalid(f"{field} is compared with {value:g}, which is out of range.")
    return value


def _scaled(value: Any, field: str, unit: int, more: str = "") -> int:
    number = _number(value, field, more)
    if abs(number) > _LARGEST / unit:
        raise Invalid(f"{field} is compared with {number:g}, which is out of range.")
    return round(number * unit)


def _short(value: Any) -> str:
    return f"{value!r}"[:80]


_Convert = Callable[[Any, str], Any]
PRICED = (
    "CASE WHEN t.model_runs > 0 AND t.unpriced = t.model_runs THEN NULL ELSE coalesce({}, 0) END"
)
"""A sum of costs, with NULL where the run has model runs and none of them has a price."""
METERED = PRICED.replace("unpriced", "unmetered")
"""A sum of tokens, with NULL where the run has model runs and none of them reports any."""
_FIELDS: dict[str, tuple[str, _Convert]] = {
    "id": ("r.id", _uuid),
    "name": ("r.name", _text),
    "run_type": ("r.run_type", _one_of_the(incoming.RUN_TYPES)),
    "status": ("r.status", _one_of_the(merge.STATUSES)),
    "trace_id": ("r.trace_id", _uuid),
    "parent_run_id": ("r.parent_id", _uuid),
    "thread_id": ("r.thread_id", _text),
    "reference_example_id": ("r.example_id", _uuid),
    "is_root": ("(r.parent_id IS NULL)", _truth),
    "error": ("(SELECT error FROM bodies WHERE bodies.id = r.id)", _text),
    "start_time": ("r.started", _moment),
    "end_time": ("r.ended", _moment),
    "latency": ("(r.ended - r.started)", _micros),
    "prompt_tokens": (METERED.format("t.prompt_tokens"), _number),
    "completion_tokens": (METERED.format("t.completion_tokens"), _number),
    "total_tokens": (METERED.format("t.prompt_tokens + t.completion_tokens"), _number),
    "prompt_cost": (PRICED.format("t.prompt_cost"), _dollars),
    "completion_cost": (PRICED.format("t.completion_cost"), _dollars),
    "total_cost": (PRICED.format("t.prompt_cost + t.completion_cost"), _dollars),
}


def _compared(field: str, operator: str, value: Any) -> Condition:
    expression, convert = _field(field)
    if field == "error" and isinstance(value, bool):  # whether there is one
        operator = {"=": "<>", "<>": "="}.get(operator, operator) if value else operator
        value = None
    if value is None:
        if operator not in ("=", "<>"):
            raise Invalid(f"{field} can be eq or neq to that, nothing else.")
        return Condition(f"{expression} IS {'NOT ' if operator == '<>' else ''}NULL")
    if operator == "<>":  # what has no value differs from every value
        return Condition(f"{expression} IS NOT ?", (convert(value, field),))
    return Condition(f"{expression} {operator} ?", (convert(value, field),))


def _field(name: str) -> tuple[str, _Convert]:
    if name not in _FIELDS:
        raise Unspoken(f"the field {name} in a filter")
    return _FIELDS[name]


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
        return _joined(" AND ", [_metadata([key], [value]) for key, value in pairs.items()])
    raise Unspoken(f"has() on {field}; it knows tags and metadata")


def _paired_field(call: Call) -> str | None:
    if call.arguments and isinstance(call.arguments[0], Name):
        name = call.arguments[0].text
        return name if name in _PAIRED else None
    return None


def _paired(calls: list[Call]) -> Condition:
    """Conditions on one key and its value: each at most once.

    Without the key, or together with a value, "not this one" can mean two things: any other pair,
    or no such pair. Only a negated key alone means one.
    """
    found: dict[str, tuple[str, list[Any]]] = {}
    for call in calls:
        field, value = _field_and_value(call)
        if field in found:
            raise Unspoken(f"two conditions on {field} in one and(); put each pair into its own")
        several = call.name in ("in", "nin")
        found[field] = (call.name, _list(call.name, field, value) if several else [value])
    (field, (name, values)), *others = found.items()
    if name in _NEGATED and field.endswith("_key") and not others:
        return _negated(_pair({field: (_NEGATED[name], values)}))
    return _pair(found)


def _pair(found: dict[str, tuple[str, list[Any]]]) -> Condition:
    if "metadata_key" in found or "metadata_value" in found:
        return _metadata_pair(found)
    return _feedback_pair(found)


def _metadata_pair(found: dict[str, tuple[str, list[Any]]]) -> Condition:
    if any(operator not in ("eq", "in") for operator, _ in found.values()):
        raise Unspoken("comparisons of metadata other than eq and in, or neq of a key alone")
    if "metadata_key" not in found:
        raise Unspoken("metadata_value without metadata_key")
    keys = found["metadata_key"][1]
    return _metadata(keys, found["metadata_value"][1] if "metadata_value" in found else None)


def _metadata(keys: list[Any], values: list[Any] | None) -> Condition:
    """Runs with one of the keys and, where values are given, one of them under it."""
    if not all(isinstance(key, str) for key in keys):
        raise Invalid("A metadata key in a filter is a text.")
    texts: list[str] | None = None
    if values is not None:
        texts = [text for value in values if (text := metadata_text(value)) is not None]
        if len(texts) < len(values):
            raise Unspoken("metadata values other than texts, numbers, true or false in a filter")
    if not any(merge.is_automatic(key) for key in keys):
        wanted: list[str | None] = [None] if texts is None else [*texts]
        return _marked("metadata", [(key, text) for key in keys for text in wanted])
    # Not in the index: look into the runs themselves.
    inner = has_metadata("b.extra", "$.metadata", keys, texts)
    return Condition(
        f"EXISTS (SELECT 1 FROM bodies AS b WHERE b.id = r.id AND {inner.sql})", inner.values
    )


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
    parts: list[str] = []
    values: list[Any] = []
    for field, (operator, given) in found.items():
        if operator in _NEGATED and (field == "feedback_key" or len(found) == 1):
            raise Unspoken(f"{operator}({field}, ...) in this place of a filter")
        if given[0] is None:
            raise Unspoken(f"{field} compared with null")
        if field == "feedback_key":
            column, given = "key", [_text(value, field) for value in given]
        else:
            column = "json_extract(score, '$')"
            given = [v if isinstance(v, bool) else _number(v, field) for v in given]
        if operator in ("in", "nin"):
            inner = one_of(column, given)
            negation = "NOT " if operator == "nin" else ""
            inner = Condition(f"{negation}{inner.sql}", inner.values)
        else:
            inner = Condition(f"{column} {_OPERATORS[operator]} ?", (given[0],))
        parts.append(inner.sql)
        values += inner.values
    return Condition(
        f"r.id IN (SELECT run_id FROM feedback WHERE run_id IS NOT NULL AND {' AND '.join(parts)})",
        tuple(values),
    )
