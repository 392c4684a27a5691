# %% [markdown] name="title" only="lab"
# # Lab 06: Scale with Ray

# %% [markdown] name="title" only="solution"
# # Solution of lab 06: Scale with Ray

# %% name="imports"
import os

# Read when Ray is first imported: it listens on loopback, and reports nothing.
os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="faults-goal"
# ## 4. Find the six faults
#
# The application below looks like many that tutorials print: it works as long as one polite person
# asks one replica. It has six faults. Find them, and change the code so that all six are gone and
# what works stays as it is. This is the body of a question:

# %% name="faults-body"
from pydantic import BaseModel, Field


class Asked(BaseModel):
    """The body of a request to the help desk."""

    customer: str = Field(min_length=1, max_length=40)
    message: str = Field(min_length=1, max_length=2000)


# %% [markdown] name="faults-task"
# `desk_app(folder, model, store)` is a `def` that returns a Serve application, a new one each time.
# This is what the application must do when you are done.
#
# - `POST /ask` takes an `Asked` (any other body gets 422) and answers with the status 200 and the
#   JSON `{"answer": ..., "source": ..., "asked": ...}`. `source` is the sentence of the index that
#   shares most words with the message, `answer` is what the model says to
#   `f"{source}\n\n{message}"`, `asked` is the number of questions of this customer so far. This
#   question counts, also if its answer fails.
# - `GET /asked/{customer}` answers with `{"asked": ...}`: the same number, 0 for a stranger.
# - If the search or the model raises an exception of any type, the status is 502. The body may be
#   anything that says nothing of the exception: neither its type nor its text, no line of code, no
#   path of a file.
# - The sentences are in `folder`, a `pathlib.Path`, as a list of strings: in `index.json`, and the
#   same list in `index.pkl`. Anyone in the company can write to this folder, so nothing in it may
#   run as code.
# - `model` is a LangChain chat model that takes its time. While it writes for one customer, the
#   replica goes on answering others.
# - A request may reach any replica, and a replica may be replaced at any time. `store` is the one
#   thing that all replicas share. Each of its methods is atomic by itself:
#   `await store.get(key)`, 0 at first; `set(key, value)`; `add(key, amount)`, which returns the
#   sum; `compare_and_set(key, old, new)`.
# - The desk has two replicas. Each answers at most 8 requests at the same time, and at most 16 more
#   wait for them; Serve itself refuses all others with 503. Search remains a deployment of its own,
#   and the desk asks it by its handle.
#
# For instance, the first question of `C-1` gets `"asked": 1`. Its second one gets `"asked": 2`, no
# matter which replica it reaches.

# %% exercise="06.4" mend=true
# LAB: import pickle
# LAB: import traceback
# LAB: from collections import Counter
# BEGIN SOLUTION
import json

# END SOLUTION
from pathlib import Path
from typing import Any

# LAB: from fastapi import APIRouter, FastAPI
# BEGIN SOLUTION
from fastapi import FastAPI, HTTPException

# END SOLUTION
from langchain_core.language_models import BaseChatModel
from ray import serve
from ray.serve.handle import DeploymentHandle

from helpers.testbed import Store


