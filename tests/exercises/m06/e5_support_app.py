import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError

from helpers.authoring.answers import right, wrong

WRITER = {
    "num_replicas": 2,
    "max_ongoing_requests": 4,
    "max_queued_requests": 8,
    "graceful_shutdown_timeout_s": 30,
}
GATEWAY = {
    "max_ongoing_requests": 100,
    "graceful_shutdown_timeout_s": 30,
    "max_surge_percent": 100,
}
LATER = {"Retry-After": "1"}


class Question(BaseModel):
    message: str = Field(min_length=1, max_length=2000)


class AnyText(BaseModel):
    message: Any


def event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def resumed(
    ask: Any,
    tries: int = 4,
    again: Any = RayActorError,
    *,
    last_raised: bool = False,
    empty_is_whole: bool = False,
) -> AsyncIterator[str]:
    """The answer, each piece once, from as many replicas as it takes."""
    sent = ""
    for number in range(tries):
        text = ""
        try:
            async for piece in ask():
                text += piece
                if not text.startswith(sent[: len(text)]):
                    raise ValueError("another answer")
                if new := text[len(sent) :]:
                    sent = text
                    yield new
        except again:
            if last_raised and number == tries - 1:
                raise
            continue
        if text != sent and (text or not empty_is_whole):
            raise ValueError("a shorter answer")
        return
    raise ValueError("all died")


def application(
    *,
    pieces: Any = resumed,
    writer: dict[str, Any] = WRITER,
    gateway: dict[str, Any] = GATEWAY,
    headers: dict[str, str] = LATER,
    problem: Any = lambda error: {"title": "The answer failed", "status": 502},
    last: str = "error",
    late_refusal: bool = False,
    at_once: bool = False,
    swallowed: bool = False,
    body: type[BaseModel] = Question,
    caught: type[Exception] = Exception,
) -> object:
    """The application as it should be, but for these parts."""

    def support_app(write: Any) -> Any:
        api = FastAPI()

        @serve.deployment(**writer)
        class Writer:
            async def answer(self, message: str) -> AsyncIterator[str]:
                try:
                    async for piece in write(message):
                        yield piece
                except Exception:
                    if not swallowed:
                        raise

        @serve.deployment(**gateway)
        @serve.ingress(api)
        class Gateway:
            def __init__(self, writer: Any) -> None:
                self.writer = writer.options(stream=True)

            async def events(self, message: str) -> AsyncIterator[str]:
                begun = False
                try:
                    async for piece in pieces(lambda: self.writer.answer.remote(message)):
                        begun = True
                        yield event("token", {"text": piece})
                    yield event("done", {})
                except caught as error:
                    if isinstance(error, BackPressureError) and not begun and not late_refusal:
                        raise
                    yield event(last, problem(error))

            @api.post("/chat")
            async def chat(self, question: body) -> Any:  # type: ignore[valid-type]
                events = self.events(question.message)  # type: ignore[attr-defined]
                if at_once:
                    return StreamingResponse(events, media_type="text/event-stream")
                try:
                    first = await anext(events)
                except BackPressureError as error:
                    raise HTTPException(503, "Later.", headers) from error

                async def stream() -> AsyncIterator[str]:
                    yield first
                    async for one in events:
                        yield one

                return StreamingResponse(stream(), media_type="text/event-stream")

        return Gateway.bind(Writer.bind())

    return support_app


@wrong("Nothing is returned.", slip="no-application")
def nothing() -> object:
    return lambda write: None


@wrong("The answer is collected first.", slip="in-one-piece")
def collected() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        for piece in [piece async for piece in resumed(ask)]:
            yield piece

    return application(pieces=pieces)


@wrong("The stream is not asked for again.", slip="not-asked-again")
def no_retry() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        async for piece in ask():
            yield piece

    return application(pieces=pieces)


@wrong("The stream is asked for again, from its beginning.", slip="sent-twice")
def from_the_beginning() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        for _ in range(4):
            try:
                async for piece in ask():
                    yield piece
            except RayActorError:
                continue
            return
        raise ValueError

    return application(pieces=pieces)


@wrong("It leaves out as many pieces as were sent.", slip="pieces-counted")
def counts_pieces() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        sent = 0
        for _ in range(4):
            place = 0
            try:
                async for piece in ask():
                    place += 1
                    if place > sent:
                        sent = place
                        yield piece
            except RayActorError:
                continue
            return
        raise ValueError

    return application(pieces=pieces)


@wrong("It leaves out as many letters, whatever they say.", slip="mixed")
def counts_letters() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        sent = 0
        for _ in range(4):
            text = ""
            try:
                async for piece in ask():
                    text += piece
                    if len(text) > sent:
                        yield text[sent:]
                        sent = len(text)
            except RayActorError:
                continue
            return
        raise ValueError

    return application(pieces=pieces)


