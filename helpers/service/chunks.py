"""A model's chunks in OpenAI's shape: small differences are evened out, the rest is a failure.

Servers that speak OpenAI's API differ where its description is silent: some write `"error": null`
into every chunk, leave out `delta`, give content as parts, or cut an emoji in two. None of that is
a reason to end an answer. https://platform.openai.com/docs/api-reference/chat-streaming: the chunk.
"""

import codecs
import json
from typing import Any

_DONE = b"[DONE]"


class UnusableChunk(ValueError):  # noqa: N818 - named after what happened
    """A chunk that no answer can be made of; the message says why, for the log."""


class DataLines:
    """Cuts a body of server-sent events into the data of its lines, however the bytes arrive.

    Each line is an event of its own here: no server breaks a chunk over lines, and some leave out
    the blank line between two events.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> list[bytes]:
        """The data that is whole now that this part of the body has come."""
        lines = (self._rest + part).splitlines(keepends=True)
        self._rest = b"" if not lines or lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        found = (line[5:].strip() for line in lines if line.startswith(b"data:"))
        return [data for data in found if data]


class ChunkReader:
    """Reads the chunks of one answer.

    Attributes:
        changed: whether the last chunk had to be changed. Most need not, and can be passed on as
            they came.
    """

    def __init__(self) -> None:
        # Holds the first half of an emoji until the second one comes; a half that stays alone
        # becomes the sign for a character that cannot be shown.
        self._halves = codecs.getincrementaldecoder("utf-16-le")("replace")
        self._holds = False
        self._calls = -1
        self.changed = False

    def read(self, data: bytes) -> dict[str, Any] | None:
        """A chunk with one choice or none, and None where there is nothing in it.

        `usage` says both counts, if anything; a choice has a `delta`; its content, if any, is text.
        Raises `UnusableChunk`.
        """
        if data == _DONE:
            return None
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise UnusableChunk("sent a chunk that is no JSON") from error
        if chunk is None:
            return None
        chunk = _object(chunk, "a chunk")
        self.changed = "error" in chunk
        if failed := chunk.pop("error", None):
            raise UnusableChunk(f"failed in the middle ({str(failed)[:160]})")
        if (usage := chunk.get("usage")) is not None:
            self._put(chunk, "usage", _usage(usage))
        choices = chunk.get("choices") or []
        if not isinstance(choices, list):
            raise UnusableChunk("sent choices that are no list")
        self._put(chunk, "choices", [each for each in choices[:1] if each is not None])
        for choice in chunk["choices"]:
            self._read_choice(_object(choice, "a choice"))
        return chunk

    def _put(self, found: dict[str, Any], name: str, value: Any) -> None:
        if name not in found or found[name] != value:
            found[name] = value
            self.changed = True

    def _read_choice(self, choice: dict[str, Any]) -> None:
        reason = choice.get("finish_reason")
        if not (reason is None or isinstance(reason, str)):
            raise UnusableChunk("sent a finish_reason that is no text")
        if choice.get("delta") is None:
            self._put(choice, "delta", {})
        delta = _object(choice["delta"], "a delta")
        if delta.get("role"):
            self._put(delta, "role", "assistant")
        content = delta.get("content")
        text = self._whole(_text(content), end=bool(reason))
        if text or content is not None:
            self._put(delta, "content", text)
        if calls := delta.get("tool_calls"):
            if not isinstance(calls, list):
                raise UnusableChunk("sent tool calls that are no list")
            self._put(delta, "tool_calls", [self._call(each) for each in calls])

    def _whole(self, text: str, *, end: bool) -> str:
        """The text up to the last character that has come in full."""
        if text.isascii() and not self._holds:
            return text
        whole = self._halves.decode(text.encode("utf-16-le", "surrogatepass"), end)
        self._holds = bool(self._halves.getstate()[0])
        return whole

    def _call(self, call: Any) -> dict[str, Any]:
        """A piece of a tool call; one without an index begins a call where it has an id."""
        call = _object(call, "a tool call")
        function = _object(call.get("function") or {}, "a function")
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        if not (isinstance(arguments, str | None) and isinstance(function.get("name"), str | None)):
            raise UnusableChunk("sent a tool call whose name or arguments are no text")
        index = call.get("index")
        if index is None:
            self._calls += bool(call.get("id"))
            index = max(self._calls, 0)
        if not isinstance(index, int):
            raise UnusableChunk("sent a tool call whose index is no number")
        if arguments is not None:
            function = {**function, "arguments": arguments}
        return {**call, "index": index, "function": function}


def _object(found: Any, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise UnusableChunk(f"sent {name} that is no object")
    return found


def _text(content: Any) -> str:
    """The text of a content: a text itself, or parts, of which only texts are words."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise UnusableChunk("sent a content that is neither text nor parts")
    parts = [
        part.get("text") if isinstance(part, dict) and part.get("type", "text") == "text" else part
        for part in content
    ]
    return "".join(part for part in parts if isinstance(part, str))


def _usage(said: Any) -> dict[str, Any] | None:
    """Both counts, or None: half of a usage would be taken for the whole price of an answer."""
    if not isinstance(said, dict):
        return None
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    read, written, total = (_count(said.get(name)) for name in names)
    if written is None and read is not None and total is not None and total >= read:
        written = total - read
    if read is None or written is None:
        return None
    details = {
        name: {key: value for key, value in found.items() if _count(value) is not None}
        for name in ("prompt_tokens_details", "completion_tokens_details")
        if isinstance(found := said.get(name), dict)
    }
    counts = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {**counts, **details}


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
