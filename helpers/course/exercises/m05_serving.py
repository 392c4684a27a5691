"""A server for a notebook, and the clients that put it under load.

The server runs on the course's event loop (`helpers.course.loop`), in a thread beside the
notebook's own. So a cell of a walkthrough that asks it with `await` stays a client of its own,
also while the server is blocked.
"""

import asyncio
import io
import json
import math
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from typing import Any, TextIO

import httpx2
import uvicorn

from helpers.course.loop import run_async
from helpers.service.server import listen

HOST = "127.0.0.1"


@asynccontextmanager
async def serving(app: Any, *, grace_s: int = 2) -> AsyncIterator[str]:
    """Serve an ASGI app on a free loopback port, on this event loop; yields its address.

    At the end, also after an error, streams that still run have `grace_s` seconds to finish.

    Raises:
        RuntimeError: the app's own start-up failed.
    """
    sock = listen(HOST, 0)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=grace_s,
        )
    )
    running = asyncio.create_task(_serve(server, sock))
    try:
        while not server.started:
            if running.done():
                await running
            await asyncio.sleep(0.002)
        yield f"http://{HOST}:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def _serve(server: uvicorn.Server, sock: socket.socket) -> None:
    try:
        await server.serve(sockets=[sock])
    except SystemExit as error:  # which would end the whole loop
        raise RuntimeError("The app did not start: look at its lifespan function.") from error


@contextmanager
def live(app: Any, *, grace_s: int = 2, log: TextIO | None = None) -> Iterator[str]:
    """Serve an ASGI app beside this cell; yields its address, and stops it at the end.

    For cells: `with live(app) as url:`. See `serving`, which it runs on the course's loop.

    Args:
        app: what to serve.
        grace_s: seconds that streams get at the end.
        log: where an app that opens its log at its start, on standard error, writes it; nowhere by
            default.
    """
    server = serving(app, grace_s=grace_s)
    with redirect_stderr(log or io.StringIO()):
        url = run_async(server.__aenter__(), limit=120)
    try:
        yield url
    finally:
        run_async(server.__aexit__(None, None, None), limit=grace_s + 30)


@dataclass
class Seen:
    """What one client saw of one request. Moments are seconds since the load began.

    Attributes:
        client: its name.
        sent: when the request was sent.
        first: when the first token came, or an answer in one piece; None where neither did.
        ended: when the connection ended.
        status: the HTTP status; 0 where the connection ended before one came.
        outcome: "answered", "error event" (a stream that ended with one), "lost" (a stream that
            was cut), "refused" (a status of 400 and above), or "no answer".
        texts: the texts of the tokens.
        body: what came in one piece, or the data of the last event.
        retry_after: the header of that name.
    """

    client: str
    sent: float
    first: float | None = None
    ended: float = 0.0
    status: int = 0
    outcome: str = "no answer"
    texts: list[str] = field(default_factory=list)
    body: Any = None
    retry_after: str | None = None

    @property
    def waited(self) -> float | None:
        """Seconds to the first token; None where none came."""
        return None if self.first is None else self.first - self.sent


class Clients:
    """Clients of one server, with one clock. Use it as `async with Clients(url) as clients:`.

    Args:
        url: the server's address.
        path: where questions are posted.
        headers: sent with every request, such as an API key.
        patience_s: seconds that a client waits for the next byte.
    """

    def __init__(
        self,
        url: str,
        path: str = "/chat",
        *,
        headers: Mapping[str, str] | None = None,
        patience_s: float = 60.0,
    ) -> None:
        self.path = path
        # No connection is kept, and no proxy of the environment used: each client is a stranger.
        self.http = httpx2.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=patience_s,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
            verify=False,
        )
        self._began = time.perf_counter()

    async def __aenter__(self) -> "Clients":
        self._began = time.perf_counter()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def now(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self._began

    async def ask(self, message: str, *, client: str = "client") -> Seen:
        """Ask one question and read the answer to its end, in one piece or as a stream.

        What happens is told, not raised: a broken connection is an outcome.
        """
        seen = Seen(client, sent=self.now)
        request = self.http.stream(
            "POST",
            self.path,
            json={"message": message},
            headers={"x-caller": client},
        )
        try:
            async with request as response:
                seen.status = response.status_code
                seen.outcome = "lost" if response.is_success else "refused"
                seen.retry_after = response.headers.get("retry-after")
                if response.headers.get("content-type", "").startswith("text/event-stream"):
                    await self._read_stream(seen, response)
                else:
                    self._read_piece(seen, await response.aread())
        except httpx2.TransportError:
            pass  # the outcome says how far it had come
        seen.ended = self.now
        return seen

    async def burst(self, messages: Sequence[str]) -> list[Seen]:
        """Ask all at the same moment, each as a client of its own: "client 1", "client 2"."""
        asked = (self.ask(text, client=f"client {n}") for n, text in enumerate(messages, 1))
        return await asyncio.gather(*asked)

    async def _read_stream(self, seen: Seen, response: httpx2.Response) -> None:
        async for event in httpx2.EventSource(response):
            seen.body = _data(event.data)
            if event.event == "token":
                seen.first = self.now if seen.first is None else seen.first
                text = seen.body.get("text", "") if isinstance(seen.body, dict) else event.data
                seen.texts.append(text)
            elif event.event in _LAST:
                seen.outcome = _LAST[event.event]

    def _read_piece(self, seen: Seen, body: bytes) -> None:
        seen.body = _data(body.decode("utf-8", "replace"))
        if seen.outcome != "refused":
            seen.outcome, seen.first = "answered", self.now


_LAST = {"done": "answered", "error": "error event"}


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def percentile(values: Sequence[float | None], share: float) -> float:
    """The value that this share (0 to 1) does not exceed, by nearest rank; None is infinite."""
    ordered = sorted(math.inf if value is None else value for value in values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
