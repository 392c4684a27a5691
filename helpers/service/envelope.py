"""Around every HTTP request: its id, the limits of its body, and its figures.

Written against ASGI itself. A middleware made from a function and Starlette's `BaseHTTPMiddleware`
would start a task for every request and hand every chunk of a stream through a queue.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from langchain_core.utils.uuid import uuid7
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers.service.errors import Problem

HEADER = b"x-request-id"
Observe = Callable[[str, str, int, float], None]
"""Called with method, route, status and seconds."""


class Envelope:
    """The outermost part of the service."""

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, body_seconds: float, observe: Observe
    ) -> None:
        """`max_bytes` and `body_seconds` limit a body; `observe` is told about each request."""
        self._app = app
        self._max_bytes = max_bytes
        self._body_seconds = body_seconds
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; anything but HTTP only gets an id."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        # One that rises with time, as traces want it.
        request_id = uuid7()
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        header = (HEADER, str(request_id).encode())

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        body = _Body(receive, scope, self._max_bytes, self._body_seconds)
        try:
            await self._app(scope, body.receive, named)
        finally:
            # An address that nobody serves must not become a label: there are too many of them.
            route = getattr(scope.get("route"), "path", "none")
            self._observe(scope["method"], route, status, time.perf_counter() - started)


class _Body:
    """A request's channel that refuses a body which is too large or too slow."""

    def __init__(self, receive: Receive, scope: Scope, max_bytes: int, seconds: float) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._seconds = seconds
        self._read = 0
        self._whole = False
        announced = Headers(scope=scope).get("content-length", "")
        self._announced = int(announced) if announced.isdigit() else 0

    async def receive(self) -> Any:
        """The next message; raises `Problem` 413 or 408."""
        if self._whole:
            return await self._receive()
        if self._announced > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise Problem(
                "too-slow", f"Send the whole body within {self._seconds:g} seconds."
            ) from None
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._read > self._max_bytes:
                raise self._too_large()
        return message

    def _too_large(self) -> Problem:
        return Problem("too-large", f"Send at most {self._max_bytes:,} bytes.")
