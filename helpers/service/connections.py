"""Connections whose request is not known yet: how many, how large a head, how long it may take.

Uvicorn limits none of this with its fast parser: its setting for the size of a head is for `h11`
alone, and no setting limits the time to its end. So its protocol gets the limits here. What they
cost is paid once for each request; a stream's words pass by them.

A client of HTTP/1.0 is handed to uvicorn's protocol on `h11`, which ends a stream by closing the
connection: the fast one would frame it as chunks, which HTTP/1.0 does not have.
"""

import asyncio
import json
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from helpers.service.errors import MEDIA_TYPE, Problem
from helpers.service.settings import Settings

_END = b"\r\n\r\n"


class LimitedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with limits; `limited` makes the class for a server.

    Attributes:
        most_bytes: of a head.
        seconds: from its first byte, or from the connection's beginning, to its end.
        most_connections: at the same time.
        waiting: connections without a request, the oldest first.
    """

    most_bytes: ClassVar[int]
    seconds: ClassVar[float]
    most_connections: ClassVar[int]
    waiting: ClassVar[dict["LimitedProtocol", None]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head: bytes | None = b""
        self._body_read = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; where there are too many, the one that has waited longest goes."""
        super().connection_made(transport)
        self.waiting[self] = None
        self._start_timer()
        if len(self.connections) > self.most_connections:
            # One that is being answered stays: it has shown a request.
            next(iter(self.waiting)).make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the head stays within its limits."""
        if self._head is None:
            super().data_received(data)
            return
        if not self._head:
            self._start_timer()
        self._head = (self._head + data).lstrip(b"\r\n")
        end = self._head.find(_END)
        if (len(self._head) if end < 0 else end) > self.most_bytes:
            self.refuse(Problem("head-too-large", f"Send at most {self.most_bytes:,} bytes."))
        elif end >= 0 and self._head.partition(b"\r\n")[0].endswith(b" HTTP/1.0"):
            self._hand_over(self._head)
        else:
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head has come in full."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._body_read = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The request has come in full; it may have been answered before."""
        super().on_message_complete()
        self._body_read = True
        if self.cycle is not None and self.cycle.response_complete:
            self._wait_for_a_head()

    def on_response_complete(self) -> None:
        """The request was answered; what is left of its body may still come, for a while."""
        super().on_response_complete()
        if self.transport.is_closing() or not self.cycle.response_complete:
            return
        if self._body_read:
            self._wait_for_a_head()
        else:
            self._start_timer()

    def make_room(self) -> None:
        """Close it, since there are too many; one that was answered before expects no word."""
        if self.cycle is None:
            self.refuse(Problem("too-many-connections", "Try again later.", retry_after=1))
        else:
            self._stop_waiting()
            self.transport.close()

    def refuse(self, problem: Problem) -> None:
        """Say why, and close."""
        self._stop_waiting()
        body = json.dumps(problem.document(None)).encode()
        self.transport.write(
            STATUS_LINE[problem.status_code]
            + f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n".encode()
            + "".join(
                f"{each[0]}: {each[1]}\r\n" for each in (problem.headers or {}).items()
            ).encode()
            + b"connection: close\r\n\r\n"
            + body
        )
        self.transport.close()

    def _wait_for_a_head(self) -> None:
        self._stop_waiting()
        self._head = b""
        self.waiting[self] = None

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        self._head = None
        self.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        if self._head:
            self.refuse(Problem("too-slow", f"Send the head within {self.seconds:g} seconds."))
        else:  # nobody has asked for anything
            self.transport.close()

    def _hand_over(self, head: bytes) -> None:
        self._stop_waiting()
        self.connections.discard(self)
        other = H11Protocol(self.config, self.server_state, self.app_state, self.loop)
        other.connection_made(self.transport)
        self.transport.set_protocol(other)
        other.data_received(head)


def limited(settings: Settings) -> type[LimitedProtocol]:
    """The protocol of one server, with its settings."""

    class Limited(LimitedProtocol):
        most_bytes = settings.max_head_bytes
        seconds = settings.head_seconds
        most_connections = _most_connections(settings)
        waiting: ClassVar[dict[LimitedProtocol, None]] = {}

    return Limited


def _most_connections(settings: Settings) -> int:
    """As many as set, or as the system has descriptors for beside those that the service needs."""
    try:
        import resource
    except ImportError:  # Windows
        return settings.max_connections
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return settings.max_connections
    return max(1, min(settings.max_connections, most // 2))
