"""`course mcp` serves Fernhill's tools to any MCP client, over stdio or over HTTP on loopback.

With stdio, standard output belongs to the protocol: whatever else is said goes to standard error.
"""

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from helpers.agent import Retriever
    from helpers.shop import Orders

_HOST = "127.0.0.1"
_TOKEN = "COURSE_MCP_TOKEN"
_TERMINAL = (
    "This speaks MCP on standard input and output: let a client start it, or add --http. "
    "Ctrl-C ends it."
)


class CannotServe(Exception):  # noqa: N818 - it says what to do, and is no fault
    """The options cannot be used; the message is a sentence, `status` the exit status."""

    def __init__(self, said: str, status: int = 2) -> None:
        super().__init__(said)
        self.status = status


def mcp(argv: Sequence[str]) -> int:
    """Serve until the client leaves or Ctrl-C: 0; 2 for bad options, 1 for a busy port."""
    options = _parser().parse_args(argv)
    try:
        with suppress(KeyboardInterrupt):
            _serve(options)
    except CannotServe as problem:
        print(f"course mcp: {problem}", file=sys.stderr)
        return problem.status
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="course mcp",
        description="Serve Fernhill's tools (search_documents, lookup_order, hand_over) to any MCP "
        "client: over stdio to the client that starts this command, or over HTTP.",
    )
    parser.add_argument(
        "--customer", metavar="ID", default="C-0042", help="whose orders are shown (C-0042)"
    )
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP on this machine")
    parser.add_argument("--port", type=int, help="port for --http (8765); 0 takes a free one")
    parser.add_argument(
        "--token",
        help=f"what HTTP clients send as 'Authorization: Bearer ...'; without it, the value of "
        f"{_TOKEN}, or else a new token, which is printed",
    )
    return parser


def _serve(options: argparse.Namespace) -> None:
    if not options.http and (options.port is not None or options.token is not None):
        raise CannotServe("--port and --token are for HTTP: add --http.")
    token = _token(options.token) if options.http else ""
    port = 8765 if options.port is None else options.port
    if not 0 <= port <= 65535:
        raise CannotServe(f"{port} is no port: take one from 1024 to 65535, or 0 for a free one.")
    if not options.http and (sys.stdin is None or sys.stdout is None):
        raise CannotServe(
            "standard input or output is closed: let an MCP client start this command, or add "
            "--http."
        )
    from helpers.shop import open_orders

    with open_orders() as orders:
        _known(orders, options.customer)
        if options.http:
            with _listening(port) as sock:
                _serve_http(orders, options.customer, token, sock)
        else:
            from helpers.operate.mcp_server import stdio_server

            server = stdio_server(_index(), orders, options.customer)
            if sys.stdin.isatty():
                print(_TERMINAL, file=sys.stderr)
            # A read of standard input cannot be cancelled: after Python's own Ctrl-C, the server
            # would wait for one more line.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            server.run("stdio")


def _token(given: str | None) -> str:
    """The token that clients have to send; a new one where none is set."""
    token = os.environ.get(_TOKEN) if given is None else given
    if token is None:
        return secrets.token_urlsafe(32)
    if not (token.isascii() and token.isprintable()) or " " in token or len(token) < 16:
        source = "--token" if given is not None else f"the variable {_TOKEN}"
        without = "leave it out" if given is not None else "remove the variable"
        raise CannotServe(
            f"{source} holds no token: it has at least 16 letters, digits or signs, and no space. "
            f"Correct it, or {without}, and a new one is made."
        )
    return token


def _known(orders: "Orders", customer: str) -> None:
    try:
        orders.customer(customer)
    except KeyError as unknown:
        raise CannotServe(str(unknown.args[0])) from unknown


def _index() -> "Retriever":
    """The documents' index. To make it with a hosted model prints what that costs."""
    from helpers.agent import fernhill_index

    with redirect_stdout(sys.stderr):
        return fernhill_index()


def _listening(port: int) -> "socket.socket":
    """A socket on loopback."""
    from helpers.sockets import listen

    try:
        return listen(_HOST, port)
    except OSError as error:
        raise CannotServe(
            f"port {port} cannot be used ({error.strerror}): choose another --port; 0 takes a "
            "free one.",
            status=1,
        ) from error


def _serve_http(orders: "Orders", customer: str, token: str, sock: "socket.socket") -> None:
    import uvicorn

    from helpers.operate.mcp_server import http_server

    app = http_server(_index(), orders, {token: customer}).streamable_http_app()
    sock.listen()  # who reads the address may call at once, and waits until the server is up
    url = f"http://{_HOST}:{sock.getsockname()[1]}/mcp"
    print(
        f"Fernhill's tools for {customer}: {url}\nAuthorization: Bearer {token}\nCtrl-C ends it.",
        file=sys.stderr,
        flush=True,
    )
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[sock])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"mcp": mcp}
