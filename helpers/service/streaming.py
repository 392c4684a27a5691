"""An answer as a response of server-sent events, each sent when it happens.

FastAPI's own `EventSourceResponse` serialises each event by a model and hands it through two
queues; a token a model writes would cost more there than in the model's client. Its format is
used, in a response that is written straight to the socket.
"""

import asyncio
import json
from collections.abc import Callable

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from helpers.service.answer import Answer
from helpers.service.disconnect import ClientLeft
from helpers.service.turn import Event

_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would hold tokens back until its buffer is full
}


def as_sse(event: Event) -> bytes:
    """An event as it goes over the wire: its name, and its data as JSON."""
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(data_str=data, event=event.name)


class EventStreamResponse(Response):
    """Streams the events of an answer.

    The head is sent with the first event. Until then every refusal and failure is raised, and
    answered by its status like one raised in the route; after that it is an `error` event.
    """

    media_type = "text/event-stream"

    def __init__(self, answer: Answer, encode: Callable[[Event], bytes] = as_sse) -> None:
        """`encode` gives an event as it goes over the wire; nothing for one that does not."""
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)
        self._answer = answer
        self._encode = encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they happen."""
        head_sent = False

        async def write(chunk: bytes) -> None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        async def ping() -> None:
            if head_sent:
                await write(KEEPALIVE_COMMENT)

        try:
            async with self._answer.events(receive, ping) as events:
                async for event in events:
                    if not head_sent:
                        await send(self._head())
                        head_sent = True
                    if chunk := self._encode(event):
                        await write(chunk)
        except ClientLeft:
            if not head_sent:
                raise
        except (Exception, asyncio.CancelledError) as error:
            if not head_sent:
                raise
            await write(self._encode(self._answer.failure(error)))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _head(self) -> dict[str, object]:
        return {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
