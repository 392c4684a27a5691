"""What every address of the chat needs: the caller's key, the service's parts, the caps."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from helpers.service import tokens
from helpers.service.errors import MEDIA_TYPE, Problem
from helpers.service.keys import HashedKey
from helpers.service.parts import Parts
from helpers.service.schemas import ProblemDocument
from helpers.service.settings import Settings

bearer = HTTPBearer(
    auto_error=False, description="an API key, as `course serve` prints or issues it"
)


def customer_key(
    connection: HTTPConnection,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> HashedKey:
    """The key that the caller shows. Raises `Problem` 401."""
    if shown is None:
        raise Problem("no-key", "Send your key as `Authorization: Bearer KEY`.")
    key: HashedKey | None = connection.app.state.keys.find(shown.credentials)
    if key is None:
        raise Problem("bad-key", "This key does not open the service: check it, or ask for one.")
    return key


def running(connection: HTTPConnection) -> Parts:
    """The service's parts. Raises `Problem` 503 before the start and after the end."""
    parts: Parts | None = connection.app.state.parts
    if parts is None:
        raise Problem("not-ready", "The service is starting or stopping.", retry_after=2)
    return parts


Key = Annotated[HashedKey, Depends(customer_key)]
Running = Annotated[Parts, Depends(running)]


class JsonRoute(APIRoute):
    """A route whose JSON body is text throughout, names and fields that nobody reads included.

    Half an emoji (`"\\ud83d"`) can be read from JSON, and is met again where it cannot be written:
    in the request to the model, a log, a problem document.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, on requests that read their body so."""
        handle = super().get_route_handler()

        async def handle_text(request: Request) -> Response:
            return await handle(_TextRequest(request.scope, request.receive))

        return handle_text


class _TextRequest(Request):
    async def json(self) -> Any:
        found = await super().json()
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Problem(
                "invalid",
                "The body holds half of a character, such as \\ud83d alone: leave it out.",
            ) from None
        return found


def within_caps(texts: list[str], settings: Settings) -> None:
    """Refuse what is too long, before any model work. Raises `Problem` 413 or 422."""
    if len(texts) > settings.max_messages:
        raise Problem("too-long", f"Send at most {settings.max_messages} messages.")
    longest = max(map(len, texts))
    if longest > settings.max_characters:
        raise Problem(
            "too-long",
            f"A message has {longest:,} characters: send at most {settings.max_characters:,}.",
        )
    if (count := tokens.estimate(texts)) > settings.max_input_tokens:
        raise Problem(
            "too-long",
            f"The text has about {count:,} tokens: send at most {settings.max_input_tokens:,}.",
        )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents of an address, for the API's description."""
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    return {
        status: {"description": _WORDS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


_WORDS = {
    400: "The body is no JSON.",
    401: "No valid API key.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "The conversation is being answered, or full.",
    413: "The body is too large.",
    422: "The request is not valid, or too long for the model.",
    429: "Too many requests, or tokens used up; see `Retry-After`.",
    500: "A fault of the service.",
    502: "The model failed.",
    503: "The service is busy; see `Retry-After`.",
    504: "The model or the answer took too long.",
}
ANSWERING = problems(400, 401, 408, 409, 413, 422, 429, 500, 502, 503, 504)
