"""The service in a process of its own, as `course serve` runs it."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.paths import ROOT
from helpers.service.keys import add_key, issue

_STOP_S = 40.0


class ServiceDied(RuntimeError):  # noqa: N818 - named after what happened
    """The service did not start; the message has what it said."""


@dataclass(frozen=True)
class Process:
    """A running service: its address, a key, and the process."""

    url: str
    key: str
    process: "subprocess.Popen[str]"

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, and give the exit status."""
        self.process.terminate()
        return self.process.wait(_STOP_S)


@contextlib.contextmanager
def service_process(
    upstream: str, *, path: str, settings: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """`course serve` on a free loopback port, on an OpenAI-compatible model, for a block.

    Args:
        upstream: the model's base URL.
        path: who answers.
        settings: `COURSE_SERVICE_*` variables without that prefix, in lower case.

    Raises:
        ServiceDied: it did not start.
    """
    key, kept = issue("C-0042")
    more = {f"COURSE_SERVICE_{name.upper()}": value for name, value in (settings or {}).items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keys.json"
        add_key(file, kept)
        command = [sys.executable, "-m", "helpers.cli", "serve", "--port", "0", "--path", path]
        log = (Path(folder) / "log").open("w+", encoding="utf-8")
        process = subprocess.Popen(
            [*command, "--keys", str(file), "--upstream", upstream],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **more},
            # Ctrl-C in a terminal is for the program in front, which then stops the service.
            start_new_session=os.name == "posix",
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("Serving on "):
                process.wait(_STOP_S)
                log.seek(0)
                raise ServiceDied(f"The service did not start: {log.read().strip()[-500:]}")
            yield Process(line.split()[2].rstrip(";"), key, process)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            log.close()
            if process.stdout is not None:
                process.stdout.close()
