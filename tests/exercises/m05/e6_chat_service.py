import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.routing import Route

from helpers.authoring.answers import right, wrong
from helpers.testbed.fragile import fragile

Chunks = AsyncIterator[Any]
LATER = {"Retry-After": "1"}


class Question(BaseModel):
    message: str = Field(min_length=1, max_length=2000)


async def watched(model: Any, message: str, silence: float) -> Chunks:
    """The model's chunks; raises TimeoutError when none comes for so many seconds."""
    async with aclosing(model.astream(message)) as chunks:
        while True:
            async with asyncio.timeout(silence):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk


async def at_once(model: Any, message: str, silence: float) -> Chunks:
    """The model's chunks, however long it is silent."""
    async for chunk in model.astream(message):
        yield chunk


async def limited_as_a_whole(model: Any, message: str, silence: float) -> Chunks:
    async with asyncio.timeout(silence):
        async for chunk in model.astream(message):
            yield chunk


Source = Callable[[Any, str, float], Chunks]


async def told(chunks: Chunks) -> AsyncIterator[ServerSentEvent]:
    count = 0
    try:
        async for chunk in chunks:
            if chunk.text:
                count += 1
                yield ServerSentEvent(event="token", data={"text": chunk.text})
    except Exception:
        yield ServerSentEvent(event="error", data={"title": "The model failed", "status": 502})
    else:
        yield ServerSentEvent(event="done", data={"tokens": count})


class Places:
    """Who is inside, and who streams."""

    def __init__(self, running: int, waiting: int, each: int, patience: float = 2.0) -> None:
        self.free = asyncio.Semaphore(running)
        self.most, self.each, self.patience = running + waiting, each, patience
        self.inside: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, caller: str, *, headers: dict[str, str] | None = None) -> Any:
        headers = LATER if headers is None else headers
        if self.inside[caller] >= self.each:
            raise HTTPException(429, "Too many.", headers)
        if self.inside.total() >= self.most:
            raise HTTPException(503, "Full.", headers)
        self.inside[caller] += 1
        try:
            async with asyncio.timeout(self.patience) as wait, self.free:
                wait.reschedule(None)
                yield
        except TimeoutError:
            raise HTTPException(503, "No place in time.", headers) from None
        finally:
            self.inside[caller] -= 1


def service(
    *,
    running: int = 4,
    waiting: int = 2,
    each: int = 3,
    source: Source = watched,
    tell: Callable[[Chunks], AsyncIterator[ServerSentEvent]] = told,
    headers: dict[str, str] | None = None,
    body: type[BaseModel] = Question,
) -> object:
    """The service as it should be, but for these parts."""

    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app, places = FastAPI(), Places(running, waiting, each)

        async def place(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
            async with places.one(x_caller, headers=headers):
                yield

        async def chat(question: body) -> AsyncIterator[ServerSentEvent]:  # type: ignore[valid-type]
            message = question.message  # type: ignore[attr-defined]
            async for event in tell(source(model, message, silence)):
                yield event

        app.post("/chat", response_class=EventSourceResponse, dependencies=[Depends(place)])(chat)
        return app

    return chat_service


@wrong("The same, called from another function.")
def the_same_again() -> object:
    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        return fragile(model, silence)

    return chat_service


@wrong("No app is returned.", slip="no-app")
def no_app() -> object:
    return lambda model, silence=1.0: None


@wrong("Refuses everybody.", slip="nobody-answered")
def refuses_everybody() -> object:
    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> PlainTextResponse:
            return PlainTextResponse("Busy.", 503, LATER)

        return app

    return chat_service


@wrong("Any text is taken, of any length.")
def any_length() -> object:
    class AnyText(BaseModel):
        message: str

    return service(body=AnyText)


@wrong("Typed and with good events, but without a queue.")
def no_bound() -> object:
    return service(running=100, waiting=0, each=100)


@wrong("A queue so long that all wait.")
def a_long_queue() -> object:
    return service(waiting=40)


@wrong("One stream at a time, and nobody waits.")
def one_at_a_time() -> object:
    return service(running=1, waiting=0)


@wrong("No share for each caller.", slip="no-shares")
def no_shares() -> object:
    return service(each=100)


@wrong("Refuses without Retry-After.")
def no_retry_after() -> object:
    return service(headers={})


@wrong("429 without Retry-After.")
def no_retry_after_for_429() -> object:
    inner: Any = service()

    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app: FastAPI = inner(model, silence)

        @app.exception_handler(429)
        async def refuse(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"detail": "Too many."}, 429)

        return app

    return chat_service


@wrong("Retry-After is no number.")
def retry_after_in_words() -> object:
    return service(headers={"Retry-After": "soon"})


