"""The load: streamed requests over plain sockets, timed at their first token and their end.

A library's client costs as much CPU as the services that are measured, on the cores that they
share; this one only looks for the end of the stream.
"""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MOST_SECONDS = 120.0
_WORD = re.compile(rb'"content": ?"[^"]')
"""The first token. A role with an empty text, which some subjects pass on, is none."""


@dataclass(frozen=True)
class Request:
    """What is posted, and what the stream holds when it is whole.

    Attributes:
        url: where to.
        body: posted as JSON.
        end: stands in the last event of a whole stream.
        headers: besides those that every request has.
    """

    url: str
    body: Mapping[str, Any]
    end: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """Seconds to the first token and to the end of one stream, and whether it was whole."""

    first: float
    whole: float
    ok: bool


@dataclass(frozen=True)
class Load:
    """The answers to one batch, and the wall seconds that all of it took."""

    answers: tuple[Answer, ...]
    seconds: float


async def _ask(request: Request) -> Answer:
    parts = urlsplit(request.url)
    body = json.dumps(request.body).encode()
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = await reader.readuntil(b"\r\n\r\n")
        first = None
        seen = b""
        while data := await reader.read(65536):
            seen += data
            if first is None and _WORD.search(seen):
                first = time.perf_counter() - started
        whole = time.perf_counter() - started
        ok = b" 200 " in head.split(b"\r\n", 1)[0] and request.end in seen
        return Answer(whole if first is None else first, whole, ok)
    finally:
        writer.close()


async def _run(request: Request, clients: int, count: int) -> Load:
    left = iter(range(count))
    answers: list[Answer] = []

    async def client() -> None:
        for _ in left:
            try:
                answers.append(await asyncio.wait_for(_ask(request), MOST_SECONDS))
            except (OSError, EOFError, TimeoutError):
                answers.append(Answer(MOST_SECONDS, MOST_SECONDS, ok=False))

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return Load(tuple(answers), time.perf_counter() - started)


def send(request: Request, *, clients: int, count: int) -> Load:
    """Send `count` requests, `clients` at a time, each on a connection of its own."""
    return asyncio.run(_run(request, clients, count))
