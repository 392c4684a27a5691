"""Start the local service, and stop it with this process."""

import atexit
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from helpers.paths import ROOT, course_dir

if TYPE_CHECKING:  # the service's own process, which imports this room too, needs none of it
    from langsmith import Client

START_LIMIT_S = 60
_FILE = "traces.db"


class ServiceError(RuntimeError):
    """The local service did not start."""


def traces_file() -> Path:
    """The one file of this course's traces, `.course/traces.db`."""
    return course_dir() / _FILE


class Service:
    """A running local service.

    `url` is the endpoint for the SDK and the root of the pages, `key` what opens it.
    """

    def __init__(self, path: Path | None = None, *, key: str | None = None, port: int = 0) -> None:
        """Start the service on a free loopback port.

        Args:
            path: the traces' file; by default the course's own.
            key: what callers must send; by default a new one.
            port: the port, if a certain one is wanted.

        Raises:
            ServiceError: it does not start; the message has what it said.
        """
        self.path = path or traces_file()
        self.key = key or secrets.token_urlsafe(24)
        # What it says on standard error, for the message if it does not start.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # Neither a key nor a tracing switch of the parent: the service traces nothing itself.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LANGSMITH_", "LANGCHAIN_")) and name != "COURSE_TRACING"
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "helpers.tracing.server", str(self.path), "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env=environment,
            # Ctrl-C in a terminal is for the program in front, which then stops the service.
            start_new_session=os.name == "posix",
        )
        self.url = self._address()
        atexit.register(self.stop)

    @property
    def page(self) -> str:
        """The address that opens the pages in a browser."""
        return f"{self.url}/?key={self.key}"

    @property
    def pid(self) -> int:
        """The id of the service's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def client(self, **options: Any) -> "Client":
        """A client of the langsmith SDK that talks to this service alone.

        Neither a key, a proxy nor another way to send that the environment holds is used.

        Args:
            options: further arguments of `langsmith.Client`, such as `anonymizer`.
        """
        import requests
        from langsmith import Client

        session = requests.Session()
        session.trust_env = False
        return Client(
            api_url=self.url,
            api_key=self.key,
            web_url=self.url,
            session=session,
            tracing_mode="langsmith",
            **options,
        )

    def stop(self) -> None:
        """Stop the service; a second call does nothing. What it acknowledged stays in the file."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        atexit.unregister(self.stop)

    def wait(self) -> None:
        """Return when the service has ended."""
        self._process.wait()

    def _address(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{self.key}\n".encode())
            self._process.stdin.flush()
        line = self._process.stdout.readline().decode().strip()
        if not line.startswith("http"):
            self._process.wait(timeout=START_LIMIT_S)
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
            raise ServiceError(f"The local tracing service did not start: {''.join(said)}")
        return line


@contextlib.contextmanager
def running(path: Path | None = None, *, key: str | None = None) -> Iterator[Service]:
    """A service for the duration of a block."""
    service = Service(path, key=key)
    try:
        yield service
    finally:
        service.stop()
