"""What one pod of the service and one of the model's server use and manage, under eight clients.

The service is measured twice: with an instant model, which shows what the service itself costs, and
with the model's server, whose answers take as long as answers take.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from urllib.request import urlopen

import psutil

from helpers.deploy.numbers import Both
from helpers.deploy.podman import Podman
from helpers.deploy.rollout import CLIENTS, Ask, Rolled
from helpers.shop.traffic import day
from helpers.testbed import Clients, TestbedError, closed_loop, free_port
from helpers.testbed.load import Load
from helpers.testbed.measured import Measured

SLOTS = 4
"""Answers that a model pod writes at the same time."""

_STARTS = 3
_START_S = 120.0
_PATIENCE_S = 300.0
_LONG_ANSWERS = 3 * CLIENTS
_LONG = {"message": "Write a long story about a tent, a storm and a lost key."}

Manifest = Callable[[str, int], str]
"""Of a pod, from its name and port."""


@dataclass
class _Use:
    """A pod's memory in MiB and CPU in thousandths of a core, once a second."""

    memory: list[int] = field(default_factory=list)
    cpu: list[int] = field(default_factory=list)


def measure(
    one: Podman,
    service: Callable[[str], Manifest],
    model: Manifest,
    ask: Ask,
    *,
    instant: str,
    requests: int,
    starts: list[float],
    last_arrival: float,
) -> Both:
    """Run one pod of each, and put them under load; a minute or two.

    Args:
        one: who runs them.
        service: the manifest of the service, from the URL of its model.
        model: the manifest of the model's server.
        ask: what clients ask of the instant model; of the other one they ask a long story.
        instant: the URL of a model that answers at once.
        requests: of the load with that model.
        starts: seconds until pods of the service were ready, from the rollouts.
        last_arrival: see `last_arrival`.

    Raises:
        TestbedError: a pod is not ready in time, or an answer is missing.
    """
    with _pod(one, "alone", service(instant), "/readyz") as (url, _), _watch(one, "alone") as use:
        load = _answered(url, ask, requests)
    model_starts = []
    for number in range(_STARTS):
        with _pod(one, f"model-{number}", model, "/health") as (_, seconds):
            model_starts.append(seconds)
    with (
        _pod(one, "model", model, "/health") as (model_url, _),
        _pod(one, "service", service(f"{model_url}/v1"), "/readyz") as (url, _),
        _watch(one, "model") as model_use,
        _watch(one, "service") as waiting,
    ):
        long = _answered(url, replace(ask, body=_LONG), _LONG_ANSWERS)
    found = Measured(
        memory=[*use.memory, *waiting.memory],
        cpu=use.cpu,
        starts=starts,
        per_pod=_a_minute(load),
        busiest=max(Counter(one.at.replace(second=0) for one in day()).values()),
        longest=round(max(one.took for one in long.seen), 2),
        last_arrival=last_arrival,
    )
    its = replace(
        found,
        memory=model_use.memory,
        cpu=model_use.cpu,
        starts=model_starts,
        per_pod=_a_minute(long),
    )
    return Both(found, its, SLOTS)


def start_seconds(rolled: Rolled) -> list[float]:
    """How long the pods of a rollout took until they were ready."""
    at = {text: moment for moment, text in rolled.events}
    ready = [text.partition(" ")[0] for text in at if text.endswith(" is ready")]
    return [round(at[f"{pod} is ready"] - at[f"{pod} starts"], 2) for pod in ready]


def last_arrival(rolled: Rolled) -> float:
    """Seconds after a pod was taken out of the proxy in which a request still reached it."""
    drained = {text.partition(" ")[0]: at for at, text in rolled.events if text.endswith(" drains")}
    late = [
        one.sent - drained[pod]
        for one in rolled.seen
        if (pod := one.headers.get("x-pod")) in drained
    ]
    return round(max([0.0, *late]), 2)


def _a_minute(load: Load) -> int:
    return int(60 * len(load.seen) / load.seconds)


def _answered(url: str, ask: Ask, requests: int) -> Load:
    async def run() -> Load:
        async with Clients(url, ask.path, headers=ask.headers, patience_s=_PATIENCE_S) as clients:
            return await closed_loop(clients, ask.body, concurrency=CLIENTS, requests=requests)

    load = asyncio.run(run())
    if missing := len(load.seen) - load.count("answered"):
        raise TestbedError(
            f"{missing} of {len(load.seen)} requests were not answered, so that nothing can be"
            " measured: try again when the machine is less busy."
        )
    return load


@contextmanager
def _pod(one: Podman, name: str, manifest: Manifest, ready: str) -> Iterator[tuple[str, float]]:
    """A ready pod for a block: its URL, and the seconds until it was ready."""
    port, began = free_port(), time.monotonic()
    url = f"http://127.0.0.1:{port}"
    one.play(manifest(name, port))
    try:
        while time.monotonic() - began < _START_S:
            with suppress(OSError), urlopen(f"{url}{ready}", timeout=5):
                break
            time.sleep(0.05)
        else:
            raise TestbedError(
                f"{name} was not ready within {_START_S:g} s: try again when the machine is less"
                f" busy, or look at what it printed:\n{one.logs(name)}"
            )
        yield url, round(time.monotonic() - began, 2)
    finally:
        one.stop(name, grace_s=0)


@contextmanager
def _watch(one: Podman, pod: str) -> Iterator[_Use]:
    """Look at the processes of a pod once a second."""
    process, use, done = psutil.Process(one.pid(pod)), _Use(), threading.Event()

    def look() -> None:
        before, spent, ended = time.monotonic(), _cpu_s(process), False
        while not ended:
            ended = done.wait(1)
            with suppress(psutil.Error):
                now, total = time.monotonic(), _cpu_s(process)
                use.cpu.append(round(1000 * (total - spent) / (now - before)))
                use.memory.append(round(_memory(process) / 2**20))
                before, spent = now, total

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield use
    finally:
        done.set()
        thread.join()


def _cpu_s(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in _family(process))


def _memory(process: psutil.Process) -> int:
    return sum(one.memory_info().rss for one in _family(process))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
