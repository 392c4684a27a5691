"""The arguments of a call, taken from what the person wrote.

First come values that the person's words show without a model: the words themselves for a
`verbatim` argument, a match for one with a pattern, a number for a numeric one, a listed value
for an enum, what stands in quotation marks for a required text. What is then missing and
required is decoded by the local model under a JSON schema that leaves it no other values than
pieces of the request:

- a text is one of the request's own word sequences;
- a number is one of the numbers in the request;
- a value of an enum is one that the request names, where it names any.

So no text, number or identifier enters a call unless the person wrote it. A required argument
that the words do not show leaves the tool uncalled. An optional one is left out.

Where the caller forces a tool (`tool_choice`, `with_structured_output`), the model writes the
missing arguments freely under the tool's own schema instead.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.models.tools import ToolCard
from helpers.models.words import EDGES, NUMBERS

# A comma stands between thousands only; what else it may mean ("2,75") is not guessed at.
_NUMBER = re.compile(r"(?<![\w.,-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w-]|[.,]\d)")
_QUOTED = re.compile(r"(?<!\w)[\"'“‘«](\S(?:[^\"'”’»\n]*\S)?)[\"'”’»](?!\w)")
_LONGEST_SPAN = 5


@dataclass(frozen=True)
class Call:
    """One call to make: the tool, the values found, and what the model must still decode.

    Attributes:
        card: the tool.
        words: the person's words that ask for the call.
        values: the arguments that the words show.
        missing: the schema of each required argument that is to be decoded, by name.
        forced: whether the caller demands the call, so that the model may write freely.
    """

    card: ToolCard
    words: str
    values: Mapping[str, Any]
    missing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    forced: bool = False

    def complete(self, decoded: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments, in the order of the schema."""
        together = {**decoded, **self.values}
        return {name: together[name] for name in self.card.properties if name in together}


def fill(card: ToolCard, words: str, said: Sequence[str], *, forced: bool) -> Call | list[str]:
    """Find the arguments of a call.

    Args:
        card: the tool.
        words: the words that ask for this call.
        said: everything the person said, nearest first; only identifiers are looked for in all of
            it, so that "send it back" finds the number that was named a turn before, and
            `written` arguments in the last message.
        forced: see `Call`.

    Returns:
        The call, or the names of the required arguments that the words do not show.
    """
    values = _found(card, words, said)
    missing: dict[str, Mapping[str, Any]] = {}
    absent: list[str] = []
    quoted = [] if forced else _QUOTED.findall(words)
    for name in card.required:
        if name in values:
            continue
        spec = card.properties[name]
        if quoted and _is_text(name, card):
            values[name] = quoted.pop(0)
            continue
        schema = spec if forced else _narrowed(name, card, words)
        if schema is None:
            absent.append(name)
        else:
            missing[name] = schema
    return absent or Call(card, words, values, missing, forced)


def identifiers(card: ToolCard, words: str) -> list[dict[str, Any]]:
    """One `{argument: value}` for each identifier that the words name for this tool."""
    for name in card.required:
        if name in card.identifiers:
            return [{name: value} for value in card.identifiers[name].find(words)]
    return []


def _found(card: ToolCard, words: str, said: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, spec in card.properties.items():
        options: list[Any] = []
        if name in card.verbatim:
            options = [words]
        elif name in card.identifiers:
            texts = (words, *said)
            options = [v for text in texts for v in card.identifiers[name].find(text)][:1]
        elif name in card.written:
            options = _written(card.written[name], spec, (words, *said[:1]))
        elif "enum" in spec:
            options = _named(spec, words)
        elif _kind(spec) in {"integer", "number"}:
            options = _values(card, words, _kind(spec))
        if len(options) == 1:
            values[name] = options[0]
    return values


def _narrowed(name: str, card: ToolCard, words: str) -> Mapping[str, Any] | None:
    """The schema of a missing argument, holding only what the words offer; None for nothing."""
    spec = card.properties[name]
    kind = _kind(spec)
    if name in card.written or name in card.identifiers:
        return None
    if "enum" in spec:
        return {**spec, "enum": _named(spec, words) or spec["enum"]}
    if kind not in {"string", "integer", "number"}:
        return spec
    options = _spans(words) if _is_text(name, card) else _values(card, words, kind)
    return {"enum": options} if options else None


def _named(spec: Mapping[str, Any], words: str) -> list[Any]:
    """The values of an enum that stand in the words."""
    return [
        value
        for value in spec["enum"]
        if re.search(rf"(?<!\w){re.escape(str(value))}(?!\w)", words, re.IGNORECASE)
    ]


def _is_text(name: str, card: ToolCard) -> bool:
    """Whether an argument takes any text: no pattern, no list of values."""
    spec = card.properties[name]
    return (
        _kind(spec) == "string" and not {"enum", "pattern"} & set(spec) and name not in card.written
    )


def _kind(spec: Mapping[str, Any]) -> str:
    """The JSON type of an argument; of an optional one, the type that is not null."""
    if "type" in spec:
        return str(spec["type"])
    kinds = [str(option.get("type", "")) for option in spec.get("anyOf", ())]
    return next((kind for kind in kinds if kind != "null"), "")


def _number(text: str, kind: str) -> int | float | None:
    """A number in digits or letters; None where it does not fit the kind ("2.5" nights)."""
    number = float(NUMBERS.get(text.lower(), text.replace(",", "")))
    if kind != "integer":
        return number
    return int(number) if number.is_integer() else None


def _values(card: ToolCard, words: str, kind: str) -> list[int | float]:
    """The numbers in the words that fit a kind."""
    found = [_number(text, kind) for text in _numbers(card, words)]
    return [number for number in found if number is not None]


def _written(pattern: re.Pattern[str], spec: Mapping[str, Any], texts: Sequence[str]) -> list[Any]:
    """The different values of the first text in which the pattern is found."""
    for text in texts:
        found = [_value(match, spec) for match in pattern.finditer(text)]
        if found:
            return list(dict.fromkeys(value for value in found if value is not None))
    return []


def _numbers(card: ToolCard, words: str) -> list[str]:
    """The numbers in the words, in digits or letters, that belong to no identifier."""
    for identifier in card.identifiers.values():
        words = identifier.hide(words)
    letters = [w for w in re.findall(r"[a-z]+", words.lower()) if w in NUMBERS]
    return _NUMBER.findall(words) or [word for word in letters if len(word) > 2]


def _value(match: re.Match[str], spec: Mapping[str, Any]) -> Any:
    text = match[1] if match.re.groups and match[1] is not None else match[0]
    if _kind(spec) in {"integer", "number"}:
        try:
            return _number(text, _kind(spec))
        except ValueError:
            return None
    return text


def _spans(words: str) -> list[str]:
    """The word sequences of a request that can be a value, at most five words each."""
    tokens = [(m.start(), m.end()) for m in re.finditer(r"[^\s,.!?;:\"()]+", words)]
    spans: dict[str, None] = {}
    for first in range(len(tokens)):
        for last in range(first, min(first + _LONGEST_SPAN, len(tokens))):
            span = words[tokens[first][0] : tokens[last][1]]
            if re.search(r"[.!?;:,]\s", span):
                break
            inside = span.lower().split()
            if inside[0] not in EDGES and inside[-1] not in EDGES:
                spans[span] = None
    return list(spans)
