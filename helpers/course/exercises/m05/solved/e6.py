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
from fastapi import FastAPI
from helpers.testbed import SlowModel
from collections.abc import AsyncIterator
# The exercise's own cell.
class Bounded:
    """A model that has failed when it is silent for a second."""

    def __init__(self, model: SlowModel) -> None:
        self.model = model

    async def stream(self, question: str) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(1) as silence:
                async for word in self.model.stream(question):
                    silence.reschedule(clock() + 1)
                    yield word
        except TimeoutError:
            raise ModelFailed("silent for a second") from None


def chat_service(model: SlowModel) -> FastAPI:
    """An app with POST /chat."""
    return queueing_app(Bounded(model), running=4, waiting=2, patience=2.0, each=3)
ANSWER = chat_service
