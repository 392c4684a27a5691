"""The code that exercise 06.4 gives: the same as in the lab's cell.

A submission is compared with it, and it is never called. So what it uses is not imported, which
would take seconds whenever the exercises are listed.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pickle
    import traceback
    from collections import Counter
    from pathlib import Path
    from typing import Any

    from fastapi import APIRouter, FastAPI
    from langchain_core.language_models import BaseChatModel
    from pydantic import BaseModel
    from ray import serve
    from ray.serve.handle import DeploymentHandle

    from helpers.testbed import Store

    class Asked(BaseModel):
        """The body of a request to the help desk."""

        customer: str
        message: str


def desk_app(folder: "Path", model: "BaseChatModel", store: "Store") -> "serve.Application":
    """A help desk with POST /ask and GET /asked/{customer}."""
    api = FastAPI()
    router = APIRouter()

    @serve.deployment
    class Search:
        """Finds the sentence that shares most words with a message."""

        def __init__(self, folder: Path) -> None:
            self.sentences = pickle.loads((folder / "index.pkl").read_bytes())

        async def nearest(self, message: str) -> str:
            words = set(message.lower().split())
            return max(self.sentences, key=lambda one: len(words & set(one.lower().split())))  # type: ignore[no-any-return]

    @serve.deployment(num_replicas=2)
    @serve.ingress(api)
    class Desk:
        """Answers with the help of the search."""

        def __init__(self, search: DeploymentHandle, model: BaseChatModel, store: Store) -> None:  # type: ignore[type-arg]
            self.search, self.model, self.store = search, model, store
            self.asked = Counter()  # type: ignore[var-annotated]

        @api.post("/ask")
        async def ask(self, question: Asked) -> dict[str, Any]:
            self.asked[question.customer] += 1
            try:
                source = await self.search.nearest.remote(question.message)
                reply = self.model.invoke(f"{source}\n\n{question.message}")
            except Exception:
                return {"error": traceback.format_exc()}
            asked = self.asked[question.customer]
            return {"answer": reply.text, "source": source, "asked": asked}

        @router.get("/asked/{customer}")
        async def count(self, customer: str) -> dict[str, int]:
            return {"asked": self.asked[customer]}

    return Desk.bind(Search.bind(folder), model, store)  # type: ignore[attr-defined, no-any-return]
