"""Processes under test: started on a free port, awaited, measured in CPU seconds, ended."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

MOST_SECONDS_TO_START = 120.0


class DidNotStart(RuntimeError):  # noqa: N818 - it is what is reported
    """A process ended or stayed silent; the message holds the last line that it printed."""


@dataclass(frozen=True)
class Running:
    """A process that answers on its port."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """What it and its children have used so far, in user and system mode together."""
        total = 0.0
        for one in (self.process, *self.process.children(recursive=True)):
            used = one.cpu_times()
            total += used.user + used.system
        return total


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _printed_port(log: Path) -> int | None:
    urls = re.findall(r"^http://127\.0\.0\.1:(\d+)/v1$", log.read_text("utf-8"), re.MULTILINE)
    return int(urls[0]) if urls else None


@contextmanager
def started(name: str, command: Sequence[str], port: int | None, log: Path) -> Iterator[Running]:
    """Run a server until the block ends, and its children with it.

    Without a `port` the server chooses one and prints its base URL in a line of its own.

    Raises:
        DidNotStart: it ended, or did not listen in time.
    """
    with log.open("w", encoding="utf-8") as said:
        process = psutil.Popen(list(command), stdout=said, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + MOST_SECONDS_TO_START
        while port is None or not _answers(port):
            port = port or _printed_port(log)
            if process.poll() is not None or time.monotonic() > deadline:
                last = log.read_text("utf-8").strip().splitlines() or ["it printed nothing"]
                raise DidNotStart(f"{name} did not start: {last[-1]}")
            time.sleep(0.1)
        yield Running(port, process)
    finally:
        if process.poll() is None:
            family = [*process.children(recursive=True), process]
            for one in family:
                one.terminate()
            for one in psutil.wait_procs(family, timeout=10)[1]:
                one.kill()
