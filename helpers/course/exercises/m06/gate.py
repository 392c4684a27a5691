"""The gate of exercise 06.5: an application on a cluster, under load while its parts go away."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from helpers.course.exercises.m06.replicas import deployments
from helpers.course.exercises.m06.survive import MakeApp
from helpers.course.limits import time_factor
from helpers.loading import getting_ready
from helpers.testbed import Clients, Seen, burst

CLIENTS, CROWD = 8, 40
LEAST_SERVED, LEAST_REFUSED = 8, 4
"""Of the crowd. 8 are written and 8 wait: 16 have a place at first, and a slow machine brings the
crowd in so late that there is place for more."""

_KILL_S, _REPLACE_S = 1.0, 1.0
_PIECES = (" weighs", " 2.1", " kg", " without", " pegs,", " lines", " and", " its", " bag.")


def _text(message: str) -> str:
    return "".join((message, *_PIECES))


def _writing(piece_s: float) -> Callable[[str], AsyncIterator[str]]:
    """A model. It goes to other processes by value, so it needs nothing of this module."""
    pieces = _PIECES

    async def write(message: str) -> AsyncIterator[str]:
        import asyncio

        for piece in (message, *pieces):
            await asyncio.sleep(piece_s)
            yield piece

    return write


@dataclass(frozen=True)
class Survived:
    """What the clients saw.

    Attributes:
        whole: requests of the eight clients that got the whole answer.
        failed: the others, by what became of them, such as {"lost": 3}.
        crowd: of the clients who came all at once, by what became of them.
    """

    whole: int
    failed: Mapping[str, int]
    crowd: Mapping[str, int]

    def __str__(self) -> str:
        failed = _counts(self.failed) or "none lost"
        return f"{self.whole} answers whole, {failed}; of {CROWD} at once {_counts(self.crowd)}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def judged(found: Survived) -> bool | str:
    """Whether nothing was lost, and the crowd was told when to come back."""
    if found.failed:
        return f"Of the eight clients' requests, these failed: {_counts(found.failed)}."
    strange = {name: n for name, n in found.crowd.items() if name not in ("whole", "503")}
    if strange:
        return (
            "Each of the crowd must be answered, or refused with 503 and Retry-After: 1. These were"
            f" not: {_counts(strange)}."
        )
    if found.crowd.get("503", 0) < LEAST_REFUSED:
        return "Too many of the crowd were let in: there is a queue that you do not limit."
    return found.crowd.get("whole", 0) >= LEAST_SERVED or "Too few of the crowd were answered."


def on_a_cluster(make: MakeApp, requests: int) -> Coroutine[Any, Any, Survived]:
    """Serve the application, kill one of its writers, replace it; then send a crowd.

    Raises:
        DeploymentError: it does not start on a cluster.
    """
    from helpers.scale import start_ray

    with getting_ready():
        cluster = start_ray()
    return _under_load(cluster, make, requests)


async def _under_load(cluster: Any, make: MakeApp, requests: int) -> Survived:
    name = f"gate-{uuid.uuid4().hex[:6]}"
    write = _writing(0.06)
    writer = deployments(make(write))[1][0].name
    try:
        with getting_ready():
            url = await asyncio.to_thread(cluster.serve, make(write), name)
        patience_s = 60.0 * time_factor()
        async with Clients(url, patience_s=patience_s) as clients:
            seen, stop = list[Seen](), asyncio.Event()
            load = [asyncio.create_task(_ask_on(clients, n, seen, stop)) for n in range(CLIENTS)]
            try:
                await asyncio.sleep(_KILL_S)
                await asyncio.to_thread(_kill, name, writer)
                await asyncio.sleep(_REPLACE_S)
                await asyncio.to_thread(cluster.serve, make(write), name)
                while len(seen) < requests:
                    await asyncio.sleep(0.1)
            finally:
                stop.set()
                await asyncio.wait(load)
            # Each asks its own name, by which its answer is known.
            bodies = [{"message": f"client {number}"} for number in range(1, CROWD + 1)]
            crowd = await burst(clients, bodies)
    finally:
        with suppress(Exception):  # it may never have come there: that error is the one to tell
            await asyncio.to_thread(cluster.delete, name)
    ended = Counter(map(_ended, seen))
    whole = ended.pop("whole", 0)
    return Survived(whole, dict(ended), dict(Counter(map(_ended, crowd.seen))))


async def _ask_on(clients: Clients, number: int, seen: list[Seen], stop: asyncio.Event) -> None:
    while not stop.is_set():
        message = f"Tent {number}-{len(seen)}"
        found = await clients.ask({"message": message}, client=message)
        seen.append(found)
        if found.outcome != "answered":
            await asyncio.sleep(0.1)


def _ended(seen: Seen) -> str:
    if seen.outcome == "answered":
        return "whole" if "".join(seen.texts) == _text(seen.client) else "not whole"
    if seen.outcome != "refused":
        return seen.outcome
    if seen.status != 503:
        return f"with status {seen.status}"
    return "503" if seen.headers.get("retry-after") == "1" else "503 without Retry-After: 1"


def _kill(app: str, deployment: str) -> None:
    """End one replica's process at once."""
    import ray

    begins = f"SERVE_REPLICA::{app}#{deployment}#"
    actors: Sequence[Any] = ray.util.list_named_actors(all_namespaces=True)
    found = [one for one in actors if one["name"].startswith(begins)]
    ray.kill(ray.get_actor(found[0]["name"], namespace=found[0]["namespace"]))
