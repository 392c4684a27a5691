"""A drill: a shift on the real service, with an incident that the operator does not know.

    found = run_drill(operator, draw(seed=1))              # simulated time: some CPU seconds
    found = run_drill(operator, draw(seed=1), lapse=60)    # a minute in a second, with Prometheus
    print(found.noticed, found.diagnosed, found.ended, found.wrong_actions)

The service, its clients and its canaries are those of `helpers.service.testing`. The operator's
actions change the running service, and whether they have helped is measured on its answers.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

from helpers.agent import Passage
from helpers.monitor.answer_metrics import foreign_addresses
from helpers.monitor.live import Scraped, Watching, watched
from helpers.monitor.testing import INSTRUMENTS
from helpers.operate.testing import alerts
from helpers.operate.testing.console import (
    OWN_LIMITS,
    RIGHT,
    Console,
    Event,
    Operator,
    Page,
)
from helpers.operate.testing.drill_plan import QUIET, Plan
from helpers.service.errors import Problem
from helpers.service.limits import RateLimit
from helpers.service.testing import Answered, Day, Replayed
from helpers.service.turn import Outcome, Turn
from helpers.testbed.replay import World
from helpers.testbed.replay.model import FAILING, Rewrite
from helpers.testbed.replay.world import ShopSearch
from helpers.testbed.simulated import simulate

FALLBACK: Final = "anthropic:claude-haiku-4-5"
"""The other host's model, at 2.7 times the price."""
TAKES: Final = {"switch-model": 1.0, "rollback": 2.0, "limit": 0.5, "withdraw": 1.0}
"""Minutes until an action works."""
BACK_MINUTES: Final = 5.0
"""It is over when so many minutes have had no harmed answer."""
BACK_SHARE: Final = 0.1
"""Of answers that fail: a model also fails on a good day."""
_PATIENCE: Final = 20.0
_SETTINGS: Final = {"daily_tokens": 5_000_000}
"""One customer may be a business: a loop does not end itself by its daily budget."""
_SCRAPE_S: Final = 15.0


@dataclass(frozen=True)
class Drilled:
    """What came of a drill. Minutes are the shop's.

    Attributes:
        plan: what happened, and when.
        events: the timeline, the incident's own beginning and end among them.
        noticed: minutes after the incident began until it was noticed, None where it was not.
        diagnosed: the same until it was diagnosed rightly.
        ended: the same until the service was measured to be well again, after the right action.
        wrong_diagnoses: diagnoses that were wrong.
        wrong_actions: actions that were not the right one.
        harmed: answers and canary questions that the incident has harmed.
        answers: what the customers were answered, as `Console.answers` gives it.
    """

    plan: Plan
    events: list[Event]
    noticed: float | None
    diagnosed: float | None
    ended: float | None
    wrong_diagnoses: list[str]
    wrong_actions: list[str]
    harmed: int
    answers: list[dict[str, Any]] = field(repr=False)


def run_drill(operator: Operator, plan: Plan, *, lapse: float | None = None) -> Drilled:
    """Let an operator work for a shift.

    It ends when the operator has returned and the service is well again, or cannot be, or when the
    shift is over.

    Args:
        operator: an async function, called once with the `Console`.
        plan: see `drill_plan.draw`.
        lapse: how many seconds of the shop pass in a real one, with a Prometheus that watches; by
            default time is simulated, and pages follow the same rules without a Prometheus.

    Raises:
        MissingProgram: there is no Prometheus on this machine, and `lapse` asks for one.
        Exception: what the operator raised.
    """
    drill = _Drill(plan)
    try:
        with ExitStack() as stack:
            if lapse is not None:
                drill.watching = stack.enter_context(_watched(drill, lapse))
            simulate(partial(drill.run, operator), start=plan.start, lapse=lapse)
    finally:
        drill.close()
    return drill.result()


class _Over(Exception):  # noqa: N818 - named after what happened
    """The drill is over before its shift."""


class _Search(ShopSearch):
    """The agent's search, from which documents can be withdrawn."""

    def __init__(self) -> None:
        super().__init__()
        self.withdrawn: set[str] = set()

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """See `helpers.agent.Retriever`."""
        found = super().search(query, k + len(self.withdrawn))
        return [one for one in found if one.document not in self.withdrawn][:k]


class _Limited(RateLimit):
    """A rate limit that lets nothing of some customers pass."""

    def __init__(self, others: RateLimit) -> None:
        self._others = others
        self.customers: set[str] = set()

    async def hit(self, customer: str) -> None:
        """See `RateLimit.hit`."""
        if customer in self.customers:
            raise Problem("rate-limited", "Ask the shop to lift your limit.", retry_after=3600)
        await self._others.hit(customer)


