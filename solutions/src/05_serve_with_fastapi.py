# %% [markdown] name="title" only="lab"
# # Lab 05: Serve with FastAPI
#
# After this lab you have built the parts of a service that survives load, abuse and people who
# leave: a stream of events, a queue in front of it, a watch on the connection, a budget, honest
# probes. At the end you fix a fragile service with them, and put a chat page in front of it.
#
# **100 to 120 minutes. Before it:** the walkthrough
# [05 Serve with FastAPI](../notebooks/05_serve_with_fastapi.ipynb).
#
# Fill each cell that contains a `TODO` (in exercise 6, change the given code), run it, then run the
# check below it. A check starts your app on a free port of this machine, calls it as any client
# does, and stops it. A wrong try brings a hint on the card, and `hint("05.1")` the next one.
# Exercise 6 can use what you write in exercise 2; the others do not depend on each other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 05: Serve with FastAPI
#
# All seven exercises solved, and why. The lab itself:
# [labs/05_serve_with_fastapi.ipynb](../labs/05_serve_with_fastapi.ipynb).

# %% name="imports"
import asyncio
import os

from fastapi import FastAPI

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="lab-model"
os.environ |= {"COURSE_MODEL": model, "COURSE_SLOTS": "4"}  # the local one writes 4 at a time
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="model-text"
# Your services take a LangChain chat model as their argument, so they run with any. The lab gives
# them `SlowModel`, which writes a text exactly as slowly as it is told: `token_s` seconds a word.
# So a check can stop it, and look at what your service does in the meantime. `astream` gives an
# answer in chunks. The last chunk has no text: it says how many tokens were used.
#
# Async code in a cell runs by `run_async(...)`, on the event loop that the checks use too.

# %% name="model"
from helpers.testbed import SlowModel


async def chunks(question: str) -> list[str]:
    """The text of each chunk of an answer."""
    return [chunk.text async for chunk in SlowModel().astream(question)]


print(run_async(chunks("What does the Alta 2 weigh?")))

# %% [markdown] name="question-text"
# Every request has this body.

# %% name="question"
from pydantic import BaseModel, Field


class Question(BaseModel):
    """The body of a request."""

    message: str = Field(min_length=1, max_length=2000)


# %% [markdown] name="stream-goal"
# ## 1. Stream tokens as events
#
# Write `streaming_app(model)`: an app whose `POST /chat` sends *server-sent events* while the model
# writes.
#
# - It is a `def` that returns the app, a new one each time. An app answers many clients, some at
#   the same time. Several apps, each with a model of its own, may run at once.
# - The body is a `Question`. Any other body gets the status 422, and the model is not asked.
# - For any `Question` the status is 200 and the content type `text/event-stream`. Ask
#   `model.astream(message)`, and send an event named `token` with the data `{"text": chunk.text}`
#   for each chunk, at once. A chunk without text sends no event.
# - After the last chunk comes an event named `done` with the data `{"tokens": n}`, where `n` is the
#   number of `token` events in this answer.
# - If `astream` raises an `Exception` of any type, before the first word or later, then the last
#   event is not `done`. It is named `error`, and its data is a JSON object with a `title` (a text
#   that is not empty), the number 502 as `status`, and anything else.
# - When the client leaves, the model stops writing its answer.
#
# The data of all events is JSON. Send no other events.
#
# FastAPI sends what an async generator under
# `@app.post("/chat", response_class=EventSourceResponse)` yields. For instance,
# `ServerSentEvent(event="token", data={"text": "The"})` goes out as `event: token`, then
# `data: {"text":"The"}`, then an empty line.

# %% exercise="05.1"
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langchain_core.language_models import BaseChatModel


def streaming_app(model: BaseChatModel) -> FastAPI:
    """An app whose POST /chat streams the model's answer as events."""
    # LAB: return TODO
    # BEGIN SOLUTION
    app = FastAPI()

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
        count = 0
        try:
            async for chunk in model.astream(question.message):
                if chunk.text:
                    count += 1
                    yield ServerSentEvent(event="token", data={"text": chunk.text})
        except Exception:
            problem = {"title": "The model failed", "status": 502}
            yield ServerSentEvent(event="error", data=problem)
        else:
            yield ServerSentEvent(event="done", data={"tokens": count})

    return app
    # END SOLUTION

# %%
check("05.1", streaming_app)

# %% [markdown] name="stream-notes" only="instructor"
# Watch for these mistakes: the words are collected first; `done` comes after a failure too; only
# some types of errors are caught; one counter serves all answers. Ask: "What has the client read by
# now, and which status has it seen?" and wait ten seconds. Give it ten minutes before you help. The
# rule about a client who leaves needs no code here: say so to people who look for some.

