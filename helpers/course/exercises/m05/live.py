"""What the checks of module 05 share: they serve a learner's app, and are its clients.

The app runs on the event loop of the check, so that a check can hold the model, look at what the
app does in the meantime, and let the model write on.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2

from helpers.course.exercises import Slip
from helpers.course.exercises.words import kind
from helpers.course.limits import time_factor
from helpers.course.todo import TODO
from helpers.testbed import Clients, Seen, serving_here

QUESTION = {"message": "What does the Alta 2 weigh?"}

ALL = 1000
"""More words than the answers of any check have: lets all of them run to their end."""

NAME_HEADER = "X-Caller"

Event = tuple[str, Any]
"""The name of an event, and its data: read as JSON where it is JSON, else a text."""


class NotAnApp(TypeError):  # noqa: N818 - it says what is wrong
    """What a learner's function returned is no app."""


def no_app(name: str) -> Slip:
    """The mistake that any case shows where the function `name` returns no app."""
    return Slip.raises(
        "no-app", NotAnApp, f"{name} must be a def, not an async def, and return the app."
    )


async def until(condition: Callable[[], object], limit_s: float = 1.0) -> bool:
    """Wait until something is so; False when it is not so in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s * time_factor()):
            while not condition():
                await asyncio.sleep(0.002)
            return True
    return False


@asynccontextmanager
async def clients_of(
    app: Any, *, path: str = "/chat", patience_s: float = 3.0
) -> AsyncIterator[Clients]:
    """The clients of an app that runs for this block. A client's name is its `X-Caller`.

    Args:
        app: what a learner's function has returned.
        path: where questions are posted.
        patience_s: seconds that a client waits for an answer's end.

    Raises:
        NotAnApp: nothing can be served, such as None or a coroutine.
    """
    if app is TODO:
        raise TODO
    if asyncio.iscoroutine(app):
        app.close()
    if not callable(app):
        raise NotAnApp(f"an app is expected; this is {kind(app)}")
    async with (
        serving_here(app, grace_s=1) as server,
        Clients(
            server.url, path, name_header=NAME_HEADER, patience_s=patience_s * time_factor()
        ) as clients,
    ):
        yield clients


def asking(clients: Clients, client: str, body: Any = None) -> asyncio.Task[Seen]:
    """A client that sends a request now, as a task: `leave` it to close its connection."""
    return asyncio.create_task(clients.ask(body or QUESTION, client=client))


async def leave(task: asyncio.Task[Any]) -> None:
    """End a client's task, which closes its connection."""
    task.cancel()
    await asyncio.wait([task])


async def events_of(clients: Clients, body: Any, into: list[Event] | None = None) -> list[Event]:
    """Every event of the stream that answers this body, also put into a list as it arrives.

    Raises:
        httpx2.SSEError: the answer is no event stream.
        httpx2.TransportError: it was cut.
    """
    seen: list[Event] = [] if into is None else into
    headers = {NAME_HEADER: "reader"}
    async with clients.http.stream("POST", clients.path, json=body, headers=headers) as response:
        async for event in httpx2.EventSource(response):
            seen.append((event.event, data_of(event.data)))
    return seen


def data_of(text: str) -> Any:
    """What an event's data says, or the text itself where it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text
