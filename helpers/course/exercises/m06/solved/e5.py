# Written by `course build` from solutions/src/06_scale_with_ray.py: change it there.
import json
from typing import Any
from pydantic import Field
from pydantic import BaseModel
class Question(BaseModel):
    """The body of a request."""
    message: str = Field(min_length=1, max_length=2000)
def event(name: str, data: dict[str, Any]) -> str:
    """A server-sent event."""
    return f'event: {name}\ndata: {json.dumps(data)}\n\n'
# The exercise's own cell.
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle


def support_app(write: Callable[[str], AsyncIterator[str]]) -> serve.Application:
    """A gateway with POST /chat in front of a writer that may die and be replaced."""
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
ANSWER = support_app
