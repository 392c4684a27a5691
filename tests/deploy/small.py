"""A small service for rollouts: ready after a while, answers in 100 ms.

    python small.py PORT SECONDS

SECONDS until it is ready; "never" for a version that is broken. After SIGTERM it finishes what it
has begun. Standard library alone, so that it starts at once and needs no packages in an image.
"""

import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTED = time.monotonic()
LOADING = float("inf") if sys.argv[2] == "never" else float(sys.argv[2])


class Answers(BaseHTTPRequestHandler):
    """Answers at /chat; at every other path, whether it is ready."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def do_GET(self) -> None:
        loading = time.monotonic() - STARTED < LOADING
        self.send_response(503 if loading else 200)
        chat = self.path == "/chat" and not loading
        self.send_header("content-type", "text/event-stream" if chat else "text/plain")
        self.end_headers()
        if chat:
            for word in ("It", "weighs", "2.1", "kg"):
                time.sleep(0.025)
                self.wfile.write(f'data: {{"text": "{word} "}}\n\n'.encode())
            self.wfile.write(b"event: done\ndata: {}\n\n")

    def log_message(self, *_: object) -> None:
        """Nothing: the proxy's checks come several times a second."""


class Server(ThreadingHTTPServer):
    """A server that waits for its answers when it is closed."""

    daemon_threads = False
    request_queue_size = 128  # with five, as it comes, some of eight clients are refused at times


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Answers)
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: stop.start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()
