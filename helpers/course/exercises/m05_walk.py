"""What the walkthrough of module 05 measures: one function for each failure that it shows.

The servers run on the course's loop, the clients on the loop of the cell that awaits, so a blocked
server does not stop its clients' clocks.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import Response
from openai import AsyncOpenAI
from prometheus_client.parser import text_string_to_metric_families

from helpers.course.exercises.m05_serving import Clients, Seen, live
from helpers.service.check.process import service_process

Headers = Mapping[str, str]
Curve = tuple[list[float], list[float]]


def bearer(key: str) -> dict[str, str]:
    """The header that shows an API key."""
    return {"Authorization": f"Bearer {key}"}


async def burst(
    app: Any, question: str, count: int, *, path: str = "/chat", headers: Headers | None = None
) -> list[Seen]:
    """What so many clients see of an app who ask at the same moment."""
    with live(app) as url:
        return await burst_at(url, question, count, path=path, headers=headers)


async def burst_at(
    url: str, question: str, count: int, *, path: str = "/chat", headers: Headers | None = None
) -> list[Seen]:
    """The same of a service that runs already."""
    async with Clients(url, path, headers=headers) as clients:
        return await clients.burst([question] * count)


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU seconds of this process, its model's included, for a call."""
    before = time.process_time()
    call()
    return time.process_time() - before


async def heartbeat(app: Any, question: str) -> Curve:
    """How long `/livez` takes while two clients ask three questions each, one after another.

    Moments, and seconds at each.
    """
    moments, seconds = list[float](), list[float]()

    async def ask(clients: Clients) -> None:
        for _ in range(3):
            await clients.ask(question)

    with live(app) as url:
        async with Clients(url) as clients:
            load = asyncio.gather(ask(clients), ask(clients))
            while not load.done():
                sent = clients.now
                await clients.http.get("/livez")
                moments.append(sent)
                seconds.append(clients.now - sent)
                await asyncio.sleep(0.02)
            await load
    return moments, seconds


def times(seen: Mapping[str, Seen]) -> list[dict[str, object]]:
    """Seconds to the first words and to the end, by name."""
    return [
        {"answer": name, "first words": one.waited, "all": one.ended - one.sent}
        for name, one in seen.items()
    ]


def spans(seen: Sequence[Seen]) -> dict[str, dict[str, tuple[float, float]]]:
    """The phases of streams, as `show.timeline` takes them: who ended first stands on top."""
    ordered = sorted(seen, key=lambda one: one.ended)
    refused = [one for one in ordered if one.outcome == "refused"]
    others = [one for one in ordered if one.outcome != "refused"]
    phases = {
        "waits": {one.client: (one.sent, one.first or one.ended) for one in others},
        "reads tokens": {one.client: (one.first, one.ended) for one in others if one.first},
        "is refused": {one.client: (one.sent, one.ended) for one in refused},
    }
    return {name: rows for name, rows in phases.items() if rows}


def quantiles(seen: Sequence[Seen]) -> Curve:
    """How long the quickest 10%, 20%, ... of those answered wait for the first token."""
    waited = sorted(one.waited for one in seen if one.waited is not None)
    return [100 * (n + 1) / len(waited) for n in range(len(waited))], waited


async def cpu_after_leaving(
    app: Any,
    question: str,
    *,
    watched_s: float,
    path: str = "/chat",
    headers: Headers | None = None,
) -> float:
    """CPU seconds that this process spends in so many seconds after four clients have left."""
    with live(app, grace_s=30) as url:
        async with Clients(url, path, headers=headers) as clients:
            tasks = [asyncio.create_task(clients.ask(question)) for _ in range(4)]
            await asyncio.sleep(0.3)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            before = time.process_time()
            await asyncio.sleep(watched_s)
            return time.process_time() - before


async def stopped_in_the_middle(
    how: Literal["terminate", "kill"], upstream: str
) -> dict[str, object]:
    """What becomes of a stream of two seconds whose service is stopped after a second.

    Args:
        how: `terminate` sends SIGTERM, which asks; `kill` sends SIGKILL, which does not.
        upstream: the base URL of the model.
    """
    with service_process(upstream, path="plain") as service:
        where = (service.url, "/v1/chat/stream")
        async with Clients(*where, headers=bearer(service.key)) as clients:
            stream = asyncio.create_task(clients.ask("Tell me about tents."))
            await asyncio.sleep(1.0)
            getattr(service.process, how)()
            await asyncio.sleep(0.3)
            late = await clients.ask("And about poles?")
            seen = await stream
        status = await asyncio.to_thread(service.process.wait, 20)
    return {
        "stopped by": "SIGTERM" if how == "terminate" else "SIGKILL",
        "the stream": seen.outcome,
        "tokens": len(seen.texts),
        "a new client": late.outcome,
        "exit status": status,
    }


