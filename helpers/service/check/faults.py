"""Faults: each part of the service made to fail in turn, and what the caller is told.

A fault is told clearly when the caller gets, in time, a problem document of a kind that fits: as a
status, or as the stream's `error` event. Nothing, half an answer without an error, a bare 500 or
another kind are not clear.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2

from helpers.service.check.fake_model import FakeModel, Fault

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Finding:
    """What the caller was told of one fault.

    Attributes:
        fault: in words.
        told: status and kind of the problem, or what came instead.
        clear: whether that fits.
        seconds: until the caller knew.
    """

    fault: str
    told: str
    clear: bool
    seconds: float


MODEL_FAULTS: tuple[tuple[Fault, str, frozenset[str]], ...] = (
    ("refuses", "the model answers 500", frozenset({"model-failed"})),
    ("busy", "the model is rate limited", frozenset({"model-busy"})),
    ("bad key", "the model refuses our key", frozenset({"model-failed"})),
    ("silent", "the model is silent", frozenset({"model-slow", "deadline"})),
    ("slow", "the model is slow", frozenset({"deadline"})),
    ("hangs up", "the model hangs up in the middle", frozenset({"model-unreachable"})),
    ("stops short", "the model stops short", frozenset({"model-failed"})),
    ("garbage", "the model sends garbage", frozenset({"model-failed"})),
    ("reports", "the model reports an error in the middle", frozenset({"model-failed"})),
)
WAYS = (("/v1/chat", "whole"), ("/v1/chat/stream", "streamed"))
Send = Callable[[], Awaitable[httpx2.Response]]

_LONG = {"message": "How much does the Alta 2 tent weigh? Say it slowly, one word at a time."}


async def model_faults(client: httpx2.AsyncClient, model: FakeModel) -> list[Finding]:
    """Each fault of the model, asked for whole and as a stream."""
    found = []
    for fault, words, kinds in MODEL_FAULTS:
        model.fault = fault
        for path, way in WAYS:
            found.append(await _told(f"{words}, {way}", kinds, _post(client, path, json=_LONG)))
            await _recovered(client, model, fault)
    model.fault = "none"
    return found


async def _recovered(client: httpx2.AsyncClient, model: FakeModel, fault: Fault) -> None:
    """An answer in between: the circuit must not open on what is measured fault by fault."""
    model.fault = "none"
    reply = await client.post("/v1/chat", json=_LONG)
    reply.raise_for_status()
    model.fault = fault


async def caller_faults(client: httpx2.AsyncClient) -> list[Finding]:
    """Requests that cannot be carried out."""
    chat = partial(_post, client, "/v1/chat")
    no_key = {"Authorization": "Bearer nonsense"}
    json_type = {"Content-Type": "application/json"}
    asked: tuple[tuple[str, str, Send], ...] = (
        ("no JSON", "bad-request", chat(content=b"{", headers=json_type)),
        ("wrong types", "invalid", chat(json={"message": 3})),
        ("a message that is too long", "too-long", chat(json={"message": "x" * 5000})),
        ("a body that is too large", "too-large", chat(content=b"x" * 70_000)),
        ("a key that does not exist", "bad-key", chat(json=_LONG, headers=no_key)),
    )
    return [await _told(words, frozenset({kind}), send) for words, kind, send in asked]


async def dead_model(client: httpx2.AsyncClient, model: FakeModel) -> list[Finding]:
    """The model's process is gone: the caller, and whoever asks for readiness."""
    model.stop()
    gone = frozenset({"model-unreachable"})
    found = [
        await _told(f"the model is down, {way}", gone, _post(client, path, json=_LONG))
        for path, way in WAYS
    ]
    await asyncio.sleep(1.1)  # readiness is asked for once a second
    ready = await _told(
        "the model is down, readiness", frozenset({"not-ready"}), lambda: client.get("/readyz")
    )
    return [*found, ready]


def _post(client: httpx2.AsyncClient, path: str, **request: Any) -> Send:
    return lambda: client.post(path, **request)


async def _told(fault: str, kinds: frozenset[str], send: Send) -> Finding:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            reply = await send()
    except (httpx2.TransportError, TimeoutError) as error:
        told, kind = type(error).__name__, ""
    else:
        told, kind = _read(reply)
    return Finding(fault, told, kind in kinds, time.perf_counter() - started)


def _read(reply: httpx2.Response) -> tuple[str, str]:
    """What was told, in words, and the kind of the problem, empty where there was none."""
    try:
        if reply.headers.get("content-type", "").startswith("text/event-stream"):
            *_, last = httpx2.EventSource(reply)
            if last.event != "error":
                return f"{reply.status_code}, the stream ends with {last.event}", ""
            kind = str(json.loads(last.data)["type"]).rpartition(":")[2]
            return f"{reply.status_code}, event error: {kind}", kind
        kind = str(reply.json()["type"]).rpartition(":")[2]
    except (ValueError, KeyError):
        return f"{reply.status_code} without a problem document", ""
    return f"{reply.status_code} {kind}", kind