def desk_app(folder: Path, model: BaseChatModel, store: Store) -> serve.Application:
    """A help desk with POST /ask and GET /asked/{customer}."""
    api = FastAPI()
    # LAB: router = APIRouter()

    @serve.deployment
    class Search:
        """Finds the sentence that shares most words with a message."""

        def __init__(self, folder: Path) -> None:
            # LAB: self.sentences = pickle.loads((folder / "index.pkl").read_bytes())
            # BEGIN SOLUTION
            self.sentences = json.loads((folder / "index.json").read_text("utf-8"))
            # END SOLUTION

        async def nearest(self, message: str) -> str:
            words = set(message.lower().split())
            return max(self.sentences, key=lambda one: len(words & set(one.lower().split())))

    # LAB: @serve.deployment(num_replicas=2)
    # BEGIN SOLUTION
    @serve.deployment(num_replicas=2, max_ongoing_requests=8, max_queued_requests=16)
    # END SOLUTION
    @serve.ingress(api)
    class Desk:
        """Answers with the help of the search."""

        def __init__(self, search: DeploymentHandle, model: BaseChatModel, store: Store) -> None:
            self.search, self.model, self.store = search, model, store
            # LAB: self.asked = Counter()

        @api.post("/ask")
        async def ask(self, question: Asked) -> dict[str, Any]:
            # LAB: self.asked[question.customer] += 1
            # LAB: try:
            # LAB:     source = await self.search.nearest.remote(question.message)
            # LAB:     reply = self.model.invoke(f"{source}\n\n{question.message}")
            # LAB: except Exception:
            # LAB:     return {"error": traceback.format_exc()}
            # LAB: asked = self.asked[question.customer]
            # BEGIN SOLUTION
            asked = await self.store.add(question.customer, 1)
            try:
                source = await self.search.nearest.remote(question.message)
                reply = await self.model.ainvoke(f"{source}\n\n{question.message}")
            except Exception as error:
                raise HTTPException(502, "The desk cannot answer now.") from error
            # END SOLUTION
            return {"answer": reply.text, "source": source, "asked": asked}

        # LAB: @router.get("/asked/{customer}")
        # LAB: async def count(self, customer: str) -> dict[str, int]:
        # LAB:     return {"asked": self.asked[customer]}
        # BEGIN SOLUTION
        @api.get("/asked/{customer}")
        async def count(self, customer: str) -> dict[str, int]:
            return {"asked": await self.store.get(customer)}
        # END SOLUTION

    return Desk.bind(Search.bind(folder), model, store)

# %%
check("06.4", desk_app)

# %% [markdown] name="faults-why" only="solution"
# None of the six shows while one person tries the application. A router that no app includes is
# silently left out. `format_exc` is meant for a log, and `raise ... from error` puts it there.
# `pickle` is a program in a file; JSON is not. A call that blocks keeps the only thread of an async
# replica, so seven of eight wait. `self` belongs to one replica: what must survive it, or be the
# same in all of them, belongs into a store. And a queue without an end grows until everybody in it
# has waited longer than anybody waits: an early 503 is the kinder answer.

# %% [markdown] name="gate-goal"
# ## 5. The gate: nothing is lost
#
# The last application answers while its parts die and are replaced. A client of it reads events, as
# in module 05. This function writes one:

# %% name="gate-event"
import json
from typing import Any

from pydantic import BaseModel, Field


class Question(BaseModel):
    """The body of a request."""

    message: str = Field(min_length=1, max_length=2000)


