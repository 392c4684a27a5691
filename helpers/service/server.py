"""The service under uvicorn, on a socket that the caller has opened."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from helpers.service.connections import limited
from helpers.service.settings import Settings


class Server(uvicorn.Server):
    """uvicorn, which tells the service when it is asked to stop.

    After SIGTERM it takes no new connections, and streams get `Settings.shutdown_seconds` to
    finish; what is left then ends with an `error` event.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        """`app` is made by `create_app` from these settings."""
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="on",
                http=limited(settings),
                h11_max_incomplete_event_size=settings.max_head_bytes,
                ws_max_size=settings.max_body_bytes,
                timeout_graceful_shutdown=settings.shutdown_seconds,
            )
        )
        self._app = app
        self._started: Callable[[], None] | None = None

    def serve_until_stopped(self, sock: socket.socket, started: Callable[[], None]) -> int:
        """Serve on a socket from `listen`; 0 after a stop in good order, 1 when it cannot start.

        `started` is called once the first request can be answered.
        """
        self._started = started
        try:
            self.run(sockets=[sock])
        except SystemExit:  # the reason has been logged
            return 1
        except KeyboardInterrupt:  # Ctrl-C, raised again by uvicorn after its good end
            return 0
        return 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        if self._started is not None:
            self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second Ctrl-C stops at once."""
        if self._app.state.parts is not None:
            self._app.state.parts.health.stopping = True
        super().handle_exit(sig, frame)
        if sig == signal.SIGTERM:
            # Uvicorn would raise it again at the end, and the process would seem to have crashed.
            self._captured_signals.remove(sig)
