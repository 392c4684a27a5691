# Written by `course build` from solutions/src/05_serve_with_fastapi.py: change it there.
from pydantic import Field
from pydantic import BaseModel
class Question(BaseModel):
    """The body of a request."""
    message: str = Field(min_length=1, max_length=2000)
from collections.abc import AsyncIterator
from fastapi.sse import ServerSentEvent
from langchain_core.language_models import BaseChatModel
async def events(model: BaseChatModel, message: str) -> AsyncIterator[ServerSentEvent]:
    """The answer as events: token for each word, then done; error when the model fails."""
    count = 0
    try:
        async for chunk in model.astream(message):
            if chunk.text:
                count += 1
                yield ServerSentEvent(event='token', data={'text': chunk.text})
    except Exception:
        yield ServerSentEvent(event='error', data={'title': 'The model failed', 'status': 502})
    else:
        yield ServerSentEvent(event='done', data={'tokens': count})
# The exercise's own cell.
import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langchain_core.language_models import BaseChatModel


def queueing_app(model: BaseChatModel, *, running: int, waiting: int, patience: float,
                 each: int) -> FastAPI:
    """An app whose POST /chat streams to those who have a place, and tells the others when."""
    app, places, inside = FastAPI(), asyncio.Semaphore(running), Counter()

    async def place(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
        later = {"Retry-After": "1"}
        if inside[x_caller] >= each:
            raise HTTPException(429, "You have too many requests here.", later)
        if inside.total() >= running + waiting:
            raise HTTPException(503, "All places are taken.", later)
        inside[x_caller] += 1
        try:
            async with asyncio.timeout(patience) as wait, places:
                wait.reschedule(None)  # it has its place: the answer may take longer
                yield
        except TimeoutError:
            raise HTTPException(503, "No place became free in time.", later) from None
        finally:
            inside[x_caller] -= 1

    @app.post("/chat", response_class=EventSourceResponse, dependencies=[Depends(place)])
    async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
        async for event in events(model, question.message):
            yield event

    return app
ANSWER = queueing_app
