"""Simulated time: waits take none, other threads keep theirs, and a standstill is an error."""

import asyncio
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import anyio.to_thread
import pytest

from helpers.testbed import TestbedError
from helpers.testbed.simulated import now, simulate

START = datetime(2026, 6, 15, tzinfo=UTC)


def test_a_day_of_waiting_takes_no_time_and_every_clock_shows_it() -> None:
    async def day() -> tuple[float, float, float, datetime]:
        before = (time.perf_counter(), time.monotonic(), asyncio.get_running_loop().time())
        await asyncio.sleep(20 * 3600)
        time.sleep(4 * 3600)
        after = (time.perf_counter(), time.monotonic(), asyncio.get_running_loop().time())
        return (*(b - a for a, b in zip(before, after, strict=True)), now())  # type: ignore[return-value]

    began = time.perf_counter()
    *passed, moment = simulate(day, start=START)
    assert time.perf_counter() - began < 5
    assert passed == pytest.approx([86_400] * 3)
    assert abs(moment - (START + timedelta(days=1))) < timedelta(milliseconds=1)


def test_timers_come_in_their_order_and_time_outs_are_simulated() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def after(seconds: float, word: str) -> None:
            await asyncio.sleep(seconds)
            seen.append(f"{word} {asyncio.get_running_loop().time():.1f}")

        async with asyncio.TaskGroup() as group:
            for seconds, word in ((30.5, "last"), (1.5, "first"), (2.0, "second")):
                group.create_task(after(seconds, word))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await asyncio.sleep(20)
            seen.append(f"timeout {asyncio.get_running_loop().time():.1f}")
        return seen

    assert simulate(main, start=START) == ["first 1.5", "second 2.0", "timeout 10.0", "last 30.5"]


def test_what_goes_to_a_thread_runs_at_once_and_its_error_is_raised() -> None:
    def work(number: int) -> int:
        if number < 0:
            raise ValueError("negative")
        return threading.get_ident()

    async def main() -> None:
        here = threading.get_ident()
        assert await asyncio.to_thread(work, 1) == here
        assert await asyncio.get_running_loop().run_in_executor(None, work, 1) == here
        assert await anyio.to_thread.run_sync(work, 1) == here
        with pytest.raises(ValueError, match="negative"):
            await asyncio.to_thread(work, -1)
        assert asyncio.get_running_loop().time() == 0

    simulate(main, start=START)


def test_other_threads_keep_the_real_time() -> None:
    seen: list[float] = []

    async def main() -> None:
        other = threading.Thread(target=lambda: seen.append(time.time()))
        other.start()
        other.join()
        await asyncio.sleep(86_400)

    real = time.time
    simulate(main, start=START)
    assert abs(seen[0] - time.time()) < 60
    assert time.time is real


def test_a_standstill_is_an_error_and_leaves_nothing_behind() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    real = time.perf_counter
    with pytest.raises(TestbedError, match="stands still"):
        simulate(main, start=START)
    assert time.perf_counter is real

    async def well() -> int:
        return 7

    assert simulate(well, start=START) == 7


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_ends_all_its_tasks_and_leaves_nothing_behind() -> None:
    ended: list[str] = []

    async def wait(name: str) -> None:
        try:
            while True:
                await asyncio.sleep(1)
        finally:
            ended.append(name)

    async def main() -> None:
        others = [asyncio.create_task(wait(name)) for name in ("one", "two")]
        await asyncio.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.gather(wait("main"), *others)

    real, threads = time.perf_counter, threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        simulate(main, start=START)
    assert sorted(ended) == ["main", "one", "two"]
    assert time.perf_counter is real
    assert threading.active_count() == threads

    async def well() -> int:
        return 7

    assert simulate(well, start=START) == 7


def test_its_error_is_the_callers() -> None:
    async def main() -> None:
        await asyncio.sleep(5)
        raise LookupError("not here")

    with pytest.raises(LookupError, match="not here"):
        simulate(main, start=START)


def test_one_at_a_time() -> None:
    async def inner() -> None:
        return None

    async def main() -> None:
        simulate(inner, start=START)

    with pytest.raises(TestbedError, match="already"):
        simulate(main, start=START)


def test_a_start_needs_its_time_zone() -> None:
    async def main() -> None:
        return None

    with pytest.raises(ValueError, match="time zone"):
        simulate(main, start=datetime(2026, 6, 15))


def test_time_does_not_go_back() -> None:
    async def main() -> None:
        time.sleep(-1)

    with pytest.raises(ValueError, match="go back"):
        simulate(main, start=START)
