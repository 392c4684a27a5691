"""`course chat`: the chat page in front of a running service."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.service.page.names import KEY_VARIABLE, URL_VARIABLE

PAGE = Path(__file__).with_name("app.py")


def command_line(port: int, *, browser: bool) -> list[str]:
    """What runs the page on loopback, without Streamlit's own telemetry and update checks."""
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
    }
    set_to = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(PAGE), *set_to]


def chat(argv: Sequence[str]) -> int:
    """Run the page until Ctrl-C; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="course chat",
        description="Open the chat page. Start the service first, with `course serve`, which "
        f"prints a key; give the key as {KEY_VARIABLE}, or enter it on the page.",
    )
    parser.add_argument(
        "--url",
        default=os.environ.get(URL_VARIABLE, "http://127.0.0.1:8000"),
        help="the service's address (%(default)s)",
    )
    parser.add_argument("--port", type=int, default=8501, help="of the page (%(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    options = parser.parse_args(argv)
    environment = {**os.environ, URL_VARIABLE: options.url}
    line = command_line(options.port, browser=not options.no_browser)
    return subprocess.run(line, env=environment, check=False).returncode


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"chat": chat}