# %% [markdown] name="stream-why" only="solution"
# The status 200 goes out before the first word, so a later failure cannot be a status any more: it
# has to be an event, and without `done` every client knows that something is missing. Which error a
# model's client raises depends on the provider, so all of them count. Its text stays in the log: it
# may hold an address or a key. JSON keeps line breaks inside one `data:` line. The body's type
# rejects a bad message before the generator starts.

# %% [markdown] name="stream-use-text"
# What is a stream worth to the person who waits? One client asks a model that takes a tenth of a
# second for a word. How long until there is something to read, and how long until the end?

# %% name="stream-use"
from helpers.testbed import Clients, Seen, SlowModel, serving_here


async def read(app: FastAPI, message: str) -> Seen:
    """What one client saw of one answer."""
    async with serving_here(app) as server, Clients(server.url) as clients:
        return await clients.ask({"message": message})


if ready("05.1"):
    app = streaming_app(SlowModel(token_s=0.1))
    seen = run_async(read(app, "What does the Alta 2 weigh?"))
    print(f"first word after {seen.waited:.2f} s, the end after {seen.took:.2f} s")
    print("".join(seen.texts))

# %% [markdown] name="queue-goal"
# ## 2. Take the queue's place before the stream
#
# A model runs a few streams well and many badly, so a service gives out places. This function
# yields the events of an answer:

# %% name="events"
from collections.abc import AsyncIterator

from fastapi.sse import EventSourceResponse, ServerSentEvent
from langchain_core.language_models import BaseChatModel


async def events(model: BaseChatModel, message: str) -> AsyncIterator[ServerSentEvent]:
    """The answer as events: token for each word, then done; error when the model fails."""
    count = 0
    try:
        async for chunk in model.astream(message):
            if chunk.text:
                count += 1
                yield ServerSentEvent(event="token", data={"text": chunk.text})
    except Exception:
        yield ServerSentEvent(event="error", data={"title": "The model failed", "status": 502})
    else:
        yield ServerSentEvent(event="done", data={"tokens": count})


# %% [markdown] name="queue-task"
# Write `queueing_app(model, running=..., waiting=..., patience=..., each=...)`: an app whose
# `POST /chat` takes a `Question` and streams these events to those who have a place.
#
# - It is a `def` that returns the app, a new one with its own queue each time. `running` and `each`
#   are 1 or more, `waiting` is 0 or more, `patience` is a number of seconds above 0.
# - Every request has a header `X-Caller`, which says who the caller is. A request is *inside* from
#   the moment it is let in until its last event is sent or its client leaves. Those who run and
#   those who wait are both inside.
# - When a request arrives, look at the caller first: if `each` requests of this caller are inside
#   already, the answer is 429, even if the service is full too. Then, if `running + waiting`
#   requests are inside already, the answer is 503. Both come at once. Any other request is let in.
# - At most `running` requests stream at the same time. The others wait for a place. One that has
#   waited for `patience` seconds gets 503, at most half a second later, and is not inside any more.
#   Patience is for the wait alone: an answer may take longer. A client that leaves while it waits
#   may keep its place until its turn comes or its patience ends.
# - 429 and 503 are statuses, sent before any event, and both have the header `Retry-After: 1`.
# - A place is free again however a request ends: with its last event, an error, a client that
#   leaves, or a body that is no `Question` (422).
#
# For instance, with `running=1` and `waiting=0`, a second client gets 503 while the first reads.
#
# Since FastAPI 0.118, a dependency with `yield` is left after the last byte of a stream has been
# sent (from 0.106 to 0.117 it was left before the first). This course has 0.165.

# %% exercise="05.2"
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException


