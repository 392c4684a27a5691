"""A server in a process of its own: started on a free port, awaited, measured, stopped.

The children of the process belong to it: they are measured with it, and none outlives it. Its
output goes to a file, so the process never waits for a reader.
"""

import http.client
import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil

from helpers.testbed.errors import DidNotStart
from helpers.testbed.serving import HOST, listen

_MARK = "COURSE_TESTBED_PROCESS"
_LAST_CHARACTERS = 1500
_CHILDREN_S = 2.0


def free_port() -> int:
    """A loopback port that is not in use at this moment."""
    with listen() as sock:
        port: int = sock.getsockname()[1]
        return port


class Process:
    """A running server.

    Attributes:
        url: its address, `http://127.0.0.1:PORT`.
        port: where it listens.
        popen: the process itself, for other signals.
    """

    def __init__(
        self, command: Sequence[str], port: int, log: Path, env: Mapping[str, str], cwd: Path | None
    ) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._mark = uuid4().hex
        self._log = log
        self._said: str | None = None
        self._command = shlex.join(command)
        try:
            with log.open("wb") as out:
                self.popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **env, _MARK: self._mark},
                    # Ctrl-C in a terminal is for the program in front, which then stops this one.
                    start_new_session=os.name == "posix",
                )
        except OSError as error:
            raise DidNotStart(
                f"`{self._command}` cannot be run ({error.strerror}): check that {command[0]} is"
                f" installed and on the path, and that the folder {cwd or Path.cwd()} exists."
            ) from error

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.popen.poll() is None

    def output(self) -> str:
        """What it has printed so far, on standard output and standard error."""
        if self._said is not None:
            return self._said
        return self._log.read_text("utf-8", errors="replace")

    def memory_mb(self) -> float:
        """Resident memory in MB, of it and its children; pages that they share count for each."""
        return self._sum(lambda one: one.memory_info().rss) / 1e6

    def cpu_s(self) -> float:
        """CPU seconds so far, of it and its children, without those that have ended."""
        return self._sum(lambda one: sum(one.cpu_times()[:2]))

    def stop(self, limit_s: float = 10.0) -> int:
        """End it by SIGTERM, and by force after `limit_s` seconds; gives its exit status.

        Children that are left then get SIGTERM too, and are ended by force two seconds later.
        """
        family = self._family()
        try:
            if self.running:
                self.popen.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self.popen.wait(limit_s)
                if not self.running:
                    _end({*family, *self._family()}, signal.SIGTERM)
        finally:  # also when the waiting was interrupted
            self.popen.kill()
            status = self.popen.wait()
            _end({*family, *self._family()}, getattr(signal, "SIGKILL", signal.SIGTERM))
        return status

    def until_ready(self, ready: str | None, limit_s: float) -> None:
        """Wait until it answers; see `process`. Raises DidNotStart."""
        deadline = time.monotonic() + limit_s
        while not self._answers(ready):
            if not self.running:
                raise self._did_not_start(f"it ended with status {self.popen.returncode}")
            if time.monotonic() > deadline:
                where = f"{self.url}{ready or ''}"
                raise self._did_not_start(f"{where} did not answer within {limit_s:g} s")
            time.sleep(0.05)

    def _answers(self, ready: str | None) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.connect()
            if ready is not None:
                connection.request("GET", ready)
                return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _did_not_start(self, what: str) -> DidNotStart:
        said = self.output().strip()[-_LAST_CHARACTERS:] or "nothing"
        return DidNotStart(f"`{self._command}` did not start: {what}. It printed:\n{said}")

    def close(self, limit_s: float) -> None:
        """Stop it, and keep its output when its file is gone."""
        try:
            self.stop(limit_s)
        finally:
            self._said = self.output()

    def _sum(self, figure: Callable[[psutil.Process], float]) -> float:
        total = 0.0
        for one in self._family():
            with suppress(psutil.Error):  # it has just ended
                total += figure(one)
        return total

    def _family(self) -> set[psutil.Process]:
        """The process and its children, also those whose parents have ended."""
        found = set()
        for one in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                ours = one.pid == self.popen.pid and self.running
                session = os.getsid(one.pid) == self.popen.pid if os.name == "posix" else False
                if ours or session or one.environ().get(_MARK) == self._mark:
                    found.add(one)
        return found


def _end(family: set[psutil.Process], sign: int) -> None:
    """Send a signal to those that live, and wait until none of them does."""
    left = set(family)
    for one in left:
        with suppress(psutil.Error):
            one.send_signal(sign)
    deadline = time.monotonic() + _CHILDREN_S
    while left and time.monotonic() < deadline:
        left = {one for one in left if _lives(one)}
        time.sleep(0.01 if left else 0)


def _lives(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def process(
    command: Sequence[str | Path],
    *,
    port: int | None = None,
    ready: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    start_s: float = 60.0,
    stop_s: float = 10.0,
) -> Iterator[Process]:
    """Run a server in a process for a block; at the end it and its children are gone.

        with process([sys.executable, "-m", "uvicorn", "app:app", "--port", "{port}"]) as service:
            httpx2.get(f"{service.url}/readyz")

    Args:
        command: its words; `{port}` in any of them, or in a value of `env`, becomes the port.
        port: where it will listen; by default a free one.
        ready: a path that it answers with a status below 400 when it is ready; without one it is
            ready when its port is open.
        env: variables to add to those of this process.
        cwd: where it runs.
        start_s: seconds until it must be ready.
        stop_s: seconds that it gets at the end before it is ended by force.

    Raises:
        DidNotStart: it could not be run, it ended, or it was not ready in time.
        TestbedError: the port is in use.
    """
    words, more = [str(word) for word in command], dict(env or {})
    if port is None:
        if not any("{port}" in text for text in (*words, *more.values())):
            raise ValueError("Say where it listens: write {port} in the command, or give `port`.")
        port = free_port()
    listen(port).close()  # else a stranger's server would be taken for this one
    words = [word.replace("{port}", str(port)) for word in words]
    more = {name: value.replace("{port}", str(port)) for name, value in more.items()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        started = Process(words, port, Path(folder) / "output", more, cwd)
        try:
            started.until_ready(ready, start_s)
            yield started
        finally:
            started.close(stop_s)
