"""A small loopback server that replies in the shapes of OpenAI's API reference.

Source: https://platform.openai.com/docs/api-reference/chat (the chat completion object, the chat
completion chunk object, streaming with `include_usage`) and /docs/guides/error-codes. The model's
name chooses the reply; no model is behind it.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {
    "prompt_tokens": 82,
    "completion_tokens": 17,
    "total_tokens": 99,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
ARGUMENTS = '{\n"location": "Boston, MA"\n}'

ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "bad-key": (
        401,
        {
            "message": "Incorrect API key provided: sk-no.",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_api_key",
        },
    ),
    "no-such-model": (
        404,
        {
            "message": "The model `no-such-model` does not exist or you do not have access to it.",
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        },
    ),
    "too-long": (
        400,
        {
            "message": "This model's maximum context length is 8192 tokens. However, your messages "
            "resulted in 9046 tokens. Please reduce the length of the messages.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        },
    ),
    "quota": (
        429,
        {
            "message": "You exceeded your current quota.",
            "type": "insufficient_quota",
            "param": None,
            "code": "insufficient_quota",
        },
    ),
    "broken": (500, {"message": "The server had an error.", "type": "server_error"}),
    "bad-request": (
        400,
        {
            "message": "Invalid value: 'x'.",
            "type": "invalid_request_error",
            "param": "messages[0].role",
            "code": "invalid_value",
        },
    ),
}


def _answered(messages: list[dict[str, Any]]) -> bool:
    return messages[-1]["role"] == "tool"


def _call(arguments: str) -> dict[str, Any]:
    return {
        "id": "call_abc123",
        "type": "function",
        "function": {"name": "get_current_weather", "arguments": arguments},
    }


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """The chat completion object: a tool call, or an answer once a tool has answered."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if _answered(body["messages"]):
        message["content"] = "It is sunny in Boston."
    else:
        message["tool_calls"] = [_call(ARGUMENTS)]
    return {
        "id": "chatcmpl-abc123",
        "object": "chat.completion",
        "created": 1699896916,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": "stop" if message["content"] else "tool_calls",
            }
        ],
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def chunks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The chat completion chunk objects of the same reply."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**head, "choices": [choice], "usage": None}

    head = {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1694268190,
        "model": body["model"],
        "system_fingerprint": "fp_44709d6fcb",
    }
    if _answered(body["messages"]):
        yield chunk({"role": "assistant", "content": ""})
        for piece in ("It is ", "sunny ", "in Boston."):
            yield chunk({"content": piece})
        yield chunk({}, "stop")
    else:
        first = {"index": 0, **_call("")}
        yield chunk({"role": "assistant", "content": None, "tool_calls": [first]})
        for start in range(0, len(ARGUMENTS), 7):
            piece = {"index": 0, "function": {"arguments": ARGUMENTS[start : start + 7]}}
            yield chunk({"tool_calls": [piece]})
        yield chunk({}, "tool_calls")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": USAGE}


class _Handler(BaseHTTPRequestHandler):
    requests: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(body)
        model = body.get("model")
        if model == "slow":
            time.sleep(1)
        if model in ERRORS:
            status, error = ERRORS[model]
            self._reply(status, "application/json", json.dumps({"error": error}))
        elif body.get("stream"):
            events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks(body)]
            self._reply(200, "text/event-stream", "".join([*events, "data: [DONE]\n\n"]))
        else:
            self._reply(200, "application/json", json.dumps(completion(body)))

    def _reply(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def running() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The server's base URL, and the list of the requests that it got."""
    requests: list[dict[str, Any]] = []
    handler = type("Handler", (_Handler,), {"requests": requests})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        server.server_close()