@wrong("A shorter answer counts as whole.", slip="short-is-whole")
def shorter_is_fine() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        try:
            async for piece in resumed(ask):
                yield piece
        except ValueError as error:
            if "shorter" not in str(error):
                raise

    return application(pieces=pieces)


@wrong("An empty new answer counts as whole.", slip="short-is-whole")
def empty_is_fine() -> object:
    return application(pieces=lambda ask: resumed(ask, empty_is_whole=True))


@wrong("It is asked for again once.")
def once_more() -> object:
    return application(pieces=lambda ask: resumed(ask, 2))


@wrong("It is asked for again without an end.", slip="for-ever")
def without_an_end() -> object:
    return application(pieces=lambda ask: resumed(ask, 40))


@wrong("It is asked for again whatever is raised.", slip="every-error-again")
def whatever_is_raised() -> object:
    return application(pieces=lambda ask: resumed(ask, again=Exception))


@wrong("The tries of all requests are counted together.")
def tries_of_all() -> object:
    def make() -> Any:
        left = [4]

        async def pieces(ask: Any) -> AsyncIterator[str]:
            def counted() -> Any:
                left[0] -= 1
                if left[0] < 0:
                    raise ValueError("no tries are left")
                return ask()

            async for piece in resumed(counted):
                yield piece

        return pieces

    return application(pieces=make())


@wrong("Nothing but a dead replica is caught.")
def nothing_else_caught() -> object:
    return application(caught=RayActorError)


@wrong("A failure of any kind cuts the stream.", slip="cut-stream")
def cuts_the_stream() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        async for piece in ask():
            yield piece

    return application(pieces=pieces, caught=BackPressureError)


@wrong("A failed answer ends with done.", slip="says-done")
def says_done() -> object:
    return application(last="done")


@wrong("The error's own text is sent.", slip="exception-told")
def tells_the_error() -> object:
    return application(problem=lambda error: {"title": repr(error)})


@wrong("The last death is told, or that the queue is full.", slip="exception-told")
def tells_of_ray() -> object:
    def problem(error: Exception) -> dict[str, str]:
        return {"title": repr(error.__context__ or error)}

    return application(problem=problem, pieces=lambda ask: resumed(ask, last_raised=True))


@wrong("The name of the exception is told where the queue is full.", slip="exception-told")
def tells_of_the_queue() -> object:
    def problem(error: Exception) -> dict[str, str]:
        full = isinstance(error, BackPressureError)
        return {"message": "backpressureerror" if full else "The answer failed."}

    return application(problem=problem)


@wrong("The text of the exception is told in capital letters.", slip="exception-told")
def shouts_the_error() -> object:
    return application(problem=lambda error: {"title": str(error).upper()})


@wrong("The data of error is a text.")
def error_is_text() -> object:
    return application(problem=lambda error: "The answer failed")


@wrong("A full queue is told inside the stream.", slip="status-was-sent")
def refuses_in_the_stream() -> object:
    return application(late_refusal=True)


@wrong("The stream begins before the queue is asked, and is cut.", slip="cut-with-200")
def cut_with_200() -> object:
    return application(at_once=True)


@wrong("The writer swallows what goes wrong.", slip="refused-with-done")
def swallows() -> object:
    return application(swallowed=True)


@wrong("503 without Retry-After.", slip="no-retry-after")
def no_retry_after() -> object:
    return application(headers={})


@wrong("Retry-After in words.")
def retry_after_in_words() -> object:
    return application(headers={"Retry-After": "soon"})


@wrong("A full queue is asked again at once.")
def asks_a_full_queue() -> object:
    return application(pieces=lambda ask: resumed(ask, again=(RayActorError, BackPressureError)))


@wrong("Any body is taken.")
def any_body() -> object:
    return application(body=AnyText)


@wrong("The writer's queue has no end.")
def no_end() -> object:
    return application(writer={**WRITER, "max_queued_requests": -1})


@wrong("The limit is on the gateway, where all requests are.")
def limit_on_the_gateway() -> object:
    return application(
        writer={"num_replicas": 2, "max_ongoing_requests": 4, "graceful_shutdown_timeout_s": 30},
        gateway={**GATEWAY, "max_queued_requests": 8},
    )


@wrong("One writer.")
def one_writer() -> object:
    return application(writer={**WRITER, "num_replicas": 1})


@wrong("The gateway has Serve's default of five requests.")
def five_requests() -> object:
    return application(gateway={**GATEWAY, "max_ongoing_requests": 5})


@wrong("The writer is ended at once when it is replaced.", slip="no-time-to-finish")
def no_grace() -> object:
    return application(writer={**WRITER, "graceful_shutdown_timeout_s": 0})


