# Written by `course build` from notebooks/src/05_serve_with_fastapi.py: edit it there.

import asyncio
import hashlib
import json
import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from http.client import responses
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langchain.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from limits import parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as AnyHTTPException

from agent import Caller


class Question(BaseModel):
    """What a client sends: a message, and the conversation that it belongs to."""

    message: str = Field(min_length=1, max_length=2000)
    conversation: str = Field(default="1", pattern=r"^[A-Za-z0-9-]{1,64}$")


Agent = CompiledStateGraph[Any, Any, Any, Any]


async def answering(
    agent: Agent, question: Question, customer: str
) -> AsyncGenerator[tuple[str, str]]:
    """("token", words) while the model writes, at the end ("done", the whole answer)."""
    turn = {"messages": [HumanMessage(question.message)]}
    thread: RunnableConfig = {"configurable": {"thread_id": f"{customer}/{question.conversation}"}}
    parts: Any = agent.astream(
        turn, thread, context=Caller(customer), stream_mode=["messages", "values"]
    )
    answer = ""
    async for mode, part in parts:
        if mode == "values":
            answer = part["messages"][-1].text
        elif isinstance(part[0], AIMessageChunk) and part[0].text:
            yield "token", part[0].text
    yield "done", answer


def digest(key: str) -> str:
    """What the service keeps of a key: its SHA-256, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


Shown = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


class Keys:
    """A dependency: the request is for the customer whose key it shows, else 401."""

    def __init__(self, customers: Mapping[str, str]) -> None:
        self.customers = customers  # the digest of a key -> the customer's id

    async def __call__(self, request: Request, shown: Shown) -> None:
        """Find the customer, and note it in the request's state."""
        offered = digest(shown.credentials)
        for kept, customer in self.customers.items():
            if secrets.compare_digest(kept, offered):
                request.state.customer = customer
                return
        raise HTTPException(401, "This key is not valid.", {"WWW-Authenticate": "Bearer"})


class RateLimit:
    """A dependency: limits each customer to a rate such as "60/minute", else 429."""

    def __init__(self, rate: str, storage: Storage | None = None) -> None:
        self.rate = parse(rate)
        self.limiter = MovingWindowRateLimiter(storage or MemoryStorage())

    async def __call__(self, request: Request) -> None:
        """Count the request, or refuse it."""
        customer = request.state.customer
        if not await self.limiter.hit(self.rate, customer):
            window = await self.limiter.get_window_stats(self.rate, customer)
            wait = max(1, math.ceil(window.reset_time - time.time()))
            raise HTTPException(429, f"At most {self.rate}.", {"Retry-After": str(wait)})


class Gate:
    """A dependency: a place for each request that is answered, else 503."""

    def __init__(self, running: int, waiting: int) -> None:
        self.places = asyncio.Semaphore(running)
        self.free = running + waiting

    async def __call__(self, question: Question) -> AsyncIterator[None]:
        """Hold a place while the question is answered."""
        if self.free == 0:
            raise HTTPException(503, "All places are taken. Try again.", {"Retry-After": "2"})
        self.free -= 1
        try:
            async with self.places:
                yield
        finally:
            self.free += 1


Part = TypeVar("Part")


async def in_own_task(parts: AsyncIterator[Part], silence_s: float) -> AsyncGenerator[Part]:
    """What an iterator yields. It runs in a task that is cancelled when this generator ends."""
    queue: asyncio.Queue[Part | None] = asyncio.Queue()

    async def run() -> None:
        try:
            async for part in parts:
                queue.put_nowait(part)
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (part := await asyncio.wait_for(queue.get(), silence_s)) is not None:
            yield part
        await task  # raises what the iterator raised
    finally:
        task.cancel()


async def stop_when_left(request: Request) -> AsyncIterator[None]:
    """A dependency: cancels the request when its client has left."""
    task = asyncio.current_task()
    assert task is not None

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(0.1)
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not await request.is_disconnected():
            raise  # somebody else cancels it: the server, when it stops
        task.uncancel()
        raise HTTPException(499, "The client has left.") from None
    finally:
        watcher.cancel()


def problem(status: int, detail: str) -> dict[str, Any]:
    """A problem document."""
    title = responses.get(status, "Problem")
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


