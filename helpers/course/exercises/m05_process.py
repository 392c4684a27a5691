"""The service in a process of its own, as `course serve` starts it, for what ends a process."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_LINES = 40  # what it says before it serves is much shorter


@dataclass(frozen=True)
class Running:
    """A service process: its address, a key for it, and the process itself."""

    url: str
    key: str
    process: subprocess.Popen[str]


@contextmanager
def service_process(*options: str) -> Iterator[Running]:
    """Run `course serve` on a free port; it is stopped at the end, also after an error.

    Args:
        options: of the command, such as "--path", "plain".

    Raises:
        RuntimeError: it did not start; the message is what it said.
    """
    line = [sys.executable, "-m", "helpers.cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield _started(process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _started(process: subprocess.Popen[str]) -> Running:
    assert process.stdout is not None
    said = ""
    for _ in range(_LINES):
        line = process.stdout.readline()
        said += line
        url = re.search(r"http://[\d.]+:\d+", said)
        key = re.search(r"KEY=(\S+)", said)
        if url and key:
            return Running(url[0], key[1], process)
        if not line:
            break
    raise RuntimeError(f"`course serve` did not start: {said.strip()}")
