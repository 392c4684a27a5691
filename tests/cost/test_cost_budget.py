"""Budgets in dollars: exact while many clients reserve, in memory and in a real Redis."""

import asyncio
import random
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from helpers.cost.budget import (
    Budget,
    BudgetSpent,
    BudgetUnreachable,
    Decision,
    MemoryStore,
    RedisStore,
    Store,
)
from tests.real_redis import redis_server

CLIENTS = 32
DAY = 86_400.0
D = Decimal
MakeStore = Callable[[AsyncExitStack], Awaitable[Store]]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """The address of a Redis of this module's own, which keeps nothing."""
    with redis_server() as (url, _):
        yield url


@pytest.fixture(params=["memory", "redis"])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes a store in a running event loop, empty at the test's first one."""
    if request.param == "memory":

        async def memory(_: AsyncExitStack) -> Store:
            return MemoryStore()

        return memory
    url = request.getfixturevalue("redis_url")
    prefix = f"{request.node.name}:"

    async def redis(stack: AsyncExitStack) -> Store:
        client = await stack.enter_async_context(Redis.from_url(url, socket_timeout=5))
        return RedisStore(client, prefix)

    return redis


def run(make_store: MakeStore, test: Callable[[Store], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        async with AsyncExitStack() as stack:
            return await test(await make_store(stack))

    return asyncio.run(inside())


def test_reserved_settled_and_released(make_store: MakeStore) -> None:
    async def test(store: Store) -> None:
        budget = Budget(D("1"), DAY, store)
        first = await budget.reserve("ada", D("0.6"))
        assert await budget.committed("ada") == D("0.6")
        with pytest.raises(BudgetSpent, match=r"\$0\.4\d* of the budget .*in progress") as soon:
            await budget.reserve("ada", D("0.5"))
        assert soon.value.retry_after_s == 1
        assert await budget.settle(first, D("0.1000000001"))
        assert await budget.committed("ada") == D("0.100000001")  # nano-dollars, rounded up
        second = await budget.reserve("ada", D("0.8"))
        assert await budget.release(second)
        assert not await budget.release(second)
        assert not await budget.settle(first, D("0.1"))  # charged once
        assert await budget.committed("ada") == D("0.100000001")
        assert await budget.committed("bob") == 0

    run(make_store, test)


def test_a_spent_budget_says_when_to_come_back(make_store: MakeStore) -> None:
    async def test(store: Store) -> None:
        budget = Budget(D("1"), DAY, store)
        await budget.settle(await budget.reserve("ada", D("1")), D("0.9"))
        with pytest.raises(BudgetSpent, match=r"come back in 86\d\d\d s") as spent:
            await budget.reserve("ada", D("0.2"))
        assert spent.value.retry_after_s == pytest.approx(DAY, abs=60)
        with pytest.raises(BudgetSpent, match="never fits") as never:
            await budget.reserve("ada", D("1.1"))
        assert never.value.retry_after_s is None

    run(make_store, test)


def test_decisions_by_thresholds(make_store: MakeStore) -> None:
    async def test(store: Store) -> list[Decision]:
        budget = Budget(D("1"), DAY, store, degrade_at=0.5, ask_at=0.8)
        said: list[Decision] = [await budget.decide("ada")]
        for _ in range(5):
            await budget.reserve("ada", D("0.2"))
            said.append(await budget.decide("ada"))
        return said

    assert run(make_store, test) == ["go on", "go on", "go on", "degrade", "ask", "stop"]


@pytest.mark.parametrize("overrun", [1.0, 2.0])
def test_32_clients_never_exceed_it_by_more_than_one_answer(
    make_store: MakeStore, overrun: float
) -> None:
    """With `overrun`, the answers cost up to so many times what was reserved."""
    at_most, limit = D("0.01"), D("1")

    async def test(_: Store) -> tuple[Decimal, Decimal, int]:
        charged, answers, most_running, running = D(0), 0, 0, 0
        async with AsyncExitStack() as stack:
            shared = await make_store(stack)
            # Each client has a connection of its own; memory is shared.
            stores = [
                shared if isinstance(shared, MemoryStore) else await make_store(stack)
                for _ in range(CLIENTS)
            ]

            async def client(number: int) -> None:
                nonlocal charged, answers, most_running, running
                draw = random.Random(number)
                budget = Budget(limit, DAY, stores[number], overrun=overrun)
                for _ in range(40):
                    try:
                        reservation = await budget.reserve("all", at_most)
                    except BudgetSpent as spent:
                        if spent.retry_after_s is None or spent.retry_after_s > 1:
                            return
                        await asyncio.sleep(0.001)
                        continue
                    running += 1
                    most_running = max(most_running, running)
                    await asyncio.sleep(draw.random() * 0.003)
                    running -= 1
                    actual = at_most * D(str(round(draw.uniform(0.5, overrun), 3)))
                    charged += actual
                    answers += 1
                    assert await budget.settle(reservation, actual)

            await asyncio.gather(*map(client, range(CLIENTS)))
            committed = await Budget(limit, DAY, shared).committed("all")
        assert answers > 50
        return charged, committed, most_running

    charged, committed, most_running = run(make_store, test)
    assert charged == committed
    assert limit * D("0.9") < charged <= limit + at_most * (D(str(overrun)) - 1)
    assert most_running > CLIENTS // 2  # they did run at the same time


def test_a_dead_clients_reservation_lapses_and_is_charged_when_it_comes_late(
    make_store: MakeStore,
) -> None:
    async def test(store: Store) -> None:
        budget = Budget(D("1"), DAY, store, lapse_s=0.05)
        dead = await budget.reserve("ada", D("1"))
        with pytest.raises(BudgetSpent):
            await budget.reserve("ada", D("1"))
        await asyncio.sleep(0.08)
        await budget.reserve("ada", D("0.5"))
        assert await budget.settle(dead, D("0.7"))
        assert await budget.committed("ada") >= D("0.7")

    run(make_store, test)


def test_a_window_ends_and_what_is_open_counts_in_the_next(make_store: MakeStore) -> None:
    async def test(store: Store) -> None:
        budget = Budget(D("1"), 0.1, store)
        await budget.settle(await budget.reserve("ada", D("0.5")), D("0.5"))
        open_one = await budget.reserve("ada", D("0.4"))
        await asyncio.sleep(0.15)
        assert await budget.committed("ada") == D("0.4")
        assert await budget.settle(open_one, D("0.3"))
        assert await budget.committed("ada") == D("0.3")

    run(make_store, test)


def test_a_clock_set_back_refuses_no_longer_than_a_window() -> None:
    now = [1_000_000.0]

    async def test() -> None:
        budget = Budget(D("1"), 60, MemoryStore(lambda: now[0]), lapse_s=10)
        await budget.settle(await budget.reserve("ada", D("1")), D("1"))
        now[0] -= 500_000
        with pytest.raises(BudgetSpent) as spent:  # not reset early either
            await budget.reserve("ada", D("1"))
        assert spent.value.retry_after_s == 60
        now[0] += 61
        held = await budget.reserve("ada", D("1"))
        now[0] -= 500_000
        assert await budget.committed("ada") == 1
        now[0] += 11
        assert await budget.committed("ada") == 0  # the reservation has lapsed
        assert await budget.settle(held, D("1"))

    asyncio.run(test())


def test_the_clocks_of_the_clients_do_not_count(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(store: Store) -> None:
        budget = Budget(D("1"), DAY, store)
        await budget.settle(await budget.reserve("ada", D("1")), D("1"))
        for jump in (1e9, -1e9):
            monkeypatch.setattr("time.time", lambda jump=jump: 1.8e9 + jump)
            assert await budget.decide("ada") == "stop"

    run(make_store, test)


def test_accounts_that_are_over_are_dropped(redis_url: str) -> None:
    now = [0.0]

    async def test() -> None:
        memory = MemoryStore(lambda: now[0])
        budget = Budget(D("1"), 60, memory)
        for number in range(3000):
            await budget.settle(await budget.reserve(f"guest-{number}", D("1")), D("0.1"))
            now[0] += 1
        assert len(memory._entries) <= 1100
        async with Redis.from_url(redis_url) as redis:
            kept = Budget(D("1"), 60, RedisStore(redis, "expiring:"), lapse_s=10)
            await kept.decide("bob")
            assert not await redis.exists("expiring:bob")
            await kept.reserve("ada", D("1"))
            assert 0 < await redis.ttl("expiring:ada") <= 130

    asyncio.run(test())


def test_without_its_store_nothing_is_spent_or_it_is_said() -> None:
    async def test(url: str, process: "subprocess.Popen[bytes]") -> None:
        once = Retry(NoBackoff(), 0)
        async with Redis.from_url(url, socket_timeout=1, retry=once) as redis:
            closed = Budget(D("1"), DAY, RedisStore(redis))
            opened = Budget(D("1"), DAY, RedisStore(redis), when_down="allow")
            reservation = await closed.reserve("ada", D("0.1"))
            process.kill()
            process.wait()
            steps: list[Callable[[], Awaitable[Any]]] = [
                lambda: closed.reserve("ada", D("0.1")),
                lambda: closed.settle(reservation, D("0.1")),
                lambda: closed.decide("ada"),
                lambda: opened.committed("ada"),
            ]
            for step in steps:
                with pytest.raises(BudgetUnreachable, match="start Redis"):
                    await step()
            passed = await opened.reserve("ada", D("0.1"))
            assert not await opened.settle(passed, D("0.1"))
            assert not await opened.settle(reservation, D("0.1"))
            assert await opened.decide("ada") == "go on"
            assert opened.unchecked == 3

    with redis_server() as (url, process):
        asyncio.run(test(url, process))


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"limit_usd": D("-1")}, ValueError, "limit_usd is -1"),
        ({"limit_usd": D("NaN")}, ValueError, "limit_usd is NaN"),
        ({"limit_usd": D("Infinity")}, ValueError, "limit_usd is Infinity"),
        ({"limit_usd": D("1e9")}, ValueError, "limit_usd is 1E"),
        ({"limit_usd": 0.5}, TypeError, "limit_usd is 0.5"),
        ({"window_s": 0}, ValueError, "window_s is 0"),
        ({"window_s": float("nan")}, ValueError, "window_s is nan"),
        ({"lapse_s": -1}, ValueError, "lapse_s is -1"),
        ({"overrun": 0.5}, ValueError, "overrun is 0.5"),
        ({"degrade_at": 1.5}, ValueError, "degrade_at is 1.5"),
        ({"degrade_at": 0.9, "ask_at": 0.5}, ValueError, "ask_at 0.5"),
        ({"when_down": "open"}, ValueError, "when_down is 'open'"),
    ],
)
def test_bad_settings_are_named(
    arguments: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        Budget(**{"limit_usd": D("1"), "window_s": 60.0, **arguments})


def test_bad_amounts_are_named_and_a_budget_of_zero_stops() -> None:
    async def test() -> None:
        budget = Budget(D("1"), 60)
        with pytest.raises(ValueError, match="at_most is -1"):
            await budget.reserve("ada", D("-1"))
        with pytest.raises(ValueError, match="actual is NaN"):
            await budget.settle(await budget.reserve("ada", D("1")), D("NaN"))
        assert await Budget(D("0"), 60).decide("ada") == "stop"

    asyncio.run(test())
