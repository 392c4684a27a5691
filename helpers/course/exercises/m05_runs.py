"""What the checks of exercises 05.1 to 05.5 do with a learner's code, and what comes of it.

Each function starts the learner's app on a loopback port, is its clients, and returns what they
saw as plain values. A check's own model holds the clock: it writes a word when it is let.
"""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from helpers.course.exercises.m05_given import (
    HeldModel,
    ModelFailed,
    OverBudget,
    Question,
    Service,
    SlowModel,
    Spent,
    Store,
)
from helpers.course.exercises.m05_serving import Clients, Seen, serving

ALL = 1000
"""More words than any check's streams have: lets all of them run to their end."""

_SOON_S = 1.0

MakeApp = Callable[[SlowModel], FastAPI]
MakeQueue = Callable[..., FastAPI]
Guard = Callable[[Request, Coroutine[Any, Any, str]], Awaitable[str]]
Spend = Callable[[Store, str, int, int], AbstractAsyncContextManager[Spent]]
MakeProbes = Callable[[Service], APIRouter]


async def until(condition: Callable[[], bool], limit_s: float = _SOON_S) -> bool:
    """Wait until something is so; False when it is not so in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.002)
            return True
    return False


@asynccontextmanager
async def clients_of(app: FastAPI, *, patience_s: float = 3.0) -> AsyncIterator[Clients]:
    """A running app's clients, who wait for a few seconds at most."""
    async with serving(app, grace_s=1) as url, Clients(url, patience_s=patience_s) as clients:
        yield clients


async def leave(task: asyncio.Task[Any]) -> None:
    """End a client's task, which closes its connection."""
    task.cancel()
    await asyncio.wait([task])


# --- 05.1: events ---------------------------------------------------------------------------------

Event = tuple[str, Any]


async def word_by_word(make: MakeApp, words: Sequence[str]) -> list[Event]:
    """The events that a client has before the model may write its next word."""
    model = HeldModel(words)
    seen: list[Event] = []
    async with clients_of(make(model)) as clients:

        async def read() -> None:
            async with _posted(clients, "weight?") as response:
                async for event in httpx2.EventSource(response):
                    seen.append((event.event, json.loads(event.data)))

        reader = asyncio.create_task(read())
        for number in range(1, len(words) + 1):
            model.let()
            if not await until(functools.partial(_holds, seen, number)) or reader.done():
                break
        else:
            await until(reader.done)
        await leave(reader)
    if not reader.cancelled() and (error := reader.exception()):
        raise error
    return seen


def _holds(seen: Sequence[object], number: int) -> bool:
    return len(seen) >= number


def _posted(clients: Clients, message: str) -> AbstractAsyncContextManager[httpx2.Response]:
    return clients.http.stream("POST", clients.path, json={"message": message})


async def texts(make: MakeApp, words: Sequence[str]) -> list[str]:
    """The texts of the tokens that a client reads."""
    async with clients_of(make(SlowModel(words))) as clients:
        return (await clients.ask("weight?")).texts


async def broken_answer(make: MakeApp) -> tuple[list[str], str, Any]:
    """The words of a model that fails, how the stream ended, and the data of its last event."""
    async with clients_of(make(SlowModel())) as clients:
        seen = await clients.ask("break")
        return seen.texts, seen.outcome, seen.body


async def two_at_once(make: MakeApp) -> list[str]:
    """What each of two clients has read when each one's model has written one word."""
    model = HeldModel(("One", " two"))
    async with clients_of(make(model)) as clients:
        firsts: list[str] = []

        async def read() -> None:
            async with _posted(clients, "weight?") as response:
                async for event in httpx2.EventSource(response):
                    firsts.append(json.loads(event.data).get("text"))

        readers = [asyncio.create_task(read()) for _ in range(2)]
        await until(lambda: model.running == 2, 0.5)
        model.let(2)
        await until(lambda: len(firsts) == 2)
        seen = list(firsts)
        model.let(ALL)
        for reader in readers:
            await leave(reader)
        return seen


async def empty_and_full(make: MakeApp) -> dict[str, object]:
    """What an empty question and a good one bring."""
    model = SlowModel()
    async with clients_of(make(model)) as clients:
        empty = await clients.http.post(clients.path, json={"message": ""})
        asked = model.started
        full = await clients.http.post(clients.path, json={"message": "weight?"})
        kind = full.headers.get("content-type", "").partition(";")[0]
        return {
            "empty": empty.status_code,
            "model asked": asked,
            "good": full.status_code,
            "type": kind,
        }


