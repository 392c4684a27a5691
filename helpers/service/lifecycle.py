"""Start: make every part, or stop with the reason. End: close what was opened."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import httpx2
from langchain_core.utils.uuid import uuid7
from purgatory.domain.model import OPENED
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from helpers.agent import Agent
from helpers.service.budget import Budgets, Ledger, MemoryLedger, RedisLedger
from helpers.service.conversations import Conversations
from helpers.service.engines import AgentEngine, ModelEngine, PassthroughEngine
from helpers.service.gate import Gate
from helpers.service.health import Health, Probe
from helpers.service.keys import KeyRing, KeysError, read_keys
from helpers.service.limits import RateLimit, storage
from helpers.service.logs import make_logger
from helpers.service.metrics import Metrics
from helpers.service.model import Upstream, connect
from helpers.service.parts import Parts
from helpers.service.requests import KnownRequests
from helpers.service.settings import Settings
from helpers.service.starting import StartError
from helpers.service.turn import AnswerPath, Engine, Message, Outcome, Turn
from helpers.service.upstream import GuardedModel, circuit_breaker, http_client

MakeAgent = Callable[..., Agent]
"""Makes the agent from `model` and `middleware`, as `build_agent` does."""

_STORE_SECONDS = 2.0
_PROBE_SECONDS = 2.0


def key_ring(settings: Settings) -> KeyRing:
    """The keys that open the service. Raises `KeysError` when there are none."""
    more = read_keys(settings.keys_file) if settings.keys_file else []
    ring = KeyRing([*settings.keys, *more])
    if not len(ring):
        raise KeysError(
            "The service has no API keys: make one with `course serve --issue C-0042 --keys FILE`, "
            "and set COURSE_SERVICE_KEYS_FILE to the file."
        )
    return ring


@asynccontextmanager
async def running_parts(settings: Settings, make_agent: MakeAgent) -> AsyncIterator[Parts]:
    """The parts of a service, for as long as it runs. Raises `StartError`, or the model's error."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            http_client(
                attempts=settings.attempts,
                connect_seconds=settings.connect_seconds,
                silence_seconds=settings.silence_seconds,
                connections=2 * settings.running + 8,
            )
        )
        breaker = await circuit_breaker(settings.breaker_failures, settings.breaker_seconds)
        upstream = connect(settings, client)
        agent: AgentEngine | None = None
        engines: dict[AnswerPath, Engine] = {"plain": _plain(settings, upstream, client, breaker)}
        if settings.path == "agent":
            made = make_agent(model=upstream.model(), middleware=[GuardedModel(breaker)])
            engines["agent"] = agent = AgentEngine(made)
        if upstream.in_process:
            await _warm_up(engines[settings.path])
        ledger, redis = await _ledger(settings, stack)
        gate = Gate(
            running=settings.running,
            waiting=settings.waiting,
            wait_seconds=settings.wait_seconds,
            per_customer=settings.per_customer,
        )

        async def forget(thread: str) -> None:
            if agent is not None:
                await agent.forget(thread)

        yield Parts(
            settings=settings,
            engines=engines,
            agent=agent,
            priced_as=settings.price_as or upstream.priced_as,
            rate=RateLimit(settings.rate, storage(settings.store, _STORE_SECONDS)),
            budgets=Budgets(ledger, settings.daily_tokens),
            gate=gate,
            conversations=Conversations(settings.max_conversations, settings.max_messages, forget),
            requests=KnownRequests(),
            health=Health(_probes(upstream, client, breaker, gate, redis)),
            metrics=Metrics(running=lambda: gate.running, waiting=lambda: gate.waiting),
            log=make_logger(),
        )


def _plain(
    settings: Settings,
    upstream: Upstream,
    client: httpx2.AsyncClient,
    breaker: AsyncCircuitBreaker,
) -> Engine:
    if upstream.url is None or not settings.passthrough:
        return ModelEngine(upstream.model(), breaker)
    return PassthroughEngine(
        client,
        breaker,
        url=upstream.url,
        model=upstream.name,
        key=upstream.key,
        system=upstream.system,
        extra=upstream.extra,
    )


async def _warm_up(engine: Engine) -> None:
    """Answer once, so that what is made at the first answer is there before a customer asks.

    A hosted model is not asked: that would cost money at every start.
    """
    turn = Turn(
        request_id=uuid7(),
        customer="nobody",
        messages=(Message("user", "How long does delivery take?"),),
        max_tokens=1,
    )
    async with aclosing(engine.events(turn, Outcome())) as events:
        async for _ in events:
            pass


async def _ledger(settings: Settings, stack: AsyncExitStack) -> tuple[Ledger, Any]:
    if settings.store.startswith("memory://"):
        return MemoryLedger(), None
    redis: Any = Redis.from_url(
        settings.store, socket_timeout=_STORE_SECONDS, socket_connect_timeout=_STORE_SECONDS
    )
    stack.push_async_callback(redis.aclose)
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        raise StartError(
            f"Nobody answers at the store {settings.store}: start Redis there, or set "
            "COURSE_SERVICE_STORE to memory:// for a single process."
        ) from error
    return RedisLedger(redis), redis


def _probes(
    upstream: Upstream,
    client: httpx2.AsyncClient,
    breaker: AsyncCircuitBreaker,
    gate: Gate,
    redis: Any,
) -> dict[str, Probe]:
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
