"""What the local model knows about a bound tool.

A tool tells the local model how people ask for it in LangChain's `extras`, which hosted models
never see:

    @tool(extras={
        "examples": ["Where is my book?", "Has loan L-1203 been sent?"],
        "verbatim": ["question"],
        "written": {"days": r"(\\d+) days?"},
    })

- `examples`: what a person says who wants this tool.
- `verbatim`: arguments that take the person's own words, unchanged.
- `written`: how an argument looks in a person's words, as a regular expression; its first group,
  or else the whole match, is the value. A `pattern` in the argument's schema does the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.models.errors import BadTool

EXTRAS = ("examples", "verbatim", "written")


@dataclass(frozen=True)
class ToolCard:
    """One bound tool: its name, description, JSON schema, and the extras described above."""

    name: str
    description: str
    schema: Mapping[str, Any]
    examples: tuple[str, ...] = ()
    verbatim: tuple[str, ...] = ()
    written: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schema of each argument, by name."""
        found: Mapping[str, Mapping[str, Any]] = self.schema.get("properties", {})
        return found

    @property
    def required(self) -> frozenset[str]:
        """The names of the arguments that a call cannot do without."""
        return frozenset(self.schema.get("required", ()))


def card(tool: Mapping[str, Any]) -> ToolCard:
    """The card of a tool in OpenAI's format, with the course's `extras` beside `function`.

    Raises `BadTool` when the extras name an argument that does not exist, or hold a regular
    expression that cannot be read.
    """
    function = tool.get("function", tool)
    name = str(function.get("name", ""))
    schema = function.get("parameters") or {}
    properties = schema.get("properties", {})
    extras = tool.get("extras") or {}
    written = {
        argument: _pattern(name, argument, spec["pattern"])
        for argument, spec in properties.items()
        if isinstance(spec.get("pattern"), str)
    }
    for argument, pattern in dict(extras.get("written", {})).items():
        written[argument] = _pattern(name, argument, pattern)
    for argument in (*extras.get("verbatim", ()), *written):
        if argument not in properties:
            raise BadTool(
                f"The extras of the tool {name} name an argument {argument!r} that it does not "
                f"have: use one of {', '.join(sorted(properties)) or 'none, it takes none'}."
            )
    return ToolCard(
        name=name,
        description=str(function.get("description", "")),
        schema=schema,
        examples=_texts(name, extras.get("examples", ())),
        verbatim=_texts(name, extras.get("verbatim", ())),
        written=written,
    )


def _texts(name: str, value: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise BadTool(f"The extras of the tool {name} must hold lists of texts.")
    return tuple(value)


def _pattern(tool: str, argument: str, pattern: str) -> re.Pattern[str]:
    # A schema's pattern is anchored to the whole value; here it is looked for inside a sentence.
    bare = pattern.removeprefix("^").removesuffix("$")
    try:
        return re.compile(rf"(?<![\w-])(?:{bare})(?![\w-])", re.IGNORECASE)
    except re.error as error:
        raise BadTool(
            f"The pattern of {argument} in the tool {tool} is no regular expression ({error})."
        ) from error
