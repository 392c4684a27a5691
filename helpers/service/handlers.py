"""From whatever was raised to a problem document."""

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from helpers.service.disconnect import ClientLeft
from helpers.service.errors import MEDIA_TYPE, Problem, of_status
from helpers.service.logs import make_logger

_MOST_ERRORS = 5
_CLIENT_CLOSED_REQUEST = 499
"""The status, in the figures, of a request whose client left; nobody reads the response."""


def add_handlers(app: FastAPI) -> None:
    """Answer every error of the app by a problem document."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(ClientLeft, _left)
    app.add_exception_handler(Exception, _unexpected)


def respond(request: Any, problem: Problem) -> Response:
    """The response that tells of a problem."""
    request_id = getattr(request.state, "request_id", None)
    parts = getattr(request.app.state, "parts", None)
    if parts is not None:
        parts.metrics.problems.labels(problem.kind).inc()
    return JSONResponse(
        problem.document(str(request_id) if request_id else None),
        problem.status_code,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if not isinstance(error, Problem):
        headers = dict(error.headers) if error.headers else None
        error = of_status(error.status_code, str(error.detail), headers)
    return respond(request, error)


async def _left(_: Request, __: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _validation(request: Request, error: Exception) -> Response:
    """Say where and what; what was sent is not repeated, since it may be anything."""
    assert isinstance(error, RequestValidationError)
    found = [
        {"pointer": "/" + "/".join(map(str, each["loc"][1:])), "detail": str(each["msg"])}
        for each in error.errors()[:_MOST_ERRORS]
    ]
    if any(each["loc"] == ("body",) for each in error.errors()):
        detail = "Send a JSON object, with the header Content-Type: application/json."
        return respond(request, Problem("invalid", detail))
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return respond(request, Problem("bad-request", "The body is no JSON.", errors=found))
    detail = f"{found[0]['pointer']}: {found[0]['detail']}."
    return respond(request, Problem("invalid", detail, errors=found))


async def _unexpected(request: Request, error: Exception) -> Response:
    request_id = str(getattr(request.state, "request_id", ""))
    make_logger().error("unexpected", request_id=request_id, error=type(error).__name__)
    return respond(
        request, Problem("internal", "It is not your fault. Try again; report the request's id.")
    )
