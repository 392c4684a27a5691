"""A client that leaves before its answer has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.types import Receive

Ping = Callable[[], Awaitable[None]]


class ClientLeft(Exception):  # noqa: N818 - named after what happened
    """The client has closed the connection; nobody reads what is still to come."""


@asynccontextmanager
async def until_client_leaves(
    receive: Receive, ping: Ping | None = None, ping_seconds: float = 15
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
