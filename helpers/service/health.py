"""Whether the service can answer now, asked of the parts that it needs."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
from purgatory.domain.model import OPENED
from redis.exceptions import RedisError

from helpers.service.gate import Gate
from helpers.service.model import Upstream
from helpers.service.upstream import Breaker

Probe = Callable[[], Awaitable[str | None]]
"""None when all is well, else the reason in a sentence."""

_FRESH_SECONDS = 1.0
_PROBE_SECONDS = 2.0


class Health:
    """The reasons why the service is not ready, by part.

    The answer is kept for a second: probes that come often must not become load of their own.
    """

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        """`probes` by the name of the part that each asks about."""
        self._probes = probes
        self._asked = -_FRESH_SECONDS
        self._found: dict[str, str] = {}
        self.stopping = False

    async def reasons(self) -> dict[str, str]:
        """Why not, by part; empty when ready."""
        if self.stopping:
            return {"service": "It is stopping."}
        now = time.monotonic()
        if now - self._asked >= _FRESH_SECONDS:
            self._asked = now
            found = {name: await probe() for name, probe in self._probes.items()}
            self._found = {name: reason for name, reason in found.items() if reason}
        return self._found


def model_probe(upstream: Upstream, client: httpx2.AsyncClient, breaker: Breaker) -> Probe:
    """What to ask of the model."""

    async def model() -> str | None:
        if breaker.context.state == OPENED:
            return "It has failed repeatedly and is left alone for a while."
        if upstream.url is None:
            return None
        try:
            reply = await client.get(f"{upstream.url}/models", timeout=_PROBE_SECONDS)
        except httpx2.TransportError:
            return "It cannot be reached."
        return None if reply.status_code < 500 else f"It answers {reply.status_code}."

    return model


def probes(model: Probe, gate: Gate, redis: Any) -> dict[str, Probe]:
    """What to ask of the model, the queue and the store; `redis` is None for memory."""

    async def queue() -> str | None:
        return "It is full." if gate.full else None

    async def store() -> str | None:
        if redis is None:
            return None
        try:
            await redis.ping()
        except (RedisError, OSError):
            return "It cannot be reached."
        return None

    return {"model": model, "queue": queue, "store": store}
