"""The replies that scripted models and servers are given, in one notation.

"It weighs 2.1 kg."                                       words, which end a turn
{"name": "search", "args": {"query": "Alta 2"}}           a call of one tool
[{"name": "search", "args": {}}, {"name": "track", "args": {}}]   calls of several at once
Turn("Let me look.", [{"name": "search", "args": {}}])    words and calls
Fails(429, retry_after_s=1), CutOff("It weighs", after=2)  for a server: what goes wrong
Breaks("It weighs", after=1), FallsSilent("It weighs")     for a slow model: what goes wrong
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Call: TypeAlias = Mapping[str, Any]
"""`name` and `args` of a tool call, and `id` where it matters."""


@dataclass(frozen=True)
class Turn:
    """One turn of a model: words, tool calls, or both."""

    text: str = ""
    calls: Sequence[Call] = ()


@dataclass(frozen=True)
class Fails:
    """A server answers with an error.

    Attributes:
        status: the HTTP status, 400 to 599.
        message: what the error says.
        retry_after_s: the header `Retry-After`, in seconds; without it there is none.
    """

    status: int = 500
    message: str = "The server had an error."
    retry_after_s: int | None = None


@dataclass(frozen=True)
class CutOff:
    """A server breaks the connection in the middle of `text`, after so many of its words."""

    text: str
    after: int = 1


class ModelFailed(Exception):  # noqa: N818 - named after what happened
    """The model stopped in the middle of an answer."""


@dataclass(frozen=True)
class Breaks:
    """A slow model raises `error` in the middle of `text`, in the place of its next word.

    Attributes:
        text: what it would have written.
        after: how many words it writes before.
        error: what it raises.
    """

    text: str
    after: int = 1
    error: Exception = field(default_factory=lambda: ModelFailed("The model's process ended."))


@dataclass(frozen=True)
class FallsSilent:
    """A slow model writes so many words of `text`, then nothing more, and does not end."""

    text: str
    after: int = 1


Reply: TypeAlias = str | Call | Sequence[Call] | Turn
Fault: TypeAlias = Fails | CutOff


class UsedUp(Exception):  # noqa: N818 - named after what happened
    """More was asked than a script has replies."""


def as_turn(reply: object) -> Turn:
    """What a reply says and calls.

    Raises:
        TypeError: it is none.
    """
    turn = reply
    if isinstance(reply, str):
        turn = Turn(reply)
    elif isinstance(reply, Mapping):
        turn = Turn(calls=[reply])
    elif isinstance(reply, Sequence) and reply:
        turn = Turn(calls=reply)
    if not isinstance(turn, Turn) or not all(map(_is_call, turn.calls)):
        raise TypeError(
            f"{reply!r} is no reply: give a text, a tool call as"
            ' {"name": "search", "args": {"query": "..."}}, or a list of such calls.'
        )
    return turn


def _is_call(call: object) -> bool:
    return (
        isinstance(call, Mapping)
        and isinstance(call.get("name"), str)
        and isinstance(call.get("args"), Mapping)
        and set(call) <= {"name", "args", "id"}
    )


def words(text: str) -> list[str]:
    """A text in the pieces in which it is streamed, a word each; joined they are the text."""
    return re.findall(r"\s*\S+|\s+$", text)
