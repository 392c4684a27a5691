"""LangGraph's server for a notebook: the one at `LANGGRAPH_URL`, else the answers of a stored run.

The server itself needs an environment of its own (see `tests/benchmarks/langgraph_server.py`, which
made the stored run). What is stored are its HTTP answers, so `langgraph_sdk` runs as it always
does: only the other end of the wire is a replay.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.testbed import TestbedError, serving

STORED = Path(__file__).parents[1] / "data" / "langgraph_server.json"
KEPT_HEADERS = ("content-type", "location", "content-location")


def asked(method: str, path: str, body: bytes) -> str:
    """What a request asks, as a key: equal requests have equal keys."""
    content = json.dumps(json.loads(body), sort_keys=True) if body else ""
    return f"{method} {path} {content}".strip()


def replay(exchanges: list[dict[str, Any]]) -> Any:
    """An ASGI app that answers each request as the stored server did.

    Equal requests get their answers one after another, and the last one again. A request that is
    not stored gets status 404 with a sentence.
    """
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    waiting: dict[str, list[dict[str, Any]]] = {}
    for exchange in exchanges:
        waiting.setdefault(exchange["asked"], []).append(exchange)

    async def answer(request: Request) -> Response:
        key = asked(request.method, request.url.path, await request.body())
        stored = waiting.get(key)
        if not stored:
            return JSONResponse(
                {
                    "detail": "The stored run does not contain this request. To ask something"
                    " else, start `langgraph dev` and set LANGGRAPH_URL to its address."
                },
                status_code=404,
            )
        one = stored.pop(0) if len(stored) > 1 else stored[0]
        return Response(one["text"], one["status"], one["headers"])

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", answer, methods=methods)])


@contextmanager
def langgraph_server() -> Iterator[str]:
    """The URL of LangGraph's server, for a block; prints what answers there.

    Raises:
        TestbedError: the stored run is missing.
    """
    if url := os.environ.get("LANGGRAPH_URL"):
        print(f"The server at {url} answers.")
        yield url
        return
    if not STORED.is_file():
        raise TestbedError(
            f"{STORED} is missing: run `git checkout {STORED.name}`, or set LANGGRAPH_URL to the"
            " address of a server."
        )
    stored = json.loads(STORED.read_text("utf-8"))
    versions = ", ".join(f"{name} {version}" for name, version in stored["versions"].items())
    print(f"Stored answers of {stored['date']} are replayed ({versions}).")
    with serving(replay(stored["exchanges"])) as served:
        yield served.url
