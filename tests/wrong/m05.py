"""Wrong answers to the exercises of module 05."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import ClientDisconnect

from helpers.course.exercises.m05_fragile import fragile
from helpers.course.exercises.m05_given import (
    ModelFailed,
    OverBudget,
    Question,
    Service,
    SlowModel,
    Spent,
    Store,
    events,
)
from tests.wrong import wrong

AGAIN = {"Retry-After": "1"}

# --- 05.1 -----------------------------------------------------------------------------------------


def streaming(write: Callable[[SlowModel, str], AsyncIterator[ServerSentEvent]]) -> object:
    """An app with POST /chat that sends what `write` yields."""

    def streaming_app(model: SlowModel) -> FastAPI:
        app = FastAPI()

        @app.post("/chat", response_class=EventSourceResponse)
        async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
            async for event in write(model, question.message):
                yield event

        return app

    return streaming_app


@wrong("05.1", "no-op", "An app without a route.", says="Is there a POST /chat")
def no_route() -> object:
    def streaming_app(model: SlowModel) -> FastAPI:
        return FastAPI()

    return streaming_app


@wrong("05.1", "misreading", "The answer in one piece.", says="is complete")
def in_one_piece() -> object:
    def streaming_app(model: SlowModel) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> dict[str, str]:
            return {"answer": await model.answer(question.message)}

        return app

    return streaming_app


@wrong("05.1", "misreading", "Collects the words first.", says="before the answer is complete")
def collects_first() -> object:
    async def write(model: SlowModel, message: str) -> AsyncIterator[ServerSentEvent]:
        words = [word async for word in model.stream(message)]
        for word in words:
            yield ServerSentEvent(event="token", data={"text": word})
        yield ServerSentEvent(event="done", data={"tokens": len(words)})

    return streaming(write)


@wrong("05.1", "slip", "No word about the end.", says="from a cut connection")
def no_done() -> object:
    async def write(model: SlowModel, message: str) -> AsyncIterator[ServerSentEvent]:
        async for word in model.stream(message):
            yield ServerSentEvent(event="token", data={"text": word})

    return streaming(write)


@wrong("05.1", "slip", "Events without a name.", says='without event="token"')
def no_names() -> object:
    async def write(model: SlowModel, message: str) -> AsyncIterator[ServerSentEvent]:
        count = 0
        async for word in model.stream(message):
            count += 1
            yield ServerSentEvent(data={"text": word})
        yield ServerSentEvent(data={"tokens": count})

    return streaming(write)


@wrong("05.1", "slip", "Says done although the model has failed.", says="It said done")
def done_in_any_case() -> object:
    async def write(model: SlowModel, message: str) -> AsyncIterator[ServerSentEvent]:
        count = 0
        try:
            async for word in model.stream(message):
                count += 1
                yield ServerSentEvent(event="token", data={"text": word})
        except ModelFailed as error:
            yield ServerSentEvent(event="error", data={"title": str(error), "status": 502})
        yield ServerSentEvent(event="done", data={"tokens": count})

    return streaming(write)


@wrong("05.1", "misreading", "Writes the frames by hand.", says="line break inside data")
def by_hand() -> object:
    def streaming_app(model: SlowModel) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> StreamingResponse:
            async def write() -> AsyncIterator[str]:
                count = 0
                async for word in model.stream(question.message):
                    count += 1
                    yield f"event: token\ndata: {word}\n\n"
                yield f"event: done\ndata: {json.dumps({'tokens': count})}\n\n"

            return StreamingResponse(write(), media_type="text/event-stream")

        return app

    return streaming_app


# --- 05.2 -----------------------------------------------------------------------------------------

Place = Callable[[str], AsyncIterator[None]]
MakePlace = Callable[[int, int, float, int], Place]


def queueing(make: MakePlace) -> Callable[..., FastAPI]:
    """An app whose POST /chat depends on the place that `make` makes."""

    def queueing_app(
        model: SlowModel, *, running: int, waiting: int, patience: float, each: int
    ) -> FastAPI:
        app, place = FastAPI(), make(running, waiting, patience, each)

        async def dependency(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
            async for _ in place(x_caller):
                yield

        @app.post("/chat", response_class=EventSourceResponse, dependencies=[Depends(dependency)])
        async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
            async for event in events(model, question.message):
                yield event

        return app

    return queueing_app


def places(
    *, headers: dict[str, str] | None = AGAIN, greedy: int = 429, endless: bool = False
) -> MakePlace:
    """The queue as it should be, but for what is named here."""

    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        free, inside = asyncio.Semaphore(running), Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            if inside[caller] >= each:
                raise HTTPException(greedy, headers=headers)
            if inside.total() >= running + waiting:
                raise HTTPException(503, headers=headers)
            inside[caller] += 1
            try:
                async with asyncio.timeout(None if endless else patience) as wait, free:
                    wait.reschedule(None)
                    yield
            except TimeoutError:
                raise HTTPException(503, headers=headers) from None
            finally:
                inside[caller] -= 1

        return place

    return make


@wrong("05.2", "no-op", "Lets everybody in.", says="Nobody was refused")
def no_queue() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        async def place(caller: str) -> AsyncIterator[None]:
            yield

        return place

    return queueing(make)


@wrong("05.2", "misreading", "Waits inside the stream.", says="inside the stream")
def inside_the_stream() -> object:
    def queueing_app(
        model: SlowModel, *, running: int, waiting: int, patience: float, each: int
    ) -> FastAPI:
        app, places, inside = FastAPI(), asyncio.Semaphore(running), Counter[str]()

        @app.post("/chat", response_class=EventSourceResponse)
        async def chat(
            question: Question, x_caller: Annotated[str, Header()]
        ) -> AsyncIterator[ServerSentEvent]:
            if inside.total() >= running + waiting:
                raise HTTPException(503, headers=AGAIN)
            inside[x_caller] += 1
            try:
                async with places:
                    async for event in events(model, question.message):
                        yield event
            finally:
                inside[x_caller] -= 1

        return app

    return queueing_app


@wrong(
    "05.2", "slip", "Gives the place back before the stream.", says="before the stream had ended"
)
def given_back_early() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        places, inside = asyncio.Semaphore(running), Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            if inside[caller] >= each:
                raise HTTPException(429, headers=AGAIN)
            if inside.total() >= running + waiting:
                raise HTTPException(503, headers=AGAIN)
            inside[caller] += 1
            try:
                await asyncio.wait_for(places.acquire(), patience)
                places.release()
                yield
            except TimeoutError:
                raise HTTPException(503, headers=AGAIN) from None
            finally:
                inside[caller] -= 1

        return place

    return queueing(make)


@wrong("05.2", "slip", "Refuses without saying when to come back.", says="Without Retry-After")
def no_retry_after() -> object:
    return queueing(places(headers=None))


@wrong("05.2", "slip", "Gives back without finally.", says="use finally")
def never_given_back() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        places, inside = asyncio.Semaphore(running), Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            if inside[caller] >= each:
                raise HTTPException(429, headers=AGAIN)
            if inside.total() >= running + waiting:
                raise HTTPException(503, headers=AGAIN)
            inside[caller] += 1
            try:
                await asyncio.wait_for(places.acquire(), patience)
            except TimeoutError:
                inside[caller] -= 1
                raise HTTPException(503, headers=AGAIN) from None
            yield
            places.release()
            inside[caller] -= 1

        return place

    return queueing(make)


@wrong("05.2", "misreading", "503 for the greedy caller too.", says="429")
def one_status_for_all() -> object:
    return queueing(places(greedy=503))


@wrong("05.2", "misreading", "Waits without end.", says="as long as it takes")
def endless_patience() -> object:
    return queueing(places(endless=True))


# --- 05.3 -----------------------------------------------------------------------------------------

Work = Coroutine[Any, Any, str]


async def gone(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(0.01)


@wrong("05.3", "no-op", "Only waits for the work.", says="who had left")
def only_waits() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        return await work

    return while_connected


@wrong("05.3", "misreading", "Looks once, before the work.", says="who had left")
def looks_once() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        if await request.is_disconnected():
            raise ClientDisconnect
        return await work

    return while_connected


@wrong("05.3", "slip", "Asks the work to end, and does not wait.", says="Wait for it")
def does_not_wait() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        tasks = [asyncio.create_task(work), asyncio.create_task(gone(request))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not tasks[0].done():
                raise ClientDisconnect
            return str(tasks[0].result())
        finally:
            for task in tasks:
                task.cancel()

    return while_connected


@wrong("05.3", "slip", "Leaves the watch behind.", says="is still there")
def leaves_the_watch() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        async def watch() -> None:
            while True:  # it does not end with the request
                await request.is_disconnected()
                await asyncio.sleep(0.01)

        left = asyncio.create_task(gone(request))
        asyncio.create_task(watch())  # noqa: RUF006 - that is the mistake
        working = asyncio.create_task(work)
        try:
            await asyncio.wait([working, left], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return working.result()
        finally:
            working.cancel()
            left.cancel()
            await asyncio.gather(working, left, return_exceptions=True)

    return while_connected


@wrong(
    "05.3", "slip", "Cancelled itself, it leaves the work running.", says="must be cancelled too"
)
def forgets_its_own_end() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working, watching = asyncio.create_task(work), asyncio.create_task(gone(request))
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
            raise ClientDisconnect
        return working.result()

    return while_connected


# --- 05.4 -----------------------------------------------------------------------------------------


def settling(book: Callable[[Store, str, int, int], Awaitable[None]]) -> object:
    """A budget that settles as it should, and books by `book`."""

    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await book(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens - most)

    return spend


async def look_and_book(store: Store, key: str, limit: int, most: int) -> None:
    if await store.get(key) + most > limit:
        raise OverBudget
    await store.add(key, most)


@wrong("05.4", "no-op", "Books nothing.", says="Nothing is booked")
def books_nothing() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        yield Spent()

    return spend


@wrong("05.4", "misreading", "Counts afterwards what was used.", says="can spend the same tokens")
def counts_afterwards() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        if await store.get(key) + most > limit:
            raise OverBudget
        spent = Spent()
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens)

    return spend


@wrong("05.4", "slip", "Looks, and then books.", says="read the same number")
def looks_then_books() -> object:
    return settling(look_and_book)


@wrong("05.4", "misreading", "A lock of this worker.", says="a second worker")
def locks_this_worker() -> object:
    lock = asyncio.Lock()

    async def book(store: Store, key: str, limit: int, most: int) -> None:
        async with lock:
            await look_and_book(store, key, limit, most)

    return settling(book)


@wrong("05.4", "misreading", "Adds, and takes back what is too much.", says="for a moment")
def adds_and_takes_back() -> object:
    async def book(store: Store, key: str, limit: int, most: int) -> None:
        if await store.add(key, most) > limit:
            await store.add(key, -most)
            raise OverBudget

    return settling(book)


async def reserve(store: Store, key: str, limit: int, most: int, *, full: int = 0) -> None:
    while True:
        used = await store.get(key)
        if used + most + full > limit:
            raise OverBudget
        if await store.compare_and_set(key, used, used + most):
            return


@wrong("05.4", "slip", "The last tokens are never given out.", says="fit exactly")
def one_too_early() -> object:
    return settling(partial(reserve, full=1))


@wrong("05.4", "slip", "Settles only what went well.", says="25 tokens are lost")
def settles_only_success() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        yield spent
        await store.add(key, spent.tokens - most)

    return spend


@wrong("05.4", "slip", "Charges on top of the reservation.", says="on top")
def charges_on_top() -> object:
    @asynccontextmanager
    async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
        await reserve(store, key, limit, most)
        spent = Spent()
        try:
            yield spent
        finally:
            await store.add(key, spent.tokens)

    return spend


# --- 05.5 -----------------------------------------------------------------------------------------


def router(live: Callable[[], Any], is_ready: Callable[[], Coroutine[Any, Any, Any]]) -> APIRouter:
    made = APIRouter()
    made.add_api_route("/livez", live)
    made.add_api_route("/readyz", is_ready)
    return made


def alive() -> dict[str, str]:
    return {"status": "alive"}


async def wrong_with(service: Service, *, patience: float | None = 0.5) -> list[str]:
    reasons = []
    try:
        async with asyncio.timeout(patience):
            await service.model.ping()
        if not service.model.loaded:
            reasons.append("model")
    except (ModelFailed, TimeoutError):
        reasons.append("model")
    if service.waiting >= service.most_waiting:
        reasons.append("queue")
    if service.stopping:
        reasons.append("stopping")
    return reasons


def said(reasons: list[str]) -> JSONResponse:
    return JSONResponse({"reasons": reasons}, 503 if reasons else 200)


def probing(reasons: Callable[[Service], Awaitable[list[str]]]) -> object:
    """Probes as they should be, but for the reasons that /readyz finds."""

    def probes(service: Service) -> APIRouter:
        async def is_ready() -> JSONResponse:
            return said(await reasons(service))

        return router(alive, is_ready)

    return probes


@wrong("05.5", "no-op", "No routes.", says="both needed")
def no_routes() -> object:
    def probes(service: Service) -> APIRouter:
        return APIRouter()

    return probes


@wrong("05.5", "no-op", "Always ready.", says="every request would fail")
def always_ready() -> object:
    def probes(service: Service) -> APIRouter:
        async def is_ready() -> dict[str, str]:
            return {"status": "ready"}

        return router(alive, is_ready)

    return probes


@wrong("05.5", "misreading", "One probe under two names.", says="a restart would not help")
def one_probe_for_both() -> object:
    def probes(service: Service) -> APIRouter:
        async def is_ready() -> JSONResponse:
            return said(await wrong_with(service))

        return router(is_ready, is_ready)  # type: ignore[arg-type]

    return probes


@wrong("05.5", "misreading", "Asks the model a question.", says="a customer's place")
def asks_a_question() -> object:
    async def reasons(service: Service) -> list[str]:
        found = await wrong_with(service)
        if not found:
            await service.model.answer("Are you there?")
        return found

    return probing(reasons)


@wrong("05.5", "slip", "Waits for a ping without end.", says="No answer within 3 s")
def waits_without_end() -> object:
    return probing(partial(wrong_with, patience=None))


@wrong("05.5", "slip", "Full only when it is more than full.", says="the queue is full")
def one_too_late() -> object:
    async def reasons(service: Service) -> list[str]:
        service.waiting -= 1
        found = await wrong_with(service)
        service.waiting += 1
        return found

    return probing(reasons)


@wrong("05.5", "slip", "Stops at the first reason.", says="stops at the first reason")
def first_reason_only() -> object:
    async def reasons(service: Service) -> list[str]:
        return (await wrong_with(service))[:1]

    return probing(reasons)


@wrong("05.5", "misreading", "Once not ready, never ready.", says="not wrong for good")
def never_again() -> object:
    def probes(service: Service) -> APIRouter:
        found: list[str] = []

        async def is_ready() -> JSONResponse:
            found.extend(await wrong_with(service))
            return said(found)

        return router(alive, is_ready)

    return probes


# --- 05.6 -----------------------------------------------------------------------------------------


class Bounded(SlowModel):
    """A model whose answers take at most a second."""

    def __init__(self, model: SlowModel) -> None:
        super().__init__()
        self.model = model

    async def stream(self, question: str) -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(1):
                async for word in self.model.stream(question):
                    yield word
        except TimeoutError:
            raise ModelFailed("no whole answer within a second") from None


def mended(*, running: int, waiting: int, each: int, bounded: bool = True) -> object:
    """The service as it should be, with numbers of its own."""

    def chat_service(model: SlowModel) -> FastAPI:
        inner = Bounded(model) if bounded else model
        return queueing(places())(inner, running=running, waiting=waiting, patience=2.0, each=each)

    return chat_service


@wrong("05.6", "no-op", "The same, called from another function.", says="begun and cut")
def the_same_again() -> object:
    def chat_service(model: SlowModel) -> FastAPI:
        return fragile(model)

    return chat_service


@wrong("05.6", "misreading", "Refuses everybody.", says="Nobody is answered")
def refuses_everybody() -> object:
    def chat_service(model: SlowModel) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> PlainTextResponse:
            return PlainTextResponse("Busy.", 503, AGAIN)

        return app

    return chat_service


@wrong(
    "05.6",
    "misreading",
    "Typed and with good events, but without a queue.",
    says="Answer, or refuse",
)
def no_bound() -> object:
    return mended(running=100, waiting=0, each=100)


@wrong("05.6", "slip", "A queue so long that all wait.", says="wait for too long")
def a_long_queue() -> object:
    return mended(running=4, waiting=40, each=3)


@wrong("05.6", "slip", "No share for each caller.", says="give each caller a share")
def no_shares() -> object:
    return mended(running=4, waiting=2, each=100)


@wrong("05.6", "slip", "No bound on the time of an answer.", says="Bound how long")
def no_deadline() -> object:
    return mended(running=4, waiting=2, each=3, bounded=False)
