"""The gate of exercise 05.6: what a service has to withstand.

A time to the first token is never judged in seconds: it is divided by that of a client who is
alone, in the same run. A ratio that misses its limit narrowly is measured again, because the
machine may have been busy.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

import httpx2

from helpers.course.exercises.m05.live import ALL, QUESTION, asking, clients_of, leave, until
from helpers.course.limits import time_factor
from helpers.testbed import Breaks, Clients, FallsSilent, Seen, SlowModel, burst, percentile

MakeService = Callable[..., Any]
"""A function from the model and `silence`, in seconds, to an app."""

AT_MOST = 5.0
"""Times the first token of a client who is alone. The model runs 4 streams at full speed."""

STRANGERS, GREEDY = 32, 24
LEAST_ANSWERED = 4
LATE_S = 0.5
"""How much later than `silence` an answer may end at which the model is silent."""

TEXT = 'The Alta 2\nweighs "2.1 kg"\n\nwithout pegs.'
"""With what breaks an event that is written by hand: quotes, and line breaks."""

_NARROW = 1.5
_TRIES = 3

BAD_BODIES: Mapping[str, bytes] = {
    "no JSON": b"{message: hello",
    "nothing": b"",
    "no message": b"{}",
    "a list": b"[1, 2]",
    "a number as message": b'{"message": 7}',
    "null as message": b'{"message": null}',
    "an empty message": b'{"message": ""}',
    "no UTF-8": b'{"message": "\xff\xfe"}',
    "2,001 characters": b'{"message": "' + b"x" * 2001 + b'"}',
    "300,000 characters": b'{"message": "' + b"word " * 60_000 + b'"}',
}


def _model() -> SlowModel:
    """Alone, a client has its first word after 0.25 s, and the eighth and last after 0.6 s.

    So an answer takes 2.4 times as long as its first word. With 4 at the model, the first word of
    who waits for one round comes after 3.4 times as long as alone, after two rounds 5.8 times. With
    8 at the model and 8 that wait it is 6.8 times.
    """
    return SlowModel(delay_s=0.2, token_s=0.05, full_speed=4)


async def bad_bodies(make: MakeService) -> dict[str, int]:
    """The status that each bad body gets, 0 for a stream that was begun and cut.

    Under "questions to the model": how many it was asked for them.
    """
    model = SlowModel()
    async with clients_of(make(model, silence=1.0)) as clients:
        found = {}
        for name, body in BAD_BODIES.items():
            headers = {"content-type": "application/json", "x-caller": f"sender of {name}"}
            found[name] = 0
            with suppress(httpx2.TransportError):
                reply = await clients.http.post(clients.path, content=body, headers=headers)
                found[name] = reply.status_code
        return {**found, "questions to the model": model.calls}


async def failing_model(make: MakeService) -> dict[str, object]:
    """How answers end, one after another, of which the model breaks off every second one."""
    kinds = {
        "after 3 words": Breaks(TEXT, after=3),
        "at once": Breaks(TEXT, after=0, error=ConnectionError("refused")),
    }

    def answer(messages: list[Any]) -> str | Breaks:
        return kinds.get(messages[-1].text, TEXT)

    answered, failed = list[Seen](), dict.fromkeys(kinds, "not tried")
    async with clients_of(make(SlowModel(answer=answer), silence=1.0)) as clients:
        for number in range(4):
            answered.append(await clients.ask(QUESTION, client="one"))
            if answered[-1].outcome == "refused":
                break  # the others would wait as long, and be refused, too
            for name in kinds:
                seen = await clients.ask({"message": name}, client=f"client {number}")
                failed[name] = seen.outcome
        whole = {"".join(one.texts) for one in answered}
        return {
            "when it answers": sorted({one.outcome for one in answered}),
            "text": whole.pop() if len(whole) == 1 else sorted(whole),
            **{f"when it fails {name}": outcome for name, outcome in failed.items()},
        }


async def silent_model(make: MakeService) -> dict[str, str]:
    """How answers end in which the model falls silent, then a good one; and slow ones."""
    silent, slow = await asyncio.gather(_silent(make), _slow(make))
    return {**silent, "silence 1.2: a word every 0.55 s": slow}


async def _silent(make: MakeService) -> dict[str, str]:
    def answer(messages: list[Any]) -> str | FallsSilent:
        words = {"at once": 0, "after 2 words": 2}.get(messages[-1].text)
        return TEXT if words is None else FallsSilent(TEXT, after=words)

    async with clients_of(make(SlowModel(answer=answer), silence=0.3)) as clients:
        names = ["at once", "after 2 words", "after 2 words", "after 2 words"]
        seen = await asyncio.gather(
            *(clients.ask({"message": name}, client=f"{n}") for n, name in enumerate(names))
        )
        found = {
            f"silence 0.3: silent {name}": _ended(one)
            for name, one in zip(names[:2], seen, strict=False)
        }
        found["the next client"] = (await clients.ask(QUESTION, client="next")).outcome
        return found


def _ended(seen: Seen) -> str:
    late = seen.took > 0.3 + LATE_S * time_factor()
    return f"{seen.outcome} after {seen.took:.1f} s" if late else seen.outcome


async def _slow(make: MakeService) -> str:
    model = SlowModel(answer="It weighs 2.1 kg", token_s=0.55)
    async with clients_of(make(model, silence=1.2), patience_s=6.0) as clients:
        return (await clients.ask(QUESTION, client="slow")).outcome


async def clients_who_leave(make: MakeService) -> dict[str, object]:
    """Twelve clients leave in the middle of their answers, four at once: what the next ones get."""

    def answer(messages: list[Any]) -> str:
        return "word " * 60 if messages[-1].text == "long" else TEXT

    model = SlowModel(answer=answer, token_s=0.04, full_speed=4)
    async with clients_of(make(model, silence=1.0)) as clients:
        for group in range(3):
            names = [f"leaver {group}{number}" for number in range(4)]
            tasks = [asking(clients, name, {"message": "long"}) for name in names]
            await until(lambda: model.in_flight > 0, 0.5)
            for task in tasks:
                await leave(task)
        stopped = await until(lambda: model.in_flight == 0)
        next_ones = [clients.ask(QUESTION, client=f"next {number}") for number in range(4)]
        answered = sum(one.outcome == "answered" for one in await asyncio.gather(*next_ones))
        return {"model stopped": stopped, "next answered": answered}


@dataclass(frozen=True)
class Burst:
    """What a load has shown.

    Attributes:
        asked: requests.
        answered: those with a whole answer.
        others: the others by what they were told, such as {"503": 26}.
        ratio: 95th percentile of the time to the first token of those answered, divided by that of
            a client who is alone; None where nobody was answered.
    """

    asked: int
    answered: int
    others: Mapping[str, int]
    ratio: float | None

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.others.items())
        return (
            f"{self.answered} of {self.asked} answered"
            + (f", {told}" if told else "")
            + (f"; first token after {self.ratio:.1f} times as long as alone" if self.ratio else "")
        )


async def strangers(make: MakeService) -> Burst:
    """32 clients at the same moment."""
    return await _again(lambda: _strangers(make))


async def beside_a_greedy_one(make: MakeService) -> Burst:
    """A polite client asks two questions beside one who asks 24 at once, again and again."""
    return await _again(lambda: _polite(make))


async def _again(measure: Callable[[], Awaitable[Burst]]) -> Burst:
    """The first burst within the limit; one that misses it narrowly is measured up to 3 times."""
    found = await measure()
    for _ in range(_TRIES - 1):
        if not AT_MOST < _ratio(found) <= _NARROW * AT_MOST:
            break
        found = min(found, await measure(), key=_ratio)
    return found


def _ratio(found: Burst) -> float:
    return math.inf if found.ratio is None else found.ratio


async def _strangers(make: MakeService) -> Burst:
    async with clients_of(make(_model(), silence=1.0), patience_s=10.0) as clients:
        before = await clients.ask(QUESTION, client="alone")
        load = await burst(clients, [QUESTION] * STRANGERS)
        after = await clients.ask(QUESTION, client="alone")
        return _judged(list(load.seen), [before, after])


async def _polite(make: MakeService) -> Burst:
    async with clients_of(make(_model(), silence=1.0), patience_s=10.0) as clients:
        alone = await clients.ask(QUESTION, client="alone")
        async with _greedy(clients) as refused:
            seen = [await clients.ask(QUESTION, client="polite")]
            if seen[0].outcome == "answered":
                seen.append(await clients.ask(QUESTION, client="polite"))
        untold = Counter(told for told in map(_told, refused) if "without" in told)
        found = _judged(seen, [alone])
        return replace(found, others={**found.others, **untold})


@asynccontextmanager
async def _greedy(clients: Clients) -> AsyncIterator[list[Seen]]:
    """One caller who has 24 connections, and asks again whenever one is answered or refused.

    Yields a list that grows by what it saw where it was not answered.
    """
    refused = list[Seen]()

    async def ask_on(number: int) -> None:
        for _ in range(ALL):
            seen = await clients.ask(QUESTION, client="greedy")
            if seen.outcome != "answered":
                refused.append(seen)
                await asyncio.sleep(0.1 + 0.002 * number)

    tasks = [asyncio.create_task(ask_on(number)) for number in range(GREEDY)]
    await asyncio.sleep(0.15)
    try:
        yield refused
    finally:
        for task in tasks:
            await leave(task)


def _judged(seen: list[Seen], alone: list[Seen]) -> Burst:
    waited = [one.waited for one in seen if one.outcome == "answered" and one.waited is not None]
    others = Counter(_told(one) for one in seen if one.outcome != "answered")
    compared = [one.waited for one in alone if one.outcome == "answered" and one.waited is not None]
    slowest = percentile(waited, 0.95)
    ratio = slowest / mean(compared) if slowest is not None and compared else None
    return Burst(len(seen), len(waited), dict(others), ratio)


def _told(seen: Seen) -> str:
    if seen.outcome != "refused":
        return seen.outcome
    polite = seen.headers.get("retry-after", "").isdecimal()
    return f"{seen.status}" if polite else f"{seen.status} without Retry-After"
