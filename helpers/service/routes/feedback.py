"""`POST /v1/feedback`: what the customer thinks of an answer."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from helpers.service.errors import Problem
from helpers.service.routes.access import JsonRoute, Key, Running, problems
from helpers.service.schemas import Feedback

router = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["chat"])


_REFUSALS = problems(400, 401, 404, 408, 413, 422, 429, 500, 503)


@router.post("/feedback", status_code=204, responses=_REFUSALS)
async def feedback(body: Feedback, parts: Running, key: Key) -> None:
    """Rate an answer that you were given. The newest rating of an answer counts."""
    await parts.rate.hit(key.customer)
    request_id = str(body.request_id)
    if not parts.requests.belongs(request_id, key.customer):
        raise Problem("unknown-request", "You were given no such answer, or it is too long ago.")
    parts.metrics.feedback.labels(str(body.score)).inc()
    parts.log.info("feedback", request_id=request_id, key=key.id, score=body.score)
    if parts.settings.feedback_file is not None:
        row = {
            "request_id": request_id,
            "score": body.score,
            "comment": body.comment,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        await asyncio.to_thread(_append, parts.settings.feedback_file, row)


def _append(file: Path, row: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")
