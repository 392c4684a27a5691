# Written by `course build` from solutions/src/05_serve_with_fastapi.py: change it there.
from pydantic import Field
from pydantic import BaseModel
class Question(BaseModel):
    """The body of a request."""
    message: str = Field(min_length=1, max_length=2000)
# The exercise's own cell.
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langchain_core.language_models import BaseChatModel


def streaming_app(model: BaseChatModel) -> FastAPI:
    """An app whose POST /chat streams the model's answer as events."""
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
ANSWER = streaming_app
