"""Where the time of a streamed answer goes, by the library that spends it.

The service is asked as its server would ask it, without sockets on that side, and its model answers
at once. What is measured is the event loop's thread: while it computes for one request, all others
wait. Two runs make a table: one takes the thread's CPU time, the other, under `cProfile`, the
shares of it. A profiler slows Python code down more than compiled code: the shares are about right.
"""

import asyncio
import contextlib
import cProfile
import io
import json
import pstats
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI

from helpers.service.app import create_app
from helpers.service.check.fake_model import fake_model
from helpers.service.keys import issue
from helpers.service.settings import Settings

Way = Literal["plain", "plain by LangChain", "agent"]

# By the first part of a file's path that fits.
_LIBRARIES: tuple[tuple[str, str], ...] = (
    ("helpers/service/check", "the measurement itself"),
    ("helpers/service", "this service"),
    ("helpers/", "the agent's own code"),
    ("/langgraph/", "LangGraph"),
    ("/langchain_openai/", "LangChain"),
    ("/langchain_core/", "LangChain"),
    ("/langchain/", "LangChain"),
    ("/langsmith/", "LangChain"),
    ("/openai/", "OpenAI's client"),
    ("/pydantic/", "pydantic"),
    ("/httpx2/", "HTTP client"),
    ("/httpcore2/", "HTTP client"),
    ("/h11/", "HTTP client"),
    ("/anyio/", "HTTP client"),
    ("/tenacity/", "this service"),
    ("/purgatory/", "this service"),
    ("/limits/", "this service"),
    ("/structlog/", "this service"),
    ("/prometheus_client/", "this service"),
    ("/fastapi/", "FastAPI and Starlette"),
    ("/starlette/", "FastAPI and Starlette"),
    ("/asyncio/", "event loop"),
    ("selectors.py", "event loop"),
)
_OTHER = "other"
_WAITS = re.compile(r"\b(?:epoll|kqueue|select)\b")  # for the model's next chunk
_DEPTH = 6

_Function = tuple[str, int, str]
"""As `pstats` names one: file, line, name."""


@dataclass(frozen=True)
class Profile:
    """Where the time of one way goes.

    Attributes:
        way: who answered.
        milliseconds: CPU time of the event loop's thread for one request.
        by_library: of these, by library, the largest first.
    """

    way: Way
    milliseconds: float
    by_library: dict[str, float]


def profile(way: Way, *, requests: int = 40, chunks: int = 64) -> Profile:
    """Measure one way of answering.

    Args:
        way: the plain path by HTTP alone, the plain path by LangChain, or the agent.
        requests: in each of the two runs, one after the other.
        chunks: pieces of an answer.
    """
    return asyncio.run(_profile(way, requests, chunks))


async def _profile(way: Way, requests: int, chunks: int) -> Profile:
    key, kept = issue("C-0042")
    with fake_model(chunks=chunks) as model:
        settings = Settings(
            path="agent" if way == "agent" else "plain",
            passthrough=way == "plain",
            upstream_url=model.url,
            keys=(kept,),
            rate="1000000/minute",
            daily_tokens=10**9,
        )
        app = create_app(settings)
        # The log is opened at the start: its lines are written, as they cost, but not shown.
        with contextlib.redirect_stderr(io.StringIO()):
            async with app.router.lifespan_context(app):

                async def ask(count: int) -> None:
                    for _ in range(count):
                        await _ask(app, key)

                await ask(5)  # what is made once is made now
                started = time.thread_time()
                await ask(requests)
                each = 1000 * (time.thread_time() - started) / requests
                profiler = cProfile.Profile()
                profiler.enable()
                await ask(requests)
                profiler.disable()
    shares = _shares(pstats.Stats(profiler))
    return Profile(way, each, {name: each * share for name, share in shares.items()})


async def _ask(app: FastAPI, key: str) -> None:
    """One streamed request, as a server makes it."""
    body = json.dumps({"message": "How much does the Alta 2 tent weigh?"}).encode()
    request: Any = {"type": "http.request", "body": body, "more_body": False}
    ended = asyncio.Event()
    sent: list[Any] = [request]

    async def receive() -> Any:
        if sent:
            return sent.pop()
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"The service answered {message['status']}.")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/chat/stream",
        "raw_path": b"/v1/chat/stream",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    ended.set()


def _shares(stats: pstats.Stats) -> dict[str, float]:
    """Each library's share of the time that the profile saw, waiting left out.

    The time of compiled functions and of Python's own library belongs to those who call them.
    """
    found: dict[_Function, Any] = stats.stats  # type: ignore[attr-defined]
    whose: dict[_Function, dict[str, float]] = {
        function: {library: 1.0} for function in found if (library := _library(function[0]))
    }
    for _ in range(_DEPTH):  # what calls what calls what
        for function, (_, _, _, _, callers) in found.items():
            if _library(function[0]) is None:
                whose[function] = _of_callers(callers, whose)
    spent: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, _) in found.items():
        if not _WAITS.search(function[2]):
            for library, share in whose.get(function, {_OTHER: 1.0}).items():
                spent[library] += own * share
    total = sum(spent.values())
    largest_first = sorted(spent.items(), key=lambda item: -item[1])
    return {name: seconds / total for name, seconds in largest_first}


def _of_callers(
    callers: dict[_Function, tuple[int, int, float, float]],
    whose: dict[_Function, dict[str, float]],
) -> dict[str, float]:
    """Whose a function's time is, by how much of it each caller caused."""
    total = sum(own for _, _, own, _ in callers.values())
    if not total:
        return {_OTHER: 1.0}
    found: defaultdict[str, float] = defaultdict(float)
    for caller, (_, _, own, _) in callers.items():
        for library, share in whose.get(caller, {_OTHER: 1.0}).items():
            found[library] += share * own / total
    return dict(found)


def _library(file: str) -> str | None:
    """The library that a file belongs to, None for what works for all of them."""
    path = file.replace("\\", "/")
    return next((name for part, name in _LIBRARIES if part in path), None)
