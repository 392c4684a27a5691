"""Clients tell what they saw; a load counts it, and never takes a dead server for a quiet one."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pandas as pd
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from helpers.testbed import (
    Clients,
    CutOff,
    Fails,
    TestbedError,
    burst,
    closed_loop,
    free_port,
    openai_server,
    percentile,
    serving,
    summary,
)

CHAT = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}


def make_app() -> FastAPI:
    app = FastAPI()

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat(body: dict[str, Any]) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(event="started", data={"text": "no token"})
        for word in str(body["message"]).split():
            if word == "fail":
                yield ServerSentEvent(event="error", data={"status": 502})
                return
            if word == "cut":
                await asyncio.sleep(0.1)  # so that the framework has sent the word before
                raise RuntimeError
            if word == "hang":
                await asyncio.Event().wait()
            yield ServerSentEvent(event="token", data={"text": word})
        yield ServerSentEvent(event="done", data={"tokens": 2})

    @app.post("/json")
    async def whole(request: Request) -> JSONResponse:
        return JSONResponse({"caller": request.headers["x-caller"]}, headers={"X-More": "yes"})

    @app.get("/busy")
    async def busy() -> JSONResponse:
        return JSONResponse({"title": "Busy"}, 503, {"Retry-After": "2"})

    @app.post("/abort")
    async def abort() -> StreamingResponse:
        async def half() -> AsyncIterator[str]:
            yield '{"half":'
            raise RuntimeError

        return StreamingResponse(half(), media_type="application/json")

    return app


@pytest.mark.parametrize(
    ("message", "outcome", "texts"),
    [
        ("two words", "answered", ["two", "words"]),
        ("two fail", "error event", ["two"]),
        ("two cut", "lost", ["two"]),
        ("two hang", "lost", ["two"]),
    ],
)
async def test_streams(message: str, outcome: str, texts: list[str]) -> None:
    with serving(make_app(), grace_s=0) as server:
        patience = 1.0 if "hang" in message else 20.0
        async with Clients(server.url, patience_s=patience) as clients:
            seen = await clients.ask({"message": message})
    assert (seen.outcome, seen.texts, seen.status) == (outcome, texts, 200)
    assert seen.first is not None
    assert seen.sent <= seen.first <= seen.ended
    assert ("TimeoutError" in seen.error) is ("hang" in message)


async def test_answers_in_one_piece() -> None:
    with serving(make_app()) as server:
        async with Clients(server.url, "/json", name_header="x-caller") as clients:
            whole = await clients.ask({}, client="Ada")
            refused = await clients.ask(path="/busy")
            cut = await clients.ask({}, path="/abort")
    assert (whole.outcome, whole.body) == ("answered", {"caller": "Ada"})
    assert whole.headers["x-more"] == "yes"
    assert whole.waited is not None
    assert (refused.outcome, refused.status, refused.waited) == ("refused", 503, None)
    assert (refused.body, refused.headers["retry-after"]) == ({"title": "Busy"}, "2")
    assert (cut.outcome, cut.status, cut.body) == ("lost", 200, None)


async def test_openais_streams_are_read_too() -> None:
    script = ["two words", CutOff("two words"), Fails(429), {"name": "search", "args": {}}]
    with openai_server(script) as server:
        async with Clients(server.url, "chat/completions") as clients:
            seen = [await clients.ask(CHAT) for _ in script]
    assert [one.outcome for one in seen] == ["answered", "lost", "refused", "answered"]
    assert [one.texts for one in seen] == [["two", " words"], ["two"], [], []]


async def test_a_reader_of_ones_own() -> None:
    with serving(make_app()) as server:
        async with Clients(
            server.url, reader=lambda event: (event.event, "answered" if event.data else None)
        ) as clients:
            seen = await clients.ask({"message": "one"})
    assert (seen.outcome, seen.texts) == ("answered", ["started", "token", "done"])


async def test_a_client_that_leaves_closes_its_connection() -> None:
    with openai_server(["words " * 1000], token_s=0.05) as server:
        async with Clients(server.url, "chat/completions") as clients:
            task = asyncio.create_task(clients.ask(CHAT))
            async with asyncio.timeout(10):
                while not server.in_flight:
                    await asyncio.sleep(0.01)
                task.cancel()
                while server.in_flight:
                    await asyncio.sleep(0.01)
        assert server.abandoned == 1


async def test_a_server_without_an_answer() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Clients(f"http://127.0.0.1:{port}") as clients:
            seen = await clients.ask({})
    assert (seen.outcome, seen.status, seen.first) == ("no answer", 0, None)


async def test_a_burst_is_at_the_same_moment() -> None:
    waiting, most = 0, 0

    async def reply(_: dict[str, Any]) -> str:
        nonlocal waiting, most
        waiting, most = waiting + 1, max(most, waiting + 1)
        while most < 8:
            await asyncio.sleep(0.01)
        waiting -= 1
        return "Hello"

    with openai_server(reply) as server:
        async with Clients(server.url, "chat/completions") as clients:
            load = await burst(clients, [CHAT] * 8)
    assert load.count("answered") == most == 8
    assert {one.client for one in load.seen} == {f"client {number}" for number in range(1, 9)}


async def test_a_closed_loop_has_so_many_requests_of_so_many_clients() -> None:
    most = 0

    async def reply(body: dict[str, Any]) -> Any:
        nonlocal most
        most = max(most, server.in_flight + 1)
        number = body["number"]
        return Fails(503) if number % 4 == 3 else CutOff("a b") if number % 4 == 2 else "a b"

    with openai_server(reply, token_s=0.005) as server:
        async with Clients(server.url, "chat/completions") as clients:
            load = await closed_loop(
                clients, lambda number: {**CHAT, "number": number}, concurrency=3, requests=40
            )
    assert sorted(body["number"] for body in server.requests) == list(range(40))
    assert most == 3
    assert {one.client for one in load.seen} == {"client 1", "client 2", "client 3"}
    (row,) = summary({"three": load})
    counts = [row[name] for name in ("requests", "answered", "refused", "error_events", "lost")]
    assert counts == [40, 20, 10, 0, 10]
    assert row["first_token_p50_s"] <= row["first_token_p95_s"] <= row["whole_p95_s"]
    frame = pd.DataFrame(load.rows())
    assert frame.groupby("outcome").size().to_dict() == {"answered": 20, "lost": 10, "refused": 10}
    assert json.dumps(summary({"three": load}))


async def test_a_closed_loop_ends_with_its_seconds() -> None:
    with openai_server(lambda body: "Hello") as server:
        async with Clients(server.url, "chat/completions") as clients:
            load = await closed_loop(clients, CHAT, concurrency=2, seconds=0.5, requests=10**9)
    assert load.count("answered") == len(load.seen) == len(server.requests) > 2


async def test_a_dead_server_is_an_error_not_a_zero() -> None:
    async with Clients(f"http://127.0.0.1:{free_port()}") as clients:
        seen = await clients.ask({})
        assert (seen.outcome, seen.status, "ConnectError" in seen.error) == ("not reached", 0, True)
        with pytest.raises(TestbedError, match="None of the 5 requests reached"):
            await burst(clients, [{}] * 5)
        with pytest.raises(TestbedError, match=r"ConnectError.*start the server first"):
            await closed_loop(clients, {}, concurrency=2, seconds=0.2)


async def test_a_server_that_dies_on_the_way_loses_requests() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(openai_server(lambda body: "Hello"))
        async with Clients(server.url, "chat/completions") as clients:
            task = asyncio.create_task(closed_loop(clients, CHAT, concurrency=2, seconds=1.5))
            async with asyncio.timeout(10):
                while len(server.requests) < 6:
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(stack.close)
            load = await task
    assert load.count("answered") >= 3
    assert load.lost > 0


async def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="http://"):
        Clients("127.0.0.1:80")
    async with Clients("http://127.0.0.1:1") as clients:
        with pytest.raises(ValueError, match="at least one"):
            await burst(clients, [])
        for wrong in (
            {"concurrency": 0, "requests": 1},
            {"concurrency": 1},
            {"concurrency": 1, "requests": 0},
        ):
            with pytest.raises(ValueError, match="at least one"):
                await closed_loop(clients, {}, **wrong)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.95, 7),
        ([3, 1, 2, 4], 0.5, 2),
        ([3, 1, 2, 4], 0.51, 3),
        (list(range(1, 21)), 0.95, 19),
        ([1, math.inf], 0.5, 1),
        ([1, math.inf], 0.51, math.inf),
    ],
)
def test_percentiles_are_values_by_nearest_rank(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected
