"""Answers to exercise 07.6, right and wrong."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from helpers.authoring.answers import right, wrong

Done = Callable[[], bool]
Wait = Callable[[Done, float], Awaitable[bool]]


async def waiting(done: Done, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.05)
    return True


async def no_wait(done: Done, limit_s: float) -> bool:
    return True


async def for_ever(done: Done, limit_s: float) -> bool:
    return await waiting(done, 1e9)


def fixed(seconds: float) -> Wait:
    async def wait(done: Done, limit_s: float) -> bool:
        await asyncio.sleep(seconds)
        return True

    return wait


async def blocking(done: Done, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


async def without_pause(done: Done, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0)
    return True


def half(wait: Wait) -> Wait:
    return lambda done, limit_s: wait(done, limit_s / 2)


def rolling(
    *,
    until_ready: Wait = waiting,
    until_idle: Wait = waiting,
    drain: bool = True,
    drain_early: bool = False,
    remove: bool = True,
    remove_first: bool = False,
    grace: float | None = None,
    on_failure: str = "stop remove",
    failed: Any = False,
    finished: Any = True,
    go_on: bool = False,
) -> object:
    """A rollout that may leave out or change one thing."""

    async def roll(
        old: list[str],
        new: list[str],
        pods: Any,
        proxy: Any,
        ready_s: float,
        drain_s: float,
        grace_s: float,
    ) -> Any:
        seconds = grace_s if grace is None else grace
        for before, after in zip(old, new, strict=True):
            await pods.start(after)
            proxy.add(after)
            if drain_early:
                proxy.drain(before)
            if not await until_ready(lambda pod=after: proxy.ready(pod), ready_s):
                if "stop" in on_failure:
                    await pods.stop(after, seconds)
                if "remove" in on_failure:
                    proxy.remove(after)
                if go_on:
                    continue
                return failed
            if drain and not drain_early:
                proxy.drain(before)
            await until_idle(lambda pod=before: proxy.streams(pod) == 0, drain_s)
            if remove_first:
                proxy.remove(before)
            await pods.stop(before, seconds)
            if remove and not remove_first:
                proxy.remove(before)
        return finished

    return roll


@wrong("It does nothing, and says that it is done.")
def nothing() -> object:
    async def roll(*_: Any, **__: Any) -> bool:
        return True

    return roll


@wrong("A plain function that makes the coroutines and never awaits them.")
def no_await() -> object:
    def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> bool:
        for before, after in zip(old, new, strict=True):
            pods.start(after).close()
            proxy.add(after)
            pods.stop(before, limits["grace_s"]).close()
        return True

    return roll


@wrong("The old pod goes first.", slip="not-drained")
def recreate() -> object:
    async def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> bool:
        for before, after in zip(old, new, strict=True):
            await pods.stop(before, limits["grace_s"])
            proxy.remove(before)
            await pods.start(after)
            proxy.add(after)
            if not await waiting(lambda pod=after: proxy.ready(pod), limits["ready_s"]):
                await pods.stop(after, limits["grace_s"])
                proxy.remove(after)
                return False
        return True

    return roll


@wrong("It does not wait until the new pod is ready.", slip="too-few-serve")
def not_waiting() -> object:
    return rolling(until_ready=no_wait)


@wrong("It waits half a second, and hopes.", slip="too-few-serve")
def fixed_wait() -> object:
    return rolling(until_ready=fixed(0.5))


@wrong("The old pod is drained before the new one is ready.", slip="too-few-serve")
def drains_early() -> object:
    return rolling(drain_early=True)


@wrong("Nothing is drained.", slip="not-drained")
def not_drained() -> object:
    return rolling(drain=False, until_idle=no_wait)


@wrong("It waits for streams and does not drain: they never get fewer.", slip="not-drained")
def waits_undrained() -> object:
    return rolling(drain=False)


@wrong("The old pod is stopped at once after it was drained.", slip="cut-streams")
def cuts_streams() -> object:
    return rolling(until_idle=no_wait)


@wrong("A fixed pause for the streams.", slip="cut-streams")
def fixed_drain() -> object:
    return rolling(until_idle=fixed(0.4))


@wrong("It waits for a stream that never ends.")
def waits_for_ever() -> object:
    return rolling(until_idle=for_ever)


@wrong("It waits for a pod that is never ready.")
def waits_for_ready() -> object:
    return rolling(until_ready=for_ever)


@wrong("It gives a new pod half of the time.")
def half_the_time() -> object:
    return rolling(until_ready=half(waiting))


@wrong("It gives streams half of the time.", slip="cut-streams")
def half_the_drain() -> object:
    return rolling(until_idle=half(waiting))


@wrong("drain_s and ready_s are mixed up.")
def mixed_up() -> object:
    inner: Any = rolling()
    return lambda old, new, pods, proxy, ready_s, drain_s, grace_s: inner(
        old, new, pods, proxy, drain_s, ready_s, grace_s
    )


@wrong("It goes on although the new pod is not ready.", slip="too-few-serve")
def goes_on_anyway() -> object:
    async def wait(done: Done, limit_s: float) -> bool:
        await waiting(done, limit_s)
        return True

    return rolling(until_ready=wait)


@wrong("The pod that is not ready runs on, and is asked for ever.")
def leaves_it() -> object:
    return rolling(on_failure="")


@wrong("The pod that is not ready runs on.", slip="left-running")
def leaves_it_running() -> object:
    return rolling(on_failure="remove")


@wrong("The pod that was not ready stays in the proxy.", slip="left-in-proxy")
def leaves_it_in_the_proxy() -> object:
    return rolling(on_failure="stop")


@wrong("It tries the next pair after a failure.")
def tries_the_next() -> object:
    return rolling(go_on=True, finished=False)


@wrong("A failure is not told.")
def silent() -> object:
    return rolling(failed=True)


@wrong("It returns nothing.")
def returns_none() -> object:
    return rolling(failed=None, finished=None)


@wrong("A failure is raised.")
def raises() -> object:
    inner: Any = rolling()

    async def roll(*arguments: Any, **limits: Any) -> bool:
        if not await inner(*arguments, **limits):
            raise TimeoutError("not ready")
        return True

    return roll


@wrong("After a failure it takes back the pods that were replaced.")
def rolls_back() -> object:
    inner: Any = rolling()

    async def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> bool:
        if await inner(old, new, pods, proxy, **limits):
            return True
        for pod in [pod for pod in new if proxy.ready(pod)]:
            proxy.drain(pod)
            await pods.stop(pod, limits["grace_s"])
            proxy.remove(pod)
        return False

    return roll


@wrong("All new pods at once.", slip="too-many")
def all_at_once() -> object:
    async def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> bool:
        for pod in new:
            await pods.start(pod)
            proxy.add(pod)
        for pod in new:
            if not await waiting(lambda pod=pod: proxy.ready(pod), limits["ready_s"]):
                for each in new:
                    await pods.stop(each, limits["grace_s"])
                    proxy.remove(each)
                return False
        for pod in old:
            proxy.drain(pod)
            await waiting(lambda pod=pod: proxy.streams(pod) == 0, limits["drain_s"])
            await pods.stop(pod, limits["grace_s"])
            proxy.remove(pod)
        return True

    return roll


@wrong("The pairs are replaced at the same time.", slip="too-many")
def pairs_at_once() -> object:
    inner: Any = rolling()

    async def roll(old: Any, new: Any, *others: Any, **limits: Any) -> bool:
        pairs = zip(old, new, strict=True)
        every = (inner([before], [after], *others, **limits) for before, after in pairs)
        return all(await asyncio.gather(*every))

    return roll


@wrong("Only the first pair.")
def first_pair() -> object:
    inner: Any = rolling()
    return lambda old, new, *others, **limits: inner(old[:1], new[:1], *others, **limits)


@wrong("From the last pair to the first.")
def backwards() -> object:
    inner: Any = rolling()
    return lambda old, new, *others, **limits: inner(old[::-1], new[::-1], *others, **limits)


@wrong("No grace.")
def no_grace() -> object:
    return rolling(grace=0)


@wrong("A grace of its own.")
def own_grace() -> object:
    return rolling(grace=7)


@wrong("Pods that are gone stay in the proxy.", slip="left-in-proxy")
def never_removed() -> object:
    return rolling(remove=False)


@wrong("It removes a pod that still runs.", slip="gone-too-soon")
def removes_first() -> object:
    return rolling(remove_first=True)


@wrong("Old pods are drained and run on.", slip="left-running")
def old_run_on() -> object:
    async def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> bool:
        for before, after in zip(old, new, strict=True):
            await pods.start(after)
            proxy.add(after)
            if not await waiting(lambda pod=after: proxy.ready(pod), limits["ready_s"]):
                await pods.stop(after, limits["grace_s"])
                proxy.remove(after)
                return False
            proxy.drain(before)
            proxy.remove(before)
        return True

    return roll


@wrong("time.sleep between two looks.", slip="blocks")
def blocks() -> object:
    return rolling(until_ready=blocking)


@wrong("No pause between two looks.", slip="no-pause")
def no_pause() -> object:
    return rolling(until_idle=without_pause)


@wrong("One rollout keeps its pods where another one finds them.")
def shared_state() -> object:
    inner: Any = rolling()
    pairs: list[tuple[str, str]] = []

    async def roll(old: Any, new: Any, *others: Any, **limits: Any) -> bool:
        pairs.extend(zip(old, new, strict=True))
        while pairs:
            before, after = pairs.pop(0)
            await asyncio.sleep(0.01)
            if not await inner([before], [after], *others, **limits):
                return False
        return True

    return roll


@wrong("Once a version was not ready, no rollout is tried again.")
def remembers_failure() -> object:
    inner: Any = rolling()
    failed: list[bool] = []

    async def roll(*arguments: Any, **limits: Any) -> bool:
        if failed:
            return False
        if not await inner(*arguments, **limits):
            failed.append(True)
        return not failed

    return roll


def at_most(seconds: float) -> Wait:
    return lambda done, limit_s: waiting(done, min(limit_s, seconds))


def every(seconds: float) -> Wait:
    async def wait(done: Done, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not done():
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(seconds)
        return True

    return wait


@wrong("It waits for a new pod as long as for streams.", slip="given-up-early")
def ready_by_drain() -> object:
    async def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> Any:
        inner: Any = rolling(until_ready=lambda done, _: waiting(done, limits["drain_s"]))
        return await inner(old, new, pods, proxy, **limits)

    return roll


@wrong("It waits for a new pod for 1.2 seconds at the most.", slip="given-up-early")
def ready_at_most() -> object:
    return rolling(until_ready=at_most(1.2))


@wrong("It waits for streams for 1.2 seconds at the most.", slip="cut-early")
def drain_at_most() -> object:
    return rolling(until_idle=at_most(1.2))


@wrong("It asks once in a second.", slip="asks-seldom")
def once_in_a_second() -> object:
    return rolling(until_ready=every(1), until_idle=every(1))


@wrong("It asks twice in a second.", slip="asks-seldom")
def twice_in_a_second() -> object:
    return rolling(until_ready=every(0.5))


@wrong("All rollouts share a lock.", slip="one-at-a-time")
def with_a_lock() -> object:
    inner: Any = rolling()
    lock = asyncio.Lock()

    async def roll(*arguments: Any, **limits: Any) -> Any:
        async with lock:
            return await inner(*arguments, **limits)

    return roll


@wrong("It waits before it says that it failed.", slip="idle")
def tells_late() -> object:
    inner: Any = rolling()

    async def roll(*arguments: Any, **limits: Any) -> Any:
        found = await inner(*arguments, **limits)
        if not found:
            await asyncio.sleep(1.0)
        return found

    return roll


@wrong("A pause between two pairs.", slip="idle")
def pauses_between() -> object:
    inner: Any = rolling()

    async def roll(old: Any, new: Any, *others: Any, **limits: Any) -> bool:
        for before, after in zip(old, new, strict=True):
            if not await inner([before], [after], *others, **limits):
                return False
            await asyncio.sleep(1.0)
        return True

    return roll


@wrong("It empties the lists.", slip="changed-lists")
def empties_lists() -> object:
    inner: Any = rolling()

    async def roll(old: Any, new: Any, *others: Any, **limits: Any) -> bool:
        while old:
            if not await inner([old.pop(0)], [new.pop(0)], *others, **limits):
                return False
        return True

    return roll


@right("asyncio's own timeout, and a recursion.")
def with_timeout() -> object:
    async def until(done: Done) -> None:
        while not done():
            await asyncio.sleep(0.05)

    async def roll(
        old: list[str],
        new: list[str],
        pods: Any,
        proxy: Any,
        ready_s: float,
        drain_s: float,
        grace_s: float,
    ) -> bool:
        if not old:
            return True
        before, after = old[0], new[0]
        await pods.start(after)
        proxy.add(after)
        try:
            await asyncio.wait_for(until(lambda: proxy.ready(after)), ready_s)
        except TimeoutError:
            await pods.stop(after, grace_s)
            proxy.remove(after)
            return False
        proxy.drain(before)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await until(lambda: not proxy.streams(before))
        await pods.stop(before, grace_s)
        proxy.remove(before)
        return await roll(old[1:], new[1:], pods, proxy, ready_s, drain_s, grace_s)

    return roll


@right("It counts looks, and is more patient between them.")
def counted_looks() -> object:
    async def wait(done: Done, limit_s: float) -> bool:
        for _ in range(int(limit_s / 0.1) + 1):
            if done():
                return True
            await asyncio.sleep(0.1)
        return done()

    return rolling(until_ready=wait, until_idle=wait)


@right("Waits in a thread.")
def in_a_thread() -> object:
    async def wait(done: Done, limit_s: float) -> bool:
        loop = asyncio.get_running_loop()

        def look() -> bool:
            async def now() -> bool:
                return done()

            deadline = time.monotonic() + limit_s
            while not asyncio.run_coroutine_threadsafe(now(), loop).result():
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.05)
            return True

        return await asyncio.to_thread(look)

    return rolling(until_ready=wait, until_idle=wait)


@right("Asks the proxy in a thread.")
def asks_in_a_thread() -> object:
    async def wait(done: Done, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not await asyncio.to_thread(done):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    return rolling(until_ready=wait, until_idle=wait)


@right("Steps from an async generator.")
def from_a_generator() -> object:
    async def steps(old: Any, new: Any, pods: Any, proxy: Any, limits: Any) -> AsyncIterator[bool]:
        for place, before in enumerate(old):
            await pods.start(new[place])
            proxy.add(new[place])
            well = await waiting(lambda pod=new[place]: proxy.ready(pod), limits["ready_s"])
            leaving = before if well else new[place]
            if well:
                proxy.drain(before)
                await waiting(lambda pod=before: proxy.streams(pod) == 0, limits["drain_s"])
            await pods.stop(leaving, limits["grace_s"])
            proxy.remove(leaving)
            yield well

    async def roll(old: Any, new: Any, pods: Any, proxy: Any, **limits: Any) -> bool:
        async for well in steps(old, new, pods, proxy, limits):
            if not well:
                return False
        return True

    return roll
