"""One set-up at a time, also when the command is started twice at once."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PAUSE_SECONDS = 0.2


@contextlib.contextmanager
def my_turn(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` inside the block; wait, with a sentence, while another has it.

    The operating system holds the lock and drops it with the process, however that ends: a
    crash leaves a file behind, and no lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not _taken(file):
            print("The course is being set up by another start of it; waiting for that one.")
            while not _taken(file):
                time.sleep(PAUSE_SECONDS)
        try:
            yield
        finally:
            _drop(file)


def _taken(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _drop(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_UN)
