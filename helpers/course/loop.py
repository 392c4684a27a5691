"""The one event loop that the course owns: it lives as long as the kernel.

An async client, lock or queue belongs to the loop on which it first waits. So everything async in
a lab runs here: in a cell by `run_async(...)`, in a check by itself. Top-level `await` in a cell
runs on the kernel's own loop instead, which stands still while a check works.

The loop runs in a thread of its own. Code that blocks it is ended like this: a waiting coroutine
is cancelled; a busy loop gets an exception (`limits.end_thread`); a blocking call such as
`time.sleep(600)` inside a coroutine cannot be ended, so the loop is left behind with it and a new
one is started, which `OutOfTime` says.
"""

import asyncio
import atexit
import contextlib
import sys
import threading
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from helpers.course.limits import OutOfTime, end_thread, wait_for

T = TypeVar("T")

REPLACED = (
    "Async code called something that blocks (such as time.sleep) and did not come back, so the"
    " course started a new event loop. Run the cells again that make async objects."
)
_ANSWER_S = 1.0  # a loop that is not blocked answers within this time
_PATIENCE_S = 3.0


class Staged(Exception):  # noqa: N818 - it says what it is
    """An error that a check stages: a task that is left with it is not reported."""


def _told_briefly(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what asyncio would log with a whole traceback."""
    error = context.get("exception")
    if isinstance(error, Staged):
        return
    if error is None:
        loop.default_exception_handler(context)
        return
    what = str(context.get("message", "")).partition("\n")[0].rstrip(".")
    print(f"{what}: {type(error).__name__}: {error}".strip(), file=sys.stderr)


class _Job:
    """One awaitable on its way through the loop."""

    def __init__(self) -> None:
        self.finished = threading.Event()
        self.task: asyncio.Task[None] | None = None
        self.value: Any = None
        self.error: BaseException | None = None

    async def follow(self, awaitable: Awaitable[Any]) -> None:
        # Everything is caught: SystemExit or KeyboardInterrupt would stop the loop itself.
        try:
            self.value = await awaitable
        except BaseException as error:
            self.error = error
        finally:
            self.finished.set()


class CourseLoop:
    """An event loop in a background thread, started on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, awaitable: Awaitable[T], limit: float | None = None) -> T:
        """Wait for an awaitable and return its result; what it raises is raised here.

        Args:
            awaitable: a coroutine, or anything else that `await` takes.
            limit: seconds after which it is ended; None to wait for as long as it takes.

        Raises:
            OutOfTime: the limit was reached. Its argument, if any, says what the learner must do.
            RuntimeError: called from async code on this very loop, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("This code already runs on the course's loop: use `await` instead.")
        loop = self._started()
        job = _Job()

        def start() -> None:
            job.task = loop.create_task(job.follow(awaitable))

        loop.call_soon_threadsafe(start)
        try:
            on_time = wait_for(job.finished, limit)
        except BaseException:  # the caller was interrupted, or ran out of its own time
            self._end(loop, job)
            raise
        if not on_time:
            replaced = self._end(loop, job)
            raise OutOfTime(REPLACED) if replaced else OutOfTime()
        if job.error is not None:
            raise job.error
        return cast(T, job.value)

    def _started(self) -> asyncio.AbstractEventLoop:
        """The loop, running and answering."""
        with self._lock:
            if self._loop is not None:
                self._unblock()
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop.set_exception_handler(_told_briefly)
                self._thread = None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=_spin, args=(self._loop,), name="course-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    def _end(self, loop: asyncio.AbstractEventLoop, job: _Job) -> bool:
        """End a job by whatever it takes; True when that cost the loop."""

        def cancel() -> None:
            if job.task is not None:
                job.task.cancel()

        for _ in range(3):  # a coroutine may catch its cancellation
            loop.call_soon_threadsafe(cancel)
            if job.finished.wait(_ANSWER_S / 2):
                return False
            with self._lock:
                if self._loop is loop:
                    self._unblock()
                if self._loop is not loop:
                    return True
        return False

    def _unblock(self) -> None:
        """Get an answer from the loop, ending what blocks it; failing that, leave it behind."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        answered = threading.Event()
        loop.call_soon_threadsafe(answered.set)
        if answered.wait(_ANSWER_S):
            return
        if not end_thread(thread, answered.is_set, patience_s=_PATIENCE_S):
            loop.call_soon_threadsafe(loop.stop)
            self._loop = None

    def close(self) -> None:
        """Cancel what still runs and stop the loop; it starts again when it is used again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or not thread.is_alive():
            return

        async def finish() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=0.5) if others else None
            loop.stop()

        with contextlib.suppress(RuntimeError):
            asyncio.run_coroutine_threadsafe(finish(), loop)
            thread.join(_ANSWER_S)


def _spin(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except BaseException:  # a task's SystemExit, or an OutOfTime that came a moment late
            continue
        return


LOOP = CourseLoop()
atexit.register(LOOP.close)


def run_async(awaitable: Awaitable[T], limit: float | None = None) -> T:
    """Run async code on the course's event loop and return its result.

    Use it in a lab's cells in the place of `await`, so that what a cell makes (clients, locks,
    servers) also works in later cells and in checks: all of them share this one loop.

    Args:
        awaitable: a coroutine, or anything else that `await` takes.
        limit: seconds after which it is ended; None to wait for as long as it takes.

    Raises:
        TimeoutError: the limit was reached.
    """
    try:
        return LOOP.run(awaitable, limit)
    except OutOfTime as error:
        raise TimeoutError(f"It did not end within {limit:g} s. {error}".strip()) from None
