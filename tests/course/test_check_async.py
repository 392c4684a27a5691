import asyncio
import gc
import signal
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from checking import one_case, result_of, rows

from helpers.course import run_async
from helpers.course.card import Status
from helpers.course.check import run_check
from helpers.course.contain import contained
from helpers.course.loop import LOOP, CourseLoop, Staged

ENDED = "nothing: it was stopped after 0.3 s"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.course.loop._ANSWER_S", 0.3)


async def one() -> int:
    await asyncio.sleep(0)
    return 1


async def the_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_async_functions_and_generators_are_awaited() -> None:
    async def stream() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert result_of(one)[0].status is Status.PASSED
    assert result_of(stream, [1, 2])[0].status is Status.PASSED


def test_everything_async_runs_on_one_loop_of_its_own() -> None:
    first = run_async(the_loop())
    assert run_async(the_loop()) is first
    assert contained(the_loop, 5.0).value is first
    assert run_check(one_case(lambda _: the_loop(), first), None).status is Status.PASSED


def test_what_an_earlier_call_made_still_works() -> None:
    """A lock that was waited for, and a task that serves a queue, belong to their loop."""

    class Counter:
        def __init__(self) -> None:
            self.lock = asyncio.Lock()
            self.queue: asyncio.Queue[asyncio.Future[int]] = asyncio.Queue()
            self.count = 0

        async def start(self) -> "Counter":
            self.task = asyncio.create_task(self.serve())
            await asyncio.gather(*(self.next() for _ in range(3)))
            return self

        async def serve(self) -> None:
            while True:
                answer = await self.queue.get()
                self.count += 1
                answer.set_result(self.count)

        async def next(self) -> int:
            async with self.lock:
                answer = asyncio.get_running_loop().create_future()
                await self.queue.put(answer)
                return await answer

    counter = run_async(Counter().start())
    assert run_check(one_case(lambda c: c.next(), 4), counter).status is Status.PASSED
    assert run_check(one_case(lambda c: c.next(), 5), counter).status is Status.PASSED
    run_async(cancelled(counter.task))


async def cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait([task])


def test_an_object_of_another_loop_gets_a_tip() -> None:
    async def wait_long(lock: asyncio.Lock) -> None:
        await lock.acquire()
        await asyncio.wait_for(lock.acquire(), 0.01)

    lock = asyncio.Lock()
    with pytest.raises(TimeoutError):
        asyncio.run(wait_long(lock))
    _, result = result_of(lambda: lock.acquire())
    assert "Make it with run_async(...)" in rows(result)["Why"]


def test_a_coroutine_that_waits_for_ever_is_cancelled() -> None:
    cleaned: list[str] = []

    async def asleep() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append("up")

    loop = run_async(the_loop())
    _, result = result_of(asleep, limit=0.3)
    assert rows(result)["Got"] == ENDED
    assert cleaned == ["up"]
    assert run_async(the_loop()) is loop


def test_a_busy_coroutine_is_ended_and_the_loop_lives_on() -> None:
    async def busy() -> None:
        while True:
            pass

    loop = run_async(the_loop())
    _, result = result_of(busy, limit=0.3)
    assert rows(result)["Got"] == ENDED
    assert run_async(the_loop()) is loop


def test_a_busy_coroutine_behind_a_plain_function_is_ended_too() -> None:
    async def busy() -> None:
        while True:
            pass

    _, result = result_of(lambda: run_async(busy()), limit=0.3)
    assert rows(result)["Got"] == ENDED
    assert run_async(one()) == 1


def test_a_blocking_call_in_a_coroutine_costs_the_loop_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("helpers.course.loop._PATIENCE_S", 0.2)

    async def blocking() -> None:
        time.sleep(2)

    loop = run_async(the_loop())
    _, result = result_of(blocking, limit=0.3)
    assert rows(result)["Got"] == ENDED
    assert "started a new event loop" in rows(result)["Why"]
    assert run_async(the_loop()) is not loop


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_async_code_raises_is_contained(error: BaseException) -> None:
    async def learner() -> None:
        raise error

    loop = run_async(the_loop())
    _, result = result_of(learner)
    assert rows(result)["Got"].startswith(type(error).__name__)
    assert "raise error" in rows(result)["Where"]
    assert run_async(the_loop()) is loop


def test_a_task_that_stops_python_does_not_stop_the_loop() -> None:
    async def stop() -> None:
        raise SystemExit

    async def learner() -> int:
        task = asyncio.create_task(stop())
        await asyncio.wait([task])
        return 1

    loop = run_async(the_loop())
    assert result_of(learner)[0].status is Status.PASSED
    assert run_async(the_loop()) is loop


def test_what_async_code_prints_stands_on_the_card() -> None:
    async def learner() -> int:
        print("on the loop")
        return 2

    assert rows(result_of(learner)[1])["Printed"] == "on the loop"


def test_the_users_interrupt_ends_a_wait_for_async_code() -> None:
    async def asleep() -> None:
        await asyncio.sleep(60)

    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        result_of(asleep, limit=30.0)


def test_run_async_returns_raises_and_ends() -> None:
    async def fail() -> None:
        raise ValueError("no")

    assert run_async(one()) == 1
    with pytest.raises(ValueError, match="no"):
        run_async(fail())
    with pytest.raises(TimeoutError, match=r"within 0\.2 s"):
        run_async(asyncio.sleep(60), limit=0.2)


def test_run_async_inside_the_loop_says_what_to_do_instead() -> None:
    async def inner() -> int:
        coroutine = one()
        try:
            return run_async(coroutine)
        finally:
            coroutine.close()

    with pytest.raises(RuntimeError, match="use `await` instead"):
        run_async(inner())


def test_a_task_that_is_left_with_an_error_is_told_in_one_line() -> None:
    async def fail(error: Exception) -> None:
        raise error

    async def leave_two() -> None:
        for error in (RuntimeError("no route"), Staged("on purpose")):
            await asyncio.wait([asyncio.create_task(fail(error))])
        gc.collect()

    gc.collect()
    printed = contained(leave_two, 5).printed
    # Tasks of earlier tests may be collected here too, so other lines may be printed.
    assert "Task exception was never retrieved: RuntimeError: no route\n" in printed
    assert "on purpose" not in printed
    assert "Traceback" not in printed


def test_a_closed_loop_cancels_its_tasks_and_starts_anew() -> None:
    loop = CourseLoop()
    started: list[asyncio.Task[None]] = []

    async def leave_a_task() -> None:
        started.append(asyncio.create_task(asyncio.sleep(60)))

    loop.run(leave_a_task())
    loop.close()
    assert started[0].cancelled()
    assert loop.run(one()) == 1
    loop.close()
    loop.close()


def test_the_loop_keeps_the_context_of_its_caller() -> None:
    async def thread() -> threading.Thread:
        return threading.current_thread()

    assert LOOP.run(thread()).name == "course-loop"
