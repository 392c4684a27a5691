"""The gate of exercise 05.6: what a service must stand, and the same figures for its table.

A time to first token is never judged in seconds: it is divided by that of a client who is alone,
taken just before and just after in the same run. A ratio that misses its limit narrowly is taken
again, because the machine may have been busy.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from statistics import mean

import httpx2

from helpers.course.exercises.m05_given import WORDS, SlowModel
from helpers.course.exercises.m05_runs import ALL, MakeApp, clients_of, leave, until
from helpers.course.exercises.m05_serving import Clients, Seen, percentile

AT_MOST = 5.0
"""Times the first token of a client who is alone. The model runs 4 streams at full speed."""

STRANGERS, GREEDY = 32, 24
LEAST_ANSWERED = 4

_NARROW = 1.5
_TRIES = 3

BAD_BODIES: dict[str, bytes] = {
    "no JSON": b"{message: hello",
    "no message": b"{}",
    "a list": b"[1, 2]",
    "a number as message": b'{"message": 7}',
    "an empty message": b'{"message": ""}',
    "no UTF-8": b'{"message": "\xff\xfe"}',
    "300,000 characters": b'{"message": "' + b"word " * 60_000 + b'"}',
}


def _model(step: float) -> SlowModel:
    """Alone, a client has its first word after six steps, and the fourth and last after nine."""
    return SlowModel(WORDS[:4], step=step, batch=4, reading=5)


async def bad_bodies(make: MakeApp) -> dict[str, int]:
    """The status that each bad body gets, 0 for a stream that was begun and cut.

    Under "questions to the model": how many it was asked for them.
    """
    model = SlowModel()
    async with clients_of(make(model)) as clients:
        found = {}
        for name, body in BAD_BODIES.items():
            headers = {"content-type": "application/json", "x-caller": "abuser"}
            found[name] = 0
            with suppress(httpx2.TransportError):
                reply = await clients.http.post(clients.path, content=body, headers=headers)
                found[name] = reply.status_code
        return found | {"questions to the model": model.started}


async def failing_model(make: MakeApp) -> dict[str, object]:
    """How eight answers end of which the model fails in every second one, one after another."""
    async with clients_of(make(SlowModel())) as clients:
        seen = [
            await clients.ask("break" if number % 2 else "weight?", client=f"client {number}")
            for number in range(8)
        ]
        whole = {"".join(one.texts) for one in seen[::2]}
        return {
            "when it answers": sorted({one.outcome for one in seen[::2]}),
            "text": whole.pop() if len(whole) == 1 else sorted(whole),
            "when it fails": sorted({one.outcome for one in seen[1::2]}),
        }


async def silent_model(make: MakeApp) -> list[str]:
    """How four answers end at which the model falls silent, and then one at which it does not."""
    async with clients_of(make(SlowModel()), patience_s=2.0) as clients:
        asked = (clients.ask("hang", client=f"client {number}") for number in range(4))
        seen = await asyncio.gather(*asked)
        after = await clients.ask("weight?")
        return [*sorted({one.outcome for one in seen}), after.outcome]


async def clients_who_leave(make: MakeApp) -> dict[str, object]:
    """Twelve clients leave in the middle of their answers, four at once: what the next ones get."""
    model = _model(step=0.02)
    async with clients_of(make(model)) as clients:
        for group in range(3):
            tasks = [
                asyncio.create_task(clients.ask("weight?", client=f"leaver {group}{number}"))
                for number in range(4)
            ]
            await until(lambda: model.running > 0, 0.5)
            for task in tasks:
                await leave(task)
        stopped = await until(lambda: model.running == 0)
        next_ones = [clients.ask("weight?", client=f"next {number}") for number in range(4)]
        answered = sum(one.outcome == "answered" for one in await asyncio.gather(*next_ones))
        return {"model stopped": stopped, "next answered": answered}


@dataclass(frozen=True)
class Load:
    """What a burst has shown.

    Attributes:
        asked: requests.
        answered: those with a whole answer.
        refused: the others by what they were told, such as {"503": 26}.
        ratio: 95th percentile of the time to first token of those answered, divided by that of a
            client who is alone; infinite where nobody was answered.
    """

    asked: int
    answered: int
    refused: dict[str, int]
    ratio: float

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.refused.items())
        return (
            f"{self.answered} of {self.asked} answered"
            + (f", {told}" if told else "")
            + f"; first token after {self.ratio:.1f} times as long as alone"
        )


async def strangers(make: MakeApp) -> Load:
    """32 clients at the same moment."""
    return await _again(lambda: _strangers(make))


async def beside_a_greedy_one(make: MakeApp) -> Load:
    """A polite client asks two questions beside one who asks 24 at once, again and again."""
    return await _again(lambda: _polite(make))


async def _again(measure: Callable[[], Awaitable[Load]]) -> Load:
    """The first load within the limit; one that misses it narrowly is taken up to three times."""
    found = await measure()
    for _ in range(_TRIES - 1):
        if not AT_MOST < found.ratio <= _NARROW * AT_MOST:
            break
        found = min(found, await measure(), key=lambda load: load.ratio)
    return found


async def _strangers(make: MakeApp) -> Load:
    async with clients_of(make(_model(step=0.02))) as clients:
        before = await _alone(clients)
        seen = await clients.burst(["weight?"] * STRANGERS)
        return load_of(seen, [before, await _alone(clients)])


async def _polite(make: MakeApp) -> Load:
    async with clients_of(make(_model(step=0.02))) as clients:
        alone = await _alone(clients)
        async with _greedy(clients):
            first = await clients.ask("weight?", client="polite")
            if percentile([first.waited], 1) > _NARROW * AT_MOST * alone:
                return load_of([first], [alone])
            second = await clients.ask("weight?", client="polite")
        return load_of([first, second], [alone])


@asynccontextmanager
async def _greedy(clients: Clients) -> AsyncIterator[None]:
    """One caller who holds 24 connections, and asks anew whenever one is answered or refused."""

    async def ask_on(number: int) -> None:
        for _ in range(ALL):
            seen = await clients.ask("weight?", client="greedy")
            if seen.outcome != "answered":
                await asyncio.sleep(0.1 + 0.002 * number)

    tasks = [asyncio.create_task(ask_on(number)) for number in range(GREEDY)]
    await asyncio.sleep(0.15)
    try:
        yield
    finally:
        for task in tasks:
            await leave(task)


async def _alone(clients: Clients) -> float:
    """Seconds to the first token of a client who is alone; infinite without an answer."""
    seen = await clients.ask("weight?", client="alone")
    return percentile([seen.waited], 1)


def load_of(seen: list[Seen], alone: list[float]) -> Load:
    """What clients saw under load, beside the seconds to the first token of one who was alone."""
    answered = [one.waited for one in seen if one.outcome == "answered"]
    others = Counter(_told(one) for one in seen if one.outcome != "answered")
    comparable = answered and mean(alone) < math.inf
    ratio = percentile(answered, 0.95) / mean(alone) if comparable else math.inf
    return Load(len(seen), len(answered), dict(others), ratio)


def _told(seen: Seen) -> str:
    if seen.outcome != "refused":
        return seen.outcome
    polite = (seen.retry_after or "").isdecimal()
    return f"{seen.status}" if polite else f"{seen.status} without Retry-After"
