"""The service that exercise 05.6 mends: it works, as long as one polite client asks it."""

from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from helpers.course.exercises.m05_given import SlowModel


def fragile(model: SlowModel) -> FastAPI:
    """An app with POST /chat."""
    app = FastAPI()

    @app.post("/chat")
    async def chat(request: Request) -> StreamingResponse:
        body = await request.json()
        message = body["message"]

        async def stream() -> AsyncIterator[str]:
            async for word in model.stream(message):
                yield f"event: token\ndata: {word}\n\n"
            yield "event: done\ndata: {}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    return app
