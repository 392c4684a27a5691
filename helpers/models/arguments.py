"""The arguments of a call, taken from what the person wrote.

First what the person's words show without a model: the words themselves for a `verbatim`
argument, a match for one with a pattern, a number for a numeric one, a listed value for an enum.
What is then missing and required is decoded by the local model under the argument's JSON schema.
An optional argument that the words do not show is left out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.models.tools import ToolCard

_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")


def found(card: ToolCard, words: str, earlier: Sequence[str]) -> dict[str, Any]:
    """The arguments that the words show.

    Args:
        card: the tool.
        words: the words that ask for this call.
        earlier: the person's other words, nearest first; only patterns are looked for in them,
            so that "refund it" finds the number named a turn before.
    """
    values: dict[str, Any] = {}
    for name, spec in card.properties.items():
        if name in card.verbatim:
            values[name] = words
        elif name in card.written:
            match = _match(card.written[name], spec, (words, *earlier))
            if match is not None:
                values[name] = match
        elif "enum" in spec:
            named = [v for v in spec["enum"] if re.search(rf"\b{re.escape(str(v))}\b", words, re.I)]
            if len(named) == 1:
                values[name] = named[0]
        elif _kind(spec) in {"integer", "number"}:
            numbers = _NUMBER.findall(_without_values(card, words))
            if len(numbers) == 1:
                values[name] = _number(numbers[0], _kind(spec))
    return values


def _kind(spec: Mapping[str, Any]) -> str:
    """The JSON type of an argument; of an optional one, the type that is not null."""
    if "type" in spec:
        return str(spec["type"])
    for option in spec.get("anyOf", ()):
        if option.get("type") != "null":
            return str(option.get("type", ""))
    return ""


def _number(text: str, kind: str) -> int | float:
    return int(float(text)) if kind == "integer" else float(text)


def _without_values(card: ToolCard, words: str) -> str:
    for pattern in card.written.values():
        words = pattern.sub(" ", words)
    return words


def _match(pattern: re.Pattern[str], spec: Mapping[str, Any], texts: Sequence[str]) -> Any:
    for text in texts:
        match = pattern.search(text)
        if match is None:
            continue
        value = match[1] if pattern.groups and match[1] is not None else match[0]
        kind = _kind(spec)
        if kind in {"integer", "number"}:
            return _number(value.replace(",", ""), kind)
        for form in (value, value.upper(), value.lower()):
            if "pattern" not in spec or re.search(spec["pattern"], form):
                return form
    return None


def missing(card: ToolCard, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON schema of the required arguments that are not there yet, or None."""
    names = [name for name in card.properties if name in card.required and name not in values]
    if not names:
        return None
    return {
        "type": "object",
        "properties": {name: card.properties[name] for name in names},
        "required": names,
        "additionalProperties": False,
        **({"$defs": card.schema["$defs"]} if "$defs" in card.schema else {}),
    }