@wrong("No limit on silence.", slip="waits-for-ever")
def no_limit() -> object:
    return service(source=at_once)


@wrong("The limit is for the whole answer.", slip="whole-limited")
def whole_limited() -> object:
    return service(source=limited_as_a_whole)


@wrong("Two seconds, whatever silence says.", slip="too-late")
def always_two_seconds() -> object:
    return service(source=lambda model, message, silence: watched(model, message, 2.0))


@wrong("Half a second, whatever silence says.", slip="whole-limited")
def always_half_a_second() -> object:
    return service(source=lambda model, message, silence: watched(model, message, 0.5))


@wrong("The first chunk may take for ever.")
def patient_at_first() -> object:
    async def source(model: Any, message: str, silence: float) -> Chunks:
        async with asyncio.timeout(None) as limit:
            async for chunk in model.astream(message):
                limit.reschedule(asyncio.get_running_loop().time() + silence)
                yield chunk

    return service(source=source)


@wrong("A failure ends with done.", slip="says-done")
def says_done() -> object:
    async def tell(chunks: Chunks) -> AsyncIterator[ServerSentEvent]:
        async for event in told(chunks):
            yield ServerSentEvent(event="done", data={}) if event.event == "error" else event

    return service(tell=tell)


@wrong("A failure of the model is not caught.", slip="cut")
def not_caught() -> object:
    async def tell(chunks: Chunks) -> AsyncIterator[ServerSentEvent]:
        async for chunk in chunks:
            yield ServerSentEvent(event="token", data={"text": chunk.text})
        yield ServerSentEvent(event="done", data={})

    return service(tell=tell)


@wrong("Only the model's own error is caught.")
def one_error_alone() -> object:
    from helpers.testbed import ModelFailed

    async def source(model: Any, message: str, silence: float) -> Chunks:
        try:
            async for chunk in watched(model, message, silence):
                yield chunk
        except (ModelFailed, TimeoutError) as error:
            raise LookupError from error

    async def tell(chunks: Chunks) -> AsyncIterator[ServerSentEvent]:
        try:
            async for chunk in chunks:
                yield ServerSentEvent(event="token", data={"text": chunk.text})
        except LookupError:
            yield ServerSentEvent(event="error", data={})
        else:
            yield ServerSentEvent(event="done", data={})

    return service(source=source, tell=tell)


@wrong("White space at a word's end is lost.", slip="not-whole")
def strips_words() -> object:
    async def tell(chunks: Chunks) -> AsyncIterator[ServerSentEvent]:
        async for event in told(chunks):
            if event.event == "token":
                event = ServerSentEvent(event="token", data={"text": event.data["text"].strip()})
            yield event

    return service(tell=tell)


def keeping(gives_back: Callable[[Exception | None], bool]) -> object:
    """The service as it should be, but for when a place is given back: by what the model raised."""

    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app, places = FastAPI(), Places(4, 2, 3)
        taken = []

        @app.post("/chat")
        async def chat(question: Question, x_caller: Annotated[str, Header()]) -> StreamingResponse:
            place = places.one(x_caller)
            await place.__aenter__()
            taken.append(place)
            raised: list[Exception] = []

            async def chunks() -> Chunks:
                try:
                    async for chunk in watched(model, question.message, silence):
                        yield chunk
                except Exception as error:
                    raised.append(error)
                    raise

            async def stream() -> AsyncIterator[str]:
                try:
                    async for event in told(chunks()):
                        yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"
                finally:
                    if gives_back(raised[0] if raised else None):
                        await place.__aexit__(None, None, None)

            return StreamingResponse(stream(), media_type="text/event-stream")

        return app

    return chat_service


@wrong("A failure keeps its place.", slip="failure-keeps-place")
def failure_keeps_place() -> object:
    return keeping(lambda error: error is None)


@wrong("A silent answer keeps its place.", slip="silence-keeps-place")
def silence_keeps_place() -> object:
    return keeping(lambda error: not isinstance(error, TimeoutError))


@wrong("The model writes in a task of its own, which nobody stops.", slip="writes-on")
def task_of_its_own() -> object:
    tasks = set()

    async def source(model: Any, message: str, silence: float) -> Chunks:
        queue: asyncio.Queue[Any] = asyncio.Queue()

        async def write() -> None:
            try:
                async for chunk in model.astream(message):
                    queue.put_nowait(chunk)
            except Exception as error:
                queue.put_nowait(error)
            queue.put_nowait(None)

        tasks.add(asyncio.create_task(write()))
        while (chunk := await asyncio.wait_for(queue.get(), silence)) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    return service(source=source)


