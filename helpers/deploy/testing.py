"""A rollout of one's own, tried under load: light pods as processes, behind a real HAProxy.

    found = await rehearse(roll, requests=1000)
    print(found.requests, found.lost)

What is tried is a function `roll(old, new, pods, proxy, ready_s=, drain_s=, grace_s=)`. Whatever it
does, afterwards nothing of it runs.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import testbed
from helpers.deploy.proxy import Proxy, proxy
from helpers.deploy.rollout import CLIENTS, Counted, ProcessPods
from helpers.testbed import Clients, Seen, TestbedError, free_port

Roll = Callable[..., Awaitable[Any]]

OLD, NEW = ("pod-a", "pod-b"), ("pod-c", "pod-d")
_APP = Path(testbed.__file__).with_name("light_pod.py")
_LOADS_S = 0.6
_PAUSE_S = 0.1  # of a client that got no answer: else it would ask thousands of times
_START_S = 60.0
_EVERY_MS = 500  # a busy machine must not make a pod look dead


class Pods:
    """Starts and stops pods, as a kubelet does.

    Args:
        port: the port of each pod, by its name.
        loads_s: seconds until each pod is ready; "never" for a version that is broken.
    """

    def __init__(self, port: Mapping[str, int], loads_s: Mapping[str, float | str]) -> None:
        self._port = port
        self._loads_s = loads_s
        self._processes = ProcessPods(_command)

    async def start(self, pod: str) -> None:
        """Start the process of a pod, which is not ready yet.

        Raises:
            ValueError: there is no such pod, or it was started before.
        """
        if pod not in self._port or pod in self.running:
            raise ValueError(f"{pod} cannot be started: choose from {', '.join(self._free())}")
        await asyncio.to_thread(
            self._processes.start, pod, self._port[pod], str(self._loads_s[pod])
        )

    async def stop(self, pod: str, grace_s: float) -> None:
        """Send SIGTERM, after `grace_s` seconds SIGKILL, and return when the process is gone."""
        await asyncio.to_thread(self._processes.stop, pod, grace_s)

    @property
    def running(self) -> list[str]:
        """The pods whose processes were started and not stopped."""
        return sorted(self._processes.running)

    def _free(self) -> list[str]:
        return [pod for pod in self._port if pod not in self.running]

    def close(self) -> None:
        """End all that run."""
        self._processes.close()


def _command(port: int, seconds: str) -> list[str]:
    return [sys.executable, "-P", str(_APP), str(port), seconds]  # -P: its folder is no package


@dataclass
class Rehearsed(Counted):
    """What came of a rollout under load.

    Attributes:
        seen: each request, as its client saw it.
        returned: what `roll` returned.
        error: what it raised instead, in words.
        running: the pods that ran in the end.
        answering: the pods that answered the last requests.
        seconds: how long `roll` took.
    """

    seen: list[Seen] = field(default_factory=list)
    returned: Any = None
    error: str = ""
    running: list[str] = field(default_factory=list)
    answering: list[str] = field(default_factory=list)
    seconds: float = 0.0


async def rehearse(
    roll: Roll, *, requests: int, broken: bool = False, limit_s: float = 60.0
) -> Rehearsed:
    """Run a rollout of two pods while eight clients ask.

    Args:
        roll: as above.
        requests: that are sent at least; the clients begin a second before it does.
        broken: the new version never becomes ready, and the rollout is told to wait two seconds.
        limit_s: after so many seconds `roll` is cancelled, which counts as an error.

    Raises:
        ProxyError: HAProxy is not installed.
        TestbedError: the old pods do not start.
    """
    port = {pod: free_port() for pod in (*OLD, *NEW)}
    loads_s: dict[str, float | str] = dict.fromkeys(OLD, 0.0)
    loads_s |= dict.fromkeys(NEW, "never" if broken else _LOADS_S)
    with ExitStack() as stack:
        pods = stack.enter_context(closing(Pods(port, loads_s)))
        balancer = stack.enter_context(proxy(port, every_ms=_EVERY_MS))
        await _until_old_serve(pods, balancer)
        found = Rehearsed()
        waiting = {"ready_s": 2.0 if broken else 30.0, "drain_s": 10.0, "grace_s": 10.0}
        rolling = asyncio.create_task(
            _rolled(found, limit_s, lambda: roll(list(OLD), list(NEW), pods, balancer, **waiting))
        )
        async with Clients(balancer.url) as clients:

            async def client(name: str) -> None:
                while not (rolling.done() and len(found.seen) >= requests):
                    one = await clients.ask({"message": "How heavy is it?"}, client=name)
                    found.seen.append(one)
                    if one.outcome != "answered":
                        await asyncio.sleep(_PAUSE_S)

            try:
                await asyncio.gather(*(client(f"client {n}") for n in range(CLIENTS)))
                last = [await clients.ask({"message": "Still there?"}) for _ in range(4)]
            finally:
                rolling.cancel()
        found.running = pods.running
        found.answering = sorted({one.headers["x-pod"] for one in last if "x-pod" in one.headers})
    return found


async def _rolled(found: Rehearsed, limit_s: float, roll: Callable[[], Awaitable[Any]]) -> None:
    await asyncio.sleep(1.0)  # of load on the old version alone
    began = time.monotonic()
    try:
        async with asyncio.timeout(limit_s):
            found.returned = await roll()
    except TimeoutError:
        found.error = f"it was not done after {limit_s:g} s"
    except Exception as error:
        found.error = f"it raised {error!r}"
    found.seconds = time.monotonic() - began


async def _until_old_serve(pods: Pods, balancer: Proxy) -> None:
    for pod in OLD:
        await pods.start(pod)
        balancer.add(pod)
    deadline = time.monotonic() + _START_S
    while not all(map(balancer.ready, OLD)):
        if time.monotonic() > deadline:
            raise TestbedError(
                f"The old pods were not ready within {_START_S:g} s: try again when the machine is"
                " less busy."
            )
        await asyncio.sleep(0.05)
