"""What is known of tools when nobody has said which origins their arguments accept.

A card says what a call does and what kind of thing each argument is. Both can be read off a tool's
schema and description; the origins are left to the policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from helpers.security.policy.declarations import Argument, Effect, Tool, Tools

Shape = Literal["value", "words", "free"]
"""What an argument is: a value that decides where the call goes; free words, in which links, e-mail
addresses and account numbers matter; or something that does no harm whatever it is."""


@dataclass(frozen=True)
class Card:
    """A tool: what a call of it does, and the shape of each of its arguments."""

    effect: Effect
    arguments: Mapping[str, Shape] = field(default_factory=dict)


def cards(tools: Tools) -> dict[str, Card]:
    """The cards of declared tools, by name."""
    return {name: _card(tool) for name, tool in tools.items()}


def _card(tool: Tool) -> Card:
    return Card(tool.effect, {name: _shape(one) for name, one in tool.arguments.items()})


def _shape(argument: Argument) -> Shape:
    if argument.shape == "words":
        return "words"
    return "value" if argument.sources else "free"
