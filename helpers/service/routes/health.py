"""For whoever runs the service: is it alive, can it answer, what are its figures.

They need no key: probes and Prometheus have none. Behind a proxy, do not let the outside reach
them.
"""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from helpers.service.errors import Problem
from helpers.service.routes.access import Running, problems

router = APIRouter(tags=["operation"])


def _example(body: dict[str, bool]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": body}}}}


@router.head("/livez", include_in_schema=False)
@router.get("/livez", responses=_example({"alive": True}))
async def livez() -> dict[str, bool]:
    """Whether the process answers; when not, it should be restarted."""
    return {"alive": True}


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    responses={**_example({"ready": True}), **problems(503)},
)
async def readyz(parts: Running) -> dict[str, bool]:
    """Whether it can answer now; when not, send requests elsewhere. `errors` has the reasons."""
    if reasons := await parts.health.reasons():
        found = [{"pointer": f"/{part}", "detail": said} for part, said in reasons.items()]
        words = " ".join(f"{part}: {said}" for part, said in reasons.items())
        raise Problem("not-ready", words, retry_after=1, errors=found)
    return {"ready": True}


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": "service_requests_running 2.0\n",
                }
            }
        },
        **problems(503),
    },
)
async def metrics(parts: Running) -> Response:
    """Figures in Prometheus' text format."""
    return Response(parts.metrics.text(), media_type=CONTENT_TYPE_LATEST)
