# Written by `course build` from solutions/src/07_run_on_kubernetes.py: change it there.
# The exercise's own cell.
import asyncio
import time
from collections.abc import Callable

from helpers.deploy.proxy import Proxy
from helpers.deploy.testing import Pods


async def roll(old: list[str], new: list[str], pods: Pods, proxy: Proxy,
               ready_s: float, drain_s: float, grace_s: float) -> bool:
    """Replace the old pods with the new ones; False if a new one does not become ready."""
    async def waited(done: Callable[[], bool], limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not done():
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    for before, after in zip(old, new, strict=True):
        await pods.start(after)
        proxy.add(after)
        if not await waited(lambda pod=after: proxy.ready(pod), ready_s):
            await pods.stop(after, grace_s)
            proxy.remove(after)
            return False
        proxy.drain(before)
        await waited(lambda pod=before: proxy.streams(pod) == 0, drain_s)
        await pods.stop(before, grace_s)
        proxy.remove(before)
    return True
ANSWER = roll
