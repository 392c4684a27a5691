# Written by `course build` from solutions/src/06_scale_with_ray.py: change it there.
from pydantic import Field
from pydantic import BaseModel
class Asked(BaseModel):
    """The body of a request to the help desk."""
    customer: str = Field(min_length=1, max_length=40)
    message: str = Field(min_length=1, max_length=2000)
# The exercise's own cell.
import json

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException

from langchain_core.language_models import BaseChatModel
from ray import serve
from ray.serve.handle import DeploymentHandle

from helpers.testbed import Store


def desk_app(folder: Path, model: BaseChatModel, store: Store) -> serve.Application:
    """A help desk with POST /ask and GET /asked/{customer}."""
    api = FastAPI()

    @serve.deployment
    class Search:
        """Finds the sentence that shares most words with a message."""

        def __init__(self, folder: Path) -> None:
            self.sentences = json.loads((folder / "index.json").read_text("utf-8"))

        async def nearest(self, message: str) -> str:
            words = set(message.lower().split())
            return max(self.sentences, key=lambda one: len(words & set(one.lower().split())))

    @serve.deployment(num_replicas=2, max_ongoing_requests=8, max_queued_requests=16)
    @serve.ingress(api)
    class Desk:
        """Answers with the help of the search."""

        def __init__(self, search: DeploymentHandle, model: BaseChatModel, store: Store) -> None:
            self.search, self.model, self.store = search, model, store

        @api.post("/ask")
        async def ask(self, question: Asked) -> dict[str, Any]:
            asked = await self.store.add(question.customer, 1)
            try:
                source = await self.search.nearest.remote(question.message)
                reply = await self.model.ainvoke(f"{source}\n\n{question.message}")
            except Exception as error:
                raise HTTPException(502, "The desk cannot answer now.") from error
            return {"answer": reply.text, "source": source, "asked": asked}

        @api.get("/asked/{customer}")
        async def count(self, customer: str) -> dict[str, int]:
            return {"asked": await self.store.get(customer)}

    return Desk.bind(Search.bind(folder), model, store)
ANSWER = desk_app
