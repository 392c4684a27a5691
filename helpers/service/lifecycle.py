"""Start: make every part, or stop with the reason. End: close what was opened."""

import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)

import httpx2
from langchain_core.utils.uuid import uuid7

from helpers.agent import Agent
from helpers.service.budget import Budgets, MemoryLedger, RedisLedger
from helpers.service.conversations import Conversations
from helpers.service.engines import AgentEngine, Engines, ModelEngine, PassthroughEngine
from helpers.service.gate import Gate
from helpers.service.health import Health, model_probe, probes
from helpers.service.keys import KeyRing, KeysError, read_keys
from helpers.service.limits import RateLimit, storage
from helpers.service.logs import make_logger
from helpers.service.metrics import FERNHILL_TOOLS, Instrument, Metrics
from helpers.service.model import Upstream, connect
from helpers.service.parts import Parts
from helpers.service.requests import KnownRequests
from helpers.service.settings import Settings
from helpers.service.store import open_store
from helpers.service.turn import AnswerPath, Engine, Message, Outcome, Turn
from helpers.service.upstream import Breaker, GuardedModel, circuit_breaker, http_client

MakeAgent = Callable[..., Agent]
"""Makes the agent from `model` and `middleware`, as `build_agent` does."""


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
async def local_engines(settings: Settings, make_agent: MakeAgent) -> AsyncIterator[Engines]:
    """The engines of this process, warm, for a block. Raises the model's error."""
    async with http_client(
        attempts=settings.attempts,
        connect_seconds=settings.connect_seconds,
        silence_seconds=settings.silence_seconds,
        connections=2 * settings.running + 8,
    ) as client:
        breaker = await circuit_breaker(settings.breaker_failures, settings.breaker_seconds)
        upstream = connect(settings, client)
        agent: AgentEngine | None = None
        tools, index_built = FERNHILL_TOOLS, None
        engines: dict[AnswerPath, Engine] = {"plain": _plain(settings, upstream, client, breaker)}
        if settings.path == "agent":
            made = make_agent(model=upstream.model(), middleware=[GuardedModel(breaker)])
            engines["agent"] = agent = AgentEngine(made)
            tools, index_built = agent.tools, time.monotonic()
        if upstream.in_process:
            await _warm_up(engines[settings.path])
        yield Engines(
            by_path=engines,
            agent=agent,
            priced_as=settings.price_as or upstream.priced_as,
            probe=model_probe(upstream, client, breaker),
            tools=tools,
            index_built=index_built,
        )


@asynccontextmanager
async def running_parts(
    settings: Settings,
    made: AbstractAsyncContextManager[Engines],
    instruments: Collection[Instrument] = (),
) -> AsyncIterator[Parts]:
    """The parts of a service, for as long as it runs.

    Args:
        settings: of the service.
        made: the engines, which are entered here, such as `local_engines(...)`.
        instruments: more metrics.

    Raises:
        StartError: a part cannot start; or the model's own error.
    """
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_store(settings.store))
        engines = await stack.enter_async_context(made)
        ledger = MemoryLedger() if redis is None else RedisLedger(redis)
        gate = Gate(
            running=settings.running,
            waiting=settings.waiting,
            wait_seconds=settings.wait_seconds,
            per_customer=settings.per_customer,
        )

        async def forget(thread: str) -> None:
            if engines.agent is not None:
                await engines.agent.forget(thread)

        yield Parts(
            settings=settings,
            engines=engines.by_path,
            agent=engines.agent,
            priced_as=engines.priced_as,
            rate=RateLimit(settings.rate, storage(settings.store, redis)),
            budgets=Budgets(ledger, settings.daily_tokens),
            gate=gate,
            conversations=Conversations(settings.max_conversations, settings.max_messages, forget),
            requests=KnownRequests(),
            health=Health(probes(engines.probe, gate, redis)),
            metrics=Metrics(
                running=lambda: gate.running,
                waiting=lambda: gate.waiting,
                tools=engines.tools,
                index_built=engines.index_built,
                instruments=instruments,
            ),
            log=make_logger(),
        )


def _plain(
    settings: Settings,
    upstream: Upstream,
    client: httpx2.AsyncClient,
    breaker: Breaker,
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
