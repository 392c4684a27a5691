"""`/v1/chat/ws`: the same chat over a WebSocket, one answer after the other.

The key comes in the header `Authorization`; without a valid one the handshake is answered by a
problem document. Each frame of the client is what `POST /v1/chat` takes. Each frame of the service
is one event, `{"event": NAME, "data": {...}}`, with the names of the stream.
"""

import asyncio
import json
from contextlib import suppress

from fastapi import APIRouter, WebSocket
from langchain_core.utils.uuid import uuid7
from pydantic import ValidationError
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from helpers.service.answer import Answer
from helpers.service.disconnect import ClientLeft
from helpers.service.errors import Problem
from helpers.service.handlers import respond
from helpers.service.keys import HashedKey
from helpers.service.parts import Parts
from helpers.service.routes.access import bearer, customer_key, running
from helpers.service.routes.chat import asked
from helpers.service.schemas import ChatRequest
from helpers.service.turn import Event

router = APIRouter(prefix="/v1")

_MOST_FRAMES = 4
"""Frames that wait while an answer is written; whoever sends more is cut off."""
_POLICY_VIOLATION = 1008


@router.websocket("/chat/ws")
async def chat_ws(socket: WebSocket) -> None:
    """Chat until the client leaves."""
    try:
        parts = running(socket)
        key = customer_key(socket, await bearer(socket))
    except Problem as problem:
        await socket.send_denial_response(respond(socket, problem))
        return
    await socket.accept()
    frames = _Frames(socket)
    reader = asyncio.create_task(frames.read())
    try:
        while (frame := await frames.next()) is not None:
            await _answer(socket, parts, key, frame, frames)
    finally:
        reader.cancel()


class _Frames:
    """What the client sends, read also during an answer: that is how its leaving shows."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._closed = asyncio.Event()

    async def read(self) -> None:
        """Read frames until the client leaves or floods."""
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            if self._queue.qsize() >= _MOST_FRAMES:
                await self._socket.close(_POLICY_VIOLATION, "Wait for the answers.")
                break
            self._queue.put_nowait(message.get("text") or "")
        self._closed.set()
        self._queue.put_nowait(None)

    async def next(self) -> str | None:
        """The next frame, None when there will be none."""
        return await self._queue.get()

    async def gone(self) -> Message:
        """The message that tells of the client's leaving, as soon as it leaves."""
        await self._closed.wait()
        return {"type": "http.disconnect"}


async def _answer(
    socket: WebSocket, parts: Parts, key: HashedKey, frame: str, frames: _Frames
) -> None:
    request_id = uuid7()

    async def write(event: Event) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # it has left, and `gone` says so
            await socket.send_text(json.dumps({"event": event.name, "data": event.data}))

    async def refuse(problem: Problem) -> None:
        parts.metrics.problems.labels(problem.kind).inc()
        await write(Event("error", problem.document(str(request_id))))

    try:
        body = ChatRequest.model_validate_json(frame)
        answer = Answer(parts, asked(body, request_id, parts, key))
    except ValidationError as error:
        await refuse(Problem("invalid", f"{error.errors()[0]['msg']}."))
        return
    except Problem as problem:
        await refuse(problem)
        return
    try:
        async with answer.events(frames.gone) as events:
            async for event in events:
                await write(event)
    except ClientLeft:
        pass
    except (Exception, asyncio.CancelledError) as error:
        await write(answer.failure(error))
