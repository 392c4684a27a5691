"""A stop in good order for an app behind Serve's proxy, which keeps listening.

`course serve` closes its socket and finishes its streams. Behind a proxy new requests still come:
they are told to come back, until those under way have ended.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers.service.errors import MEDIA_TYPE, Problem

_RESTARTING = 1012  # https://www.iana.org/assignments/websocket: Service Restart
_LAST_WORDS_S = 2.0


class Draining:
    """Passes everything on, until it is told to drain."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._stopping = False
        self._under_way: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that the service is stopping."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if self._stopping:
            await _refuse(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way.discard(task)

    async def drain(self, seconds: float) -> int:
        """Take no more; after so many seconds end what still runs, with an `error` event.

        Returns how many had to be ended.
        """
        self._stopping = True
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
        left = set(self._under_way)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_LAST_WORDS_S)
        return len(left)


async def _refuse(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _RESTARTING})
        return
    problem = Problem("stopping", "The service is stopping. Ask again.", retry_after=5)
    response = JSONResponse(
        problem.document(None),
        problem.status_code,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )
    await response(scope, receive, send)
