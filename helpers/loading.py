"""What is the machine's, and not the code's: seconds of getting models ready, and how slow it is.

Getting ready is reading weights, starting, and what is fitted first.
Whoever limits the time of somebody else's code leaves these seconds out: they belong to the machine
and to what else runs on it, not to the code. Standard library only, so that a clock can look here
without importing a model's room.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator

_lock = threading.Lock()
# How many are at work, since when, and the seconds before that; replaced as a whole, so that a
# clock can read it without a lock in the middle of whatever it ends.
_state: tuple[int, float, float] = (0, 0.0, 0.0)


def time_factor() -> float:
    """By how much time limits are stretched: `COURSE_TIME_FACTOR`, for slow machines."""
    try:
        return max(float(os.environ.get("COURSE_TIME_FACTOR", "1")), 0.01)
    except ValueError:
        return 1.0


def _after_fork() -> None:
    # The lock, and the work, may belong to a thread that does not exist in the child.
    global _lock, _state
    _lock, _state = threading.Lock(), (0, 0.0, seconds())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def getting_ready() -> Iterator[None]:
    """Around what is done once for a model, however often the model is used afterwards."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _state
    with _lock:
        _state = (_state[0] + change, time.monotonic(), seconds())


def seconds() -> float:
    """Seconds so far in which at least one thread of this process was getting a model ready."""
    at_work, since, before = _state
    return before + (time.monotonic() - since if at_work else 0.0)