async def refusals(url: str, key: str) -> list[dict[str, object]]:
    """What strangers send, and what each is told: status, title, and milliseconds it took."""
    question = {"message": "Hi"}
    sent: dict[str, tuple[str | None, bytes]] = {
        "no key": (None, _json(question)),
        "a wrong key": ("fh_0_guess", _json(question)),
        "no JSON": (key, b"{message: hi"),
        "a field too much": (key, _json(question | {"admin": True})),
        "6,000 words": (key, _json({"message": "tent " * 6000})),
        "1 MB": (key, b" " * 10**6),
        "a question": (key, _json(question)),
    }
    rows: list[dict[str, object]] = []
    async with Clients(url, "/v1/chat") as clients:
        for name, (shown, content) in sent.items():
            headers = {"content-type": "application/json", **(bearer(shown) if shown else {})}
            started = clients.now
            reply = await clients.http.post(clients.path, content=content, headers=headers)
            title = reply.json().get("title", "-")
            took = 1000 * (clients.now - started)
            rows.append({"sent": name, "status": reply.status_code, "title": title, "ms": took})
    return rows


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


async def events_of(url: str, key: str, question: str) -> list[dict[str, Any]]:
    """The events of a streamed answer, those of the same name in a row as one; data cut short."""
    rows: list[dict[str, Any]] = []
    async with Clients(url, "/v1/chat/stream", headers=bearer(key)) as clients:
        body = {"message": question}
        async with clients.http.stream("POST", clients.path, json=body) as response:
            async for event in httpx2.EventSource(response):
                token = event.event == "token"
                text = json.loads(event.data)["text"] if token else event.data
                if token and rows and rows[-1]["event"] == "token":
                    rows[-1]["data"] += text
                    rows[-1]["events"] += 1
                else:
                    rows.append(
                        {"s": clients.now, "event": event.event, "events": 1, "data": text[:160]}
                    )
    return rows


async def openai_says(url: str, key: str, question: str) -> str | None:
    """The agent's answer to OpenAI's own client."""
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key) as client:
        said = await client.chat.completions.create(
            model="fernhill-agent", messages=[{"role": "user", "content": question}]
        )
    return said.choices[0].message.content


def buffering_proxy(target: str) -> FastAPI:
    """A proxy that hands an answer on when it has all of it, as many do unless told otherwise."""
    app = FastAPI()

    @app.post("/{path:path}")
    async def forward(path: str, request: Request) -> Response:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in ("authorization", "content-type")
        }
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as client:
            reply = await client.post(
                f"{target}/{path}", content=await request.body(), headers=headers
            )
        kind = reply.headers.get("content-type")
        return Response(reply.content, reply.status_code, media_type=kind)

    return app


_SHOWN = {
    "gen_ai_server_time_to_first_token_seconds": "seconds to the first token",
    "gen_ai_client_operation_duration_seconds": "seconds an answer",
    "gen_ai_client_token_usage": "tokens of an answer",
    "service_tool_calls_total": "tool calls",
}


async def figures(url: str) -> list[dict[str, object]]:
    """A few of the figures under `/metrics`: how many were counted, and their mean."""
    async with Clients(url) as clients:
        text = (await clients.http.get("/metrics")).text
    rows: list[dict[str, object]] = []
    for family in text_string_to_metric_families(text):
        total = sum(one.value for one in family.samples if one.name.endswith(("_count", "_total")))
        added = sum(one.value for one in family.samples if one.name.endswith("_sum"))
        name = family.name if family.type == "histogram" else f"{family.name}_total"
        if name in _SHOWN:
            mean = added / total if family.type == "histogram" and total else None
            rows.append({"metric": name, "what": _SHOWN[name], "count": int(total), "mean": mean})
    return rows


async def behind_a_proxy(
    url: str, question: str, *, path: str, headers: Headers
) -> tuple[Seen, Seen]:
    """What a client sees of a service directly, and through `buffering_proxy`."""
    [direct] = await burst_at(url, question, 1, path=path, headers=headers)
    with live(buffering_proxy(url)) as front:
        [behind] = await burst_at(front, question, 1, path=path, headers=headers)
    return direct, behind


async def let_through(workers: Sequence[Any], key: str, count: int) -> int:
    """How many of `count` requests are answered that are sent to these apps in turn."""
    answered = 0
    with ExitStack() as stack:
        urls = [stack.enter_context(live(app)) for app in workers]
        for number in range(count):
            where = (urls[number % len(urls)], "Hello", 1)
            [seen] = await burst_at(*where, path="/v1/chat/stream", headers=bearer(key))
            answered += seen.outcome == "answered"
    return answered
