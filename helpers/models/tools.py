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
        "default": True,
    })

- `examples`: what a person says who wants this tool; with `args`, also what the call then holds.
- `verbatim`: arguments that take the person's own words, unchanged.
- `written`: how an argument looks in a person's words, as a regular expression; its first group,
  or else the whole match, is the value. (A `pattern` in the argument's schema does the same, see
  `helpers.models.identifiers`.)
- `default`: whether this tool gets the requests that no other tool is for, such as a search. Small
  talk stays without a tool.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.models.errors import BadTool
from helpers.models.identifiers import Identifier, identifier, inside

EXTRAS = ("examples", "verbatim", "written", "default")


_SHAPES: Mapping[str, type] = {
    "examples": list,
    "verbatim": list,
    "written": dict,
    "default": bool,
}


@dataclass(frozen=True)
class Example:
    """One thing that people say who want a tool, and the arguments it should lead to."""

    text: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCard:
    """One bound tool: its name, description, JSON schema, and the extras described above.

    Attributes:
        written: for each argument of `written`, its regular expression.
        identifiers: for each argument with a pattern in the schema, how its values are found.
        default: whether the tool gets what no other tool is for.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    examples: tuple[Example, ...]
    verbatim: tuple[str, ...]
    written: Mapping[str, re.Pattern[str]]
    identifiers: Mapping[str, Identifier]
    default: bool

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
    for key, shape in _SHAPES.items():
        if not isinstance(extras.get(key, shape()), shape):
            raise BadTool(f"The extras of the tool {name}: make {key} a {shape.__name__}.")
    examples = tuple(_example(name, item) for item in extras.get("examples", ()))
    verbatim = tuple(extras.get("verbatim", ()))
    written = extras.get("written", {})
    for argument in {*verbatim, *written, *(key for e in examples for key in e.args)}:
        if argument not in properties:
            raise BadTool(
                f"The extras of the tool {name} name an argument {argument!r}: "
                f"it has {', '.join(sorted(properties)) or 'none'}."
            )
    texts = [example.text for example in examples]
    try:
        return ToolCard(
            name=name,
            description=str(function.get("description", "")),
            schema=schema,
            examples=examples,
            verbatim=verbatim,
            written={argument: inside(pattern) for argument, pattern in written.items()},
            identifiers={
                argument: identifier(
                    argument, spec["pattern"], str(spec.get("description", "")), texts
                )
                for argument, spec in properties.items()
                if isinstance(spec.get("pattern"), str) and argument not in written
            },
            default=extras.get("default", False),
        )
    except re.error as error:
        raise BadTool(
            f"A pattern of the tool {name} is no regular expression ({error}): mend it."
        ) from error


def hide_values(text: str, cards: Sequence[ToolCard]) -> str:
    """Put "it" for every value: "where is P-1203" and "where is P-9999" ask for the same."""
    for one in cards:
        for each in one.identifiers.values():
            text = each.hide(text)
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
