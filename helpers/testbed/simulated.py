"""Simulated time: an event loop whose waits take no time, for a day that passes in seconds.

    async def day() -> float:
        await asyncio.sleep(86_400)
        return time.perf_counter()

    simulate(day, start=datetime(2026, 6, 15, tzinfo=UTC))  # 86400.0, at once

Code under it uses `asyncio.sleep`, timeouts and `time.perf_counter` as ever. When nothing can run,
the clock jumps to the next timer. CPU time costs no simulated time, and there is no second thread,
so that what happens, and when, depends on the code and its seeds alone.

With `lapse=60`, a simulated minute takes a real second, so that a person or another program can
take part. CPU time still costs no simulated time: answers are not slower because the machine is.
"""

import asyncio
import selectors
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, TypeVar

from helpers.testbed.errors import TestbedError

T = TypeVar("T")

_ONE_AT_A_TIME = threading.Lock()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps from timer to timer. It begins at 0 seconds.

    What other loops hand to a thread runs at once here, in the loop's own thread: a job that takes
    CPU time takes no simulated time.
    """

    def __init__(self, lapse: float | None = None) -> None:
        """`lapse`: simulated seconds that pass in a real one; None lets waits take no time."""
        self._passed = 0.0
        super().__init__(_Jumping(self) if lapse is None else _Paced(self, lapse))

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._passed

    def pass_time(self, seconds: float) -> None:
        """Let seconds pass at once. Raises ValueError for a negative number."""
        if not seconds >= 0:
            raise ValueError(f"Time does not go back: give 0 seconds or more, not {seconds}.")
        self._passed += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        """Run `func` now, and give its result as a future that is done."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for its timeout, lets that much simulated time pass."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise TestbedError(
                "Simulated time stands still: every task waits for something that no task and no "
                "timer will ever do. Give the wait a timeout, or find the task that ended early."
            )
        self._loop.pass_time(timeout)
        return found


class _Paced(selectors.DefaultSelector):
    """Waits in real time, which is shorter by the lapse."""

    def __init__(self, loop: SimulatedLoop, lapse: float) -> None:
        super().__init__()
        self._loop, self._lapse = loop, lapse

    def select(self, timeout: float | None = None) -> Any:
        if timeout == 0:
            return super().select(0)
        begun = _real_clock()
        found = super().select(None if timeout is None else timeout / self._lapse)
        passed = (_real_clock() - begun) * self._lapse
        if timeout is not None:  # woken by a socket, it has waited for less
            passed = min(timeout, passed) if found else timeout
        self._loop.pass_time(passed)
        return found


_real_clock = time.perf_counter  # the function itself: a simulation replaces the module's name


def simulate(
    main: Callable[[], Coroutine[Any, Any, T]], *, start: datetime, lapse: float | None = None
) -> T:
    """Run a coroutine on simulated time, and return its result.

    It runs in a thread of its own, for which `time.time`, `time.monotonic`, `time.perf_counter` and
    `time.sleep` are simulated; other threads keep the real ones. `datetime.now` stays real
    everywhere: code that is to follow the simulated day takes its clock as an argument (see `now`).

    Args:
        main: makes the coroutine.
        start: the moment at which the simulated clock begins, with its time zone.
        lapse: how many simulated seconds pass in a real one; None lets waits take no time.

    Raises:
        ValueError: `start` has no time zone, or `lapse` is not above 0.
        TestbedError: another simulation runs in this process, or simulated time stands still.
    """
    if start.tzinfo is None:
        raise ValueError("Say in which time zone it starts: datetime(2026, 6, 15, tzinfo=UTC).")
    if lapse is not None and not lapse > 0:
        raise ValueError(f"A lapse of {lapse} stops the clock: give simulated seconds a second.")
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise TestbedError("A simulation runs in this process already: wait until it has ended.")
    loop, result = SimulatedLoop(lapse), Future[T]()

    def run() -> None:
        try:
            with _simulated(loop, start), asyncio.Runner(loop_factory=lambda: loop) as runner:
                result.set_result(runner.run(main()))
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=run, name="simulation", daemon=True)
    try:
        thread.start()
        return result.result()
    except KeyboardInterrupt:
        with suppress(RuntimeError):  # it has ended in the same moment
            loop.call_soon_threadsafe(_cancel_all)
        raise
    finally:
        thread.join()
        _ONE_AT_A_TIME.release()


def now() -> datetime:
    """The moment in UTC, by `time.time`: simulated inside a simulation."""
    return datetime.fromtimestamp(time.time(), UTC)


def _cancel_all() -> None:
    for task in asyncio.all_tasks():
        task.cancel()


@contextmanager
def _simulated(loop: SimulatedLoop, start: datetime) -> Iterator[None]:
    """Simulate the functions of `time`, and AnyIO's way into a thread, for this thread.

    Modules call them by the module (`time.perf_counter()`), so it is enough to replace them there.
    FastAPI runs what is not `async` in AnyIO's threads: time would jump while one works.
    """
    mine, begins = threading.get_ident(), start.timestamp()

    async def at_once(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return function(*args)

    simulated: list[tuple[ModuleType, str, Callable[..., Any]]] = [
        (time, "time", lambda: begins + loop.time()),
        (time, "monotonic", loop.time),
        (time, "perf_counter", loop.time),
        (time, "sleep", loop.pass_time),
    ]
    if threads := sys.modules.get("anyio.to_thread"):  # loaded by every app of Starlette's
        simulated.append((threads, "run_sync", at_once))

    def chosen(ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **options: Any) -> Any:
            found = ours if threading.get_ident() == mine else theirs
            return found(*args, **options)

        return function

    real = [getattr(module, name) for module, name, _ in simulated]
    for (module, name, ours), theirs in zip(simulated, real, strict=True):
        setattr(module, name, chosen(ours, theirs))
    try:
        yield
    finally:
        for (module, name, _), theirs in zip(simulated, real, strict=True):
            setattr(module, name, theirs)
