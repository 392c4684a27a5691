"""What exercises 05.3 to 05.5 change on a running system, beside the version written first."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from helpers.course.exercises.m05_gate import load_of
from helpers.course.exercises.m05_given import (
    OverBudget,
    Question,
    Service,
    SlowModel,
    Spent,
    Store,
)
from helpers.course.exercises.m05_runs import Guard, MakeProbes, Spend, leave
from helpers.course.exercises.m05_serving import Clients, percentile, serving


async def careless(request: Request, work: Coroutine[Any, Any, str]) -> str:
    """A `while_connected` that does not look whether anybody is there."""
    return await work


async def words_written(guard: Guard) -> int:
    """Words that a model writes for eight clients of whom six leave after the second word."""
    written: Counter[str] = Counter()
    model, app = SlowModel(step=0.05, batch=8), FastAPI()

    @app.post("/chat")
    async def chat(question: Question, request: Request) -> str:
        async def answer() -> str:
            async for _ in model.stream(question.message):
                written["words"] += 1
            return "done"

        return await guard(request, answer())

    async with serving(app) as url, Clients(url) as clients:
        tasks = [asyncio.create_task(clients.ask("weight?")) for _ in range(8)]
        while written["words"] < 16:
            await asyncio.sleep(0.01)
        for task in tasks[2:]:
            await leave(task)
        await asyncio.wait(tasks)
    return written["words"]


@asynccontextmanager
async def hopeful(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
    """A `spend` that looks, and then books: two calls of the store."""
    if await store.get(key) + most > limit:
        raise OverBudget
    await store.add(key, most)
    yield Spent(most)


async def let_in(spend: Spend) -> int:
    """How many of forty requests of 10 tokens are let in at the same moment, of a budget of 100."""
    store, inside = Store(), Counter[str]()

    async def request() -> None:
        with suppress(OverBudget):
            async with spend(store, "C-0042", 100, 10) as spent:
                inside["requests"] += 1
                await asyncio.sleep(0.05)
                spent.tokens = 10

    await asyncio.gather(*(request() for _ in range(40)))
    return inside["requests"]


def optimist(service: Service) -> APIRouter:
    """Probes that always say yes."""
    router = APIRouter()
    for path in ("/livez", "/readyz"):
        router.add_api_route(path, lambda: {"status": "ready"})
    return router


async def sent_into_failure(make: MakeProbes) -> int:
    """Requests of five that are sent because the probe says yes, and fail.

    The moments: the model loads, works, the queue is full, is empty, the service stops.
    """
    service, app, sent = Service(), FastAPI(), 0
    app.include_router(make(service))
    async with serving(app) as url, Clients(url) as clients:
        for loaded, waiting, stopping in [
            (False, 0, False),
            (True, 0, False),
            (True, 4, False),
            (True, 0, False),
            (True, 0, True),
        ]:
            service.model.loaded, service.waiting, service.stopping = loaded, waiting, stopping
            good = loaded and waiting < service.most_waiting and not stopping
            sent += (await clients.http.get("/readyz")).is_success and not good
    return sent


class RealModel(SlowModel):
    """The course's chat model with the interface of the others; it counts nothing."""

    async def stream(self, question: str) -> AsyncIterator[str]:
        """Write a short answer, piece by piece."""
        from helpers.models import chat_model

        async for chunk in chat_model(max_tokens=12).astream(question):
            if chunk.text:
                yield chunk.text


async def under_load(app: FastAPI, count: int) -> dict[str, Any]:
    """One client alone, then so many at once: what becomes of them, and when they begin to read.

    `first token, times alone` is the 95th percentile of those answered, divided by that of the one
    who was alone.
    """
    question = "What is a tent pole?"
    async with serving(app) as url, Clients(url) as clients:
        await clients.ask(question)  # so that the model is loaded
        alone = percentile([(await clients.ask(question)).waited], 1)
        seen = await clients.burst([question] * count)
    found = load_of(seen, [alone])
    return {
        "answered": found.answered,
        "of": found.asked,
        "errors": sum(one.outcome in ("error event", "lost") for one in seen),
        "first token, times alone": found.ratio,
    }
