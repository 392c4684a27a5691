"""Feedback on runs and projects."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from helpers.tracing.api.asked import JsonResponse, StoreOf, identifiers, refuse_others
from helpers.tracing.store import feedback
from helpers.tracing.store.incoming import identifier

router = APIRouter()


@router.post("/feedback")
def create(body: dict[str, Any], store: StoreOf) -> Response:
    """Give feedback; it may come before its run."""
    with store.writing() as connection:
        feedback.write(connection, [body])
        return JsonResponse(feedback.read(connection, identifier(body["id"], "id")))


@router.get("/feedback")
def find(
    request: Request,
    store: StoreOf,
    run: Annotated[list[str] | None, Query()] = None,
    session: Annotated[list[str] | None, Query()] = None,
    key: Annotated[list[str] | None, Query()] = None,
    source: Annotated[list[str] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Feedback in the order in which it was given."""
    known = {"run", "session", "key", "source", "limit", "offset"}
    refuse_others(request, known, "a query of feedback")
    found = feedback.find(
        store.reading(),
        runs=identifiers(run, "run"),
        projects=identifiers(session, "session"),
        keys=key or [],
        # The SDK writes the member of an enumeration as "FeedbackSourceType.API".
        sources=[name.rpartition(".")[2].lower() for name in source or []],
        limit=limit,
        offset=offset,
    )
    return JsonResponse(found)


@router.get("/feedback/{feedback_id}")
def one(feedback_id: str, store: StoreOf) -> Response:
    """One piece of feedback."""
    chosen = identifier(feedback_id, "the feedback's id")
    return JsonResponse(feedback.read(store.reading(), chosen))


@router.patch("/feedback/{feedback_id}")
def update(feedback_id: str, body: dict[str, Any], store: StoreOf) -> Response:
    """Change score, value, correction or comment."""
    with store.writing() as connection:
        chosen = identifier(feedback_id, "the feedback's id")
        return JsonResponse(feedback.update(connection, chosen, body))


@router.delete("/feedback/{feedback_id}")
def delete(feedback_id: str, store: StoreOf) -> Response:
    """Delete one piece of feedback."""
    with store.writing() as connection:
        feedback.delete(connection, identifier(feedback_id, "the feedback's id"))
    return JsonResponse({"message": "Feedback deleted"})
