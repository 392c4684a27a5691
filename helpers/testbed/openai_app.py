"""The paths of `openai_server`, as an ASGI app."""

import asyncio
import inspect
import itertools
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from helpers.testbed.openai_server import Body, OpenAIServer
from helpers.testbed.openai_shapes import Answer, embeddings, error, wrong_with
from helpers.testbed.replies import CutOff, Fails, UsedUp, as_turn

_NO_RETRY = {"x-should-retry": "false"}  # OpenAI's client would ask twice more, for seconds


def make_app(server: OpenAIServer) -> Starlette:
    """The app that answers what `server` is told to, and records in it what it was asked."""
    paths = _Paths(server)
    routes = [
        Route("/v1/chat/completions", paths.chat, methods=["POST"]),
        Route("/v1/embeddings", paths.embeddings, methods=["POST"]),
        Route("/v1/models", paths.models),
    ]
    return Starlette(routes=routes, exception_handlers={404: _unknown_path})


class _Cut(Exception):  # noqa: N818 - uvicorn closes the connection when an answer raises
    pass


class _Paths:
    def __init__(self, server: OpenAIServer) -> None:
        self.server = server
        self._numbers = itertools.count(1)

    async def models(self, _: Request) -> Response:
        model = {"id": "scripted", "object": "model", "created": 0, "owned_by": "testbed"}
        return JSONResponse({"object": "list", "data": [model]})

    async def embeddings(self, request: Request) -> Response:
        body = await _body(request)
        # In a thread: its library takes a second to load, in which others are answered.
        found = None if body is None else await asyncio.to_thread(embeddings, body)
        if body is None or found is None:
            return _refused("'input' must be a text that is not empty, or a list of them.")
        self.server.requests.append(body)
        return JSONResponse(found)

    async def chat(self, request: Request) -> Response:
        body = await _body(request)
        if body is None or wrong_with(body):
            return _refused("The body is no JSON object." if body is None else wrong_with(body))
        self.server.requests.append(body)
        try:
            reply: Any = self.server.reply_to(body)
            if inspect.isawaitable(reply):
                reply = await reply
            said = reply if isinstance(reply, Fails | CutOff) else as_turn(reply)
        except UsedUp as problem:
            return JSONResponse(error(500, str(problem), "script_used_up"), 500, _NO_RETRY)
        except Exception as problem:  # the script's own mistake, told where it is seen
            message = f"The script of this server failed: {problem!r}"
            return JSONResponse(error(500, message, "script_failed"), 500, _NO_RETRY)
        if isinstance(said, Fails):
            retry = {} if said.retry_after_s is None else {"retry-after": str(said.retry_after_s)}
            return JSONResponse(error(said.status, said.message), said.status, retry)
        kind = "text/event-stream" if body.get("stream") else "application/json"
        return StreamingResponse(self._write(Answer(body, said, self._numbers)), media_type=kind)

    async def _write(self, answer: Answer) -> AsyncIterator[str]:
        self.server.in_flight += 1
        try:
            await asyncio.sleep(self.server.delay_s)
            for piece in answer.pieces():
                if piece is None:
                    raise _Cut
                await asyncio.sleep(self.server.token_s)
                if piece:
                    yield piece
        except (asyncio.CancelledError, GeneratorExit):
            self.server.abandoned += 1
            raise
        finally:
            self.server.in_flight -= 1


async def _body(request: Request) -> Body | None:
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refused(message: str) -> Response:
    return JSONResponse(error(400, message), 400)


async def _unknown_path(request: Request, _: Exception) -> Response:
    message = (
        f"This server has no {request.url.path}: it answers POST /v1/chat/completions,"
        " POST /v1/embeddings and GET /v1/models."
    )
    return JSONResponse(error(404, message), 404)