@wrong("The gateway has Serve's default of 20 seconds.", slip="no-time-to-finish")
def default_grace() -> object:
    return application(gateway={"max_ongoing_requests": 100, "max_surge_percent": 100})


@wrong("The old gateway stops before the new one starts.", slip="nobody-there")
def no_surge() -> object:
    return application(gateway={**GATEWAY, "max_surge_percent": 0})


@wrong("The gateway asks the model itself.")
def no_writer() -> object:
    def support_app(write: Any) -> Any:
        api = FastAPI()

        @serve.deployment(**GATEWAY)
        @serve.ingress(api)
        class Gateway:
            @api.post("/chat")
            async def chat(self, question: Question) -> StreamingResponse:
                async def stream() -> AsyncIterator[str]:
                    try:
                        async for piece in resumed(lambda: write(question.message)):
                            yield event("token", {"text": piece})
                        yield event("done", {})
                    except Exception:
                        yield event("error", {})

                return StreamingResponse(stream(), media_type="text/event-stream")

        return Gateway.bind()

    return support_app


@wrong("It cannot be sent to another process.")
def holds_a_file() -> object:
    inner: Any = application()

    def support_app(write: Any) -> Any:
        log = open(os.devnull, "w")  # noqa: PTH123, SIM115

        def logged(message: str) -> Any:
            log.write(message)
            return write(message)

        return inner(logged)

    return support_app


@wrong("The question is given to one replica, and the answer asked of any.", slip="one-memory")
def two_calls() -> object:
    def support_app(write: Any) -> Any:
        api = FastAPI()

        @serve.deployment(**WRITER)
        class Writer:
            def __init__(self) -> None:
                self.questions: dict[str, str] = {}

            async def begin(self, message: str) -> str:
                ticket = uuid.uuid4().hex
                self.questions[ticket] = message
                return ticket

            async def answer(self, ticket: str) -> AsyncIterator[str]:
                async for piece in write(self.questions[ticket]):
                    yield piece

        @serve.deployment(**GATEWAY)
        @serve.ingress(api)
        class Gateway:
            def __init__(self, writer: Any) -> None:
                self.begin, self.writer = writer.begin, writer.options(stream=True)

            async def asked(self, message: str) -> AsyncIterator[str]:
                ticket = await self.begin.remote(message)
                async for piece in self.writer.answer.remote(ticket):
                    yield piece

            async def events(self, message: str) -> AsyncIterator[str]:
                begun = False
                try:
                    async for piece in resumed(lambda: self.asked(message)):
                        begun = True
                        yield event("token", {"text": piece})
                    yield event("done", {})
                except Exception as error:
                    if isinstance(error, BackPressureError) and not begun:
                        raise
                    yield event("error", {})

            @api.post("/chat")
            async def chat(self, question: Question) -> StreamingResponse:
                events = self.events(question.message)
                try:
                    first = await anext(events)
                except BackPressureError as error:
                    raise HTTPException(503, "Later.", LATER) from error

                async def stream() -> AsyncIterator[str]:
                    yield first
                    async for one in events:
                        yield one

                return StreamingResponse(stream(), media_type="text/event-stream")

        return Gateway.bind(Writer.bind())

    return support_app


@wrong("What the gateway sends is kept in a variable that only one process sees.")
def shared_variable() -> object:
    def support_app(write: Any) -> Any:
        api, written = FastAPI(), dict[int, list[str]]()

        @serve.deployment(**WRITER)
        class Writer:
            async def answer(self, message: str, place: int) -> AsyncIterator[str]:
                async for piece in write(message):
                    written.setdefault(place, []).append(piece)
                    yield "-"

        @serve.deployment(**GATEWAY)
        @serve.ingress(api)
        class Gateway:
            def __init__(self, writer: Any) -> None:
                self.writer, self.place = writer.options(stream=True), 0

            async def texts(self, message: str) -> AsyncIterator[str]:
                self.place += 1
                place = self.place
                async for _ in self.writer.answer.remote(message, place):
                    yield written[place].pop(0)

            @api.post("/chat")
            async def chat(self, question: Question) -> StreamingResponse:
                pieces = resumed(lambda: self.texts(question.message))
                first: list[str] = []
                try:
                    first.append(event("token", {"text": await anext(pieces)}))
                except BackPressureError as error:
                    raise HTTPException(503, "Later.", LATER) from error
                except StopAsyncIteration:
                    first.append(event("done", {}))
                except Exception:
                    first.append(event("error", {}))

                async def stream() -> AsyncIterator[str]:
                    yield first[0]
                    if "token" not in first[0]:
                        return
                    try:
                        async for piece in pieces:
                            yield event("token", {"text": piece})
                        yield event("done", {})
                    except Exception:
                        yield event("error", {})

                return StreamingResponse(stream(), media_type="text/event-stream")

        return Gateway.bind(Writer.bind())

    return support_app