class _Metrics(Collector):
    """The metrics of several registries, which may be added while it is scraped."""

    def __init__(self) -> None:
        self.registries: list[CollectorRegistry] = []

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        for each in [*self.registries]:
            yield from each.collect()


class _Drill:
    """See `run_drill`; to the console it is `Running`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.watching: Watching | None = None
        self.metrics = _Metrics()
        self._found = Replayed(plan.excerpt.start, plan.excerpt.stop)
        self._search = _Search()
        self._world = World(plan.seed, search=self._search)
        requests = plan.requests()
        self._world.prepare([one.text for one in requests])
        self._documents: dict[str, str] = {}
        self._rows: list[dict[str, Any]] = []
        self._read = self._probed = 0
        self._day = Day(
            self._found,
            self._world,
            requests,
            scrape_s=300,  # nobody reads these samples
            instruments=[*INSTRUMENTS.values(), lambda _: self._watch],
            settings=_SETTINGS,
        )
        self._rewritten: set[str] = set()
        self._events: list[Event] = []
        self._alerts = alerts.Firing()
        self._acting: set[asyncio.Task[None]] = set()
        self._worked: float | None = None  # since when the right action has worked
        self._ended: float | None = None

    def close(self) -> None:
        """Close what is open."""
        self._world.close()

    async def run(self, operator: Operator) -> None:
        """The shift."""
        also: list[Callable[[], Any]] = [self._go_wrong, self._measure]
        with suppress(_Over):
            await self._day.run([*also, partial(self._operate, operator)])
        for each in self._acting:
            each.cancel()

    async def _operate(self, operator: Operator) -> None:
        self._limits = _Limited(self._day.parts.rate)
        self._day.parts = replace(self._day.parts, rate=self._limits)
        self.metrics.registries = [self._day.parts.metrics.registry, self._day.probed]
        await operator(Console(self, self._events))
        done = [one for one in self._events if one.what == "acted"]
        if any(one.detail == self._right and one.minute >= (self.plan.begins or 0) for one in done):
            until = min(self.plan.minutes, self.minute() + _PATIENCE)
            while self._ended is None and self.minute() < until:
                await asyncio.sleep(30)
        raise _Over

    # --- what the incident does -------------------------------------------------------------------

    async def _go_wrong(self) -> None:
        self._undone = asyncio.Event()
        incident = self.plan.incident
        if incident is None:
            return
        await asyncio.sleep(60 * ((self.plan.begins or 0.0) - self.minute()))
        self._events.append(Event(self.minute(), "began"))
        with incident.happening(self._world):
            if self._world.model.rewrite is not None:
                self._world.model.rewrite = self._remembered(self._world.model.rewrite)
            await self._undone.wait()

    def _remembered(self, rewrite: Rewrite) -> Rewrite:
        """The same, and it is known which answers it has changed."""

        def remembered(question: str, answer: str) -> str:
            found = rewrite(question, answer)
            if found != answer:
                self._rewritten.add(found)
            return found

        return remembered

    async def _measure(self) -> None:
        """See whether it is over, each half minute."""
        while self._ended is None:
            await asyncio.sleep(30)
            now = self.minute()
            if self._worked is not None and now >= self._worked + BACK_MINUTES:
                harmed, of = self._harmed(now - BACK_MINUTES)
                if harmed <= (BACK_SHARE * of if self.plan.kind == "model down" else 0):
                    self._ended = now
                    self._events.append(Event(now, "ended", f"{harmed} of {of} answers harmed"))

    def _harmed(self, since: float) -> tuple[int, int]:
        """How many answers the incident has harmed since a minute, and of how many."""
        plan, rows = self.plan, self.answers(since)
        if plan.kind == "model down":
            bad = [one for one in rows if one["failed"] not in ("", *OWN_LIMITS)]
        elif plan.kind == "bad release":
            bad = [one for one in rows if one["answer"] in self._rewritten]
        elif plan.kind == "cost spike":
            bad = [one for one in rows if one["customer"] == plan.about and not one["failed"]]
        else:
            bad = [one for one in rows if one["addresses"]]
        return len(bad), len(rows)

    # --- what the console shows -------------------------------------------------------------------

    @property
    def prometheus(self) -> str | None:
        """See `Running`."""
        return None if self.watching is None else self.watching.prometheus.url

    def minute(self) -> float:
        """See `Running`."""
        return (time.time() - self.plan.start.timestamp()) / 60

    def answers(self, since: float) -> list[dict[str, Any]]:
        """See `Running`."""
        for one in self._found.answers[self._read :]:
            self._rows.append(self._row(one))
        for canary, result in self._found.checked[self._probed :]:
            self._rows.append(self._row(canary) | {"customer": "", "canary": result})
        self._read, self._probed = len(self._found.answers), len(self._found.checked)
        self._rows.sort(key=lambda one: one["minute"])
        return [one for one in self._rows if one["minute"] > since]

    def _row(self, one: Answered) -> dict[str, Any]:
        return {
            "minute": (one.at - self.plan.start.timestamp()) / 60,
            "customer": one.request.customer or "",
            "intent": one.request.intent,
            "question": one.request.text,
            "answer": one.text,
            "document": self._documents.get(one.request_id, ""),
            "failed": one.failed or ("" if one.status == 200 else str(one.status)),
            "addresses": foreign_addresses(one.text),
            "canary": "",
        }

    def usd(self, since: float) -> float:
        """See `Running`."""
        first = self.plan.start.timestamp() + 60 * since
        return sum(one.get("cost_usd") or 0.0 for one in self._found.log if one["at"] > first)

    def firing(self) -> list[Page]:
        """See `Running`: Prometheus' alerts, or on simulated time those of the same rules."""
        if self.watching is None:
            return self._alerts.update(self)
        return self._alerts.seen(self.watching.firing(), self.minute())

    def _watch(self, turn: Turn, outcome: Outcome) -> None:
        if outcome.passages:
            self._documents[str(turn.request_id)] = outcome.passages[-1]["document"]

    # --- what the operator does -------------------------------------------------------------------

    @property
    def _right(self) -> str:
        """The action that ends the incident, as an event names it."""
        action = RIGHT.get(self.plan.kind, "")
        return f"{action} {self.plan.about if action in ('limit', 'withdraw') else ''}".strip()

    def do(self, action: str, about: str) -> None:
        """See `Running`."""
        # Before it has begun, nothing can be undone: the same action is a wrong one then.
        begun = self.plan.begins is not None and self.minute() >= self.plan.begins
        right = begun and f"{action} {about}".strip() == self._right
        task = asyncio.create_task(self._work(action, about, right=right))
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)

    async def _work(self, action: str, about: str, *, right: bool) -> None:
        await asyncio.sleep(60 * TAKES[action])
        if action == "limit":
            self._limits.customers.add(about)
        elif action == "withdraw":
            self._search.withdrawn.add(about)
        elif right:
            self._undone.set()
            await asyncio.sleep(0)  # until the incident has left the world
        if action == "switch-model":
            self._world.model.failing = max(FAILING, self._world.model.failing if not right else 0)
            self._world.priced_as = FALLBACK
            self._day.reprice()
        self._events.append(Event(self.minute(), "works", f"{action} {about}".strip()))
        if right and self._worked is None:
            self._worked = self.minute()

    # --- what came of it --------------------------------------------------------------------------

    def result(self) -> Drilled:
        """The figures."""
        begins = self.plan.begins
        after = [one for one in self._events if begins is None or one.minute >= begins]

        def since(minute: float | None) -> float | None:
            return None if minute is None or begins is None else minute - begins

        def first(*kinds: str, detail: str | None = None) -> float | None:
            times = (
                one.minute
                for one in after
                if one.what in kinds and (detail is None or one.detail == detail)
            )
            return next(times, None)

        def wrong(what: str, right: str) -> list[str]:
            """Also what would have been right, before it had begun."""
            return [
                one.detail
                for one in self._events
                if one.what == what and (one.detail != right or one not in after)
            ]

        return Drilled(
            plan=self.plan,
            events=self._events,
            noticed=since(first("noticed", "diagnosed", "acted")),
            diagnosed=since(first("diagnosed", detail=self.plan.kind)),
            ended=since(self._ended),
            wrong_diagnoses=wrong("diagnosed", self.plan.kind),
            wrong_actions=wrong("acted", self._right),
            harmed=0 if self.plan.kind == QUIET else self._harmed(begins or 0.0)[0],
            answers=self.answers(0.0),
        )


@contextmanager
def _watched(drill: _Drill, lapse: float) -> Iterator[Watching]:
    """A Prometheus that watches the drill, for a block."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=drill.metrics)
    try:
        scraped = Scraped(f"http://127.0.0.1:{server.server_port}/metrics", frozenset())
        rules = alerts.scaled(alerts.RULES.read_text("utf-8"), lapse)
        with watched(scraped, rules, alertmanager=False, scrape_s=_SCRAPE_S / lapse) as watching:
            yield watching
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
