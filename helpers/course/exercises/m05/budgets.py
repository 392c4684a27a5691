"""What the budget of exercise 05.4 lets in, and what the store holds then, as plain values."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from helpers.course.exercises.m05.live import until
from helpers.testbed import Store
from helpers.testbed.store import OverBudget, Spent

Spend = Callable[[Store, str, int, int], AbstractAsyncContextManager[Spent]]


class _Watched(Store):
    """A store that keeps what is written, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[str, int]] = []

    async def set(self, key: str, value: int) -> None:
        self.writes.append((key, value))
        await super().set(key, value)

    async def add(self, key: str, amount: int) -> int:
        total = await super().add(key, amount)
        self.writes.append((key, total))
        return total

    async def compare_and_set(self, key: str, old: int, new: int) -> bool:
        written = await super().compare_and_set(key, old, new)
        if written:
            self.writes.append((key, new))
        return written


async def booked(spend: Spend) -> list[Any]:
    """Two customers' numbers inside and after three requests: of 12, 60 and 0 tokens.

    Up to the first one that is refused.
    """
    store = Store()
    found = list[Any]()
    with suppress(OverBudget):
        await _book_three(spend, store, found)
        return found
    return [*found, "OverBudget"]


async def _book_three(spend: Spend, store: Store, found: list[Any]) -> None:
    for key, limit, most, used in [("C-1", 100, 30, 12), ("C-2", 50, 50, 60), ("C-1", 41, 29, 0)]:
        async with spend(store, key, limit, most) as spent:
            inside = {f"{name} inside": await store.get(name) for name in ("C-1", "C-2")}
            began = spent.tokens
            spent.tokens += used
        after = {f"{name} after": await store.get(name) for name in ("C-1", "C-2")}
        found.append({"tokens at first": began} | inside | after)


async def to_the_limit(spend: Spend) -> list[str]:
    """Requests one inside another, of budgets that some of them fill exactly."""
    told = list[str]()
    for key, before, limit, sizes in [("C-1", 0, 100, (40, 40, 20, 1)), ("C-2", 25, 60, (35, 1))]:
        store = Store()
        await store.set(key, before)
        told += await _one_inside_another(spend, store, key, limit, sizes)
    return told


async def _one_inside_another(
    spend: Spend, store: Store, key: str, limit: int, sizes: tuple[int, ...]
) -> list[str]:
    if not sizes:
        return []
    try:
        async with spend(store, key, limit, sizes[0]) as spent:
            told = f"{await store.get(key)} of {limit} reserved"
            inner = await _one_inside_another(spend, store, key, limit, sizes[1:])
            spent.tokens = sizes[0]
            return [told, *inner]
    except OverBudget:
        return ["OverBudget"]


REFUSED = [(51, 80), (80, 80), (1000, 80), (0, 29)]
"""Tokens and limits of requests that do not fit where 30 are used."""


async def refused(spend: Spend) -> dict[str, object]:
    """What is written when a request does not fit, of 50 tokens that another one has left."""
    store = _Watched()
    await store.set("C-7", 30)
    found: dict[str, object] = {}
    for most, limit in REFUSED:
        before = list(store.writes)
        try:
            async with spend(store, "C-7", limit, most):
                found[f"{most} of {limit}"] = "let in"
        except OverBudget:
            written = store.writes[len(before) :]
            found[f"{most} of {limit}"] = f"refused, written: {written or 'nothing'}"
    return found


class _Distant(Store):
    """A store whose answers take a moment on their way, in which others write."""

    async def get(self, key: str) -> int:
        number = await super().get(key)
        await asyncio.sleep(0.003)
        return number


async def overlapping(spend: Spend) -> dict[str, list[int]]:
    """The numbers of two customers whose requests overlap, and what each has used at first."""
    store, found = _Watched(), dict[str, list[int]]()
    async with spend(store, "C-1", 100, 30) as one:
        found["tokens at first"] = [one.tokens]
        one.tokens += 12
        async with spend(store, "C-2", 50, 20) as two:
            found["tokens at first"].append(two.tokens)
            two.tokens += 7
        one.tokens += 1
    for customer in ("C-1", "C-2"):
        found[customer] = [number for key, number in store.writes if key == customer]
    return found


class _BrokenError(RuntimeError):
    """What ends the block of a request."""


async def cut_short(
    spend: Spend, *, cancelled: bool = False, over: bool = False
) -> tuple[str, int]:
    """How a request ends that breaks after 5 of at most 30 tokens, and what it has cost.

    By its client's leaving, by an `OverBudget` that is not its own, or by another error.
    """
    store, inside = Store(), asyncio.Event()
    broken = OverBudget("of another budget") if over else _BrokenError("the model's process ended")

    async def request() -> None:
        async with spend(store, "C-3", 70, 30) as spent:
            spent.tokens = 5
            inside.set()
            if not cancelled:
                raise broken
            await asyncio.sleep(60)

    task = asyncio.create_task(request())
    if cancelled:
        waiting = asyncio.create_task(inside.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        task.cancel()
    await asyncio.wait([task])
    if task.cancelled():
        return "cancelled", await store.get("C-3")
    error = task.exception()
    ended = "its error" if error is broken else type(error).__name__ if error else "returned"
    if error and error is not broken and not isinstance(error, asyncio.CancelledError):
        raise error
    return ended, await store.get("C-3")


BUDGETS = {"C-1": (100, 10), "C-2": (60, 20)}
"""The limit of each customer's budget, and the most that a request may take."""


async def two_workers(spend: Spend) -> dict[str, str]:
    """Forty requests at once, half of them in a second worker: a thread with a loop of its own.

    Twenty of each customer, each of which uses 7 tokens.
    """
    store = _Distant()
    decided: list[tuple[str, bool]] = []

    async def request(key: str) -> None:
        limit, most = BUDGETS[key]
        try:
            async with spend(store, key, limit, most) as spent:
                decided.append((key, True))
                await until(lambda: len(decided) == 40)
                spent.tokens = 7
        except OverBudget:
            decided.append((key, False))

    async def worker() -> None:
        await asyncio.gather(*(request(key) for _ in range(10) for key in BUDGETS))

    await asyncio.gather(asyncio.to_thread(lambda: asyncio.run(worker())), worker())
    return {
        key: f"{decided.count((key, True))} let in, {await store.get(key)} used" for key in BUDGETS
    }


async def big_and_small(spend: Spend) -> dict[str, int]:
    """A request that does not fit and five that do, at the same moment."""
    store = Store()
    await store.set("C-1", 50)
    let_in = {"of 80 tokens": 0, "of 10 tokens": 0}
    everybody = asyncio.Event()

    async def request(most: int) -> None:
        with suppress(OverBudget):
            async with spend(store, "C-1", 100, most):
                let_in[f"of {most} tokens"] += 1
                await everybody.wait()

    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(request(most)) for most in (80, 10, 10, 10, 10, 10)
    ]
    await until(lambda: sum(let_in.values()) + sum(task.done() for task in tasks) >= 6)
    everybody.set()
    await asyncio.gather(*tasks)
    return let_in
