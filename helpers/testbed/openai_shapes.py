"""The objects of OpenAI's API: completions, their chunks, embeddings, errors.

Sources: https://platform.openai.com/docs/api-reference/chat (completion and chunk objects,
`include_usage`), /docs/api-reference/embeddings, /docs/guides/error-codes.
"""

import base64
import json
import struct
import time
from collections.abc import Iterator, Sequence
from typing import Any

from helpers.testbed.replies import CutOff, Turn, words

_ARGUMENTS_A_PIECE = 8  # characters
_DIMENSIONS = 256


class Answer:
    """A chat completion.

    Args:
        body: the request.
        said: the reply; of one that is cut off, `pieces` ends in None.
        numbers: for the ids of the completion and of its calls.
    """

    def __init__(self, body: dict[str, Any], said: Turn | CutOff, numbers: Iterator[int]) -> None:
        self._streams = bool(body.get("stream"))
        self._counted = bool((body.get("stream_options") or {}).get("include_usage"))
        self._cut = said.after if isinstance(said, CutOff) else None
        said_words = words(said.text)
        self._words = said_words[: body.get("max_completion_tokens") or body.get("max_tokens")]
        self._calls: list[dict[str, Any]] = [
            {
                "id": str(call.get("id") or f"call_{next(numbers)}"),
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(dict(call["args"]))},
            }
            for call in (said.calls if isinstance(said, Turn) else ())
        ]
        self._reason = "tool_calls" if self._calls else "stop"
        if len(said_words) > len(self._words):
            self._reason = "length"
        contents = [message.get("content") or "" for message in body["messages"]]
        read = sum(len(words(str(content))) for content in contents)
        called = [words(json.dumps(call["function"])) for call in self._calls]
        wrote = len(self._words) + sum(map(len, called))
        self._usage = {
            "prompt_tokens": read,
            "completion_tokens": wrote,
            "total_tokens": read + wrote,
        }
        self._head = {
            "id": f"chatcmpl-{next(numbers)}",
            "created": int(time.time()),
            "model": body.get("model"),
        }

    def pieces(self) -> Iterator[str | None]:
        """What is sent, a piece for each token; empty where a token is not seen by itself."""
        return self._chunks() if self._streams else self._whole()

    def _whole(self) -> Iterator[str | None]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self._words) or None,
            "refusal": None,
        }
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._reason}
        completion = self._head | {"object": "chat.completion", "choices": [choice]}
        written = json.dumps(completion | {"usage": self._usage})
        for _ in range(self._usage["completion_tokens"] - 1):
            yield ""
        if self._cut is None:
            yield written
        else:
            yield written[: len(written) // 2]
            yield None

    def _chunks(self) -> Iterator[str | None]:
        yield self._chunk({"role": "assistant", "content": "" if self._words else None})
        for word in self._words[: self._cut]:
            yield self._chunk({"content": word})
        if self._cut is not None:
            yield None
        for index, call in enumerate(self._calls):
            function: dict[str, str] = call["function"]
            name, arguments = function["name"], function["arguments"]
            first = call | {"index": index, "function": {"name": name, "arguments": ""}}
            yield self._chunk({"tool_calls": [first]})
            for start in range(0, len(arguments), _ARGUMENTS_A_PIECE):
                part = {"arguments": arguments[start : start + _ARGUMENTS_A_PIECE]}
                yield self._chunk({"tool_calls": [{"index": index, "function": part}]})
        yield self._chunk({}, self._reason)
        if self._counted:
            yield self._event({"choices": [], "usage": self._usage})
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._event({"choices": [choice]} | ({"usage": None} if self._counted else {}))

    def _event(self, more: dict[str, Any]) -> str:
        return f"data: {json.dumps(self._head | {'object': 'chat.completion.chunk'} | more)}\n\n"


def wrong_with(body: dict[str, Any]) -> str:
    """Why OpenAI would not accept a chat request; empty where it would."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "'messages' must be a list with at least one message."
    unanswered: set[str] = set()
    for message in messages:
        if not isinstance(message, dict) or "role" not in message:
            return f"{message!r} is no message: it has no 'role'."
        if message["role"] == "tool":
            if message.get("tool_call_id") not in unanswered:
                return "A message with role 'tool' must follow a message with its 'tool_calls'."
            unanswered.remove(message["tool_call_id"])
        elif unanswered:
            break
        else:
            unanswered = {str(call.get("id")) for call in message.get("tool_calls") or ()}
    if unanswered:
        return (
            "An assistant message with 'tool_calls' must be followed by tool messages that answer"
            f" each 'tool_call_id'; missing: {', '.join(sorted(unanswered))}."
        )
    return ""


def embeddings(body: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a request for embeddings; None where its `input` cannot be used."""
    given = body.get("input")
    tokens_of_one = isinstance(given, list) and all(isinstance(token, int) for token in given)
    inputs: list[Any] = given if isinstance(given, list) and not tokens_of_one else [given]
    if not all(each and isinstance(each, str | list) for each in inputs):
        return None
    # Tokens count as words.
    texts = [each if isinstance(each, str) else " ".join(map(str, each)) for each in inputs]
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": place, "embedding": _packed(vector) if packed else vector}
        for place, vector in enumerate(embed(texts, body.get("dimensions") or _DIMENSIONS))
    ]
    tokens = sum(len(words(text)) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body.get("model"), "data": data, "usage": usage}


def embed(texts: Sequence[str], dimensions: int = _DIMENSIONS) -> list[list[float]]:
    """Vectors of length 1 without a model, the same in every process.

    The hashing trick (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009):
    each word adds 1 or -1 to a place of the vector that its hash chooses. Texts that share words
    are near each other, and nothing else is known. A text without words is the first axis.
    """
    from sklearn.feature_extraction.text import (
        HashingVectorizer,
    )

    found = HashingVectorizer(n_features=dimensions).transform(texts).toarray()
    found[~found.any(axis=1), 0] = 1.0
    vectors: list[list[float]] = found.tolist()
    return vectors


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def error(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
