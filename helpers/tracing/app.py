"""The service: LangSmith's API as far as the course uses it, and pages to look at the traces."""

import hmac
import sqlite3
from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from helpers.tracing.api import (
    attachments,
    datasets,
    feedback,
    ingest,
    newer,
    projects,
    runs,
    unspoken,
)
from helpers.tracing.api.asked import JsonResponse, refusal
from helpers.tracing.errors import Refused
from helpers.tracing.pages import routes as pages
from helpers.tracing.store import Store
from helpers.tracing.store.schema import UnusableFileError, sentence
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
        attachments.router,
        unspoken.last,
    ):
        app.include_router(router)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(sqlite3.DatabaseError, _file_trouble)
    app.add_exception_handler(UnusableFileError, _unusable)
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


# What the service is may be asked; an attachment's address has a signature of its own.
_OPEN = ("/info", attachments.PREFIX)


class _Door:
    """Let in whoever has the key: other users of this machine, and pages of the web, have not."""

    def __init__(self, app: Any, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        app = self._app
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN):
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
        told = "This service wants its own key as x-api-key; set LANGSMITH_API_KEY to it."
        return refusal(told, 401)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(str(error), error.status)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return refusal(f"{place}: {first['msg']}.", 422)


async def _file_trouble(request: Request, error: Exception) -> Response:
    """What SQLite says of the file, as a sentence with its path.

    The SDK tries again after a 503 (another process writes); 507 is a full disk.
    """
    assert isinstance(error, sqlite3.DatabaseError)
    name = getattr(error, "sqlite_errorname", "")
    if name in ("", "SQLITE_ERROR") or name.startswith(("SQLITE_CONSTRAINT", "SQLITE_MISUSE")):
        raise error  # a mistake of this program, not of the file
    status = 507 if "FULL" in name else 503 if "BUSY" in name or "LOCKED" in name else 500
    return refusal(sentence(error, request.app.state.store.path), status)


async def _unusable(_: Request, error: Exception) -> Response:
    return refusal(str(error), 500)
