"""A pod for rollouts that needs no model: ready after a while, streams an answer in 0.2 seconds.

    python light_pod.py PORT SECONDS

SECONDS until it is ready; "never" for a version that is broken. After SIGTERM it takes no new
connection and finishes what it has begun.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

PIECES = ("It ", "weighs ", "2.1 ", "kg, ", "without ", "pegs ", "and ", "lines.")
_PIECE_S = 0.025


def pod(ready_after_s: float) -> Starlette:
    """An application with GET /readyz and POST /chat."""
    started = time.monotonic()

    async def readyz(_: Request) -> Response:
        ready = time.monotonic() - started >= ready_after_s
        return PlainTextResponse("ready" if ready else "loading", 200 if ready else 503)

    async def chat(request: Request) -> Response:
        if time.monotonic() - started < ready_after_s:
            return PlainTextResponse("loading", 503)
        await request.body()
        return StreamingResponse(_events(), media_type="text/event-stream")

    return Starlette(routes=[Route("/readyz", readyz), Route("/chat", chat, methods=["POST"])])


async def _events() -> AsyncIterator[str]:
    for piece in PIECES:
        await asyncio.sleep(_PIECE_S)
        yield f'event: token\ndata: {{"text": "{piece}"}}\n\n'
    yield "event: done\ndata: {}\n\n"


if __name__ == "__main__":
    port, seconds = sys.argv[1:]
    app = pod(float("inf") if seconds == "never" else float(seconds))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
