"""Ending code that does not end by itself."""

import ctypes
import math
import threading
import time
from collections.abc import Callable

from helpers import loading
from helpers.loading import time_factor as time_factor

_MOST_LOADING_S = 120.0
_LOOK_AGAIN_S = 0.02


class OutOfTime(BaseException):
    """Ends code whose time is up.

    Not an `Exception`, so that a learner's `except Exception` does not hold it up.
    """


class Clock:
    """Runs down from a limit, from now on; it stands still while a model is being made ready.

    So a limit starts when the model is warm, whichever line of code uses it first, the learner's or
    the check's. At most two minutes of getting ready are left out (times `COURSE_TIME_FACTOR`):
    what never gets ready is ended like anything else.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._began = time.monotonic()
        self._loaded = loading.seconds()

    def left(self) -> float:
        """Seconds until the limit; 0 or less once it is reached."""
        loading_s = loading.seconds() - self._loaded
        left_out = min(loading_s, _MOST_LOADING_S * time_factor())
        return self._limit + left_out - (time.monotonic() - self._began)

    def wait(self, event: threading.Event, slice_s: float = threading.TIMEOUT_MAX) -> bool:
        """Wait for an event until the limit; False at the limit.

        It waits in slices of at most `slice_s` seconds.
        """
        while (left := self.left()) > 0:
            if event.wait(min(max(left, _LOOK_AGAIN_S), slice_s)):
                return True
        return event.is_set()


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
    return Clock(math.inf if limit is None else limit).wait(event, slice_s=0.2)
