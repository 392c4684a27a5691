"""Answers to exercise 05.2, right and wrong."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from helpers.authoring.answers import right, wrong

AGAIN = {"Retry-After": "1"}


class Question(BaseModel):
    message: str = Field(min_length=1, max_length=2000)


async def events(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
    count = 0
    try:
        async for chunk in model.astream(message):
            if chunk.text:
                count += 1
                yield ServerSentEvent(event="token", data={"text": chunk.text})
    except Exception:
        yield ServerSentEvent(event="error", data={"title": "Failed", "status": 502})
    else:
        yield ServerSentEvent(event="done", data={"tokens": count})


Place = Callable[[str], AsyncIterator[None]]
MakePlace = Callable[[int, int, float, int], Place]


def queueing(make: MakePlace) -> Callable[..., FastAPI]:
    """An app whose POST /chat depends on the place that `make` makes."""

    def queueing_app(
        model: Any, *, running: int, waiting: int, patience: float, each: int
    ) -> FastAPI:
        app, place = FastAPI(), make(running, waiting, patience, each)
        entered = asynccontextmanager(place)

        async def dependency(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
            async with entered(x_caller):
                yield

        @app.post("/chat", response_class=EventSourceResponse, dependencies=[Depends(dependency)])
        async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
            async for event in events(model, question.message):
                yield event

        return app

    return queueing_app


def places(
    *,
    headers: dict[str, str] | None = AGAIN,
    greedy: int = 429,
    full: int = 503,
    endless: bool = False,
    whole_answer: bool = False,
    more: int = 0,
    late: bool = False,
    by_caller: bool = True,
    leave_out: float | None = None,
    full_first: bool = False,
    own: Callable[[int], int] = lambda each: each,
) -> MakePlace:
    """The queue as it should be, except for what is named here."""

    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        free, inside = asyncio.Semaphore(running), Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            name = caller if by_caller else ""
            is_full = inside.total() >= running + waiting + more
            if is_full and full_first:
                raise HTTPException(full, headers=headers)
            if inside[name] >= own(each):
                raise HTTPException(greedy, headers=headers)
            if is_full:
                raise HTTPException(full, headers=headers)
            if late:
                await asyncio.sleep(0.01)
            inside[name] += 1
            seconds = leave_out or patience
            try:
                async with asyncio.timeout(None if endless else seconds) as wait, free:
                    if not whole_answer:
                        wait.reschedule(None)
                    yield
            except TimeoutError:
                raise HTTPException(503, headers=headers) from None
            finally:
                inside[name] -= 1

        return place

    return make


@wrong("Returns nothing.", slip="no-app")
def no_return() -> object:
    make = queueing(places())

    def queueing_app(model: Any, **limits: Any) -> None:
        make(model, **limits)

    return queueing_app


@wrong("Lets everybody in.", slip="no-queue")
def no_queue() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        async def place(caller: str) -> AsyncIterator[None]:
            yield

        return place

    return queueing(make)


@wrong("Counts after an await: all look before one is counted.", slip="all-wait")
def counts_too_late() -> object:
    return queueing(places(late=True))


@wrong("Any number may wait.", slip="all-wait")
def all_may_wait() -> object:
    return queueing(places(more=1000))


@wrong("One more may wait.")
def one_more() -> object:
    return queueing(places(more=1))


@wrong("One fewer may wait.")
def one_fewer() -> object:
    return queueing(places(more=-1))


@wrong("Nobody may wait.", slip="nobody-waits")
def nobody_waits() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        return places()(running, 0, patience, each)

    return queueing(make)


@wrong("Waits inside the stream.", slip="inside-the-stream")
def inside_the_stream() -> object:
    def queueing_app(
        model: Any, *, running: int, waiting: int, patience: float, each: int
    ) -> FastAPI:
        app = FastAPI()
        place = asynccontextmanager(places()(running, waiting, patience, each))

        @app.post("/chat", response_class=EventSourceResponse)
        async def chat(
            question: Question, x_caller: Annotated[str, Header()]
        ) -> AsyncIterator[ServerSentEvent]:
            async with place(x_caller):
                async for event in events(model, question.message):
                    yield event

        return app

    return queueing_app


@wrong("Gives the place back before the stream.", slip="given-back-early")
def given_back_early() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        free, inside = asyncio.Semaphore(running), Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            if inside[caller] >= each:
                raise HTTPException(429, headers=AGAIN)
            if inside.total() >= running + waiting:
                raise HTTPException(503, headers=AGAIN)
            inside[caller] += 1
            try:
                await asyncio.wait_for(free.acquire(), patience)
                free.release()
                yield
            except TimeoutError:
                raise HTTPException(503, headers=AGAIN) from None
            finally:
                inside[caller] -= 1

        return place

    return queueing(make)


@wrong("Refuses without saying when to come back.", slip="no-retry-after")
def no_retry_after() -> object:
    return queueing(places(headers=None))


@wrong("Says to come back after 0 seconds.")
def retry_after_zero() -> object:
    return queueing(places(headers={"Retry-After": "0"}))


@wrong("Says to come back soon.")
def retry_after_soon() -> object:
    return queueing(places(headers={"Retry-After": "soon"}))


@wrong("Says 429 when it is full.")
def full_is_429() -> object:
    return queueing(places(full=429))


@wrong("503 for the greedy caller too.", slip="503-for-one")
def one_status_for_all() -> object:
    return queueing(places(greedy=503))


@wrong("The share of all callers together.", slip="share-of-all")
def share_of_all() -> object:
    return queueing(places(by_caller=False))


@wrong("Callers whose names begin alike are one caller.", slip="share-of-all")
def names_cut_short() -> object:
    inner: Any = queueing(places())

    class Cut:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                cut = [(k, v[:8] if k == b"x-caller" else v) for k, v in scope["headers"]]
                scope = {**scope, "headers": cut}
            await self.app(scope, receive, send)

    return lambda model, **options: Cut(inner(model, **options))


@wrong("No share for each caller.", slip="only-running")
def no_share() -> object:
    return queueing(places(own=lambda each: 1000))


@wrong("One more for each caller.")
def one_more_each() -> object:
    return queueing(places(own=lambda each: each + 1))


@wrong("One fewer for each caller.")
def one_fewer_each() -> object:
    return queueing(places(own=lambda each: each - 1))


@wrong("Only those who run count in the share.", slip="only-running")
def only_running_count() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        inner = asynccontextmanager(places()(running, waiting, patience, 1000))
        served = Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            if served[caller] >= each:
                raise HTTPException(429, headers=AGAIN)
            async with inner(caller):
                served[caller] += 1
                try:
                    yield
                finally:
                    served[caller] -= 1

        return place

    return queueing(make)


@wrong("Looks at the queue first, and at the caller then.", slip="503-first")
def queue_first() -> object:
    return queueing(places(full_first=True))


@wrong("Waits without end.", slip="waits-on")
def endless_patience() -> object:
    return queueing(places(endless=True))


@wrong("A patience of its own.")
def own_patience() -> object:
    return queueing(places(leave_out=0.2))


@wrong("Patience for the whole answer.", slip="answer-cut")
def patience_for_the_answer() -> object:
    return queueing(places(whole_answer=True))


def hand_made(*, on_timeout: bool = True, in_finally: bool = True) -> MakePlace:
    """A semaphore taken by hand; what is False is forgotten."""

    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        free, inside = asyncio.Semaphore(running), Counter[str]()

        def end(caller: str) -> None:
            free.release()
            inside[caller] -= 1

        async def place(caller: str) -> AsyncIterator[None]:
            if inside[caller] >= each:
                raise HTTPException(429, headers=AGAIN)
            if inside.total() >= running + waiting:
                raise HTTPException(503, headers=AGAIN)
            inside[caller] += 1
            try:
                await asyncio.wait_for(free.acquire(), patience)
            except TimeoutError:
                inside[caller] -= on_timeout
                raise HTTPException(503, headers=AGAIN) from None
            if not in_finally:
                yield
                end(caller)
                return
            try:
                yield
            finally:
                end(caller)

        return place

    return make


@wrong("Still counts who has run out of patience.", slip="still-counted")
def counts_the_impatient() -> object:
    return queueing(hand_made(on_timeout=False))


@wrong("Gives back without finally.", slip="never-free")
def without_finally() -> object:
    return queueing(hand_made(in_finally=False))


@wrong("One queue for all apps.", slip="shared")
def one_queue() -> object:
    made: dict[str, Place] = {}

    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        key = f"{running} {waiting} {patience} {each}"
        return made.setdefault(key, places()(running, waiting, patience, each))

    return queueing(make)


@wrong("Ignores the number of places.")
def ignores_running() -> object:
    return queueing(lambda running, waiting, patience, each: places()(2, waiting, patience, each))


@right("The semaphore taken by hand, and given back in finally.")
def by_hand() -> object:
    return queueing(hand_made())


@right("A class with an async with, and a StreamingResponse.")
def a_class() -> object:
    class Queue:
        def __init__(self, running: int, waiting: int, patience: float, each: int) -> None:
            self.free = asyncio.Semaphore(running)
            self.most, self.patience, self.each = running + waiting, patience, each
            self.inside: list[str] = []

        async def __call__(self, x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
            if self.inside.count(x_caller) == self.each:
                raise HTTPException(429, "Too many", {"retry-after": "1"})
            if len(self.inside) == self.most:
                raise HTTPException(503, "Full", {"retry-after": "1"})
            self.inside.append(x_caller)
            try:
                try:
                    await asyncio.wait_for(self.free.acquire(), self.patience)
                except TimeoutError:
                    raise HTTPException(503, "Too long", {"retry-after": "1"}) from None
                try:
                    yield
                finally:
                    self.free.release()
            finally:
                self.inside.remove(x_caller)

    def queueing_app(model: Any, **limits: Any) -> FastAPI:
        app, queue = FastAPI(), Queue(**limits)

        @app.post("/chat", dependencies=[Depends(queue)])
        async def chat(question: Question) -> StreamingResponse:
            async def write() -> AsyncIterator[str]:
                async for event in events(model, question.message):
                    yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"

            return StreamingResponse(write(), media_type="text/event-stream")

        return app

    return queueing_app


@right("anyio's limiter and its time limit.")
def with_anyio() -> object:
    def make(running: int, waiting: int, patience: float, each: int) -> Place:
        limiter, inside = anyio.Semaphore(running), Counter[str]()

        async def place(caller: str) -> AsyncIterator[None]:
            if inside[caller] >= each:
                raise HTTPException(429, headers=AGAIN)
            if sum(inside.values()) >= running + waiting:
                raise HTTPException(503, headers=AGAIN)
            inside[caller] += 1
            try:
                with anyio.move_on_after(patience) as scope:
                    await limiter.acquire()
                if scope.cancelled_caught:
                    raise HTTPException(503, headers=AGAIN)
                try:
                    yield
                finally:
                    limiter.release()
            finally:
                inside[caller] -= 1

        return place

    return queueing(make)


@right("Middleware of ASGI in the place of a dependency.")
def with_middleware() -> object:
    def queueing_app(
        model: Any, *, running: int, waiting: int, patience: float, each: int
    ) -> FastAPI:
        app = FastAPI()
        place = asynccontextmanager(places()(running, waiting, patience, each))

        @app.post("/chat", response_class=EventSourceResponse)
        async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
            async for event in events(model, question.message):
                yield event

        class Gate:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                if scope["type"] != "http":
                    await self.app(scope, receive, send)
                    return
                try:
                    async with place(Request(scope).headers.get("x-caller", "")):
                        await self.app(scope, receive, send)
                except HTTPException as refused:
                    answer = JSONResponse({}, refused.status_code, refused.headers)
                    await answer(scope, receive, send)

        app.add_middleware(Gate)
        return app

    return queueing_app


@right("The endpoint takes the place itself, and the stream gives it back.")
def the_endpoint_takes_it() -> object:
    def queueing_app(
        model: Any, *, running: int, waiting: int, patience: float, each: int
    ) -> FastAPI:
        app = FastAPI()
        place = asynccontextmanager(places()(running, waiting, patience, each))

        @app.post("/chat")
        async def chat(question: Question, x_caller: Annotated[str, Header()]) -> StreamingResponse:
            held = place(x_caller)
            await held.__aenter__()

            class Held(StreamingResponse):
                async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                    try:
                        await super().__call__(scope, receive, send)
                    finally:
                        await held.__aexit__(None, None, None)

            async def write() -> AsyncIterator[str]:
                async for event in events(model, question.message):
                    yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"

            return Held(write(), media_type="text/event-stream")

        return app

    return queueing_app
