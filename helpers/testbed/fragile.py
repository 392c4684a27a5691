"""A chat service as it is written in an afternoon: it works while one polite client asks it."""

from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.language_models import BaseChatModel


def fragile(model: BaseChatModel, silence: float = 1.0) -> FastAPI:
    """An app with POST /chat."""
    app = FastAPI()

    @app.post("/chat")
    async def chat(request: Request) -> StreamingResponse:
        body = await request.json()
        message = body["message"]

        async def stream() -> AsyncIterator[str]:
            async for chunk in model.astream(message):
                yield f"event: token\ndata: {chunk.text}\n\n"
            yield "event: done\ndata: {}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    return app
