"""Where the time of a request goes: CPU time of the event loop's thread, package by package."""

import asyncio
import cProfile
import json
import pstats
import sysconfig
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from helpers.course.loop import run_async
from helpers.paths import ROOT

_PACKAGES = sysconfig.get_path("purelib")
_STDLIB = sysconfig.get_path("stdlib")
_GROUPS = {
    "langchain_core": "LangChain and LangGraph",
    "langchain": "LangChain and LangGraph",
    "langchain_openai": "LangChain and LangGraph",
    "langgraph": "LangChain and LangGraph",
    "langsmith": "LangChain and LangGraph",
    "openai": "OpenAI's client",
    "httpx2": "HTTP to the model",
    "httpcore2": "HTTP to the model",
    "h11": "HTTP to the model",
    "anyio": "HTTP to the model",
    "fastapi": "FastAPI and Starlette",
    "starlette": "FastAPI and Starlette",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
    "helpers": "the service itself",
}
"""Packages by what they are here for; the others are "other packages"."""

Function = tuple[str, int, str]


def milliseconds_by_package(
    app: Any, path: str, body: Mapping[str, Any], headers: Mapping[str, str], *, requests: int = 40
) -> dict[str, float]:
    """CPU milliseconds a request spends in each group of packages, of a running app.

    The app is called as a web server calls it, one request after another, so a server's own part
    and the client's are not in the figures. The profiler adds a cost to each call of a function:
    packages of many small functions look dearer than they are.
    """

    async def ask() -> None:
        await _call(app, path, body, headers)

    run_async(ask(), 60)
    profile = cProfile.Profile(time.thread_time)

    async def profiled() -> None:
        profile.enable()
        try:
            for _ in range(requests):
                await ask()
        finally:
            profile.disable()

    run_async(profiled(), 600)
    found: dict[str, float] = defaultdict(float)
    stats: dict[Function, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for function, (_, _, seconds, _, callers) in stats.items():
        if function[0] != "~":
            found[_group(function[0])] += seconds
            continue
        for caller, (_, _, part, _) in callers.items():  # a built-in belongs to who called it
            found[_group(caller[0])] += part
    return {name: 1000 * seconds / requests for name, seconds in found.items()}


def profile_rows(spent: Mapping[str, Mapping[str, float]]) -> list[dict[str, object]]:
    """A table of several profiles, by name: the dearest package first, their sums last."""
    names = {name for each in spent.values() for name in each}
    dearest = sorted(names, key=lambda name: -max(each.get(name, 0.0) for each in spent.values()))
    rows: list[dict[str, object]] = [
        {"where": name} | {path: each.get(name, 0.0) for path, each in spent.items()}
        for name in dearest
    ]
    return [*rows, {"where": "all"} | {path: sum(each.values()) for path, each in spent.items()}]


def _group(file: str) -> str:
    if file.startswith(str(ROOT / "helpers")):
        return _GROUPS["helpers"]
    if file.startswith(_PACKAGES):
        name = file.removeprefix(_PACKAGES).lstrip("/\\").replace("\\", "/").split("/")[0]
        return _GROUPS.get(name.removesuffix(".py"), "other packages")
    return "Python's own modules" if file.startswith(_STDLIB) else "other packages"


async def _call(app: Any, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """One request to an ASGI app; what it sends is thrown away."""
    sent = False
    content = json.dumps(body).encode()
    given = {"content-type": "application/json", "content-length": str(len(content)), **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await never.wait()
        sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            raise RuntimeError(f"{path} answered {message['status']}: there is nothing to profile")

    never = asyncio.Event()
    await app(scope, receive, send)
