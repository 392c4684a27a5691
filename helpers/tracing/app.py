"""The service: LangSmith's API as far as the course uses it, and pages to look at the traces."""

import hmac
import sqlite3
from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from helpers.tracing.api import datasets, feedback, ingest, newer, projects, runs, unspoken
from helpers.tracing.api.asked import JsonResponse
from helpers.tracing.errors import Refused
from helpers.tracing.pages import routes as pages
from helpers.tracing.store import Store
from helpers.tracing.usage import Pricer, course_prices

# The backend version whose routes are spoken; the SDK warns about an older one.
BACKEND_VERSION = "0.18.0"

_INFO = {
    "version": BACKEND_VERSION,
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
        # One sender keeps up with a service that is on the same machine.
        "scale_up_nthreads_limit": 2,
        "scale_up_qsize_trigger": 1000,
        "scale_down_nempty_trigger": 4,
    },
    "instance_flags": {
        "dataset_examples_multipart_enabled": True,
        "zstd_compression_enabled": True,
        "ch_query_enabled": True,
        "sdb_query_enabled": False,
    },
}


def create_app(store: Store, *, key: str, pricer: Pricer = course_prices) -> FastAPI:
    """The service over a store.

    Args:
        store: the traces' file.
        key: what callers send as `x-api-key`; pages take it once, as `?key=`, for a cookie.
        pricer: what a model's tokens cost.
    """
    app = FastAPI(title="Local traces", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store = store
    app.state.pricer = pricer
    app.get("/info")(_info)
    app.include_router(pages.router)
    for router in (
        unspoken.first,
        newer.router,
        ingest.router,
        runs.router,
        projects.router,
        datasets.router,
        feedback.router,
        unspoken.last,
    ):
        app.include_router(router)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(sqlite3.OperationalError, _busy)
    # From the inside out: a request first meets the last one.
    app.add_middleware(_Door, key=key)
    app.add_middleware(_Prefixes)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return app


def _info() -> Response:
    return JsonResponse(_INFO)


class _Prefixes:
    """The SDK writes the same route with and without a prefix, by how its endpoint is written."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            for prefix in ("/api/v1/", "/v1/"):
                if path.startswith(prefix):
                    scope = {**scope, "path": "/" + path.removeprefix(prefix)}
                    break
        await self._app(scope, receive, send)


class _Door:
    """Let in whoever has the key: other users of this machine, and pages of the web, have not."""

    def __init__(self, app: Any, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"] != "/info":
            request = Request(scope)
            if not self._opens(request):
                app = self._answer(request)
        await app(scope, receive, send)

    def _opens(self, request: Request) -> bool:
        given = request.headers.get("x-api-key")
        if given is None and pages.is_page(request):
            given = request.cookies.get(pages.cookie_name(request))
        return given is not None and hmac.compare_digest(given.encode(), self._key.encode())

    def _answer(self, request: Request) -> Response:
        if pages.is_page(request):
            return pages.at_the_door(request, self._key)
        sentence = "This service wants its own key as x-api-key; set LANGSMITH_API_KEY to it."
        return JsonResponse({"detail": sentence}, status_code=401)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JsonResponse({"detail": str(error)}, status_code=error.status)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return JsonResponse({"detail": f"{place}: {first['msg']}."}, status_code=422)


async def _busy(_: Request, error: Exception) -> Response:
    """Another process wrote for longer than anyone waits; the SDK tries again after a 503."""
    if "locked" not in str(error) and "busy" not in str(error):
        raise error
    sentence = "Another process is writing to the traces' file; try again."
    return JsonResponse({"detail": sentence}, status_code=503)