async def as_problem(request: Request, error: Exception) -> JSONResponse:
    """The response for a refusal, or for an invalid body."""
    status, detail, headers = 500, "Try again later.", None
    if isinstance(error, AnyHTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers
    elif isinstance(error, RequestValidationError):
        first = error.errors()[0]
        status, detail = 422, f"{first['loc'][-1]}: {first['msg']}"
    document = problem(status, detail)
    return JSONResponse(document, status, headers, media_type="application/problem+json")


log = logging.getLogger("service")
SILENCE_S = 60.0  # between two parts of an answer


async def events(
    agent: Agent, question: Question, customer: str
) -> AsyncGenerator[ServerSentEvent]:
    """The events of an answer: `token`s, and at the end `done` or `error`."""
    answer = answering(agent, question, customer)
    try:
        async with aclosing(in_own_task(answer, SILENCE_S)) as parts:
            async for name, text in parts:
                yield ServerSentEvent(event=name, data={"text": text})
    except Exception as error:
        slow = isinstance(error, TimeoutError)
        log.exception("the agent failed")
        failure = problem(504 if slow else 502, "The agent gave no answer. Try again.")
        yield ServerSentEvent(event="error", data=failure)


class Figures:
    """The metrics of one app: how answers end, and how long the first words take."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "chat_answers", "Answers, by how they ended", ["ended"], registry=self.registry
        )
        self.first_token = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "Seconds from the place at the gate to the first words",
            registry=self.registry,
        )


async def observed(
    stream: AsyncGenerator[ServerSentEvent], figures: Figures, customer: str
) -> AsyncGenerator[ServerSentEvent]:
    """Pass the events of an answer on; count it and log one line when it ends."""
    began, first, ended = time.perf_counter(), None, "left"
    try:
        async with aclosing(stream):
            async for event in stream:
                if first is None and event.event != "error":
                    first = time.perf_counter() - began
                    figures.first_token.observe(first)
                if event.event != "token":
                    ended = str(event.event)
                yield event
    finally:
        figures.answers.labels(ended).inc()
        took = round(time.perf_counter() - began, 3)
        log.info(json.dumps({"customer": customer, "ended": ended, "seconds": took}))


def chat_routes(agent: Agent, figures: Figures) -> APIRouter:
    """POST /chat/stream, and POST /chat for an answer in one piece."""
    routes = APIRouter()

    @routes.post("/chat/stream", response_class=EventSourceResponse)
    async def stream(question: Question, request: Request) -> AsyncIterator[ServerSentEvent]:
        customer = request.state.customer
        told = observed(events(agent, question, customer), figures, customer)
        async with aclosing(told):
            async for event in told:
                yield event

    @routes.post("/chat", dependencies=[Depends(stop_when_left)])
    async def chat(question: Question, request: Request) -> dict[str, str]:
        *_, last = [event async for event in stream(question, request)]
        if last.event == "error":
            raise HTTPException(last.data["status"], last.data["detail"])
        return {"answer": last.data["text"]}

    return routes


def operation_routes(figures: Figures) -> APIRouter:
    """GET /livez, /readyz and /metrics."""
    routes = APIRouter()

    @routes.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz(request: Request) -> dict[str, str]:
        if not request.app.state.ready:
            raise HTTPException(503, "The service is starting.")
        return {"status": "ready"}

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ready from the first request to the last answer."""
    app.state.ready = True
    log.info(json.dumps({"service": "started"}))
    yield
    app.state.ready = False
    log.info(json.dumps({"service": "stopped"}))


def make_app(
    agent: Agent,
    customers: Mapping[str, str],
    *,
    rate: str = "60/minute",
    running: int = 4,
    waiting: int = 16,
) -> FastAPI:
    """The service of an agent; `customers` maps the digest of a key to the customer's id."""
    figures = Figures()
    app = FastAPI(lifespan=lifespan, max_body_size=32_000, docs_url=None, redoc_url=None)
    guards = [Depends(Keys(customers)), Depends(RateLimit(rate)), Depends(Gate(running, waiting))]
    app.include_router(chat_routes(agent, figures), dependencies=guards)
    app.include_router(operation_routes(figures))
    app.add_exception_handler(AnyHTTPException, as_problem)
    app.add_exception_handler(RequestValidationError, as_problem)
    app.add_exception_handler(Exception, as_problem)
    return app
