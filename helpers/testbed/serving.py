"""An ASGI app served on a free loopback port, in this process.

`serving` runs it in a thread with an event loop of its own, so a cell that asks it stays a client
of its own, also while the app blocks. `serving_here` runs it on the caller's loop, for a check that
shares asyncio's locks and events with the app.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from helpers.testbed.errors import TestbedError

if TYPE_CHECKING:  # importing the room loads this file, and must cost nothing
    import uvicorn

HOST = "127.0.0.1"
_LONGER_S = 10.0  # than the grace period: for the app's own clean-up


@dataclass
class Served:
    """A running app.

    Attributes:
        url: its address.
        errors: what it raised so far, each of which a client saw as status 500 or a cut answer.
    """

    url: str
    errors: list[BaseException] = field(default_factory=list)


def listen(port: int = 0) -> socket.socket:
    """A socket bound to a loopback port; 0 takes a free one.

    Raises:
        TestbedError: the port is in use.
    """
    # With the protocol named, asyncio sets TCP_NODELAY; without it, half of the answers wait 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # a port just given up; on Windows this would share it with others
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
    except OSError as error:
        found.close()
        raise TestbedError(
            f"Port {port} cannot be used ({error.strerror}): stop the program that uses it, or"
            " choose another port."
        ) from error
    return found


class _Watched:
    """An app whose errors are kept."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.errors: list[BaseException] = []
        self.of_lifespan: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self.of_lifespan = error
            else:
                self.errors.append(error)
            raise


@asynccontextmanager
async def serving_here(app: Any, *, grace_s: int = 2) -> AsyncIterator[Served]:
    """Serve an ASGI app on a free loopback port, on this event loop.

    At the end, also after an error, streams that still run have `grace_s` seconds to finish.

    Raises:
        RuntimeError: the app's own start-up failed; `__cause__` is what it raised.
    """
    with listen() as sock:
        async with _running(app, sock, grace_s) as served:
            yield served


@asynccontextmanager
async def _running(app: Any, sock: socket.socket, grace_s: int) -> AsyncIterator[Served]:
    import uvicorn

    watched = _Watched(app)
    server = uvicorn.Server(
        uvicorn.Config(
            watched,
            loop="asyncio",
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=grace_s,
        )
    )
    # Signals are not the server's: an interrupt is for the cell.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    url = f"http://{HOST}:{sock.getsockname()[1]}"
    running = asyncio.create_task(_until_stopped(server, sock, watched))
    try:
        while not server.started and not running.done():
            await asyncio.sleep(0.002)
        if running.done():
            await running
        yield Served(url, watched.errors)
    finally:
        server.should_exit = True
        if not server.started:  # it waits for the app, which may never be ready
            running.cancel()
        await asyncio.wait([running])
    await running


async def _until_stopped(server: "uvicorn.Server", sock: socket.socket, app: _Watched) -> None:
    try:
        await server.serve(sockets=[sock])
    except SystemExit:  # which would end the whole loop
        raise RuntimeError(
            f"The app did not start: its lifespan function raised {app.of_lifespan!r}."
        ) from app.of_lifespan


@contextmanager
def serving(app: Any, *, grace_s: int = 2, start_s: float = 60.0) -> Iterator[Served]:
    """Serve an ASGI app beside this cell: `with serving(app) as server: ... server.url`.

    Args:
        app: what to serve.
        grace_s: seconds that streams get at the end.
        start_s: seconds that the app's start-up may take.

    Raises:
        RuntimeError: the app did not start, or did not stop.
    """
    with listen() as sock:
        thread = _Thread(app, sock, grace_s)
        try:
            yield thread.served(start_s)
        finally:
            stopped = thread.stop(grace_s + _LONGER_S)
    # Reached when the block raised nothing, which would matter more.
    if not stopped:
        raise RuntimeError(
            f"The app still works {grace_s + _LONGER_S:g} s after it was told to stop: something in"
            " it blocks, such as time.sleep in a coroutine."
        )


class _Thread:
    """A thread with an event loop that runs an app until it is told to stop."""

    def __init__(self, app: Any, sock: socket.socket, grace_s: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready: Future[Served] = Future()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(
            target=self._run, args=[app, sock, grace_s], name="testbed", daemon=True
        )
        self._thread.start()

    def _run(self, app: Any, sock: socket.socket, grace_s: int) -> None:
        async def serve() -> None:
            self._task = asyncio.current_task()
            async with _running(app, sock, grace_s) as served:
                self._ready.set_result(served)
                await self._stop.wait()

        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(serve())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)

    def served(self, limit_s: float) -> Served:
        """The app once it answers."""
        try:
            return self._ready.result(limit_s)
        except TimeoutError:
            raise RuntimeError(
                f"The app did not start within {limit_s:g} s: look at its lifespan function."
            ) from None

    def stop(self, limit_s: float) -> bool:
        """Stop the app; False where it does not stop in time."""
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._end)
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def _end(self) -> None:
        self._stop.set()
        if self._task is not None and not self._ready.done():
            self._task.cancel()
