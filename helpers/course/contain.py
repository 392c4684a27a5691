"""Run a learner's code so that nothing it does reaches the notebook.

What it returns, raises and prints comes back as an `Outcome`. `SystemExit` and a
`KeyboardInterrupt` that the code raises itself are outcomes like any other; an interrupt by the
user (the kernel's stop button) ends the code and is told apart. `exit()` does not stop the kernel.

A time limit ends it. Its clock stands still while a model of this process is being made ready
(`helpers.course.limits.Clock`), so that the first use of a model costs the code nothing:

- In the main thread of Linux and macOS, where a notebook's cells run, a signal raises `OutOfTime`
  in the code itself (`helpers.course.alarm`). That ends a busy loop and a sleep alike, also where
  the code catches everything (a bare `except:`; one inside another may hold out).
- In any other thread, and everywhere on Windows (which has no such signal), the code runs in a
  thread of its own. A busy loop is ended, unless it catches everything; a sleep or another
  blocking call is left behind, and goes on unseen until it returns. Objects bound to the thread
  that made them (an SQLite connection, by default) cannot be used there.
- Async code runs on the course's loop (`helpers.course.loop`) on every system.

Nothing in Python can end one long call into C that never comes back to Python (such as
`sum(range(10**12))`): the limit then works only when that call returns. `os._exit` cannot be
contained either. Both need a process of their own, which is what grading uses.
"""

import builtins
import contextlib
import contextvars
import inspect
import io
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from helpers.course.alarm import AVAILABLE, under_alarm
from helpers.course.limits import OutOfTime, end_thread, time_factor, wait_for
from helpers.course.loop import LOOP
from helpers.course.todo import TODO

_MOST_PRINTED = 2000  # characters kept of what a call prints
_PATIENCE_S = 2.0
_LEFT_BEHIND = "The code cannot be ended from outside: it goes on unseen."


@dataclass
class Outcome:
    """How a contained call ended.

    `ended` says what cut it short: its time limit ("time"), the user ("interrupt"), or nothing
    (""), in which case it raised `error` or returned `value`. `note` is for the learner.
    """

    value: Any = None
    error: BaseException | None = None
    ended: Literal["", "time", "interrupt"] = ""
    note: str = ""
    printed: str = ""
    unprinted: int = 0  # characters printed beyond those kept


def contained(call: Callable[[], Any], limit: float) -> Outcome:
    """Call something within `limit` seconds (times `COURSE_TIME_FACTOR`); never raises.

    An awaitable result is awaited on the course's loop, an async generator is collected into a
    list; the limit holds for each of the two steps.
    """
    limit *= time_factor()
    paper = _Paper()
    with _redirected(paper), _unattended():
        outcome = _call(call, limit)
        if outcome.error is None and not outcome.ended and _is_async(outcome.value):
            outcome = _await(outcome.value, limit)
    outcome.printed, outcome.unprinted = "".join(paper.kept), paper.lost
    return outcome


def _is_async(value: object) -> bool:
    return value is not TODO and (inspect.isawaitable(value) or inspect.isasyncgen(value))


def _call(call: Callable[[], Any], limit: float) -> Outcome:
    if not (AVAILABLE and _in_main_thread()):
        return _in_thread(call, limit)
    watched = under_alarm(call, limit)
    if watched.interrupted:
        return Outcome(ended="interrupt")
    if watched.rings:
        return Outcome(ended="time")
    return Outcome(watched.value, watched.error)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


# --- any other thread, and Windows ------------------------------------------------------------


@dataclass
class _Errand:
    call: Callable[[], Any]
    outcome: Outcome = field(default_factory=Outcome)
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.outcome.value = self.call()
        except BaseException as error:
            self.outcome.error = error
        finally:
            self.done.set()


def _in_thread(call: Callable[[], Any], limit: float) -> Outcome:
    errand = _Errand(call)
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(errand.run,), name="course-check", daemon=True
    )
    thread.start()
    ended: Literal["time", "interrupt"] = "time"
    try:
        with _interruptible():
            if wait_for(errand.done, limit):
                return errand.outcome
    except KeyboardInterrupt:  # raised here, not in the thread: it is the user's
        ended = "interrupt"
    gone = end_thread(thread, errand.done.is_set, patience_s=_PATIENCE_S)
    return Outcome(ended=ended, note="" if gone else _LEFT_BEHIND)


# --- async ------------------------------------------------------------------------------------


def _await(value: Any, limit: float) -> Outcome:
    async def finish() -> Outcome:
        try:
            if inspect.isasyncgen(value):
                return Outcome(value=[item async for item in value])
            return Outcome(value=await value)
        except OutOfTime:
            raise
        except BaseException as error:  # its own KeyboardInterrupt too
            return Outcome(error=error)

    try:
        with _interruptible():
            return LOOP.run(finish(), limit)
    except OutOfTime as error:
        return Outcome(ended="time", note=str(error))
    except KeyboardInterrupt:
        return Outcome(ended="interrupt")


# --- surroundings -----------------------------------------------------------------------------


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let the user's interrupt end a wait of the main thread, whatever the kernel does with it."""
    if not _in_main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Paper(io.TextIOBase):
    """Keeps the beginning of what is printed, and counts the rest."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.room = _MOST_PRINTED
        self.lost = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: self.room]
        if kept:
            self.kept.append(kept)
        self.room -= len(kept)
        self.lost += len(text) - len(kept)
        return len(text)


@contextlib.contextmanager
def _redirected(paper: _Paper) -> Iterator[None]:
    with contextlib.redirect_stdout(paper), contextlib.redirect_stderr(paper):
        yield


@contextlib.contextmanager
def _unattended() -> Iterator[None]:
    """Let neither `input()` wait for someone nor IPython's own `exit()` stop the kernel."""
    ask, shell = builtins.input, _shell()
    builtins.input = _no_input
    if shell is not None:
        shell.ask_exit = _no_exit
    try:
        yield
    finally:
        builtins.input = ask
        if shell is not None:
            del shell.ask_exit


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _no_exit() -> None:
    raise SystemExit


def _no_input(_prompt: object = "") -> str:
    raise RuntimeError("A check cannot answer input(): take the value as an argument.")
