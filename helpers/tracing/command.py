"""`course traces`: look at the traces of this machine in a browser."""

import argparse
import secrets
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.tracing.server import HOST, listen, make_server, serve
from helpers.tracing.service import traces_file
from helpers.tracing.store import Store
from helpers.tracing.store.schema import WrongVersionError


def traces(argv: Sequence[str]) -> int:
    """Serve the pages until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="course traces",
        description="Open the traces of this machine in a browser; Ctrl-C ends it.",
    )
    parser.add_argument("--file", type=Path, help="another file than the course's own")
    parser.add_argument("--port", type=int, default=0, help="a port; by default a free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    options = parser.parse_args(argv)
    path: Path = options.file or traces_file()
    if options.file and not path.exists():
        print(f"There is no file {path}.")
        return 1
    try:
        sock = listen(options.port)
    except OSError as error:
        print(f"Port {options.port} is taken ({error}): leave out --port to get a free one.")
        return 1
    key = secrets.token_urlsafe(24)
    try:
        server = make_server(Store(path), key)
    except WrongVersionError as error:
        print(error)
        return 1
    sock.listen(128)
    address = f"http://{HOST}:{sock.getsockname()[1]}/?key={key}"
    print(f"Traces of {path}\n{address}\nCtrl-C ends it.", flush=True)
    if not options.no_browser:
        webbrowser.open(address)
    serve(server, sock)
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"traces": traces}