def event(name: str, data: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


# %% [markdown] name="gate-task"
# Write `support_app(write)`, a `def` that returns a Serve application of two deployments, a new one
# each time. `write(message)` is the model: an async generator of pieces of text.
#
# - **The writer** asks `write`. It has two replicas. Each writes at most 4 answers at the same
#   time, and at most 8 more wait for one of them.
# - **The gateway** is a class with `@serve.ingress`, and asks the writer by a streamed handle. It
#   has one replica, which may have 100 requests at the same time. (By default it would be 5.) When
#   it is replaced, the new one is ready before the old one stops: `max_surge_percent=100`.
# - An answer may take half a minute. When a replica of either is replaced, it has 30 seconds or
#   more for the answers that it has begun.
# - `POST /chat` takes a `Question`. Any other body gets 422.
# - The status is 200 and the content type `text/event-stream`. An event `token` with the data
#   `{"text": piece}` goes out as soon as a piece is there, and after the last one an event `done`.
# - **A replica dies.** Then the handle raises `RayActorError`, before the first piece or later. Ask
#   again, at most three more times for one answer. The client gets the rest: what was sent is not
#   sent again. The new answer may be cut into other pieces.
# - **It ends with an event `error`**, and no `done`, if the last of four tries dies too; if a new
#   answer does not begin with the text that was sent, or ends before it; or if `write` raises any
#   other exception, which is not asked for again. The data of `error` and `done` is a JSON object
#   of your choice, which tells neither the exception's type nor its text.
# - **The queue is full.** Then the handle raises `BackPressureError`. As long as no piece was sent,
#   the status is 503, with the header `Retry-After: 1`. After that, the last event is `error`.
#
# For instance, a replica dies after `It weighs`, and the next one gives `It`, ` weighs 2`, `.1 kg`.
# The client reads `It weighs`, ` 2`, `.1 kg` and `done`.
#
# The check first lets replicas die in this process. Then it starts your application on a cluster:
# eight clients ask without a pause, a replica is killed, the application is replaced by a new
# version. No answer may be lost or incomplete. Then 40 clients ask at once. This takes about a
# minute.

# %% exercise="06.5"
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle


def support_app(write: Callable[[str], AsyncIterator[str]]) -> serve.Application:
    """A gateway with POST /chat in front of a writer that may die and be replaced."""
    # LAB: return TODO
    # BEGIN SOLUTION
    api = FastAPI()

    @serve.deployment(
        num_replicas=2, max_ongoing_requests=4, max_queued_requests=8,
        graceful_shutdown_timeout_s=30,
    )
    class Writer:
        async def answer(self, message: str) -> AsyncIterator[str]:
            async for piece in write(message):
                yield piece

    @serve.deployment(
        max_ongoing_requests=100, graceful_shutdown_timeout_s=30, max_surge_percent=100
    )
    @serve.ingress(api)
    class Gateway:
        def __init__(self, writer: DeploymentHandle) -> None:
            self.writer = writer.options(stream=True)

        async def pieces(self, message: str) -> AsyncIterator[str]:
            """The answer, each piece once, from as many replicas as it takes."""
            sent = ""
            for _ in range(4):
                text = ""
                try:
                    async for piece in self.writer.answer.remote(message):
                        text += piece
                        if not text.startswith(sent[: len(text)]):
                            raise ValueError("another answer")
                        if new := text[len(sent) :]:
                            sent = text
                            yield new
                except RayActorError:
                    continue
                if text != sent:
                    raise ValueError("a shorter answer")
                return
            raise ValueError("four replicas died")

        async def events(self, message: str) -> AsyncIterator[str]:
            begun = False
            try:
                async for piece in self.pieces(message):
                    begun = True
                    yield event("token", {"text": piece})
                yield event("done", {})
            except Exception as error:
                if isinstance(error, BackPressureError) and not begun:
                    raise
                yield event("error", {"title": "The answer failed", "status": 502})

        @api.post("/chat")
        async def chat(self, question: Question) -> StreamingResponse:
            events = self.events(question.message)
            try:
                first = await anext(events)
            except BackPressureError as error:
                raise HTTPException(503, "Try again later.", {"Retry-After": "1"}) from error

            async def stream() -> AsyncIterator[str]:
                yield first
                async for one in events:
                    yield one

            return StreamingResponse(stream(), media_type="text/event-stream")

    return Gateway.bind(Writer.bind())
    # END SOLUTION

# %%
check("06.5", support_app)

# %% [markdown] name="gate-why" only="solution"
# Ray asks again by itself where a call was not begun. A stream that was begun is yours to resume,
# because only you know whether a second run may give the same text, and what was sent. Here it
# may: `write` changes nothing. A tool that pays money must not be called again this way.
#
# `chat` waits for the first event before it answers, because a status cannot be taken back. `done`
# comes only from a loop that has ended by itself, and anything that is caught ends in `error`: so a
# client knows what it has. A full queue refuses at once, and the gateway has room for many, so that
# they wait where their number is limited and not in Serve's proxy, where nobody counts them.
