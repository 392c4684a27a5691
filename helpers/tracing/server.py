"""The service in a process of its own: `python -m helpers.tracing.server FILE`.

Its parent hands it the key over standard input and keeps that open. When the parent ends, however
it ends, the input closes and the service stops. It prints its address once it answers.
"""

import argparse
import socket
import sys
import threading
from pathlib import Path

import uvicorn
from uvicorn.protocols.http import h11_impl, httptools_impl

from helpers.sockets import listen
from helpers.tracing.app import create_app
from helpers.tracing.store import Store
from helpers.tracing.store.schema import UnusableFileError
from helpers.tracing.usage import course_prices

HOST = "127.0.0.1"

# Of an answer, the standard OpenTelemetry exporter shows its reason phrase and nothing else.
_REASON_501 = (
    "Not spoken by the local tracing service (OpenTelemetry: point the exporter at an "
    "OpenTelemetry backend)"
)


def make_server(store: Store, key: str) -> uvicorn.Server:
    """The service, not running yet; `serve` runs it on a socket."""
    httptools_impl.STATUS_LINE[501] = f"HTTP/1.1 501 {_REASON_501}\r\n".encode()
    h11_impl.STATUS_PHRASES[501] = _REASON_501.encode()
    return uvicorn.Server(
        uvicorn.Config(
            create_app(store, key=key),
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )


def serve(server: uvicorn.Server, sock: socket.socket) -> None:
    """Answer until the server is told to stop."""
    server.run(sockets=[sock])


def _stop_with_the_parent(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


def _load_prices() -> None:
    """The first price takes seconds of imports: not while the first runs wait to be taken."""
    course_prices("local", {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2})


def main() -> None:
    """Serve the traces of a file."""
    parser = argparse.ArgumentParser(prog="python -m helpers.tracing.server")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    key = sys.stdin.readline().strip()
    if not key:
        sys.exit(
            "The service reads its key from standard input and runs as long as that is open; it is "
            "closed or empty. `course traces` starts the service for you."
        )
    sock = listen(HOST, options.port)
    try:
        store = Store(options.file)
    except UnusableFileError as problem:
        sys.exit(str(problem))
    server = make_server(store, key)
    threading.Thread(target=_stop_with_the_parent, args=[server], daemon=True).start()
    threading.Thread(target=_load_prices, daemon=True).start()
    # The socket is bound: who connects now waits until the server takes it.
    sock.listen(128)
    print(f"http://{HOST}:{sock.getsockname()[1]}", flush=True)
    serve(server, sock)


if __name__ == "__main__":
    main()
