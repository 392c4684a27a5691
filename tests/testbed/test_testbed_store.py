"""The store that workers share: each call is atomic, two calls are not."""

import asyncio

from helpers.testbed import Store


async def test_it_keeps_numbers_by_key() -> None:
    store = Store()
    assert await store.get("a") == 0
    await store.set("a", 5)
    assert await store.add("a", -2) == 3
    assert await store.add("b", 1) == 1
    assert (await store.get("a"), await store.get("b")) == (3, 1)


async def test_compare_and_set_writes_only_over_the_old_number() -> None:
    store = Store()
    assert await store.compare_and_set("a", 0, 7)
    assert not await store.compare_and_set("a", 0, 9)
    assert await store.get("a") == 7


async def test_others_run_between_two_calls() -> None:
    store = Store()

    async def read_then_write() -> None:
        await store.set("a", await store.get("a") + 1)

    await asyncio.gather(*(read_then_write() for _ in range(5)))
    assert await store.get("a") < 5


async def test_workers_on_two_loops_lose_nothing() -> None:
    store = Store()

    async def worker() -> None:
        await asyncio.gather(*(store.add("a", 1) for _ in range(200)))

    await asyncio.gather(asyncio.to_thread(lambda: asyncio.run(worker())), worker())
    assert await store.get("a") == 400
