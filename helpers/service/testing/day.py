"""A day of traffic, sent through the service by clients in this process.

What answers is `create_app` with its gate, budgets, rate limit, circuit breaker and metrics, and
the agent's loop as its engine (`agent`). What stands behind it is a `World`, which an incident
changes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge

from helpers.service.app import create_app
from helpers.service.budget import Budgets, MemoryLedger
from helpers.service.engines import Engines
from helpers.service.keys import HashedKey, issue
from helpers.service.parts import Parts
from helpers.service.settings import Settings
from helpers.service.testing.agent import ReplayedAgent, Watch
from helpers.service.testing.client import Seen, post
from helpers.service.turn import Outcome, Turn
from helpers.service.upstream import circuit_breaker
from helpers.shop.traffic import Request
from helpers.testbed.replay import (
    GUEST,
    Canary,
    Excerpt,
    Incident,
    World,
    canaries,
    rating,
)
from helpers.testbed.samples import Samples
from helpers.testbed.simulated import now, simulate

SCRAPE_S = 15.0
"""Simulated seconds between two scrapes."""
CANARY_S = 300.0
"""Simulated seconds between two rounds of canary questions."""
_CANARIES_A_ROUND = 3

Instrument = Callable[[CollectorRegistry], Watch]
"""Makes metrics of its own in the service's registry, and a function that is called with every
answer when it has ended well."""


@dataclass(frozen=True)
class Answered:
    """What one client saw.

    Attributes:
        request: what it asked.
        at: when the answer had ended, in seconds since 1970.
        status: the HTTP status.
        text: the answer's words.
        failed: the kind of the problem, also one in the middle of the stream; None for none.
        request_id: of the service, as it stands in its log.
    """

    request: Request
    at: float
    status: int
    text: str
    failed: str | None
    request_id: str


@dataclass
class Replayed:
    """A replayed day, or the part of it that was replayed.

    Attributes:
        start: its first moment; `stop` is its last.
        samples: what a Prometheus would have scraped.
        answers: what the clients saw, in the order in which the answers ended.
        checked: the answers to canary questions, each with "right", "wrong" or "failed".
        log: the service's log, a dict a line.
        series: how many series `/metrics` had at the end, the canaries' own not counted.
    """

    start: datetime
    stop: datetime
    samples: Samples = field(default_factory=Samples)
    answers: list[Answered] = field(default_factory=list)
    checked: list[tuple[Answered, str]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    series: int = 0


def replay(
    requests: Sequence[Request],
    *,
    incident: Incident | None = None,
    seed: int = 0,
    excerpt: Excerpt | None = None,
    scrape_s: float = SCRAPE_S,
    instruments: Sequence[Instrument] = (),
    **settings: Any,
) -> Replayed:
    """Send a day's requests through the service.

    Args:
        requests: the day (`helpers.testbed.replay.traffic`).
        incident: what goes wrong; by default nothing does.
        seed: of the model's pace, of who rates an answer, of what an incident leaves to chance.
        excerpt: the hours to replay; by default the whole day.
        scrape_s: simulated seconds between two scrapes.
        instruments: more metrics of the service (see `Instrument`).
        settings: of the service, where they differ from its defaults.

    Raises:
        ValueError: no request is in the excerpt.
        Exception: what an instrument raised.
    """
    excerpt = excerpt or Excerpt()
    asked = incident.traffic(requests) if incident else list(requests)
    asked = [one for one in asked if excerpt.start <= one.at < excerpt.stop]
    if not asked:
        raise ValueError(f"No request is between {excerpt.begin:g} and {excerpt.end:g} o'clock.")
    found = Replayed(excerpt.start, excerpt.stop)
    world = World(seed)
    try:
        world.prepare([one.text for one in asked])
        day = Day(
            found, world, asked, scrape_s=scrape_s, instruments=instruments, settings=settings
        )
        also = [partial(day.happen, incident)] if incident else []
        simulate(partial(day.run, also), start=excerpt.start)
    finally:
        world.close()
    return found


class Day:
    """One run of the service and its clients, as `replay` makes it.

    Attributes:
        found: what is recorded of it.
        world: what stands behind the service.
        probed: the registry of the canaries' counter.
    """

    def __init__(
        self,
        found: Replayed,
        world: World,
        requests: Sequence[Request],
        *,
        scrape_s: float = SCRAPE_S,
        instruments: Sequence[Instrument] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """See `replay`; `found` has the first and the last moment, `requests` those between."""
        self.found, self.world, self._requests = found, world, requests
        self._scrape_s, self._instruments = scrape_s, instruments
        self._random = Random(world.seed + 2)
        self._others: list[asyncio.Task[None]] = []
        self._under_way = 0
        self._changed = True
        self._broken: Exception | None = None
        self._keys: dict[str, str] = {}
        hashed = [self._issue(_who(one)) for one in requests]
        hashed += [self._issue(one.customer) for one in canaries()]
        kept = tuple(key for key in hashed if key is not None)
        self._watches: list[Watch] = []
        self.probed = CollectorRegistry()
        self._canaries = Counter(
            "canary_answers",
            "Answers to questions that have a known answer, by what became of them",
            ("intent", "result"),
            registry=self.probed,
        )
        # What a learner's environment says of another service must not change a replay.
        fixed = {"path": "agent", "store": "memory://", "feedback_file": None, **(settings or {})}
        used = Settings(keys=kept, **fixed)
        self._app: FastAPI = create_app(used, engines=_engines(world, used, self._watch))

    async def run(self, also: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()) -> None:
        """The whole day.

        `also` runs beside it, from when the service has started; what still runs at its end is
        cancelled. What one of them raises ends the day.
        """
        async with self._app.router.lifespan_context(self._app):
            self._adapt()
            try:
                async with asyncio.TaskGroup() as others:
                    for what in (self._scrape, *also):
                        self._others.append(others.create_task(what()))
                    async with asyncio.TaskGroup() as clients:
                        clients.create_task(self._probe(clients))
                        for request in self._requests:
                            await _until(request.at)
                            clients.create_task(self._ask(request))
                        await _until(self.found.stop)
                    await asyncio.sleep(self._scrape_s)  # until all of it has been scraped
                    for task in self._others:
                        task.cancel()
            except ExceptionGroup as group:
                raise _first(group) from None

    # --- the service ------------------------------------------------------------------------------

    @property
    def parts(self) -> Parts:
        """The parts of the running service. Another one may be set, as a new release would."""
        parts: Parts = self._app.state.parts
        return parts

    @parts.setter
    def parts(self, parts: Parts) -> None:
        self._app.state.parts = parts

    def _issue(self, customer: str) -> HashedKey | None:
        if customer in self._keys:
            return None
        self._keys[customer], hashed = issue(customer)
        return hashed

    def _adapt(self) -> None:
        """Let the started service live in the simulated day, and add what else is measured."""
        parts, world = self.parts, self.world
        self.parts = replace(
            parts,
            budgets=Budgets(MemoryLedger(), parts.settings.daily_tokens, now),
            log=_Log(self.found.log),
        )
        registry = parts.metrics.registry
        registry.unregister(parts.metrics.process)  # of the machine that replays
        for name, about, value in (
            ("process_resident_memory_bytes", "Bytes of the process", lambda: world.memory),
            (
                "service_index_age_seconds",
                "Seconds since the index of the documents was built",
                lambda: world.index_age_days * 86_400,
            ),
        ):
            Gauge(name, about, registry=registry).set_function(value)
        world.guard.blocked = Counter(
            "service_guardrail_blocks", "Messages that the guard has blocked", registry=registry
        ).inc
        self._watches += [each(registry) for each in self._instruments]

    def _watch(self, turn: Turn, outcome: Outcome) -> None:
        self.world.answered()
        try:
            for watch in self._watches:
                watch(turn, outcome)
        except Exception as error:  # the service would make a failed answer of it, and go on
            self._broken = self._broken or error

    # --- what happens during the day --------------------------------------------------------------

    async def happen(self, incident: Incident) -> None:
        """Let an incident happen."""
        await _until(incident.begins)
        with incident.happening(self.world):
            self.reprice()
            await _until(incident.ends)
        self.reprice()

    def reprice(self) -> None:
        """Charge what the world's model costs now."""
        self._changed = True
        self.parts = replace(self.parts, priced_as=self.world.priced_as)

    async def _scrape(self) -> None:
        while True:
            self._scraped(time.time())
            await asyncio.sleep(self._scrape_s)

    def _scraped(self, at: float) -> None:
        samples = self.found.samples
        if not self._changed and not self._under_way:  # as most of the time at night
            samples.repeat(at=at)
            return
        self._changed = False
        self.found.series = samples.scrape(self.parts.metrics.registry, at=at, job="fernhill")
        samples.scrape(self.probed, at=at, job="canary")

    async def _ask(self, request: Request) -> None:
        # A script remembers no conversation; the service would end one of more than 40 messages.
        conversation = request.session if request.caller == "ordinary" else None
        found = await self._post(request, conversation)
        if self._broken:
            raise self._broken
        self.found.answers.append(found)
        if found.status != 200 or found.failed:
            return
        if (score := rating(request, found.text, self._random)) is not None:
            await asyncio.sleep(5 + 40 * self._random.random())
            body = {"request_id": found.request_id, "score": score}
            await self._send("/v1/feedback", body, request)

    async def _probe(self, clients: asyncio.TaskGroup) -> None:
        """Ask the canary questions, a few in each round."""
        for each in canaries():
            for result in ("right", "wrong", "failed"):
                self._canaries.labels(each.intent, result)
        place, moment = 0, self.found.start
        while moment < self.found.stop:
            await _until(moment)
            for _ in range(_CANARIES_A_ROUND):
                clients.create_task(self._check(canaries()[place % len(canaries())], place))
                place += 1
            moment += timedelta(seconds=CANARY_S)

    async def _check(self, canary: Canary, number: int) -> None:
        request = Request(
            id=f"K-{number:05}",
            at=now(),
            session=f"K-{number}",
            customer=canary.customer,
            intent=canary.intent,
            text=canary.text,
        )
        found = await self._post(request, None)
        failed = found.status != 200 or found.failed
        result = "failed" if failed else "right" if canary.right(found.text) else "wrong"
        self._canaries.labels(canary.intent, result).inc()
        self.found.checked.append((found, result))

    async def _post(self, request: Request, conversation: str | None) -> Answered:
        body = {"message": request.text, "conversation_id": conversation}
        seen = await self._send("/v1/chat/stream", body, request)
        text, failed = seen.answer()
        return Answered(request, time.time(), seen.status, text, failed, seen.request_id)

    async def _send(self, path: str, body: dict[str, Any], request: Request) -> Seen:
        self._under_way += 1
        try:
            return await post(self._app, path, body, self._keys[_who(request)])
        finally:
            self._under_way -= 1
            self._changed = True


def _who(request: Request) -> str:
    """The customer for whom a request is made; each visitor who is not logged in has an id."""
    return request.customer or f"{GUEST}{request.session}"


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The first error of a group, which may hold groups."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, moment.timestamp() - time.time()))


@asynccontextmanager
async def _engines(world: World, settings: Settings, watch: Watch) -> AsyncIterator[Engines]:
    """The engines of the real service, on the world's agent."""
    breaker = await circuit_breaker(settings.breaker_failures, settings.breaker_seconds)
    agent = ReplayedAgent(world, breaker, watch)

    async def well() -> str | None:
        return None

    yield Engines(
        by_path={"agent": agent},
        agent=agent,
        priced_as=world.priced_as,
        probe=well,
    )


class _Log:
    """A logger that keeps its lines."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self._lines = lines

    def info(self, event: str, **fields: Any) -> None:
        """Keep a line."""
        self._lines.append({"event": event, "at": time.time(), **fields})

    warning = error = info
