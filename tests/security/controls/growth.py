"""Whether the time of a function grows no faster than its text: patterns on hostile input."""

import time
from collections.abc import Callable

_TRIES = 5
_SIZE = 4_000
"""Characters of the shorter text."""


def grows_linearly(call: Callable[[str], object], hostile: str, size: int = _SIZE) -> bool:
    """Whether twice the text takes less than three times as long, in one try of several.

    The time is CPU seconds of this thread, the best of three runs of each length: another process
    that wants the core changes neither. A quadratic function takes four times as long each time.
    """
    short = hostile * (size // len(hostile))
    return any(_seconds(call, short * 2) < 3 * _seconds(call, short) for _ in range(_TRIES))


def _seconds(call: Callable[[str], object], text: str) -> float:
    def once() -> float:
        before = time.thread_time()
        call(text)
        return time.thread_time() - before

    return min(once() for _ in range(3))
