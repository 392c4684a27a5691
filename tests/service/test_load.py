"""Bursts, places, budgets: who is let through, who is told to come back, and how."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import httpx2
import pytest

from helpers.service.budget import Budgets, MemoryLedger
from helpers.service.check.fake_model import FakeModel
from helpers.service.errors import Problem
from helpers.service.gate import Gate
from tests.service.serving import CUSTOMER, QUESTION, Running, events, serving, until


async def _burst(running: Running, count: int, key: str | None = None) -> list[httpx2.Response]:
    async with running.async_client(key) as client:
        asked = (client.post("/v1/chat/stream", json=QUESTION) for _ in range(count))
        return await asyncio.gather(*asked)


def _kinds(replies: list[httpx2.Response]) -> Counter[str]:
    return Counter(
        "ok" if reply.status_code == 200 else reply.json()["type"].rpartition(":")[2]
        for reply in replies
    )


def test_a_burst_is_answered_or_told_to_come_back(model: FakeModel) -> None:
    model.seconds = 0.05
    with serving(model, running=2, waiting=3, per_customer=100) as running:
        replies = asyncio.run(_burst(running, 20))
    assert _kinds(replies) == {"ok": 5, "queue-full": 15}
    for reply in replies:
        if reply.status_code == 503:
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.headers["content-type"] == "application/problem+json"
        else:  # who got a place got the whole stream
            assert events(reply.text)[-1][0] == "done"


def test_who_waits_too_long_is_told(model: FakeModel) -> None:
    model.fault = "silent"
    with serving(
        model, running=1, waiting=5, wait_seconds=0.2, deadline_seconds=1, attempts=1
    ) as running:
        kinds = _kinds(asyncio.run(_burst(running, 3)))
        assert kinds == {"deadline": 1, "waited-too-long": 2}
        assert running.parts.gate.running == running.parts.gate.waiting == 0


def test_one_customer_cannot_take_all_places(model: FakeModel) -> None:
    model.seconds = 0.1
    with serving(model, running=2, waiting=6, per_customer=4) as running:

        async def both() -> tuple[Counter[str], Counter[str]]:
            greedy, modest = await asyncio.gather(
                _burst(running, 12), _burst(running, 2, running.other_key)
            )
            return _kinds(greedy), _kinds(modest)

        greedy, modest = asyncio.run(both())
    assert greedy == {"ok": 4, "too-many-at-once": 8}
    assert modest == {"ok": 2}


def test_the_rate_limit_counts_only_what_it_lets_through(model: FakeModel) -> None:
    with serving(model, rate="3/minute") as running, running.client() as client:
        statuses = [client.post("/v1/chat", json=QUESTION).status_code for _ in range(6)]
        refused = client.post("/v1/chat/stream", json=QUESTION)
        with running.client(running.other_key) as other:
            assert other.post("/v1/chat", json=QUESTION).status_code == 200
    assert statuses == [200] * 3 + [429] * 3
    assert refused.json()["type"].endswith(":rate-limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(model.requests) == 4


def test_a_spent_budget_is_told_until_midnight(model: FakeModel) -> None:
    with serving(model, daily_tokens=400, max_output_tokens=100) as running:
        with running.client() as client:
            replies = [client.post("/v1/chat", json=QUESTION) for _ in range(40)]
        spent = asyncio.run(running.parts.budgets.spent(CUSTOMER))
        used = sum(sum(_tokens(reply)) for reply in replies if reply.status_code == 200)
    refused = next(reply for reply in replies if reply.status_code == 429)
    assert refused.json()["type"].endswith(":budget-spent")
    assert int(refused.headers["retry-after"]) <= 86_400
    assert used == spent <= 400


def _tokens(reply: httpx2.Response) -> tuple[int, int]:
    usage = reply.json()["usage"]
    return usage["input_tokens"], usage["output_tokens"]


def test_budgets_are_exact_when_requests_race() -> None:
    async def race() -> tuple[int, int]:
        budgets = Budgets(MemoryLedger(), 1000)

        async def one(number: int) -> int:
            try:
                reservation = await budgets.reserve("C-1", 30)
            except Problem:
                return 0
            await asyncio.sleep(0)
            used = number % 31
            await budgets.settle(reservation, used)
            return used

        used = sum(await asyncio.gather(*(one(number) for number in range(500))))
        return used, await budgets.spent("C-1")

    used, spent = asyncio.run(race())
    assert used == spent <= 1000
    assert used == sum(number % 31 for number in range(1000 // 30))


def test_a_reservation_is_settled_on_its_own_day() -> None:
    now = [datetime(2026, 3, 1, 23, 59, tzinfo=UTC)]

    async def over_midnight() -> tuple[int, int]:
        budgets = Budgets(MemoryLedger(), 100, clock=lambda: now[0])
        reservation = await budgets.reserve("C-1", 100)
        now[0] = datetime(2026, 3, 2, 0, 1, tzinfo=UTC)
        before = await budgets.spent("C-1")
        await budgets.reserve("C-1", 100)
        await budgets.settle(reservation, 1)
        return before, await budgets.spent("C-1")

    assert asyncio.run(over_midnight()) == (0, 100)


def test_the_gate_gives_each_place_once() -> None:
    """Waiters that give up at any moment, also the one in which their turn comes, leak nothing."""

    async def run() -> tuple[int, int]:
        gate = Gate(running=3, waiting=50, wait_seconds=5, per_customer=100)
        most = 0

        async def one(number: int) -> None:
            nonlocal most
            await gate.enter("C-1")
            try:
                most = max(most, gate.running)
                await asyncio.sleep(0.001 * (number % 3))
            finally:
                gate.leave("C-1", 0.001)

        tasks = [asyncio.create_task(one(number)) for number in range(50)]
        for number, task in enumerate(tasks):
            await asyncio.sleep(0.0003)
            if number % 2:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # One whose turn has come and who is cancelled before it runs hands the place on.
        await gate.enter("C-1")
        await gate.enter("C-1")
        await gate.enter("C-1")
        waiting = [asyncio.create_task(gate.enter("C-1")) for _ in range(2)]
        await asyncio.sleep(0)
        gate.leave("C-1", 0.1)
        waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert waiting[1].done()
        assert not waiting[1].cancelled()
        for _ in range(3):
            gate.leave("C-1", 0.1)
        return most, gate.running

    assert asyncio.run(run()) == (3, 0)


def test_a_client_that_leaves_frees_its_place_and_stops_the_model(model: FakeModel) -> None:
    model.chunks, model.seconds = 1000, 0.02
    with serving(model, running=1, waiting=0) as running:
        with (
            running.client() as client,
            client.stream("POST", "/v1/chat/stream", json=QUESTION) as reply,
        ):
            pieces = reply.iter_raw()  # held: when it goes, the response is closed
            next(pieces)
            assert model.working == 1
            assert client.post("/v1/chat", json=QUESTION).status_code == 503
        assert until(lambda: running.parts.gate.running == 0)
        assert until(lambda: (model.working, model.abandoned) == (0, 1))
        model.chunks, model.seconds = 1, 0
        with running.client() as client:
            assert client.post("/v1/chat", json=QUESTION).status_code == 200
        assert running.metric("service_clients_left_total") == 1
        spent = asyncio.run(running.parts.budgets.spent(CUSTOMER))
    assert 0 < spent < 500  # what was written is charged, what was only reserved is not


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
def test_a_client_that_leaves_before_the_first_word(model: FakeModel, path: str) -> None:
    model.fault = "silent"
    with serving(model, running=1, waiting=2) as running:
        with running.client(timeout=0.3) as client, pytest.raises(httpx2.ReadTimeout):
            client.post(path, json=QUESTION)
        assert until(lambda: running.parts.gate.running == 0)
        assert until(lambda: (model.working, model.abandoned) == (0, 1))


def test_a_client_that_leaves_the_queue(model: FakeModel) -> None:
    model.fault = "silent"
    with serving(model, running=1, waiting=5) as running:
        gate = running.parts.gate

        async def leave() -> None:
            async with (
                running.async_client() as patient,
                running.async_client(timeout=0.3) as hasty,
            ):
                first = asyncio.create_task(patient.post("/v1/chat", json=QUESTION))
                while gate.running == 0:
                    await asyncio.sleep(0.01)
                asked = (hasty.post("/v1/chat", json=QUESTION) for _ in range(3))
                await asyncio.gather(*asked, return_exceptions=True)
                assert until(lambda: (gate.running, gate.waiting) == (1, 0))
                first.cancel()

        asyncio.run(leave())
        assert until(lambda: gate.running == 0)
        assert len(model.requests) == 1


async def test_the_gate_counts_right_when_all_give_up_at_once() -> None:
    """Who runs leaves in the moment in which those that wait have just been cancelled."""
    gate = Gate(running=1, waiting=3, wait_seconds=60, per_customer=9)
    await gate.enter("C-0042")
    waiting = [asyncio.ensure_future(gate.enter("C-0007")) for _ in range(3)]
    await asyncio.sleep(0)
    for each in waiting:
        each.cancel()
    gate.leave("C-0042", 1.0)
    await asyncio.wait(waiting)
    assert (gate.running, gate.waiting) == (0, 0)
