"""What the local model knows about a bound tool.

A tool tells the local model how people ask for it in LangChain's `extras`, which hosted models
never see:

    @tool(extras={
        "examples": [
            "Where is my parcel P-1203?",
            {"text": "Send it to Anna, please", "args": {"recipient": "Anna"}},
        ],
        "verbatim": ["question"],
        "written": {"days": r"(\\d+) days?"},
    })

- `examples`: what a person says who wants this tool; with `args`, also what the call then holds.
- `verbatim`: arguments that take the person's own words, unchanged.
- `written`: how an argument looks in a person's words, as a regular expression; its first group,
  or else the whole match, is the value. A `pattern` in the argument's schema does the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.models.errors import BadTool

EXTRAS = ("examples", "verbatim", "written")


@dataclass(frozen=True)
class Example:
    """One thing that people say who want a tool, and the arguments it should lead to."""

    text: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCard:
    """One bound tool: its name, description, JSON schema, and the extras described above."""

    name: str
    description: str
    schema: Mapping[str, Any]
    examples: tuple[Example, ...]
    verbatim: tuple[str, ...]
    written: Mapping[str, re.Pattern[str]]

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schema of each argument, by name."""
        found: Mapping[str, Mapping[str, Any]] = self.schema.get("properties", {})
        return found

    @property
    def required(self) -> list[str]:
        """The names of the arguments that a call cannot do without."""
        needed = self.schema.get("required", ())
        return [name for name in self.properties if name in needed]

    @property
    def identifiers(self) -> list[re.Pattern[str]]:
        """How the values look that a schema's `pattern` describes: order numbers and the like."""
        return [
            pattern
            for argument, pattern in self.written.items()
            if "pattern" in self.properties[argument]
        ]


def card(tool: Mapping[str, Any]) -> ToolCard:
    """The card of a tool in OpenAI's format, with the course's `extras` beside `function`.

    Raises `BadTool` when the extras name an argument that does not exist, have the wrong shape,
    or hold a regular expression that cannot be read.
    """
    function = tool.get("function", tool)
    name = str(function.get("name", ""))
    schema = function.get("parameters") or {}
    properties = schema.get("properties", {})
    extras = tool.get("extras") or {}
    for key, shape in (("examples", list), ("verbatim", list), ("written", dict)):
        if not isinstance(extras.get(key, shape()), shape):
            raise BadTool(f"The extras of the tool {name}: make {key} a {shape.__name__}.")
    examples = tuple(_example(name, item) for item in extras.get("examples", ()))
    verbatim = tuple(extras.get("verbatim", ()))
    patterns = {
        argument: spec["pattern"]
        for argument, spec in properties.items()
        if isinstance(spec.get("pattern"), str)
    } | dict(extras.get("written", {}))
    for argument in {*verbatim, *patterns, *(key for e in examples for key in e.args)}:
        if argument not in properties:
            raise BadTool(
                f"The extras of the tool {name} name an argument {argument!r}: "
                f"it has {', '.join(sorted(properties)) or 'none'}."
            )
    written = {argument: _pattern(name, argument, text) for argument, text in patterns.items()}
    return ToolCard(name, str(function.get("description", "")), schema, examples, verbatim, written)


def hide_values(text: str, cards: Sequence[ToolCard]) -> str:
    """Put "it" for every value: "where is P-1203" and "where is P-9999" ask for the same."""
    for one in cards:
        for pattern in one.identifiers:
            text = pattern.sub("it", text)
    return text


def _example(tool: str, item: Any) -> Example:
    if isinstance(item, str):
        return Example(item, {})
    if isinstance(item, Mapping) and isinstance(item.get("text"), str):
        return Example(item["text"], item.get("args", {}))
    raise BadTool(
        f"An example of the tool {tool} is neither a text nor a "
        '{"text": ..., "args": ...}: mend its extras.'
    )


def _pattern(tool: str, argument: str, pattern: str) -> re.Pattern[str]:
    # A schema's pattern is anchored to the whole value; here it is looked for inside a sentence.
    bare = pattern.removeprefix("^").removesuffix("$")
    try:
        return re.compile(rf"(?<![\w-])(?:{bare})(?![\w-])", re.IGNORECASE)
    except re.error as error:
        raise BadTool(
            f"The pattern of {argument} in the tool {tool} is no regular expression ({error})."
        ) from error
