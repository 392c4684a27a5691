"""Load: many clients at once against the running service, on an instant model.

What is counted is whether every request ends as it should: answered in full, or told by a status
that it must come back. A request is lost when its connection breaks, its stream ends without
`done`, or nothing comes in time.
"""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx2
import numpy as np

_TELL = {429, 503}
_PATIENCE_S = 60.0
_QUESTION = "How much does the Alta 2 tent weigh, and who asks? Number"


@dataclass
class Load:
    """What came of the requests of one phase.

    Attributes:
        name: of the phase.
        clients: at the same time.
        answered: requests that ended with a whole answer.
        told: requests that were told to come back, by status.
        errors: requests answered by another status of 500 and above, or an `error` event.
        lost: requests that ended in nothing.
        reasons: what those errors said, and how the lost ones ended.
        first_token: seconds to the first word, of each that was answered.
    """

    name: str
    clients: int
    answered: int = 0
    told: Counter[int] = field(default_factory=Counter)
    errors: int = 0
    lost: int = 0
    reasons: list[str] = field(default_factory=list)
    first_token: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """All of them."""
        return self.answered + self.told.total() + self.errors + self.lost

    def percentile(self, share: float) -> float | None:
        """Seconds to the first word that this share of the answered requests did not exceed."""
        return float(np.quantile(self.first_token, share)) if self.first_token else None


async def load(
    name: str, client: httpx2.AsyncClient, *, clients: int, requests: int, retry: bool
) -> Load:
    """Send requests from so many clients at once, each as soon as its last one has ended.

    Args:
        name: of the phase.
        client: with the service's address and a key.
        clients: at the same time.
        requests: of all clients together.
        retry: whether a client that is told to come back does so, until it is answered.
    """
    found = Load(name, clients)
    left = iter(range(requests))

    async def one() -> None:
        for number in left:
            while (status := await _ask(client, number, found)) in _TELL and retry:
                await asyncio.sleep(0.05)
            if status in _TELL:
                found.told[status] += 1

    await asyncio.gather(*(one() for _ in range(clients)))
    return found


async def _ask(client: httpx2.AsyncClient, number: int, found: Load) -> int:
    """One streamed request, counted unless it is told to come back; then its status, else 0."""
    started = time.perf_counter()
    last = data = ""
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            client.stream(
                "POST", "/v1/chat/stream", json={"message": f"{_QUESTION} {number}"}
            ) as reply,
        ):
            if reply.status_code != 200:
                body = await reply.aread()
                if reply.status_code in _TELL and "retry-after" in reply.headers:
                    return reply.status_code
                found.errors += 1
                found.reasons.append(f"{reply.status_code} {body.decode(errors='replace')}")
                return 0
            said = ""
            first: float | None = None
            async for event in httpx2.EventSource(reply):
                last, data = event.event, event.data
                if last == "token":
                    first = first or time.perf_counter() - started
                    said += json.loads(data)["text"]
    except (httpx2.TransportError, TimeoutError) as error:
        found.lost += 1
        found.reasons.append(f"{type(error).__name__} {error}")
        return 0
    if last == "error":
        found.errors += 1
        found.reasons.append(data)
    elif last != "done" or str(number) not in said.split():
        found.lost += 1
        found.reasons.append(f"ended with {last or 'nothing'}: {said[-80:]}")
    else:
        found.answered += 1
        found.first_token.append(first or 0.0)
    return 0
