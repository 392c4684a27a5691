"""A loopback server that replies with given bytes: streams that break off, odd proxies, refusals.

The service itself never sends most of these; what stands between it and the page may.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def event(kind: str, /, **data: Any) -> bytes:
    """A server-sent event as the service writes it."""
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


@contextmanager
def scripted(
    body: bytes,
    *,
    status: int = 200,
    kind: str = "text/event-stream",
    promised: int | None = None,
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers every POST like this; gives its address and what was posted to it.

    `promised` is the length that the head names, for a body that breaks off.
    """
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append({"path": self.path, "key": self.headers["Authorization"]})
            posted[-1] |= json.loads(text)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if promised is None else promised))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", posted
        finally:
            server.shutdown()
            thread.join()