# --- 05.2: a place before the stream --------------------------------------------------------------


@asynccontextmanager
async def _queue(
    make: MakeQueue,
    *,
    running: int,
    waiting: int,
    patience: float = 5.0,
    each: int = 8,
    model: HeldModel | None = None,
) -> AsyncIterator[tuple[HeldModel, Clients]]:
    model = model or HeldModel()
    app = make(model, running=running, waiting=waiting, patience=patience, each=each)
    async with clients_of(app) as clients:
        try:
            yield model, clients
        finally:
            model.let(ALL)


def _ask(clients: Clients, client: str, message: str = "weight?") -> asyncio.Task[Seen]:
    return asyncio.create_task(clients.ask(message, client=client))


def _told(seen: Seen) -> str:
    """A refusal or an answer in words: what the client was told."""
    if seen.status == 200:
        return seen.outcome
    after = seen.retry_after
    good = after is not None and after.isdecimal() and int(after) >= 1
    return f"{seen.status}" + (", Retry-After" if good else f", Retry-After: {after}")


async def full_house(make: MakeQueue) -> dict[str, object]:
    """Eight strangers at once, with 2 places and 3 to wait at: what becomes of them."""
    async with _queue(make, running=2, waiting=3) as (model, clients):
        tasks = [_ask(clients, f"client {number}") for number in range(8)]
        await until(lambda: sum(task.done() for task in tasks) >= 3, 0.5)
        refused = sorted(_told(task.result()) for task in tasks if task.done())
        model.let(ALL)
        answers = await asyncio.gather(*tasks)
        return {
            "refused at once": refused,
            "answered": sum(seen.outcome == "answered" for seen in answers),
            "most at the model": model.most_running,
        }


async def greedy_caller(make: MakeQueue) -> list[str]:
    """Three requests of one caller, and one of another, where each may have two inside."""
    async with _queue(make, running=4, waiting=4, each=2) as (model, clients):
        first = [_ask(clients, "greedy") for _ in range(2)]
        await until(lambda: model.running == 2, 0.5)
        third, other = _ask(clients, "greedy"), _ask(clients, "other")
        await until(third.done, 0.5)
        model.let(ALL)
        third_told, other_told = _told(await third), _told(await other)
        await asyncio.gather(*first)
        again = _told(await clients.ask("weight?", client="greedy"))
        return [third_told, other_told, again]


async def out_of_patience(make: MakeQueue) -> dict[str, str]:
    """One waits in vain behind a long answer; later the only waiting place must be free again."""
    async with _queue(make, running=1, waiting=1, patience=0.15) as (model, clients):
        long = _ask(clients, "long")
        await until(lambda: model.running == 1, 0.5)
        vain = _ask(clients, "vain")
        await until(vain.done)
        model.let(len(model.words))
        told = {"waits in vain": _told(await vain) if vain.done() else "still waiting"}
        await until(long.done)
        one, two = _ask(clients, "later"), _ask(clients, "last")
        model.let(ALL)
        return told | {"later": _told(await one), "and one more": _told(await two)}


class _Crashing(HeldModel):
    """A held model that fails in a way that nobody has foreseen."""

    async def stream(self, question: str) -> AsyncIterator[str]:
        """The first stream ends in a RuntimeError after a word; later ones are good."""
        first = not self.started
        async for word in super().stream(question):
            yield word
            if first:
                raise RuntimeError("nobody has foreseen this")


async def free_again(make: MakeQueue) -> dict[str, list[str]]:
    """One place, none to wait at: what a second client is told during an answer, and after it."""
    return {
        "after an answer": await _second_and_third(make, HeldModel()),
        "after an error": await _second_and_third(make, _Crashing()),
        "after its client left": await _second_and_third(make, HeldModel(), leaves=True),
    }


async def _second_and_third(
    make: MakeQueue, model: HeldModel, *, leaves: bool = False
) -> list[str]:
    async with _queue(make, running=1, waiting=0, model=model) as (_, clients):
        first = _ask(clients, "first")
        await until(lambda: model.running == 1, 0.5)
        second = _ask(clients, "second")
        await until(second.done, 0.3)
        if leaves:
            await leave(first)
            await until(lambda: not model.running)
        model.let(ALL)
        await asyncio.wait([first])
        await asyncio.sleep(0.02)  # for what follows the last byte on the server's side
        return [_told(await second), _told(await clients.ask("weight?", client="third"))]


