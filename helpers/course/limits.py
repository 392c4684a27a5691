"""Ending code that does not end by itself."""

import ctypes
import os
import threading
import time
from collections.abc import Callable


class OutOfTime(BaseException):
    """Ends code whose time is up.

    Not an `Exception`, so that a learner's `except Exception` does not hold it up.
    """


def time_factor() -> float:
    """By how much every time limit is stretched: `COURSE_TIME_FACTOR`, for slow machines."""
    try:
        return max(float(os.environ.get("COURSE_TIME_FACTOR", "1")), 0.01)
    except ValueError:
        return 1.0


def end_thread(thread: threading.Thread, ended: Callable[[], bool], *, patience_s: float) -> bool:
    """Raise `OutOfTime` in another thread until `ended()` is true; False when it never was.

    Python raises it between two steps of the thread's own code. A thread that waits inside one
    call (`time.sleep`, a socket, a long computation in C) notices when that call returns, and one
    that catches everything in an endless loop (a bare `except:`) never does: then this gives up
    while the thread still runs.
    """
    deadline = time.monotonic() + patience_s
    try:
        while thread.is_alive() and not ended():
            if time.monotonic() > deadline:
                return False
            _set_exception(thread, ctypes.py_object(OutOfTime))
            time.sleep(0.05)
    finally:
        _set_exception(thread, None)  # one that is set but not raised yet would hit what is next
    return True


def _set_exception(thread: threading.Thread, error: object) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), error)


def wait_for(event: threading.Event, limit: float | None) -> bool:
    """Wait for an event up to `limit` seconds (None: as long as it takes); False at the limit.

    In slices: on Windows an interrupt by the user does not end one long wait.
    """
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        left = 0.2 if deadline is None else min(0.2, deadline - time.monotonic())
        if event.wait(max(left, 0)):
            return True
        if deadline is not None and time.monotonic() >= deadline:
            return False
