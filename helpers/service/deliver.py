"""An answer as a response: whole, or as a stream whose failures are events."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from helpers.service.answer import Answer, Ping, WriteEvent
from helpers.service.errors import Problem
from helpers.service.parts import Parts
from helpers.service.streaming import PING, ClientLeft, EventStream, Write
from helpers.service.turn import Event

CLIENT_CLOSED_REQUEST = 499
"""The status, in the figures, of a request whose client left; nobody reads the response."""


async def whole(answer: Answer, request: Request) -> Response | None:
    """Wait for the whole answer, which is then in `answer.outcome`.

    A response is only returned when there is nobody left to answer to. Raises `Problem`.
    """
    try:
        await answer.begin(request.receive)
        await answer.rest(request.receive, _unread)
    except ClientLeft:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    finally:
        await answer.close()
    return None


async def streamed(
    answer: Answer, request: Request, parts: Parts, encode: Callable[[Event], bytes]
) -> Response:
    """Begin the answer, and stream the rest of it as server-sent events.

    Args:
        answer: not begun yet.
        request: its request.
        parts: the service's.
        encode: an event as it goes over the wire; nothing for one that does not.

    Raises:
        Problem: what went wrong before the stream began.
    """
    if not await begun(answer, request.receive):
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def pump(receive: Receive, write: Write) -> None:
        async def write_event(event: Event) -> None:
            if chunk := encode(event):
                await write(chunk)

        async def ping() -> None:
            await write(PING)

        await pour(answer, parts, receive, write_event, ping)

    return EventStream(pump)


async def begun(answer: Answer, receive: Receive) -> bool:
    """Begin an answer: False when the client has left. One that does not begin is closed.

    Raises `Problem`: what went wrong before there was anything to send.
    """
    try:
        await answer.begin(receive)
    except BaseException as error:
        await answer.close()
        if isinstance(error, ClientLeft):
            return False
        raise
    return True


async def pour(
    answer: Answer,
    parts: Parts,
    receive: Receive,
    write: WriteEvent,
    ping: Ping | None = None,
) -> None:
    """Write an answer that has begun, event by event; what fails now becomes an `error` event."""

    async def failed(problem: Problem) -> None:
        parts.metrics.problems.labels(problem.kind).inc()
        await write(Event("error", problem.document(answer.request_id)))

    try:
        await answer.rest(receive, write, ping)
    except ClientLeft:
        pass
    except Problem as problem:
        await failed(problem)
    except asyncio.CancelledError:
        # The server's patience with a shutdown is over. Better said than cut off in silence: the
        # response is ended in good order, and with it the task that was to be cancelled.
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        await failed(Problem("stopping", "The service is stopping. Ask again.", retry_after=5))
    except Exception as error:
        parts.log.exception("unexpected", request_id=answer.request_id, error=type(error).__name__)
        await failed(Problem("internal", "It is not your fault. Report the request's id."))
    finally:
        await answer.close()


async def _unread(_: Event) -> None:
    """Whoever waits for the whole answer reads it from the outcome."""
