"""What clients see of the queue of exercise 05.2, as plain values."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from helpers.course.exercises.m05.live import (
    ALL,
    QUESTION,
    Event,
    asking,
    clients_of,
    events_of,
    leave,
    until,
)
from helpers.testbed import Breaks, Clients, HeldModel, Seen

MakeQueue = Callable[..., Any]
"""A function from the model, `running`, `waiting`, `patience` and `each` to an app."""

LATE_S = 0.5
"""How much later than its patience a refusal may come."""


@asynccontextmanager
async def _queue(
    make: MakeQueue,
    *,
    running: int,
    waiting: int,
    patience: float = 5.0,
    each: int = 8,
    answer: Any = "One two three",
) -> AsyncIterator[tuple[HeldModel, Clients]]:
    model = HeldModel(answer=answer)
    app = make(model, running=running, waiting=waiting, patience=patience, each=each)
    async with clients_of(app) as clients:
        try:
            yield model, clients
        finally:
            model.let(ALL)


def told(seen: Seen) -> str:
    """A refusal or an answer in words: what the client was told."""
    if seen.status == 200:
        return seen.outcome
    after = seen.headers.get("retry-after")
    return f"{seen.status}, Retry-After: {after}" if after else f"{seen.status}"


async def full_house(make: MakeQueue) -> dict[str, object]:
    """Eight strangers at once, with 2 places and 3 to wait at: what becomes of them."""
    async with _queue(make, running=2, waiting=3) as (model, clients):
        tasks = [asking(clients, f"client {number}") for number in range(8)]
        await until(lambda: sum(task.done() for task in tasks) >= 3)
        refused = sorted(told(task.result()) for task in tasks if task.done())
        model.let(ALL)
        answers = await asyncio.gather(*tasks)
        return {
            "refused at once": refused,
            "answered": sum(seen.outcome == "answered" for seen in answers),
            "most at the model": model.most_in_flight,
        }


async def shares(make: MakeQueue) -> list[str]:
    """One caller has an answer and waits for one, and may have two: what its third is told.

    Then what another caller is told, and the first one when its two have ended.
    """
    async with _queue(make, running=1, waiting=3, each=2) as (model, clients):
        first = [asking(clients, "customer 1042 a") for _ in range(2)]
        await until(lambda: model.in_flight == 1)
        await asyncio.sleep(0.05)  # so that the second one waits
        third = asking(clients, "customer 1042 a")
        await until(third.done, 0.5)
        other = asking(clients, "customer 1042 b")
        await asyncio.sleep(0.05)
        model.let(ALL)
        seen = [await third, await other]
        await asyncio.gather(*first)
        seen.append(await clients.ask(QUESTION, client="customer 1042 a"))
        return [told(one) for one in seen]


async def full_and_greedy(make: MakeQueue) -> dict[str, str]:
    """All places are taken, three of them by one caller, who may have three."""
    async with _queue(make, running=2, waiting=2, each=3) as (model, clients):
        inside = [asking(clients, name) for name in ("greedy", "greedy", "greedy", "other")]
        await until(lambda: model.in_flight == 2)
        await asyncio.sleep(0.05)
        tasks = {name: asking(clients, name) for name in ("greedy", "other", "stranger")}
        await until(lambda: all(task.done() for task in tasks.values()), 0.5)
        model.let(ALL)
        await asyncio.gather(*inside)
        return {name: told(await task) for name, task in tasks.items()}


async def patience(make: MakeQueue) -> dict[str, str]:
    """How long a client waits behind an answer that takes longer, and whether it is let in then."""
    impatient, patient = await asyncio.gather(_out_of_patience(make), _in_time(make))
    return impatient | {"patience 2: waits 0.35 s": patient}


async def _out_of_patience(make: MakeQueue) -> dict[str, str]:
    async with _queue(make, running=1, waiting=1, patience=0.2) as (model, clients):
        long = asking(clients, "long")
        await until(lambda: model.in_flight == 1)
        vain = asking(clients, "vain")
        model.let(3 if await until(vain.done) else ALL)
        seen = await vain
        took = "" if 0.15 <= seen.took <= 0.2 + LATE_S else f"{seen.took:.1f} s, then "
        found = {"patience 0.2: waits": f"{took}{told(seen)}"}
        found["patience 0.2: has its place"] = told(await long)
        one = asking(clients, "later")
        await until(lambda: model.in_flight == 1)
        two = asking(clients, "last")
        await asyncio.sleep(0.05)
        three = asking(clients, "too many")
        await until(three.done, 0.15)
        model.let(ALL)
        found |= {"later: has its place": told(await one), "later: waits": told(await two)}
        return found | {"later: one more": told(await three)}


async def _in_time(make: MakeQueue) -> str:
    async with _queue(make, running=1, waiting=1, patience=2) as (model, clients):
        long = asking(clients, "long")
        await until(lambda: model.in_flight == 1)
        waiter = asking(clients, "patient")
        await asyncio.sleep(0.35)
        model.let(ALL)
        await long
        return told(await waiter)


def _answer(messages: list[Any]) -> str | Breaks:
    return Breaks("One two three", 1) if "break" in messages[-1].text else "One two three"


ENDS = {
    "after an answer": {"message": "weight?"},
    "after the model failed": {"message": "break"},
    "after its client left": {"message": "weight?"},
    "after a bad body": {"message": ""},
}


async def free_again(make: MakeQueue) -> dict[str, list[str]]:
    """One place, none to wait at: what is told during a first request, and after it."""
    ends = await asyncio.gather(*(_around(make, how, body) for how, body in ENDS.items()))
    return dict(zip(ENDS, ends, strict=True))


async def _around(make: MakeQueue, how: str, body: dict[str, str]) -> list[str]:
    found = []
    async with _queue(make, running=1, waiting=0, each=1, answer=_answer) as (model, clients):
        first = asking(clients, "first", body)
        if "bad body" not in how:
            await until(lambda: model.in_flight == 1)
            second = asking(clients, "second")
            await until(second.done, 0.3)
            if not second.done():
                model.let(ALL)
            found.append(told(await second))
        if "left" in how:
            await leave(first)
            await until(lambda: not model.in_flight)
        model.let(ALL)
        await asyncio.wait([first])
        await asyncio.sleep(0.05)  # for what follows the last byte on the server's side
        found += [told(await clients.ask(QUESTION, client=name)) for name in ("third", "first")]
    return found


async def two_apps(make: MakeQueue) -> list[list[Event]]:
    """What a client reads of two answers of an app, while another app of another model is full."""
    async with (
        _queue(make, running=1, waiting=0) as (model, busy),
        _queue(make, running=1, waiting=0, answer=_echo) as (other, clients),
    ):
        first = asking(busy, "first")
        await until(lambda: model.in_flight == 1)
        other.let(ALL)
        asked = [{"message": "a tent"}, {"message": "a stove for two"}]
        try:
            return [await events_of(clients, body) for body in asked]
        finally:
            model.let(ALL)
            await first


def _echo(messages: list[Any]) -> str:
    return str(messages[-1].text)
