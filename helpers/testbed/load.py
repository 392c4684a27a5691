"""Load on a server: many clients at once, and what became of their requests."""

import asyncio
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from helpers.testbed.clients import Clients, Seen
from helpers.testbed.errors import TestbedError

_PAUSE_S = 0.02  # of a client that was not reached: else it would try thousands of times a second


@dataclass(frozen=True)
class Load:
    """What the clients of one load saw, in the order in which their requests ended.

    Attributes:
        seen: each request.
        seconds: from the first request to the end of the last one.
    """

    seen: Sequence[Seen]
    seconds: float

    def count(self, *outcomes: str) -> int:
        """Requests with one of these outcomes."""
        return sum(one.outcome in outcomes for one in self.seen)

    @property
    def lost(self) -> int:
        """Requests that ended in nothing: neither answered, nor refused, nor told of an error."""
        return self.count("lost", "no answer", "not reached")

    def rows(self) -> list[dict[str, Any]]:
        """A row for each request, as for `pandas.DataFrame`: the fields of `Seen`, and times."""
        return [{**asdict(one), "waited": one.waited, "took": one.took} for one in self.seen]


async def burst(clients: Clients, bodies: Sequence[Any]) -> Load:
    """Send all of these at the same moment, each as a client of its own ("client 1", ...).

    Raises:
        TestbedError: none of them reached the server.
    """
    if not bodies:
        raise ValueError("Give at least one body.")
    began, seen = clients.now, list[Seen]()

    async def one(number: int, body: Any) -> None:
        seen.append(await clients.ask(body, client=f"client {number}"))

    await asyncio.gather(*(one(number, body) for number, body in enumerate(bodies, 1)))
    return _reached(clients, Load(seen, clients.now - began))


async def closed_loop(
    clients: Clients,
    body: Any | Callable[[int], Any],
    *,
    concurrency: int,
    requests: int | None = None,
    seconds: float | None = None,
) -> Load:
    """Have some clients send requests, each its next one as soon as its last one has ended.

    Args:
        clients: whose server and whose patience.
        body: of every request, or a function from the request's number, from 0, to its body.
        concurrency: how many clients at the same time: "client 1", "client 2", ...
        requests: how many of all clients together.
        seconds: after which no new request begins. Give one of the two, or both.

    Raises:
        TestbedError: no request reached the server.
    """
    bounded = requests is not None or seconds is not None
    if concurrency < 1 or not bounded or (requests is not None and requests < 1):
        raise ValueError("Give at least one client, and how many `requests` or `seconds`.")
    began, seen = clients.now, list[Seen]()
    numbers = iter(range(requests)) if requests is not None else itertools.count()
    until = math.inf if seconds is None else began + seconds

    async def one(name: str) -> None:
        while clients.now < until and (number := next(numbers, None)) is not None:
            asked = body(number) if callable(body) else body
            found = await clients.ask(asked, client=name)
            seen.append(found)
            if found.outcome == "not reached":
                await asyncio.sleep(_PAUSE_S)

    await asyncio.gather(*(one(f"client {number}") for number in range(1, concurrency + 1)))
    return _reached(clients, Load(seen, clients.now - began))


def _reached(clients: Clients, load: Load) -> Load:
    if load.count("not reached") == len(load.seen):
        why = load.seen[-1].error if load.seen else "none was sent in that time"
        raise TestbedError(
            f"None of the {len(load.seen)} requests reached {clients.url} ({why}): start the server"
            " first, or check whether it has ended."
        )
    return load


def summary(loads: Mapping[str, Load]) -> list[dict[str, Any]]:
    """A row for each load by its name, as for `pandas.DataFrame`.

    Percentiles are those of the requests that were answered, so read them together with the counts;
    they are None where none was.
    """
    return [{"load": name, **_row(load)} for name, load in loads.items()]


def _row(load: Load) -> dict[str, Any]:
    answered = [one for one in load.seen if one.outcome == "answered"]
    waited = [one.waited for one in answered if one.waited is not None]
    took = [one.took for one in answered]
    return {
        "requests": len(load.seen),
        "answered": len(answered),
        "refused": load.count("refused"),
        "error_events": load.count("error event"),
        "lost": load.lost,
        "seconds": load.seconds,
        "answered_per_s": len(answered) / load.seconds,
        "first_token_p50_s": percentile(waited, 0.5),
        "first_token_p95_s": percentile(waited, 0.95),
        "whole_p50_s": percentile(took, 0.5),
        "whole_p95_s": percentile(took, 0.95),
    }


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that this share (0 to 1) does not exceed, by nearest rank; None without values."""
    import numpy as np

    return float(np.quantile(values, share, method="inverted_cdf")) if len(values) else None
