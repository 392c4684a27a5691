"""Limits and budgets in a real Redis, shared by processes, and what happens when it is gone."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from helpers.service.budget import Budgets, RedisLedger
from helpers.service.check.fake_model import FakeModel
from helpers.service.errors import Problem
from helpers.service.starting import StartError
from helpers.service.store import open_store
from tests.real_redis import redis_server
from tests.service.serving import CUSTOMER, QUESTION, serving


@pytest.fixture
def redis() -> Iterator["tuple[str, subprocess.Popen[bytes]]"]:
    with redis_server() as found:
        yield found


def test_two_services_share_one_limit_and_one_budget(redis: Any, model: FakeModel) -> None:
    options = {"store": redis[0], "rate": "5/minute"}
    with serving(model, **options) as one, serving(model, **options) as two:
        statuses = []
        for number in range(8):
            with (one, two)[number % 2].client((one, two)[number % 2].key) as client:
                reply = client.post("/v1/chat", json=QUESTION)
                statuses.append(reply.status_code)
        assert statuses == [200] * 5 + [429] * 3
        assert 1 <= int(reply.headers["retry-after"]) <= 60


def test_budgets_are_exact_over_connections(redis: Any) -> None:
    async def race() -> tuple[int, int, int]:
        connections = [Redis.from_url(redis[0]) for _ in range(4)]
        budgets = [Budgets(RedisLedger(each), 1000) for each in connections]
        passed = 0

        async def one(number: int) -> int:
            nonlocal passed
            mine = budgets[number % 4]
            try:
                reservation = await mine.reserve(CUSTOMER, 30)
            except Problem:
                return 0
            passed += 1
            await mine.settle(reservation, number % 31)
            return number % 31

        used = sum(await asyncio.gather(*(one(number) for number in range(400))))
        spent = await budgets[0].spent(CUSTOMER)
        for each in connections:
            await each.aclose()
        return used, spent, passed

    used, spent, passed = asyncio.run(race())
    assert used == spent <= 1000
    assert passed >= 1000 // 30


def test_a_wrong_password_is_told_and_not_shown(redis: Any) -> None:
    address = redis[0].replace("//", "//:s3cret@")

    async def start() -> None:
        async with open_store(address):
            pass

    async def protect() -> None:
        async with Redis.from_url(redis[0]) as client:
            await client.config_set("requirepass", "another")

    asyncio.run(protect())
    with pytest.raises(StartError, match="does not take this name and password") as refused:
        asyncio.run(start())
    assert "s3cret" not in str(refused.value)


def test_without_its_store_the_service_refuses_and_is_not_ready(
    redis: Any, model: FakeModel
) -> None:
    with serving(model, store=redis[0]) as running, running.client() as client:
        assert client.post("/v1/chat", json=QUESTION).status_code == 200
        assert client.get("/readyz").status_code == 200
        redis[1].kill()
        redis[1].wait()
        reply = client.post("/v1/chat", json=QUESTION)
        assert reply.status_code == 503
        assert reply.json()["type"].endswith(":store-down")
        time.sleep(1.1)  # readiness is asked for once a second
        assert client.get("/readyz").json()["errors"][0]["pointer"] == "/store"
        assert len(model.requests) == 1