def queueing_app(model: BaseChatModel, *, running: int, waiting: int, patience: float,
                 each: int) -> FastAPI:
    """An app whose POST /chat streams to those who have a place, and tells the others when."""
    # LAB: return TODO
    # BEGIN SOLUTION
    app, places, inside = FastAPI(), asyncio.Semaphore(running), []

    async def place(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
        greedy = inside.count(x_caller) >= each
        busy = HTTPException(429 if greedy else 503, "Try again later.", {"Retry-After": "1"})
        if greedy or len(inside) >= running + waiting:
            raise busy
        inside.append(x_caller)
        try:
            async with asyncio.timeout(patience) as wait, places:
                wait.reschedule(None)  # it has its place: the answer may take longer
                yield
        except TimeoutError:
            raise busy from None
        finally:
            inside.remove(x_caller)

    @app.post("/chat", response_class=EventSourceResponse, dependencies=[Depends(place)])
    async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
        async for event in events(model, question.message):
            yield event

    return app
    # END SOLUTION

# %%
check("05.2", queueing_app)

# %% [markdown] name="queue-notes" only="instructor"
# Watch for these mistakes: the place is taken inside the stream, when the status is already 200;
# the place is given back before the first word; an `await` comes between looking and counting. Ask
# where the place is given back when a client leaves; wait for "in `finally`". Give it ten minutes
# before you help. When you are late, leave out the patience, but keep the share of each caller:
# 05.6 asks for it too.

# %% [markdown] name="queue-why" only="solution"
# A dependency with `yield` is entered before the status goes out and left after the last byte, or
# when the client has gone: that is exactly how long a place is held. `async with semaphore: return
# StreamingResponse(...)` would give the place back before the first word. There is no `await`
# between looking at the list and adding to it, so no other request comes between.

# %% [markdown] name="queue-use-text"
# Twelve strangers ask at once. Compare those whom the queue refuses with those whom it keeps
# waiting: who can do something else in the meantime?

# %% name="queue-use"
from helpers.testbed import Clients, Load, SlowModel, burst, serving_here


async def twelve_at_once(app: FastAPI) -> Load:
    """What twelve strangers see who ask at the same moment."""
    bodies = [{"message": "What does the Alta 2 weigh?"}] * 12
    async with (
        serving_here(app) as server,
        Clients(server.url, name_header="X-Caller") as clients,
    ):
        return await burst(clients, bodies)


if ready("05.2"):
    app = queueing_app(SlowModel(token_s=0.05), running=4, waiting=4, patience=2.0, each=1)
    load = run_async(twelve_at_once(app))
    show.timeline(
        {"waits": {one.client: (one.sent, one.first or one.ended) for one in load.seen},
         "reads": {one.client: (one.first, one.ended) for one in load.seen if one.first}},
        title=f"{load.count('refused')} of {len(load.seen)} are told at once to come again",
        x="seconds")

# %% [markdown] name="left-goal"
# ## 3. Stop the model when the client has left
#
# A person who closes the page takes no answer any more, but the model writes on: nothing tells an
# endpoint that answers in one piece. Write `while_connected(request, work)`: an `async def` that
# runs `work`, a coroutine, to its end while the client stays.
#
# - It returns what `work` returns, an empty text too, or raises what `work` raises.
# - `await request.is_disconnected()` says whether the client has left. Look at least five times and
#   at most a hundred times a second.
# - If the client leaves before `work` has ended, it cancels `work`, waits until `work` has ended
#   (to clear up may take a moment), and raises `ClientDisconnect`. It does so within half a second
#   and that moment. What cancelled work returns or raises does not matter.
# - If it is cancelled itself, for instance by a deadline around it, it cancels `work`, waits until
#   `work` has ended, and passes the cancellation on.
# - It leaves no task behind, whichever way it ends. A task that was cancelled and ends within a
#   moment is not left behind. Many requests run at the same time.
#
# For instance, while a client waits, `await while_connected(request, answer("weight?"))` is the
# text that `answer` returns.

# %% exercise="05.3"
import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect


async def while_connected(request: Request, work: Coroutine[Any, Any, str]) -> str:
    """The result of `work`, which is cancelled when the client leaves before it has ended."""
    # LAB: return TODO
    # BEGIN SOLUTION
    async def gone() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(0.05)

    working, watching = asyncio.create_task(work), asyncio.create_task(gone())
    try:
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
    # END SOLUTION

# %%
check("05.3", while_connected)

# %% [markdown] name="left-notes" only="instructor"
# Watch for these mistakes: `cancel()` without waiting for the work to end; a watch that is left
# behind when the work raises; a function that is itself cancelled and leaves the work running. Let
# people list the four ways out on paper: three minutes. Then give it five minutes before you help.
# Skip this exercise if the room only streams.

# %% [markdown] name="left-why" only="solution"
# `cancel()` only asks; the work has ended when it has been awaited, and only then is its place
# free. `finally` covers all four ways out: a result, an error, a client who left, and a deadline
# that cancels the function itself. A stream needs none of this in FastAPI: a connection that closes
# ends the generator. It needs it as soon as the words come from a task of their own, as those of a
# LangGraph agent do.

# %% [markdown] name="left-use-text"
# What does it save? Eight clients ask for an answer in one piece, and six of them leave after two
# words. An answer has eight words. How many does the model write if nobody looks, and with your
# watch?

# %% name="left-app"
from fastapi import FastAPI

from helpers.testbed import Clients, SlowModel, serving_here


def counting_app(guard, written: list[str]) -> FastAPI:
    """An app that answers in one piece; every word that the model writes goes to `written`."""
    app, slow = FastAPI(), SlowModel(token_s=0.1)

    async def answer(message: str) -> str:
        text = ""
        async for chunk in slow.astream(message):
            if chunk.text:
                written.append(chunk.text)
                text += chunk.text
        return text

    @app.post("/chat")
    async def chat(question: Question, request: Request) -> str:
        return await guard(request, answer(question.message))

    return app


# %% name="left-use"
async def nobody_looks(request: Request, work: Coroutine[Any, Any, str]) -> str:
    """What an endpoint does without a watch."""
    return await work


async def words_written(guard) -> int:
    """Words that the model writes for eight clients of whom six leave after two words."""
    written = []
    body = {"message": "What does the Alta 2 weigh?"}
    app = counting_app(guard, written)
    async with serving_here(app) as server, Clients(server.url) as clients:
        asking = [asyncio.create_task(clients.ask(body)) for _ in range(8)]
        await asyncio.sleep(0.25)
        for task in asking[2:]:
            task.cancel()  # this closes the client's connection
        await asyncio.wait(asking)
    return len(written)


if ready("05.3"):
    count = {"before": run_async(words_written(nobody_looks)),
             "after": run_async(words_written(while_connected))}
    measured.append({"exercise": "3: words written, 6 of 8 clients left"} | count)
    print(count)

# %% [markdown] name="budget-goal"
# ## 4. A budget that is exact
#
# A customer may use a number of tokens a day, and nobody knows what an answer will take. So a
# request *reserves* the most that it can take before the model starts, and *settles* afterwards for
# what it took. Write `spend(store, key, limit, most)`, for
# `async with spend(store, "C-1", 100, 30) as spent:`
#
# - `store` keeps one whole number for each key: the tokens that are used or reserved. `limit` and
#   `most` are whole numbers of 0 or more. Each call may have another key, limit or store.
# - On entry it reserves `most` tokens under `key`. They fit if the number is at most `limit`
#   afterwards. If they do not fit, it raises `OverBudget` and writes nothing, not even for a
#   moment.
# - It yields a new `Spent()`. The block counts in `spent.tokens` what it uses: 0 at first, at the
#   end perhaps more than `most`.
# - When the block ends, `spent.tokens` are booked in the place of `most`, in one step. That also
#   holds when the block raises an exception (an `OverBudget` of its own, too) or is cancelled.
#   `spend` passes both on.
# - Several workers share the store, each in a thread with an event loop of its own, and every call
#   of the store lets others run. Keep all numbers in the store. Each of its methods is atomic by
#   itself: `await store.get(key)`, 0 at first; `set(key, value)`; `add(key, amount)`, which returns
#   the sum; and `compare_and_set(key, old, new)`, which writes only if the number is still `old`,
#   and returns whether it has written.
#
# For instance, a budget of 100 lets in ten requests of 10 and refuses the eleventh, even if all
# eleven come at the same moment.

# %% exercise="05.4"
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from helpers.testbed.store import OverBudget, Spent, Store


@asynccontextmanager
async def spend(store: Store, key: str, limit: int, most: int) -> AsyncIterator[Spent]:
    """Reserve `most` tokens of a budget while the block runs; then book what it has used."""
    # LAB: raise TODO
    # LAB: yield Spent()
    # BEGIN SOLUTION
    while True:
        used = await store.get(key)
        if used + most > limit:
            raise OverBudget(f"{limit - used} tokens are left, and this may take {most}.")
        if await store.compare_and_set(key, used, used + most):
            break
    spent = Spent()
    try:
        yield spent
    finally:
        await store.add(key, spent.tokens - most)
    # END SOLUTION

# %%
check("05.4", spend)

# %% [markdown] name="budget-notes" only="instructor"
# Watch for these mistakes: a look and then a booking; a lock that holds for one worker; a
# reservation that stays when the block raises. Let two people play two workers: both read the same
# number on the board, then both write. Ask which single call of the store may decide; wait one
# minute. The code is short, but the idea is not obvious. Give it five minutes before you help.

# %% [markdown] name="budget-why" only="solution"
# Between a read and a write there is a moment in which others read the same number; a lock closes
# it for one worker and not for two. `compare_and_set` decides in the store itself, and a request
# that another one has overtaken looks again. In Redis the same is a script of three lines. Adding
# first and taking back what is too much never exceeds the budget either, but it refuses some
# requests that would have fitted.

# %% [markdown] name="budget-use-text"
# Forty requests come at once, of which ten fit. How many are let in by the version that is often
# written first, which reads the number and then books, and by yours?

# %% name="budget-use"
async def read_then_book(store: Store, key: str, limit: int, most: int) -> None:
    """The version that is often written first: two calls of the store."""
    if await store.get(key) + most > limit:
        raise OverBudget
    await store.add(key, most)


async def reserve(store: Store, key: str, limit: int, most: int) -> None:
    """Your version, with a request that uses all it has reserved."""
    async with spend(store, key, limit, most) as spent:
        await asyncio.sleep(0.05)
        spent.tokens = most


async def let_in(book) -> int:
    """How many of forty requests of 10 tokens a budget of 100 lets in."""
    store = Store()
    requests = [book(store, "C-0042", 100, 10) for _ in range(40)]
    results = await asyncio.gather(*requests, return_exceptions=True)
    return results.count(None)


if ready("05.4"):
    count = {"before": run_async(let_in(read_then_book)), "after": run_async(let_in(reserve))}
    measured.append({"exercise": "4: requests let in, where 10 fit"} | count)
    print(count)

# %% [markdown] name="ready-goal"
# ## 5. Readiness that tells the truth
#
# The platform that runs your service sends it two kinds of requests. `GET /livez` asks: is this
# process beyond help, so that it should be restarted? `GET /readyz` asks: should requests be sent
# here now? This is what the service knows of itself.

# %% name="ready-given"
from dataclasses import dataclass


@dataclass
class Service:
    """What a running service knows of itself."""

    loaded: bool = True  # whether the model's weights are in memory
    waiting: int = 0  # requests that wait for a place
    most_waiting: int = 4  # how many may wait
    stopping: bool = False  # whether it was told to stop

    async def ping(self) -> None:
        """Ask the model's server whether it is there; raises an exception if it is not."""


# %% [markdown] name="ready-task"
# Write `probes(service)`: it returns a FastAPI `APIRouter` with both routes.
#
# - `/livez` is 200 whatever is wrong with the model, and does not ping. Its body may be anything.
# - `/readyz` is 200 with the JSON `{"reasons": []}`, or 503 with `{"reasons": [...]}`, which names
#   *all* reasons why not, each once, in any order. The body has no other key. The reasons are:
#   - `"model"`: `service.loaded` is false, or `await service.ping()` raises an `Exception` of any
#     type, or takes longer than 0.5 seconds;
#   - `"queue"`: `service.waiting` is at least `service.most_waiting`;
#   - `"stopping"`: `service.stopping` is true.
# - Each request to `/readyz` looks at the service as it is at that moment, with one ping at most.
# - A ping that takes too long is cancelled, and ends at once when it is. No ping blocks the event
#   loop. `/readyz` answers within 1 second, also if twenty requests come at the same time.
# - A process may contain several services, each with a router of its own.
#
# For instance, while the model is dead and the queue is full, `/livez` is 200, and `/readyz` is 503
# with `{"reasons": ["model", "queue"]}`.

# %% exercise="05.5"
from fastapi import APIRouter
from fastapi.responses import JSONResponse


def probes(service: Service) -> APIRouter:
    """A router with GET /livez and GET /readyz."""
    # LAB: return TODO
    # BEGIN SOLUTION
    router = APIRouter()

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        reasons = []
        try:
            async with asyncio.timeout(0.5):
                await service.ping()
            there = service.loaded
        except Exception:
            there = False
        if not there:
            reasons.append("model")
        if service.waiting >= service.most_waiting:
            reasons.append("queue")
        if service.stopping:
            reasons.append("stopping")
        return JSONResponse({"reasons": reasons}, status_code=503 if reasons else 200)

    return router
    # END SOLUTION

# %%
check("05.5", probes)

# %% [markdown] name="ready-notes" only="instructor"
# Watch for these mistakes: `/livez` pings the model; the first reason ends the search for others; a
# queue counts as full only when it is more than full; a slow ping continues after the answer. Ask
# what the platform does after each 503. Give it five minutes before you help. It takes little code:
# give this exercise to people who are behind.

# %% [markdown] name="ready-why" only="solution"
# The two probes have two consequences: a failed `/livez` ends the process, a failed `/readyz` only
# stops new requests from coming. A model that is away is no reason to restart the service: that
# would cut every stream that it still sends. And the probe pings instead of asking a question. A
# question to the model every five seconds would be load that no customer has asked for.

# %% [markdown] name="ready-use-text"
# A service loads its model, works, has a full queue, works again, and is told to stop. At each of
# these five moments a request is sent if `/readyz` says yes. How many are sent to a service that
# cannot answer them, by a probe that always says yes, and by yours?

# %% name="ready-use"
from fastapi import APIRouter

from helpers.testbed import Clients, serving


def optimist(service: Service) -> APIRouter:
    """Probes that always say yes."""
    router = APIRouter()
    router.add_api_route("/readyz", lambda: {"reasons": []})
    return router


moments = [(False, 0, False), (True, 0, False), (True, 4, False), (True, 1, False), (True, 0, True)]


async def sent_into_failure(make) -> int:
    """Requests that are sent because /readyz is 200, at moments when they fail."""
    service, app, sent = Service(), FastAPI(), 0
    app.include_router(make(service))
    with serving(app) as server:
        async with Clients(server.url) as clients:
            for service.loaded, service.waiting, service.stopping in moments:
                seen = await clients.ask(path="/readyz")
                fails = not service.loaded or service.waiting >= 4 or service.stopping
                sent += fails and seen.status == 200
    return sent


if ready("05.5"):
    count = {"before": run_async(sent_into_failure(optimist)),
             "after": run_async(sent_into_failure(probes))}
    measured.append({"exercise": "5: requests sent into failure, of 5"} | count)
    print(count)

# %% [markdown] name="fragile-goal"
# ## 6. Make a fragile service withstand load and abuse
#
# The service below was written in an afternoon, and works as long as one polite client asks it.
# Change `chat_service(model, silence)` so that the app which it returns passes this gate. As in
# exercise 2, `POST /chat` takes a `Question`, and the header `X-Caller` says who asks.
#
# - **No 500.** A body that is no `Question` gets a status from 400 to 499, and the model is not
#   asked.
# - **No lost stream.** The text comes in events `token` with the data `{"text": ...}`, exactly as
#   the model writes it, and then `done`. If `model.astream` raises an exception of any type, at
#   once or after some words, the stream ends with `error` and no `done`. The data of these two may
#   be anything.
# - **No endless silence.** A model that writes nothing for `silence` seconds, at once or after some
#   words, has failed: `error` comes at most 0.5 seconds later. The limit is for each pause, not for
#   the whole answer: an answer whose pauses are at most half of `silence` is never cut.
# - **Nothing is kept.** However an answer ends, also because its client leaves, its place is free
#   again, and the model stops within a second.
# - **Nobody starves.** Of 32 strangers who ask at once, at least 4 are answered. So are both
#   questions of a polite client, one after the other, while another caller has 24 connections. All
#   others are refused with 429 or 503 and the header `Retry-After` in whole seconds.
# - **Quick under load.** For 19 of 20 of those answered, the first token comes after at most 5
#   times as long as for a client who is alone. The gate's model writes 4 streams at full speed, and
#   more of them share it. An answer takes about 0.6 seconds.
#
# What you write in exercise 2 does most of it, with the right numbers. For instance, a caller who
# posts `{}` gets 422 from FastAPI as soon as the parameter's type is `Question`.

# %% exercise="05.6" mend=true
from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk


# BEGIN SOLUTION
class Watched:
    """A model that has failed when it writes nothing for `silence` seconds."""

    def __init__(self, model: BaseChatModel, silence: float) -> None:
        self.model, self.silence = model, silence

    async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
        """The model's chunks; raises TimeoutError when none comes."""
        async with aclosing(self.model.astream(question)) as chunks:
            while True:
                async with asyncio.timeout(self.silence):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk


# END SOLUTION
def chat_service(model: BaseChatModel, silence: float = 1.0) -> FastAPI:
    """An app with POST /chat."""
    # LAB: app = FastAPI()
    # LAB:
    # LAB: @app.post("/chat")
    # LAB: async def chat(request: Request) -> StreamingResponse:
    # LAB:     body = await request.json()
    # LAB:     message = body["message"]
    # LAB:
    # LAB:     async def stream() -> AsyncIterator[str]:
    # LAB:         async for chunk in model.astream(message):
    # LAB:             yield f"event: token\ndata: {chunk.text}\n\n"
    # LAB:         yield "event: done\ndata: {}\n\n"
    # LAB:
    # LAB:     return StreamingResponse(stream(), media_type="text/event-stream")
    # LAB:
    # LAB: return app
    # BEGIN SOLUTION
    watched = Watched(model, silence)
    return queueing_app(watched, running=4, waiting=2, patience=2.0, each=3)
    # END SOLUTION

# %%
check("05.6", chat_service)

# %% [markdown] name="fragile-notes" only="instructor"
# This is the gate. People who have 05.2 should start from it: ask which four numbers they choose,
# and why; wait for a calculation. Watch for these mistakes: a limit on the whole answer instead of
# each pause; a queue so long that the last ones wait too long; no share for each caller; a place
# that a failure loses. Give it fifteen minutes before you help. The check measures times, so close
# other programs. On a busy machine, run it once more before you look for a fault.

# %% [markdown] name="fragile-why" only="solution"
# Four run because the model writes four at full speed. Two wait: a client that waits for one round
# of answers still has its first token in time, one that waits for two rounds does not. Three for
# each caller leave a place for the polite one. `Watched` turns silence into an exception, which
# `events` already reports. It limits each pause and not the whole answer, so long answers are not
# cut. `aclosing` stops the model at once when the client has left. All else is what FastAPI does
# with a typed body and a dependency.

# %% [markdown] name="fragile-use-text"
# What is it worth on the running system? Both services stand in front of the gate's model, then in
# front of the real one, which writes four answers at a time. One client asks alone, then many ask
# at once. Before you run the cell: whose first token comes later, and who is refused?
#
# With the real model your ratio may exceed the 5 of the gate. Alone, its first token is quick, and
# four answers at a time share two cores: who waits, waits for whole answers. The ratio to compare
# is that of the fragile service.
#
# The real model may take longer than the gate's for a token, so it gets a longer `silence`. A limit
# that fits one model can cut every answer of another.

# %% name="fragile-use"
from helpers.models import chat_model
from helpers.testbed import Clients, SlowModel, burst, percentile, serving_here
from helpers.testbed.fragile import fragile


async def under_load(app: FastAPI, count: int) -> dict[str, float]:
    """What so many strangers get at once, and how long they wait, compared with one alone."""
    asked = {"message": "What is a tent pole?"}
    async with serving_here(app) as server, Clients(server.url, name_header="X-Caller") as clients:
        await clients.ask(asked)  # so that the model is loaded
        alone = await clients.ask(asked)
        load = await burst(clients, [asked] * count)
    waited = [seen.waited for seen in load.seen if seen.outcome == "answered"]
    return {"answered": load.count("answered"), "refused": load.count("refused"),
            "failed": load.lost + load.count("error event"),
            "first token, times alone": percentile(waited, 0.95) / alone.waited}

# %% name="fragile-compare"
if ready("05.6"):
    slow = SlowModel(delay_s=0.2, token_s=0.05, full_speed=4)
    real, rows = chat_model(max_tokens=12), []
    for name, make in [("fragile", fragile), ("yours", chat_service)]:
        found = run_async(under_load(make(slow), 32))
        rows.append({"service": name, "model": "the gate's"} | found)
    for name, make in [("fragile", fragile), ("yours", chat_service)]:
        app = make(real, silence=60.0)
        found = run_async(under_load(app, 16 if fast else 24))
        rows.append({"service": name, "model": "the real one"} | found)
    show.table(rows, caption="Many strangers at once", digits=1)
    times = [row["first token, times alone"] for row in rows]
    measured.append({"exercise": "6: first token under load, times alone",
                     "before": times[2], "after": times[3]})

# %% [markdown] name="page-goal"
# ## 7. A chat page that asks once
#
# Streamlit runs a page's script again, from top to bottom, whenever something on the page changes.
# A variable of the last run is gone, and whatever the script calls is called again. Only
# `st.session_state` stays, and each browser session has its own.
#
# Write `page(ask)`, which draws a chat page. `ask(message)` gives the answer in pieces, as an
# iterator of strings. Where the service cannot be reached or breaks off, the iterator raises
# `ConnectionError`, before the first piece or after some; the call itself does not. The error's
# text is a sentence for the customer.
#
# - There is one `st.chat_input`. What it gives goes to `ask` as it is. A message of white space
#   alone is not asked, and not shown.
# - Every run draws the whole conversation, oldest turn first: the message in
#   `st.chat_message("user")`, the answer in `st.chat_message("assistant")`.
# - Each message is asked once. A run for another reason asks nothing.
# - The answer is shown while it is written: after each piece, all pieces so far.
# - After a `ConnectionError`, the pieces that came stay, and `st.error` shows the error's
#   text inside the answer or below it, in later runs too.
# - Streamlit may also stop the script in the middle of an answer, because the customer does
#   something else. The next run shows the message and the pieces that came, and asks nothing.
# - While the *last* turn has no whole answer, for either reason, the page ends with
#   `st.button("Ask again")`. A click asks the same message once more. What comes of it takes the
#   place of the old pieces and of the old error.
# - Messages and answers are shown with `st.text`, which takes them as they are. `st.write`,
#   `st.markdown` and `st.write_stream` would load a picture that an answer names, from anywhere.
# - Two browser sessions share nothing.
#
# For instance, after *How heavy is it?* and then *And the pegs?* the page has four chat messages,
# and `ask` was called twice, however often Streamlit runs the script.

# %% exercise="05.7"
from collections.abc import Callable, Iterator

import streamlit as st


def page(ask: Callable[[str], Iterator[str]]) -> None:
    """Draw a chat page that asks each message once."""
    # LAB: raise TODO
    # BEGIN SOLUTION
    turns = st.session_state.setdefault("turns", [])
    if (message := st.chat_input("Your question")) and message.strip():
        turns.append({"message": message, "answer": "", "error": "", "state": "new"})
    for turn in turns:
        st.chat_message("user").text(turn["message"])
        with st.chat_message("assistant"):
            shown = st.empty()
            if turn["state"] == "new":
                turn.update(answer="", error="", state="begun")
                try:
                    for piece in ask(turn["message"]):
                        turn["answer"] += piece
                        shown.text(turn["answer"])
                    turn["state"] = "whole"
                except ConnectionError as error:
                    turn["error"] = str(error)
            shown.text(turn["answer"])
            if turn["error"]:
                st.error(turn["error"])
    if turns and turns[-1]["state"] == "begun":
        st.button("Ask again", on_click=turns[-1].update, kwargs={"state": "new"})
    # END SOLUTION

# %%
check("05.7", page)

# %% [markdown] name="page-notes" only="instructor"
# Watch for these mistakes: `ask` is called in every run; `st.write_stream` draws Markdown; the
# error is gone in the next run; *Ask again* adds a turn. Ask what a turn must know about itself,
# and let people write down its fields before any code: five minutes. Then give it ten minutes
# before you help. When you are late, skip the stop in the middle of an answer, and accept *partly*.

# %% [markdown] name="page-why" only="solution"
# A turn is in the session's state before `ask` is called, and its state changes before the first
# piece comes. So wherever the run ends, the next one finds what has happened, and asks nothing that
# was begun. The button's callback runs before the script does, which then finds a new turn and
# needs no second way to ask. An error is kept as text beside the pieces, because an `st.error` that
# is drawn in one run is gone in the next.

# %% [markdown] name="page-use-text"
# What does it save? A page that many people write first keeps nothing: it has a text field and
# writes the answer below it. Both pages stand in front of the same service. A customer asks one
# question, and then something else on the page changes five times. AppTest, from Streamlit, runs a
# page without a browser. How many requests does the service get?

# %% name="page-use"
import httpx2
import streamlit as st
from fastapi.responses import StreamingResponse
from streamlit.testing.v1 import AppTest

from helpers.testbed import SlowModel, serving


def first_try(ask) -> None:
    """A page that keeps nothing."""
    if message := st.text_input("Your question"):
        st.write_stream(ask(message))


def script(page, ask) -> None:
    page(ask)

# %% name="page-requests"
def requests_for(page) -> int:
    """Requests that reach the service: one question, then five runs for other reasons."""
    slow, app = SlowModel(), FastAPI()

    @app.post("/chat")
    async def chat(question: Question) -> StreamingResponse:
        return StreamingResponse(chunk.text async for chunk in slow.astream(question.message))

    with serving(app) as server:
        def ask(message):
            with httpx2.stream("POST", f"{server.url}/chat", json={"message": message}) as reply:
                yield from reply.iter_text()

        test = AppTest.from_function(script, kwargs={"page": page, "ask": ask}).run()
        field = (test.chat_input or test.text_input)[0]
        field.set_value("What does the Alta 2 weigh?").run()
        for _ in range(5):
            test.run()
    return slow.calls

# %% name="page-compare"
if ready("05.7"):
    count = {"before": requests_for(first_try), "after": requests_for(page)}
    measured.append({"exercise": "7: requests for one question"} | count)
    print(count)

# %% [markdown] name="measured-text"
# ## What you measured
#
# Each row is the same load on the system without and with your code. Exercises 1 and 2 have no
# row: what they change is who waits for what, and you have seen that above.

# %% name="measured"
if measured:
    show.table(measured, caption="What your code changed", digits=1)

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress.
#
# - The walkthrough again: [05 Serve with FastAPI](../notebooks/05_serve_with_fastapi.ipynb).
# - Events: [HTML, server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html).
# - Statuses: [RFC 6585](https://www.rfc-editor.org/rfc/rfc6585) for 429,
#   [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110) for 503 and `Retry-After`.
# - [Streamlit: app testing](https://docs.streamlit.io/develop/concepts/app-testing).
# - [FastAPI: dependencies with yield](https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/).