# --- 05.3: nobody there ---------------------------------------------------------------------------


class _Kitchen(HeldModel):
    """A held model that needs a moment to clear up when it is stopped, as a real one does."""

    async def answer(self, question: str) -> str:
        self.started += 1
        self.running += 1
        try:
            for _ in self.words:
                await self._pause(1)
            if "break" in question:
                raise ModelFailed("the model's process ended")
            return "".join(self.words)
        finally:
            await asyncio.sleep(0.05)
            self.running -= 1


def _answering(model: _Kitchen, guard: Guard, left: list[int], deadline_s: float = 9.0) -> FastAPI:
    """An app that answers in one piece, with the learner's guard around the model's work.

    When the guard says that the client has left, `left` gets how many answers are being written.
    """
    app = FastAPI()

    @app.post("/chat")
    async def chat(question: Question, request: Request) -> Response:
        try:
            async with asyncio.timeout(deadline_s):
                return Response(await guard(request, model.answer(question.message)))
        except ClientDisconnect:
            left.append(model.running)
            return Response(status_code=499)
        except TimeoutError:
            raise HTTPException(504, "The model took too long.") from None
        except ModelFailed as error:
            raise HTTPException(502, str(error)) from None

    return app


async def one_leaves(guard: Guard, *, message: str = "weight?") -> dict[str, object]:
    """Two clients ask, and one leaves: what becomes of its answer, and what the other gets."""
    model, left = _Kitchen(), list[int]()
    async with clients_of(_answering(model, guard, left)) as clients:
        leaver = _ask(clients, "leaver", "weight?")
        await until(lambda: model.running == 1, 0.5)
        stayer = _ask(clients, "stayer", message)
        await until(lambda: model.running == 2, 0.5)
        await leave(leaver)
        stopped = await until(lambda: model.running == 1)
        model.let(ALL)
        seen = await stayer
        return {
            "of the one who left": "stopped" if stopped else "written to the end",
            "for the one who stayed": seen.status,
        }


async def in_order(guard: Guard) -> dict[str, object]:
    """What still runs at the moment when the guard says that the client has left."""
    model, left = _Kitchen(), list[int]()
    async with clients_of(_answering(model, guard, left)) as clients:
        leaver = _ask(clients, "leaver")
        await until(lambda: model.running == 1, 0.5)
        await leave(leaver)
        await until(lambda: bool(left))
        model.let(ALL)
        return {"ClientDisconnect raised": bool(left), "answers still running": sum(left)}


async def deadline(guard: Guard) -> dict[str, object]:
    """A deadline around the guard passes: what the client gets, and what still runs."""
    model, left = _Kitchen(), list[int]()
    async with clients_of(_answering(model, guard, left, deadline_s=0.1)) as clients:
        late = _ask(clients, "late")
        leaver = _ask(clients, "leaver")
        await until(lambda: model.running == 2, 0.09)
        await leave(leaver)
        seen = await late
        running = model.running
        model.let(ALL)
        return {"status": seen.status, "answers still running": running, "left": len(left)}


async def left_behind(guard: Guard) -> int:
    """Tasks that are still there after three answers and three clients who left."""
    model, left = _Kitchen(), list[int]()
    async with clients_of(_answering(model, guard, left)) as clients:
        before = asyncio.all_tasks()
        for number in range(6):
            task = _ask(clients, f"client {number}")
            await until(lambda number=number: model.started > number, 0.5)  # type: ignore[misc]
            if number % 2:
                await leave(task)
                if not await until(lambda: model.running == 0, 0.5):
                    break  # its work would take the words that are meant for the next client
                continue
            model.let(len(model.words))
            await task
        await until(lambda: not asyncio.all_tasks() - before, 0.4)
        behind = len(asyncio.all_tasks() - before)
        model.let(ALL)
        return behind


# --- 05.4: a budget -------------------------------------------------------------------------------


async def booked(spend: Spend) -> dict[str, int]:
    """What the store holds inside and after a request that uses 12 of at most 30 tokens."""
    store = Store()
    async with spend(store, "C-1", 100, 30) as spent:
        inside = await store.get("C-1")
        spent.tokens = 12
    return {"inside": inside, "after": await store.get("C-1")}


async def to_the_limit(spend: Spend) -> list[str]:
    """Four requests one inside another, of a budget that three fill exactly."""
    store, told = Store(), list[str]()
    try:
        async with spend(store, "C-1", 100, 40), spend(store, "C-1", 100, 40):
            told.append("80 of 100 reserved")
            async with spend(store, "C-1", 100, 20):
                told.append("100 of 100 reserved")
                async with spend(store, "C-1", 100, 1):
                    told.append("101 of 100 reserved")
    except OverBudget:
        told.append("OverBudget")
    return told


