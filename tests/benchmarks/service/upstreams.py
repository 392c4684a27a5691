"""What the subjects are put in front of: an instant fake model, and the real local one.

    python -m tests.benchmarks.service.upstreams instant|model

`instant` answers OpenAI's chat completions with 64 chunks, one send each, as fast as they can be
sent: what a request costs then is the subject's own work. `model` is the local model's own server
(`helpers.models`), with a slot for each of eight clients.
"""

import json
import os
import sys
import time
from typing import Any

from tests.benchmarks.service.running import free_port

CHUNKS = 64
USAGE = {"prompt_tokens": 20, "completion_tokens": CHUNKS, "total_tokens": 20 + CHUNKS}


def _chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        "choices": choices,
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _choice(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


STREAM = [
    _chunk([_choice(role="assistant", content="")]),
    *[_chunk([_choice(content=f" word{n}")]) for n in range(CHUNKS)],
    _chunk([_choice("stop")]),
    _chunk([], usage=USAGE),
    b"data: [DONE]\n\n",
]
_HEADERS = [(b"content-type", b"text/event-stream")]


async def instant(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI application of the instant model; it streams, whatever it is asked."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    for chunk in STREAM:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _serve_model() -> None:
    os.environ.update(COURSE_SLOTS="8", COURSE_CONTEXT="512")
    from helpers.models.local import chat_server

    print(chat_server().url, flush=True)
    while True:  # until the benchmark ends this process
        time.sleep(3600)


def _serve_instant() -> None:
    import uvicorn

    port = free_port()
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    uvicorn.run(instant, host="127.0.0.1", port=port, log_level="error")


def main() -> None:
    """Serve until the benchmark ends this process; print the base URL once it answers."""
    if sys.argv[1] == "model":
        _serve_model()
    else:
        _serve_instant()


if __name__ == "__main__":
    main()
