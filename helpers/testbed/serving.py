"""An ASGI app served on a free loopback port, in this process.

`serving` runs it in a thread with an event loop of its own, so a cell's clients go on while the app
blocks. `serving_here` runs it on the caller's loop, for a check that shares asyncio's locks and
events with the app.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from helpers import sockets
from helpers.testbed.errors import TestbedError

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
    try:
        return sockets.listen(HOST, port)
    except OSError as error:
        raise TestbedError(
            f"Port {port} cannot be used ({error.strerror}): stop the program that uses it, or"
            " choose another port."
        ) from error


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
    import uvicorn  # here, because importing the room must cost nothing

    served = Served(f"http://{HOST}:{sock.getsockname()[1]}")
    of_lifespan: list[Exception] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            (of_lifespan if scope["type"] == "lifespan" else served.errors).append(error)
            raise

    class Server(uvicorn.Server):
        async def main_loop(self) -> None:
            # Its own loop looks every 0.1 s whether it is to stop: a test has dozens of servers.
            while not await self.on_tick(0):
                await asyncio.sleep(0.01)

    server = Server(
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

    async def serve() -> None:
        try:
            await server.serve(sockets=[sock])
        except SystemExit:  # which would end the whole loop
            cause = of_lifespan[0] if of_lifespan else None
            raise RuntimeError(
                f"The app did not start: its lifespan function raised {cause!r}."
            ) from cause

    running = asyncio.create_task(serve())
    try:
        while not server.started and not running.done():
            await asyncio.sleep(0.002)
        if running.done():
            await running
        yield served
    finally:
        server.should_exit = True
        if not server.started:  # it waits for the app, which may never be ready
            running.cancel()
        await asyncio.wait([running])
    await running


@contextmanager
def serving(app: Any, *, grace_s: int = 2, start_s: float = 60.0) -> Iterator[Served]:
    """Serve an ASGI app for a block, in a thread of its own.

    Args:
        app: what to serve.
        grace_s: seconds that streams get at the end.
        start_s: seconds that the app's start-up may take.

    Raises:
        RuntimeError: the app did not start, or did not stop.
    """
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    ready: Future[Served] = Future()

    async def serve() -> None:
        async with _running(app, sock, grace_s) as served:
            ready.set_result(served)
            await stop.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(serve())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)

    def end() -> None:
        stop.set()
        if not ready.done():  # it waits for the app, which may never be ready
            for task in asyncio.all_tasks():
                task.cancel()

    thread = threading.Thread(target=run, name="testbed", daemon=True)
    with listen() as sock:
        thread.start()
        try:
            yield _once(ready, start_s)
        finally:
            with suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(end)
            thread.join(grace_s + _LONGER_S)
    # Reached when the block raised nothing, which would matter more.
    if thread.is_alive():
        raise RuntimeError(
            f"The app still works {grace_s + _LONGER_S:g} s after it was told to stop: something in"
            " it blocks, such as time.sleep in a coroutine."
        )


def _once(ready: Future[Served], limit_s: float) -> Served:
    try:
        return ready.result(limit_s)
    except TimeoutError:
        raise RuntimeError(
            f"The app did not start within {limit_s:g} s: look at its lifespan function."
        ) from None
