"""An ASGI app beside a cell: it answers, it is told what went wrong, and it is gone afterwards."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from helpers.testbed import serving, serving_here


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, trust_env=False, timeout=10)


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port)) == 0


def app_with(told: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        told.append("begins")
        yield
        told.append("ends")

    app = FastAPI(lifespan=lifespan)

    @app.get("/thread")
    async def thread() -> int:
        return threading.get_ident()

    @app.get("/fails")
    async def fails() -> None:
        raise KeyError("message")

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def words() -> AsyncIterator[str]:
            while True:
                yield "word "
                await asyncio.sleep(0.01)

        return StreamingResponse(words())

    return app


def test_it_runs_beside_the_caller_with_its_lifespan() -> None:
    told: list[str] = []
    handler = signal.getsignal(signal.SIGINT)
    with serving(app_with(told)) as server:
        assert get(f"{server.url}/thread").json() != threading.get_ident()
        assert told == ["begins"]
        assert signal.getsignal(signal.SIGINT) is handler
    assert told == ["begins", "ends"]
    assert not listens(server.url)


async def test_on_the_callers_own_loop() -> None:
    told: list[str] = []
    handler = signal.getsignal(signal.SIGINT)
    async with serving_here(app_with(told)) as server, httpx2.AsyncClient() as client:
        reply = await client.get(f"{server.url}/thread")
        assert reply.json() == threading.get_ident()
        assert signal.getsignal(signal.SIGINT) is handler
    assert told == ["begins", "ends"]
    assert not listens(server.url)


def test_what_the_app_raises_is_kept() -> None:
    with serving(app_with([])) as server:
        assert get(f"{server.url}/fails").status_code == 500
    # Looked at when the app has stopped: the client has its answer before the error is kept.
    assert [repr(error) for error in server.errors] == ["KeyError('message')"]


def test_an_app_that_does_not_start_says_why() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise OSError("no database")
        yield

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no database"), serving(FastAPI(lifespan=lifespan)):
        pass
    assert threading.active_count() == before


def test_an_app_that_never_starts_is_given_up() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    before = threading.active_count()
    with (
        pytest.raises(RuntimeError, match="did not start within"),
        serving(FastAPI(lifespan=lifespan), start_s=0.3),
    ):
        pass
    assert threading.active_count() == before


def test_an_app_without_a_lifespan_serves() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with serving(app) as server:
        assert get(server.url).status_code == 204
        assert server.errors == []


def test_a_stream_without_end_and_an_error_in_the_block_leave_nothing() -> None:
    def fail_inside() -> None:
        with (
            serving(app_with(told), grace_s=1) as server,
            httpx2.stream("GET", f"{server.url}/endless", trust_env=False) as response,
        ):
            urls.append(server.url)
            next(response.iter_text())
            raise KeyboardInterrupt

    told: list[str] = []
    urls: list[str] = []
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        fail_inside()
    assert told == ["begins", "ends"]
    assert not listens(urls[0])
    assert threading.active_count() == before


def test_an_app_that_blocks_is_told_and_its_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    # By its full name, because the room exports a function of the same name.
    monkeypatch.setattr(import_module("helpers.testbed.serving"), "_LONGER_S", 0.2)
    entered, let_go = threading.Event(), threading.Event()
    app = FastAPI()

    @app.get("/")
    async def blocks() -> None:
        entered.set()
        let_go.wait(30)

    def ask_and_leave() -> None:
        with serving(app, grace_s=0) as server:
            urls.append(server.url)
            threading.Thread(target=lambda: get(server.url), daemon=True).start()
            assert entered.wait(10)

    urls: list[str] = []
    with pytest.raises(RuntimeError, match="something in it blocks"):
        ask_and_leave()
    assert not listens(urls[0])
    let_go.set()
    end = time.monotonic() + 10
    while any(one.name == "testbed" for one in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)