async def cut_short(spend: Spend, *, cancelled: bool) -> tuple[str, int]:
    """How a request ends that breaks after 5 of at most 30 tokens, and what it has cost."""
    store = Store()
    inside = asyncio.Event()

    async def request() -> None:
        async with spend(store, "C-1", 100, 30) as spent:
            spent.tokens = 5
            inside.set()
            if not cancelled:
                raise ModelFailed("the model's process ended")
            await asyncio.sleep(60)

    task = asyncio.create_task(request())
    if cancelled:
        await asyncio.wait(
            [task, asyncio.create_task(inside.wait())], return_when="FIRST_COMPLETED"
        )
        task.cancel()
    await asyncio.wait([task])
    if task.cancelled():
        ended = "cancelled"
    else:
        ended = type(task.exception()).__name__ if task.exception() else "returned"
    return ended, await store.get("C-1")


async def two_workers(spend: Spend) -> dict[str, int]:
    """Forty requests at once, half of them in a second worker: a thread with a loop of its own."""
    store = Store()
    decided: list[bool] = []

    async def request() -> None:
        try:
            async with spend(store, "C-1", 100, 10) as spent:
                decided.append(True)
                await until(lambda: len(decided) == 40)
                spent.tokens = 7
        except OverBudget:
            decided.append(False)

    async def worker() -> None:
        await asyncio.gather(*(request() for _ in range(20)))

    await asyncio.gather(asyncio.to_thread(lambda: asyncio.run(worker())), worker())
    return {"let in": sum(decided), "refused": 40 - sum(decided), "used": await store.get("C-1")}


async def big_and_small(spend: Spend) -> dict[str, int]:
    """A request that does not fit and five that do, at the same moment."""
    store = Store()
    await store.set("C-1", 50)
    let_in = {"of 80 tokens": 0, "of 10 tokens": 0}
    everybody = asyncio.Event()

    async def request(most: int) -> None:
        with suppress(OverBudget):
            async with spend(store, "C-1", 100, most):
                let_in[f"of {most} tokens"] += 1
                await everybody.wait()

    tasks = [asyncio.create_task(request(most)) for most in (80, 10, 10, 10, 10, 10)]
    await until(lambda: sum(let_in.values()) + sum(task.done() for task in tasks) >= 6)
    everybody.set()
    await asyncio.gather(*tasks)
    return let_in


# --- 05.5: readiness ------------------------------------------------------------------------------


class Patient(SlowModel):
    """A model whose server can be well, dead, or there without ever answering."""

    health = "well"

    async def ping(self) -> None:
        """Answer, fail or hang."""
        if self.health == "dead":
            raise ModelFailed("connection refused")
        if self.health == "hangs":
            await asyncio.sleep(3600)


Change = Callable[[Service, Patient], None]


async def probed(make: MakeProbes, moments: dict[str, Change]) -> dict[str, str]:
    """What `/livez` and `/readyz` say at each moment, after a change: such as "200 503"."""
    found = {}
    async with _probes(make) as (service, model, http):
        for moment, change in moments.items():
            change(service, model)
            found[moment] = f"{await _status(http, '/livez')} {await _status(http, '/readyz')}"
    return found


async def reasons(make: MakeProbes, change: Change) -> str:
    """The body of `/readyz` after a change."""
    async with _probes(make) as (service, model, http):
        change(service, model)
        return (await http.get("/readyz")).text


async def work_done(make: MakeProbes) -> dict[str, int]:
    """Twenty probes: how many say yes, and how many questions they have asked the model."""
    async with _probes(make) as (_, model, http):
        said = [await _status(http, "/readyz") for _ in range(20)]
        return {"ready": said.count("200"), "questions to the model": model.started}


@asynccontextmanager
async def _probes(
    make: MakeProbes,
) -> AsyncIterator[tuple[Service, Patient, httpx2.AsyncClient]]:
    model = Patient()
    service = Service(model)
    app = FastAPI()
    app.include_router(make(service))
    async with clients_of(app) as clients:
        yield service, model, clients.http


async def _status(http: httpx2.AsyncClient, path: str) -> str:
    try:
        return str((await http.get(path)).status_code)
    except httpx2.TransportError:
        return "no answer"
