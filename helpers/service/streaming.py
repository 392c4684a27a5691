"""Server-sent events, and what ends an answer early: a client that leaves, and the deadline.

FastAPI's own `EventSourceResponse` serialises each event by a model and hands it through two
queues; a token a model writes would cost more there than in the model's client. Its format is
used, in a response that is written straight to the socket.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from helpers.service.turn import Event

Write = Callable[[bytes], Awaitable[None]]

_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would hold tokens back until its buffer is full
}


class ClientLeft(Exception):  # noqa: N818 - named after what happened
    """The client has closed the connection; nobody reads what is still to come."""


@asynccontextmanager
async def until_client_leaves(
    receive: Receive, ping: Callable[[], Awaitable[None]] | None = None, ping_seconds: float = 15
) -> AsyncIterator[None]:
    """Cancel the block when the client leaves; `ClientLeft` is raised from it then.

    Args:
        receive: the request's channel, whose body has been read.
        ping: called again and again, for connections that a proxy would close when silent.
        ping_seconds: between two pings.
    """
    task = asyncio.current_task()
    assert task is not None
    left = False

    async def watch() -> None:
        nonlocal left
        while True:
            try:
                async with asyncio.timeout(ping_seconds if ping else None):
                    message = await receive()
            except TimeoutError:
                assert ping is not None
                await ping()
                continue
            if message["type"] == "http.disconnect":
                left = True
                task.cancel()
                return

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if left and task.uncancel() == 0:
            raise ClientLeft from None
        raise
    finally:
        watcher.cancel()


def as_sse(event: Event) -> bytes:
    """An event as it goes over the wire: its name, and its data as JSON."""
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(data_str=data, event=event.name)


class EventStream(Response):
    """A response of server-sent events, written by a function while it is sent.

    `pump` is called with the request's channel and a function that writes a chunk.
    """

    media_type = "text/event-stream"

    def __init__(self, pump: Callable[[Receive, Write], Awaitable[None]]) -> None:
        self._pump = pump
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, and then what `pump` writes."""

        async def write(chunk: bytes) -> None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await self._pump(receive, write)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


PING = KEEPALIVE_COMMENT
