"""Services that the probes of exercise 05.5 look at, and what the probes say of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

from fastapi import APIRouter, FastAPI

from helpers.course.exercises.words import kind
from helpers.course.todo import TODO
from helpers.testbed import Clients, Seen, serving_here

NEVER = 3600.0
"""Seconds of a ping that does not come back."""

AT_MOST_S = 1.0
"""Seconds in which `/readyz` has to answer."""

_PATIENCE_S = 2.0


@dataclass
class Service:
    """What a running service knows of itself, with a ping that does what it is told.

    Attributes:
        loaded: whether the model's weights are in memory.
        waiting: requests that wait for a place; `most_waiting` may.
        stopping: whether it was told to stop.
        fails: what a ping raises; None for a model that is there.
        takes_s: seconds that a ping takes.
        pings: how many began; `pinging` have not ended yet.
    """

    loaded: bool = True
    waiting: int = 0
    most_waiting: int = 4
    stopping: bool = False
    fails: Exception | None = None
    takes_s: float = 0.0
    pings: int = field(default=0, init=False)
    pinging: int = field(default=0, init=False)

    async def ping(self) -> None:
        """Answer, fail or keep the caller waiting."""
        self.pings += 1
        self.pinging += 1
        try:
            await asyncio.sleep(self.takes_s)
            if self.fails is not None:
                raise self.fails
        finally:
            self.pinging -= 1


Probes: TypeAlias = Callable[[Service], APIRouter]
State: TypeAlias = Mapping[str, Any]
"""Attributes of a service, and what they are changed to."""


def _said(live: Seen, ready: Seen) -> str:
    """What both probes answered, such as `/livez 200, /readyz 503 model, queue`."""
    return f"/livez {live.status or live.outcome}, {readiness(ready)}"


def readiness(ready: Seen) -> str:
    """What `/readyz` answered: its status, and its reasons by the alphabet."""
    body = ready.body
    reasons = body["reasons"] if isinstance(body, dict) and body.keys() == {"reasons"} else None
    if not isinstance(reasons, list) or not all(isinstance(one, str) for one in reasons):
        return f"/readyz {ready.status or ready.outcome} with the body {json.dumps(body)[:80]}"
    return f"/readyz {ready.status} {', '.join(sorted(reasons)) or 'no reason'}"


def expected(service: Service) -> str:
    """What `/readyz` of a service whose ping comes back at once should answer."""
    reasons = {
        "model": not service.loaded or service.fails is not None,
        "queue": service.waiting >= service.most_waiting,
        "stopping": service.stopping,
    }
    found = [name for name, is_so in reasons.items() if is_so]
    return f"/readyz {503 if found else 200} {', '.join(found) or 'no reason'}"


@asynccontextmanager
async def _served(make: Probes, service: Service) -> AsyncIterator[Clients]:
    router: Any = make(service)
    if router is TODO:
        raise TODO
    if not isinstance(router, APIRouter):
        raise TypeError(f"probes must return an APIRouter; this is {kind(router)}.")
    app = FastAPI()
    app.include_router(router)
    async with (
        serving_here(app, grace_s=0) as server,
        Clients(server.url, patience_s=_PATIENCE_S) as clients,
    ):
        yield clients


async def _asked(clients: Clients) -> str:
    return _said(await clients.ask(path="/livez"), await clients.ask(path="/readyz"))


async def followed(make: Probes, states: Mapping[str, State], **begin: Any) -> dict[str, str]:
    """What the probes of one service say in each state, one after another, by the state's name."""
    service = Service(**begin)
    found = {}
    async with _served(make, service) as clients:
        for name, state in states.items():
            for attribute, value in state.items():
                setattr(service, attribute, value)
            found[name] = await _asked(clients)
    return found


ERROR = ConnectionError("connection refused")
COMBINED = [
    dict(zip(("stopping", "loaded", "fails", "most_waiting", "waiting"), values, strict=True))
    for values in product((False, True), (True, False), (None, ERROR), (2,), (1, 2, 3))
]
"""Every combination of what can be wrong, on both sides of the queue's limit."""


async def wrongly_said(make: Probes, states: Sequence[State]) -> list[str]:
    """The first state of one service in which `/readyz` is wrong, and what it says; or none."""
    service = Service()
    async with _served(make, service) as clients:
        for state in states:
            for name, value in state.items():
                setattr(service, name, value)
            got, right = readiness(await clients.ask(path="/readyz")), expected(service)
            if got != right:
                told = ", ".join(f"{name}={value!r}" for name, value in state.items())
                return [told, f"right: {right}", f"got: {got}"]
    return []


async def with_slow_pings(make: Probes, seconds: Mapping[str, float]) -> dict[str, Any]:
    """What `/readyz` says of services whose pings take so long, and what is left afterwards."""
    services = {name: Service(takes_s=value) for name, value in seconds.items()}

    async def one(name: str) -> tuple[str, str, float]:
        async with _served(make, services[name]) as clients:
            seen = await clients.ask(path="/readyz")
        return name, readiness(seen), seen.took

    found = await asyncio.gather(*map(one, services))
    late = [name for name, _, took in found if took > AT_MOST_S]
    return {
        **{name: told for name, told, _ in found},
        "answers after more than 1 s": late,
        "pings left running": sum(service.pinging for service in services.values()),
    }


async def of_two(make: Probes) -> dict[str, str]:
    """What is said of two services in one process, the first of which has lost its model."""
    first, second = Service(), Service()
    async with _served(make, first) as one, _served(make, second) as other:
        first.fails, second.stopping = ERROR, True
        return {"first": await _asked(one), "second": await _asked(other)}


async def pings_of(make: Probes, times: int) -> dict[str, Any]:
    """How many pings so many requests cost that come at the same time."""
    service = Service(takes_s=0.1)
    async with _served(make, service) as clients:
        live = await asyncio.gather(*(clients.ask(path="/livez") for _ in range(times)))
        by_live = service.pings
        ready = await asyncio.gather(*(clients.ask(path="/readyz") for _ in range(times)))
    return {
        "alive": sum(seen.status == 200 for seen in live),
        "pings by /livez": by_live,
        "ready": sum(seen.status == 200 for seen in ready),
        "more than one ping a request": service.pings - by_live > times,
        "answers after more than 1 s": sum(seen.took > AT_MOST_S for seen in ready),
    }
