"""Answers to exercise 05.1, right and wrong."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpers.authoring.answers import right, wrong
from helpers.testbed import ModelFailed


class Question(BaseModel):
    message: str = Field(min_length=1, max_length=2000)


class AnyText(BaseModel):
    message: str


Write = Callable[[Any, str], AsyncIterator[ServerSentEvent]]
PROBLEM = {"title": "The model failed", "status": 502}


def app_of(model: Any, write: Write, body: type[BaseModel] = Question) -> FastAPI:
    app = FastAPI()

    async def chat(question: body) -> AsyncIterator[ServerSentEvent]:  # type: ignore[valid-type]
        async for event in write(model, question.message):  # type: ignore[attr-defined]
            yield event

    app.post("/chat", response_class=EventSourceResponse)(chat)
    return app


def streaming(write: Write, body: type[BaseModel] = Question) -> object:
    """An app with POST /chat that sends what `write` yields."""

    def streaming_app(model: Any) -> FastAPI:
        return app_of(model, write, body)

    return streaming_app


def token(text: str) -> ServerSentEvent:
    return ServerSentEvent(event="token", data={"text": text})


def done(count: int) -> ServerSentEvent:
    return ServerSentEvent(event="done", data={"tokens": count})


def writing(
    *,
    token: Callable[[str], ServerSentEvent] = token,
    done: Callable[[int], ServerSentEvent | None] = done,
    caught: type[Exception] | tuple[type[Exception], ...] = Exception,
    problem: Any = PROBLEM,
    keep: Callable[[Any], bool] = lambda chunk: bool(chunk.text),
    done_after_error: bool = False,
    first: int = 0,
    step: int = 1,
) -> Write:
    """The stream as it should be, except for what is named here."""

    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        count = first
        try:
            async for chunk in model.astream(message):
                if keep(chunk):
                    count += step
                    yield token(chunk.text)
        except caught:
            yield ServerSentEvent(event="error", data=problem)
            if not done_after_error:
                return
        if last := done(count):
            yield last

    return write


@wrong("An app without a route.", slip="no-stream")
def no_route() -> object:
    return lambda model: FastAPI()


@wrong("Returns nothing.", slip="no-app")
def no_return() -> object:
    def streaming_app(model: Any) -> None:
        app_of(model, writing())

    return streaming_app


@wrong("An async function.")
def async_function() -> object:
    async def streaming_app(model: Any) -> FastAPI:
        return app_of(model, writing())

    return streaming_app


@wrong("The answer in one piece.")
def in_one_piece() -> object:
    def streaming_app(model: Any) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> dict[str, str]:
            return {"answer": (await model.ainvoke(question.message)).text}

        return app

    return streaming_app


@wrong("Collects the words first.", slip="collected")
def collects_first() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        try:
            words = [chunk.text async for chunk in model.astream(message) if chunk.text]
        except Exception:
            yield ServerSentEvent(event="error", data=PROBLEM)
            return
        for word in words:
            yield token(word)
        yield done(len(words))

    return streaming(write)


@wrong("Sends each word one word late.")
def one_late() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        kept, count = "", 0
        try:
            async for chunk in model.astream(message):
                if kept:
                    count += 1
                    yield token(kept)
                kept = chunk.text
        except Exception:
            yield ServerSentEvent(event="error", data=PROBLEM)
            return
        yield done(count)

    return streaming(write)


@wrong("No word about the end.", slip="no-end")
def no_done() -> object:
    return streaming(writing(done=lambda count: None))


@wrong("Events without a name.", slip="no-names")
def no_names() -> object:
    return streaming(
        writing(
            token=lambda text: ServerSentEvent(data={"text": text}),
            done=lambda count: ServerSentEvent(data={"tokens": count}),
        )
    )


@wrong("Another name for the words.")
def another_name() -> object:
    return streaming(writing(token=lambda text: ServerSentEvent(event="text", data={"text": text})))


@wrong("An event for the chunk without text.", slip="empty-chunk")
def sends_the_empty_chunk() -> object:
    return streaming(writing(keep=lambda chunk: True))


@wrong("Counts the chunk without text.")
def counts_the_empty_chunk() -> object:
    return streaming(writing(first=1))


@wrong("Says how many characters.")
def no_count() -> object:
    return streaming(writing(step=4))


@wrong("The count as a text.")
def count_as_text() -> object:
    return streaming(
        writing(done=lambda count: ServerSentEvent(event="done", data={"tokens": str(count)}))
    )


@wrong("The words stripped.")
def stripped() -> object:
    return streaming(writing(token=lambda text: token(text.strip())))


@wrong("Says done although the model has failed.", slip="done-anyway")
def done_in_any_case() -> object:
    return streaming(writing(done_after_error=True))


@wrong("Says done and cuts the stream, when the model has failed.")
def only_done() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        count = 0
        try:
            async for chunk in model.astream(message):
                if chunk.text:
                    count += 1
                    yield token(chunk.text)
        finally:
            yield done(count)

    return streaming(write)


@wrong("Catches the testbed's own error alone.", slip="some-errors")
def one_type() -> object:
    return streaming(writing(caught=ModelFailed))


@wrong("Catches the errors of connections and values alone.", slip="some-errors")
def two_types() -> object:
    return streaming(writing(caught=(OSError, ValueError)))


@wrong("Catches nothing.", slip="cut")
def catches_nothing() -> object:
    return streaming(writing(caught=()))


@wrong("An HTTPException in the middle of the stream.", slip="cut")
def an_http_exception() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        count = 0
        try:
            async for chunk in model.astream(message):
                if chunk.text:
                    count += 1
                    yield token(chunk.text)
        except Exception as error:
            raise HTTPException(502, "The model failed") from error
        yield done(count)

    return streaming(write)


@wrong("An error without a status.")
def no_status() -> object:
    return streaming(writing(problem={"title": "The model failed"}))


@wrong("An error with the status 500.")
def status_500() -> object:
    return streaming(writing(problem={"title": "The model failed", "status": 500}))


@wrong("The status as a text.")
def status_as_text() -> object:
    return streaming(writing(problem={"title": "The model failed", "status": "502"}))


@wrong("An empty title.")
def empty_title() -> object:
    return streaming(writing(problem={"title": "", "status": 502}))


@wrong("An error that is no object.")
def error_as_text() -> object:
    return streaming(writing(problem="The model failed"))


def by_hand(frame: Callable[[str], str]) -> object:
    def streaming_app(model: Any) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> StreamingResponse:
            async def write() -> AsyncIterator[str]:
                count = 0
                async for chunk in model.astream(question.message):
                    if chunk.text:
                        count += 1
                        yield f"event: token\ndata: {frame(chunk.text)}\n\n"
                yield f"event: done\ndata: {json.dumps({'tokens': count})}\n\n"

            return StreamingResponse(write(), media_type="text/event-stream")

        return app

    return streaming_app


@wrong("Writes the events by hand, without JSON.", slip="no-json")
def plain_text() -> object:
    return by_hand(str)


@wrong("Writes JSON by hand.", slip="line-break")
def json_by_hand() -> object:
    return by_hand(lambda text: f'{{"text": "{text}"}}')


@wrong("Another content type.")
def another_content_type() -> object:
    def streaming_app(model: Any) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> StreamingResponse:
            async def write() -> AsyncIterator[str]:
                async for event in writing()(model, question.message):
                    yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"

            return StreamingResponse(write(), media_type="application/x-ndjson")

        return app

    return streaming_app


@wrong("One counter for all answers.", slip="one-counter")
def counter_of_the_app() -> object:
    def streaming_app(model: Any) -> FastAPI:
        numbers = itertools.count(1)

        async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
            count = 0
            try:
                async for chunk in model.astream(message):
                    if chunk.text:
                        count = next(numbers)
                        yield token(chunk.text)
            except Exception:
                yield ServerSentEvent(event="error", data=PROBLEM)
                return
            yield done(count)

        return app_of(model, write)

    return streaming_app


@wrong("One counter for all apps, which each app sets back.", slip="one-counter")
def counter_of_all_apps() -> object:
    counts = {"words": 0}

    def streaming_app(model: Any) -> FastAPI:
        counts["words"] = 0

        async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
            try:
                async for chunk in model.astream(message):
                    if chunk.text:
                        counts["words"] += 1
                        yield token(chunk.text)
            except Exception:
                yield ServerSentEvent(event="error", data=PROBLEM)
                return
            yield done(counts["words"])

        return app_of(model, write)

    return streaming_app


@wrong("One counter, set back at each answer's beginning.")
def counter_set_back() -> object:
    counts = {"words": 0}

    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        counts["words"] = 0
        try:
            async for chunk in model.astream(message):
                if chunk.text:
                    counts["words"] += 1
                    yield token(chunk.text)
        except Exception:
            yield ServerSentEvent(event="error", data=PROBLEM)
            return
        yield done(counts["words"])

    return streaming(write)


@wrong("One app for all models.")
def one_app() -> object:
    made: list[FastAPI] = []

    def streaming_app(model: Any) -> FastAPI:
        made.append(app_of(model, writing()))
        return made[0]

    return streaming_app


@wrong("The last model for all apps.")
def last_model() -> object:
    models: list[Any] = []

    def streaming_app(model: Any) -> FastAPI:
        models.append(model)

        async def write(_: Any, message: str) -> AsyncIterator[ServerSentEvent]:
            async for event in writing()(models[-1], message):
                yield event

        return app_of(model, write)

    return streaming_app


@wrong("Asks the model something else.")
def another_question() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        async for event in writing()(model, message.lower().split()[-1]):
            yield event

    return streaming(write)


@wrong("The first answer for everybody.")
def first_answer() -> object:
    asked: list[str] = []

    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        asked.append(message)
        async for event in writing()(model, asked[0]):
            yield event

    return streaming(write)


@wrong("Strips the message.", slip="other-message")
def strips_the_message() -> object:
    return streaming(lambda model, message: writing()(model, message.strip()))


@wrong("Refuses a message of white space alone.", slip="not-asked")
def refuses_white_space() -> object:
    class Visible(BaseModel):
        message: str = Field(min_length=1, max_length=2000, pattern=r"\S")

    return streaming(writing(), Visible)


@wrong("Keeps the answer to each message.", slip="not-asked")
def keeps_answers() -> object:
    def streaming_app(model: Any) -> FastAPI:
        kept: dict[str, list[ServerSentEvent]] = {}

        async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
            if message in kept:
                for event in kept[message]:
                    yield event
                return
            events = []
            async for event in writing()(model, message):
                events.append(event)
                yield event
            if events[-1].event == "done":
                kept[message] = events

        return app_of(model, write)

    return streaming_app


@wrong("Catches the usual errors alone.", slip="some-errors")
def usual_errors() -> object:
    usual = (RuntimeError, ValueError, OSError, LookupError, TypeError, ArithmeticError)
    return streaming(writing(caught=usual))


@wrong("One answer at a time.", slip="one-by-one")
def one_at_a_time() -> object:
    def streaming_app(model: Any) -> FastAPI:
        lock = asyncio.Lock()

        async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
            async with lock:
                async for event in writing()(model, message):
                    yield event

        return app_of(model, write)

    return streaming_app


@wrong("A task of its own that writes on when the client leaves.", slip="writes-on")
def task_of_its_own() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue()

        async def fill() -> None:
            async for event in writing()(model, message):
                await queue.put(event)
            await queue.put(None)

        filling = asyncio.create_task(fill())
        while event := await queue.get():
            yield event
        await filling

    return streaming(write)


@wrong("Takes a message of any length.", slip="any-length")
def any_length() -> object:
    return streaming(writing(), AnyText)


class OneLess(BaseModel):
    message: str = Field(min_length=1, max_length=1999)


@wrong("Takes fewer characters.", slip="any-length")
def one_less() -> object:
    return streaming(writing(), OneLess)


class TwoAtLeast(BaseModel):
    message: str = Field(min_length=2, max_length=2000)


@wrong("Takes no message of one character.")
def two_at_least() -> object:
    return streaming(writing(), TwoAtLeast)


class Loose(BaseModel):
    message: str | int | None = Field(default="Hello", max_length=2000)


@wrong("Takes numbers, and no message at all.")
def any_type() -> object:
    return streaming(writing(), Loose)


@wrong("Looks at the body inside the stream.", slip="bad-body-cut")
def inside_the_stream() -> object:
    def streaming_app(model: Any) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(request: Request) -> StreamingResponse:
            body = await request.body()

            async def write() -> AsyncIterator[str]:
                question = Question.model_validate_json(body)
                async for event in writing()(model, question.message):
                    yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"

            return StreamingResponse(write(), media_type="text/event-stream")

        return app

    return streaming_app


def plain(reads: Callable[[Request], Any], status: int) -> object:
    """The app in Starlette; a body that `reads` does not take gets this status."""

    def streaming_app(model: Any) -> Starlette:
        async def chat(request: Request) -> Response:
            try:
                question = await reads(request)
            except ValueError:
                return JSONResponse({"detail": "a message of 1 to 2,000 characters"}, status)

            async def write() -> AsyncIterator[str]:
                async for event in writing()(model, question.message):
                    yield f"event: {event.event}\r\ndata: {json.dumps(event.data)}\r\n\r\n"

            return StreamingResponse(write(), media_type="text/event-stream")

        return Starlette(routes=[Route("/chat", chat, methods=["POST"])])

    return streaming_app


async def validated(request: Request) -> Question:
    return Question.model_validate_json(await request.body())


@wrong("400 for a bad body.")
def status_400() -> object:
    return plain(validated, 400)


@right("Starlette without FastAPI, and line ends of two characters.")
def starlette() -> object:
    return plain(validated, 422)


@right("A StreamingResponse whose events are written by hand.")
def streaming_response() -> object:
    def streaming_app(model: Any) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        async def chat(question: Question) -> StreamingResponse:
            def frame(name: str, data: Any) -> bytes:
                return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()

            async def write() -> AsyncIterator[bytes]:
                sent = 0
                try:
                    async for chunk in model.astream(question.message):
                        if chunk.text:
                            yield frame("token", {"text": chunk.text})
                            sent += 1
                except Exception as error:
                    yield frame("error", {"title": "Failed", "status": 502, "detail": str(error)})
                    return
                yield frame("done", {"tokens": sent})

            return StreamingResponse(write(), media_type="text/event-stream")

        return app

    return streaming_app


@right("A class with an endpoint, and events with ids and comments.")
def a_class() -> object:
    class App(FastAPI):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model
            self.add_api_route(
                "/chat", self.chat, methods=["POST"], response_class=EventSourceResponse
            )

        async def chat(self, question: Question) -> AsyncIterator[ServerSentEvent]:
            number = 0
            yield ServerSentEvent(comment="one moment")
            async for event in writing()(self.model, question.message):
                number += 1
                yield ServerSentEvent(event=event.event, data=event.data, id=str(number))

    return App


@right("A sync endpoint that returns a response; the body is checked in a validator.")
def sync_endpoint() -> object:
    from fastapi import Body

    def streaming_app(model: Any) -> FastAPI:
        app = FastAPI()

        @app.post("/chat")
        def chat(message: str = Body(embed=True, min_length=1, max_length=2000)) -> Response:
            async def write() -> AsyncIterator[str]:
                async for event in writing()(model, message):
                    yield f"event: {event.event}\ndata: {json.dumps(event.data)}\n\n"

            return StreamingResponse(write(), media_type="text/event-stream; charset=utf-8")

        return app

    return streaming_app


@right("anyio's stream between a task that asks the model and the response.")
def with_anyio() -> object:
    import anyio

    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        send, receive = anyio.create_memory_object_stream[ServerSentEvent](0)

        async def fill() -> None:
            async with send:
                async for event in writing()(model, message):
                    await send.send(event)

        async with anyio.create_task_group() as group:
            group.start_soon(fill)
            async with receive:
                async for event in receive:
                    yield event

    return streaming(write)


@right("langchain's events in the place of astream.")
def astream_events() -> object:
    async def write(model: Any, message: str) -> AsyncIterator[ServerSentEvent]:
        count = 0
        try:
            async for event in model.astream_events(message):
                if event["event"] == "on_chat_model_stream" and event["data"]["chunk"].text:
                    count += 1
                    yield token(event["data"]["chunk"].text)
        except Exception as error:
            yield ServerSentEvent(event="error", data={"title": repr(error), "status": 502})
            return
        yield done(count)

    return streaming(write)
