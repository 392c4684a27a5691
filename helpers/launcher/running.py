"""Run an installer's command: its progress on the screen, everything it says in a log."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from helpers.launcher.advice import SetUpError, advise
from helpers.launcher.settings import for_installers

# Where the output is not a terminal, one step of so many gets a line.
STEPS_A_LINE = 25


class Screen:
    """Progress: one line that is rewritten on a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._count = 0

    def show(self, text: str) -> None:
        """Show a step of many."""
        self._count += 1
        if self._terminal:
            print(f"\r  {text[:76]:<76}", end="", flush=True)
        elif self._count % STEPS_A_LINE == 1:
            print(f"  {text}", flush=True)

    def done(self) -> None:
        """End the rewritten line."""
        if self._terminal and self._count:
            print(f"\r{'':<78}\r", end="", flush=True)


def run(
    command: Sequence[str],
    log: Path,
    progress: Callable[[str], str | None],
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end; a failure becomes a `SetUpError` with what to do.

    Args:
        command: the program and its arguments.
        log: the file that gets everything it says.
        progress: turns a line of the command's output into what to show, or None.
        variables: what the command gets beside the user's environment for installers.
    """
    screen = Screen()
    said: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        try:
            for line in _lines(command, {**for_installers(os.environ), **(variables or {})}):
                file.write(line)
                said.append(line)
                text = progress(line.strip())
                if text:
                    screen.show(text)
        except subprocess.CalledProcessError as error:
            screen.done()
            raise SetUpError(f"{advise(''.join(said))}\n(All it said: {log})") from error
    screen.done()


def _lines(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """What a command prints, as it comes; a failure is raised after the last line."""
    with subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        encoding="utf-8",
        errors="replace",
    ) as process:
        yield from process.stdout or ()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))


def pip_progress(total: int) -> Callable[[str], str | None]:
    """Read pip's lines: which package of `total` it is at."""
    seen = 0

    def read(line: str) -> str | None:
        nonlocal seen
        package = re.match(
            r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)"
            r"|Processing .*?([\w.]+)-[^/\\]*\.whl",
            line,
        )
        if package:
            seen += 1
            return f"{seen} of at most {total} packages: {package.group(1) or package.group(2)}"
        size = re.match(r"Downloading (?:.*/)?([\w.]+?)-\S+ \((\d{2,}\.\d MB)\)", line)
        if size:
            return f"{seen} of at most {total} packages: {size.group(1)}, {size.group(2)}"
        if line.startswith("Installing collected packages"):
            return f"unpacking {seen} packages, which takes a minute or two"
        return None

    return read


def uv_progress(line: str) -> str | None:
    """Read uv's lines: what it downloads, and the sums at the end of each step."""
    if re.match(r"(Downloading|Downloaded|Resolved|Prepared|Installed|Audited) ", line):
        return line
    return None