@wrong("Those who leave keep their places.", slip="leavers-keep-places")
def leavers_keep_places() -> object:
    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app, inside = FastAPI(), Counter[str]()

        async def place(x_caller: Annotated[str, Header()]) -> str:
            if inside[x_caller] >= 3 or inside.total() >= 6:
                raise HTTPException(503, "Full.", LATER)
            inside[x_caller] += 1
            return x_caller

        @app.post("/chat", response_class=EventSourceResponse)
        async def chat(
            question: Question, caller: Annotated[str, Depends(place)]
        ) -> AsyncIterator[ServerSentEvent]:
            async for event in told(watched(model, question.message, silence)):
                yield event
            inside[caller] -= 1

        return app

    return chat_service


@right("StreamingResponse, with events written by hand.")
def streaming_response() -> object:
    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app, places = FastAPI(), Places(4, 2, 3)

        async def place(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
            async with places.one(x_caller):
                yield

        async def stream(message: str) -> AsyncIterator[str]:
            try:
                async for chunk in watched(model, message, silence):
                    data = json.dumps({"text": chunk.text})
                    yield f"event: token\ndata: {data}\n\n"
            except Exception:
                yield "event: error\ndata: {}\n\n"
            else:
                yield "event: done\ndata: {}\n\n"

        @app.post("/chat", dependencies=[Depends(place)])
        async def chat(question: Question) -> StreamingResponse:
            return StreamingResponse(stream(question.message), media_type="text/event-stream")

        return app

    return chat_service


@right("The place is taken in the endpoint, and given back by the generator.")
def place_in_the_endpoint() -> object:
    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app, places = FastAPI(), Places(4, 1, 2)

        @app.post("/chat")
        async def chat(question: Question, x_caller: Annotated[str, Header()]) -> StreamingResponse:
            place = places.one(x_caller)
            await place.__aenter__()

            async def stream() -> AsyncIterator[str]:
                try:
                    async for event in told(watched(model, question.message, silence)):
                        yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"
                finally:
                    await place.__aexit__(None, None, None)

            return StreamingResponse(stream(), media_type="text/event-stream")

        return app

    return chat_service


@right("A middleware holds the place.")
def middleware() -> object:
    class Gate:
        def __init__(self, app: Any, places: Places) -> None:
            self.app, self.places = app, places

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await self.app(scope, receive, send)
                return
            caller = dict(scope["headers"]).get(b"x-caller", b"").decode()
            try:
                async with self.places.one(caller):
                    await self.app(scope, receive, send)
            except HTTPException as error:
                refusal = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
                await refusal(scope, receive, send)

    def chat_service(model: Any, silence: float = 1.0) -> FastAPI:
        app = FastAPI()
        app.add_middleware(Gate, places=Places(3, 2, 2))

        @app.post("/chat", response_class=EventSourceResponse)
        async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
            async for event in told(watched(model, question.message, silence)):
                yield event

        return app

    return chat_service


@right("anyio's limits, and nobody waits.")
def with_anyio() -> object:
    async def source(model: Any, message: str, silence: float) -> Chunks:
        chunks = model.astream(message)
        try:
            while True:
                with anyio.fail_after(silence):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            with anyio.CancelScope(shield=True):
                await chunks.aclose()

    return service(running=4, waiting=0, each=2, source=source)


@right("Starlette and a class, and a deadline that moves with each chunk.")
def class_based() -> object:
    class Chat:
        def __init__(self, model: Any, silence: float) -> None:
            self.model, self.silence, self.places = model, silence, Places(4, 2, 3)

        async def __call__(self, request: Request) -> Any:
            try:
                question = Question.model_validate_json(await request.body())
            except ValidationError:
                return PlainTextResponse("No question.", 400)
            place = self.places.one(request.headers["x-caller"])
            try:
                await place.__aenter__()
            except HTTPException as error:
                return PlainTextResponse("Busy.", error.status_code, dict(error.headers or {}))
            return StreamingResponse(
                self.stream(question.message, place), media_type="text/event-stream"
            )

        async def stream(self, message: str, place: Any) -> AsyncIterator[str]:
            try:
                async for event in told(self.chunks(message)):
                    yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"
            finally:
                await place.__aexit__(None, None, None)

        async def chunks(self, message: str) -> Chunks:
            clock = asyncio.get_running_loop().time
            async with asyncio.timeout(self.silence) as limit:
                async for chunk in self.model.astream(message):
                    limit.reschedule(clock() + self.silence)
                    yield chunk

    def chat_service(model: Any, silence: float = 1.0) -> Starlette:
        return Starlette(routes=[Route("/chat", Chat(model, silence).__call__, methods=["POST"])])

    return chat_service
