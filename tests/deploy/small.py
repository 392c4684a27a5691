"""A small service for rollouts: ready after a while, answers in 100 ms.

    python small.py PORT SECONDS

SECONDS until it is ready; "never" for a version that is broken. After SIGTERM it finishes what it
has begun.
"""

import asyncio
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

STARTED = time.monotonic()
LOADING = float("inf") if sys.argv[2] == "never" else float(sys.argv[2])


def loading() -> bool:
    return time.monotonic() - STARTED < LOADING


async def ready(_: Request) -> PlainTextResponse:
    return PlainTextResponse("loading" if loading() else "ready", 503 if loading() else 200)


async def chat(_: Request) -> StreamingResponse | PlainTextResponse:
    if loading():
        return PlainTextResponse("loading", 503)

    async def words():
        for word in ("It", "weighs", "2.1", "kg"):
            await asyncio.sleep(0.025)
            yield f'data: {{"text": "{word} "}}\n\n'
        yield "event: done\ndata: {}\n\n"

    return StreamingResponse(words(), media_type="text/event-stream")


app = Starlette(routes=[Route("/readyz", ready), Route("/chat", chat)])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
