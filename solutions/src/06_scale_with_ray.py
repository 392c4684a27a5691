# %% [markdown] name="title" only="lab"
# # Lab 06: Scale with Ray

# %% [markdown] name="title" only="solution"
# # Solution of lab 06: Scale with Ray

# %% name="imports"
import os

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
# - If the search or the model raises an exception of any type, the status is 500 or above. The body
#   may be anything that says nothing of the exception: neither its text, nor a line of code, nor
#   the path of a file.
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
