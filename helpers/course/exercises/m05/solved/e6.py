# Written by `course build` from solutions/src/05_serve_with_fastapi.py: change it there.
import asyncio
from pydantic import Field
from pydantic import BaseModel
class Question(BaseModel):
    """The body of a request."""
    message: str = Field(min_length=1, max_length=2000)
from collections.abc import AsyncIterator
from fastapi.sse import ServerSentEvent
from fastapi.sse import EventSourceResponse
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
from typing import Annotated
from fastapi import HTTPException
from fastapi import Header
from fastapi import FastAPI
from fastapi import Depends
def queueing_app(model: BaseChatModel, *, running: int, waiting: int, patience: float, each: int) -> FastAPI:
    """An app whose POST /chat streams to those who have a place, and tells the others when."""
    app, places, inside = (FastAPI(), asyncio.Semaphore(running), [])

    async def place(x_caller: Annotated[str, Header()]) -> AsyncIterator[None]:
        greedy = inside.count(x_caller) >= each
        busy = HTTPException(429 if greedy else 503, 'Try again later.', {'Retry-After': '1'})
        if greedy or len(inside) >= running + waiting:
            raise busy
        inside.append(x_caller)
        try:
            async with asyncio.timeout(patience) as wait, places:
                wait.reschedule(None)
                yield
        except TimeoutError:
            raise busy from None
        finally:
            inside.remove(x_caller)

    @app.post('/chat', response_class=EventSourceResponse, dependencies=[Depends(place)])
    async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
        async for event in events(model, question.message):
            yield event
    return app
import asyncio
# The exercise's own cell.
from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk


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


def chat_service(model: BaseChatModel, silence: float = 1.0) -> FastAPI:
    """An app with POST /chat."""
    watched = Watched(model, silence)
    return queueing_app(watched, running=4, waiting=2, patience=2.0, each=3)
ANSWER = chat_service
