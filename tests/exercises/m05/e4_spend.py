"""Answers to exercise 05.4, right and wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.testbed.store import OverBudget, Spent, Store

Book = Callable[[Store, str, int, int], Awaitable[None]]


async def reserve(store: Store, key: str, limit: int, most: int, *, full: int = 0) -> None:
    while True:
        used = await store.get(key)
        if used + most + full > limit:
            raise OverBudget
        if await store.compare_and_set(key, used, used + most):
            return


def settling(book: Book = reserve) -> object:
    """A budget that settles as it should, and books by `book`."""

    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await book(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens - most)

    return spend


def ending(end: Callable[[Store, str, int, Spent], Awaitable[Any]]) -> object:
    """A budget that reserves as it should, and ends by `end`."""

    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        finally:
            await end(store, key, most, spent)

    return spend


async def look_and_book(store: Store, key: str, limit: int, most: int) -> None:
    if await store.get(key) + most > limit:
        raise OverBudget
    await store.add(key, most)


@wrong("Books nothing.", slip="nothing")
def books_nothing() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        yield Spent()

    return spend


@wrong("Counts afterwards what was used.", slip="not-reserved")
def counts_afterwards() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        if await store.get(key) + most > limit:
            raise OverBudget
        spent = Spent()
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens)

    return spend


@wrong("Gives nothing back.", slip="not-settled")
def gives_nothing_back() -> object:
    async def end(store: Store, key: str, most: int, spent: Spent) -> None:
        return

    return ending(end)


@wrong("Charges on top of the reservation.", slip="on-top")
def charges_on_top() -> object:
    return ending(lambda store, key, most, spent: store.add(key, spent.tokens))


@wrong("Never charges more than was reserved.")
def never_more() -> object:
    return ending(lambda store, key, most, spent: store.add(key, min(spent.tokens, most) - most))


@wrong("One account for all keys.", slip="one-key")
def one_account() -> object:
    inner: Any = settling()
    return lambda store, key, limit, most: inner(store, "C-1", limit, most)


@wrong("Its own limit of 100.", slip="one-limit")
def own_limit() -> object:
    inner: Any = settling()
    return lambda store, key, limit, most: inner(store, key, 100, most)


@wrong("The store of the first call.")
def first_store() -> object:
    stores: list[Store] = []
    inner: Any = settling()

    def spend(store: Store, key: str, limit: int, most: int) -> Any:
        stores.append(store)
        return inner(stores[0], key, limit, most)

    return spend


@wrong("The last tokens are never given out.", slip="too-early")
def one_too_early() -> object:
    return settling(partial(reserve, full=1))


@wrong("One more than the budget has.", slip="too-late")
def one_too_late() -> object:
    return settling(partial(reserve, full=-1))


@wrong("A request of no tokens is not looked at.", slip="zero-let-in")
def zero_unchecked() -> object:
    async def book(store: Store, key: str, limit: int, most: int) -> None:
        if most:
            await reserve(store, key, limit, most)

    return settling(book)


@wrong("One Spent for all.", slip="one-spent")
def spent_shared() -> object:
    spent = Spent()

    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent.tokens = 0
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens - most)

    return spend


@wrong("Settles in two steps.", slip="two-steps")
def settles_in_two_steps() -> object:
    async def end(store: Store, key: str, most: int, spent: Spent) -> None:
        await store.add(key, -most)
        await store.add(key, spent.tokens)

    return ending(end)


@wrong("Takes the block's own OverBudget for a request that was refused.")
def inner_over_budget() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        except OverBudget:
            spent.tokens = 0
            raise
        finally:
            await store.add(key, spent.tokens - most)

    return spend


@wrong("A lock for each worker's event loop.", slip="all-read-the-same")
def a_lock_for_each_loop() -> object:
    locks: dict[tuple[object, int], asyncio.Lock] = {}

    async def book(store: Store, key: str, limit: int, most: int) -> None:
        place = asyncio.get_running_loop(), id(store)
        async with locks.setdefault(place, asyncio.Lock()):
            await look_and_book(store, key, limit, most)

    return settling(book)


@wrong("Settles only what went well.", slip="reservation-stays")
def settles_only_success() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        yield spent
        await store.add(key, spent.tokens - most)

    return spend


@wrong("What fails is free.", slip="not-paid")
def free_when_it_fails() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        except BaseException:
            await store.add(key, -most)
            raise
        await store.add(key, spent.tokens - most)

    return spend


@wrong("Settles an error, and not a client who leaves.", slip="reservation-stays")
def forgets_cancellation() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        except Exception:
            await store.add(key, spent.tokens - most)
            raise
        await store.add(key, spent.tokens - most)

    return spend


@wrong("Keeps the error to itself.", slip="swallowed")
def swallows() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        with suppress(Exception):
            yield spent
        await store.add(key, spent.tokens - most)

    return spend


@wrong("Looks, and then books.", slip="all-read-the-same")
def looks_then_books() -> object:
    return settling(look_and_book)


@wrong("A lock of this worker.", slip="one-workers-lock")
def locks_this_worker() -> object:
    lock = asyncio.Lock()

    async def book(store: Store, key: str, limit: int, most: int) -> None:
        async with lock:
            await look_and_book(store, key, limit, most)

    return settling(book)


@wrong("Settles by get and set.", slip="lost-update")
def settles_by_set() -> object:
    async def end(store: Store, key: str, most: int, spent: Spent) -> None:
        await store.set(key, await store.get(key) + spent.tokens - most)

    return ending(end)


@wrong("Adds, and takes back what is too much.", slip="for-a-moment")
def adds_and_takes_back() -> object:
    async def book(store: Store, key: str, limit: int, most: int) -> None:
        if await store.add(key, most) > limit:
            await store.add(key, -most)
            raise OverBudget

    return settling(book)


@wrong("Adds and takes back, after a look.", slip="small-refused")
def adds_for_longer() -> object:
    async def book(store: Store, key: str, limit: int, most: int) -> None:
        if await store.add(key, most) > limit:
            await asyncio.sleep(0.01)
            await store.add(key, -most)
            raise OverBudget

    return settling(book)


@wrong("Gives up when another request was faster.")
def gives_up() -> object:
    async def book(store: Store, key: str, limit: int, most: int) -> None:
        used = await store.get(key)
        if used + most > limit or not await store.compare_and_set(key, used, used + most):
            raise OverBudget

    return settling(book)


@wrong("Another error than OverBudget.")
def another_error() -> object:
    async def book(store: Store, key: str, limit: int, most: int) -> None:
        try:
            await reserve(store, key, limit, most)
        except OverBudget:
            raise ValueError("over budget") from None

    return settling(book)


@wrong("One Spent for all requests.")
def one_spent() -> object:
    spent = Spent()

    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens - most)

    return spend


@right("A class with __aenter__ and __aexit__.")
def a_class() -> object:
    class spend:  # noqa: N801 - the exercise's name
        def __init__(self, store: Store, key: str, limit: int, most: int) -> None:
            self.store, self.key, self.limit, self.most = store, key, limit, most
            self.spent = Spent()

        async def __aenter__(self) -> Spent:
            await reserve(self.store, self.key, self.limit, self.most)
            return self.spent

        async def __aexit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            await self.store.add(self.key, self.spent.tokens - self.most)

    return spend


@right("Settles by compare_and_set too.")
def settles_in_a_loop() -> object:
    async def end(store: Store, key: str, most: int, spent: Spent) -> None:
        while True:
            now = await store.get(key)
            if await store.compare_and_set(key, now, now - most + spent.tokens):
                return

    return ending(end)


@right("A first look by adding nothing; the loop is a function of its own.")
def looks_by_adding() -> object:
    async def booked(store: Store, key: str, limit: int, most: int) -> bool:
        used = await store.get(key)
        if most > limit - used:
            raise OverBudget(f"{limit - used} left")
        return await store.compare_and_set(key, used, used + most)

    async def book(store: Store, key: str, limit: int, most: int) -> None:
        while not await booked(store, key, limit, most):
            await asyncio.sleep(0)

    return settling(book)


@right("A shield around the settlement.")
def shielded() -> object:
    return ending(
        lambda store, key, most, spent: asyncio.shield(store.add(key, spent.tokens - most))
    )
