"""Run a call in the main thread, and end it from outside: at its time limit, or by the user.

A second thread watches the clock and sends the main thread a signal; its handler raises
`OutOfTime` in the middle of the call, be it busy or asleep. The signal is SIGURG, which does
nothing where it is not handled, so that one that comes a moment late harms nobody; and it is no
timer that the code itself, or a test runner, might be using.
"""

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from helpers.course.limits import Clock, OutOfTime

AVAILABLE = hasattr(signal, "SIGURG") and hasattr(signal, "pthread_kill")
"""Whether this system has such signals: Windows has none."""

_AGAIN_S = 0.25  # it rings again, for code that caught it
_STUBBORN = 3  # rings, after which catching everything helps no longer


class _Interrupted(KeyboardInterrupt):
    """The user's own interrupt, told apart from a KeyboardInterrupt that the code raises."""


@dataclass
class Watched:
    """How a watched call ended: what it gave, and whether something ended it."""

    value: Any = None
    error: BaseException | None = None
    rings: int = 0
    interrupted: bool = False


def under_alarm(call: Callable[[], Any], limit: float) -> Watched:
    """Call something in the main thread, for at most `limit` seconds; whatever it raises is kept.

    After a ring or an interrupt the value means nothing, even if there is one: the code may have
    caught what was raised, and gone on.
    """
    state = _State()
    over = threading.Event()
    watch = threading.Thread(target=_ring, args=(limit, over), name="course-alarm", daemon=True)
    on_alarm = signal.signal(signal.SIGURG, state.on_alarm)
    on_interrupt = signal.signal(signal.SIGINT, state.on_interrupt)
    tracing = sys.gettrace()
    try:
        watch.start()
        state.result.value = call()
    except BaseException as error:
        state.result.error = error
    finally:
        state.over = True
        over.set()
        watch.join()
        sys.settrace(tracing)
        signal.signal(signal.SIGURG, on_alarm)
        signal.signal(signal.SIGINT, on_interrupt)
    return state.result


def _ring(limit: float, over: threading.Event) -> None:
    main = threading.main_thread().ident or 0
    if Clock(limit).wait(over):
        return
    signal.pthread_kill(main, signal.SIGURG)
    while not over.wait(_AGAIN_S):
        signal.pthread_kill(main, signal.SIGURG)


class _State:
    """What the handlers know of a running call."""

    def __init__(self) -> None:
        self.result = Watched()
        self.over = False

    def on_alarm(self, _number: int, frame: FrameType | None) -> None:
        if self._running(frame):
            self.result.rings += 1
            if self.result.rings >= _STUBBORN:
                _raise_at_the_next_lines(frame)
            raise OutOfTime

    def on_interrupt(self, _number: int, frame: FrameType | None) -> None:
        self.result.interrupted = True
        if self._running(frame):
            raise _Interrupted

    def _running(self, frame: FrameType | None) -> bool:
        """Whether the call itself is running: `under_alarm` must not be torn out of its own."""
        return not self.over and frame is not None and frame.f_code is not under_alarm.__code__


def _raise_at_the_next_lines(frame: FrameType | None) -> None:
    """Raise in the `except:` clause as well that is about to catch what the handler raises."""

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            raise OutOfTime
        return trace

    sys.settrace(lambda *_: None)  # new frames are left alone
    while frame is not None and frame.f_code is not under_alarm.__code__:
        frame.f_trace = trace
        frame = frame.f_back