@right("FastAPI writes the events, and a dependency refuses.")
def event_source() -> object:
    def support_app(write: Any) -> Any:
        api = FastAPI()

        @serve.deployment(name="Model", **WRITER)
        class Model:
            def __init__(self, write: Any) -> None:
                self.write = write

            async def __call__(self, message: str) -> AsyncIterator[str]:
                async with aclosing(self.write(message)) as pieces:
                    async for piece in pieces:
                        yield piece

        @serve.deployment(name="Front", num_replicas=1, **GATEWAY)
        @serve.ingress(api)
        class Front:
            def __init__(self, *, model: Any) -> None:
                self.model = model

            async def told(self, message: str) -> AsyncIterator[ServerSentEvent]:
                ask = self.model.options(stream=True).remote
                begun = False
                try:
                    async for piece in resumed(lambda: ask(message)):
                        begun = True
                        yield ServerSentEvent(event="token", data={"text": piece})
                except BackPressureError:
                    if not begun:
                        raise
                    yield ServerSentEvent(event="error", data={})
                except Exception:
                    yield ServerSentEvent(event="error", data={})
                else:
                    yield ServerSentEvent(event="done", data={"whole": True})

            @api.post("/chat")
            async def chat(self, question: Question) -> Any:
                told = self.told(question.message)
                try:
                    first = await anext(told)
                except BackPressureError:
                    return JSONResponse({"detail": "Later."}, 503, LATER)

                async def all_of_it() -> AsyncIterator[bytes]:
                    yield event(str(first.event), first.data).encode()
                    async for one in told:
                        yield event(str(one.event), one.data).encode()

                return EventSourceResponse(all_of_it())

        return Front.bind(model=Model.bind(write))

    return support_app


@right("The app is made late, in the replica, and the tries are a recursion.")
def late_bound() -> object:
    def support_app(write: Any) -> Any:
        @serve.deployment(**WRITER)
        async def writer(message: str) -> AsyncIterator[str]:
            async for piece in write(message):
                yield piece

        @serve.deployment(**GATEWAY)
        @serve.ingress()
        class Gateway:
            def __init__(self, writer: Any) -> None:
                self.writer = writer.options(stream=True)

            async def after(self, message: str, sent: str, tries: int) -> AsyncIterator[str]:
                text = ""
                try:
                    async for piece in self.writer.remote(message):
                        text += piece
                        shared = min(len(text), len(sent))
                        if text[:shared] != sent[:shared]:
                            raise ValueError("another answer")
                        if len(text) > len(sent):
                            yield text[len(sent) :]
                            sent = text
                    if len(text) < len(sent):
                        raise ValueError("shorter")
                except RayActorError:
                    if tries == 1:
                        raise
                    async for piece in self.after(message, sent, tries - 1):
                        yield piece

            def __serve_build_asgi_app__(self) -> FastAPI:
                api = FastAPI()

                @api.post("/chat")
                async def chat(question: Question) -> StreamingResponse:
                    queue: asyncio.Queue[Any] = asyncio.Queue()

                    async def work() -> None:
                        try:
                            async for piece in self.after(question.message, "", 4):
                                await queue.put(("token", {"text": piece}))
                            await queue.put(("done", {}))
                        except BackPressureError as error:
                            await queue.put(("full", error))
                        except Exception:
                            await queue.put(("error", {}))

                    task = asyncio.create_task(work())
                    first = await queue.get()
                    if first[0] == "full":
                        raise HTTPException(503, "Later.", LATER)

                    async def stream() -> AsyncIterator[str]:
                        one = first
                        while one[0] == "token":
                            yield event(*one)
                            one = await queue.get()
                        yield event("done" if one[0] == "done" else "error", {})
                        await task

                    return StreamingResponse(stream(), media_type="text/event-stream")

                return api

        return Gateway.bind(writer.bind())

    return support_app


@right("Pieces may be cut smaller, and it has more time than asked for.")
def letter_by_letter() -> object:
    async def pieces(ask: Any) -> AsyncIterator[str]:
        async for piece in resumed(ask):
            yield piece

    return application(
        pieces=pieces,
        writer={**WRITER, "graceful_shutdown_timeout_s": 120, "health_check_period_s": 2},
        gateway={**GATEWAY, "graceful_shutdown_timeout_s": 60, "max_queued_requests": 200},
    )


@right("It is told in words of one's own what has happened.")
def in_other_words() -> object:
    def problem(error: Exception) -> dict[str, str]:
        full = isinstance(error, BackPressureError)
        return {"detail": "The queue is full." if full else "The actor died, or it has failed."}

    return application(problem=problem)


@right("Serve's own setting says when to come again.")
def by_its_setting() -> object:
    inner: Any = application(writer={**WRITER, "backpressure_config": {"retry_after_s": 1}})
    return lambda write: inner(write)
