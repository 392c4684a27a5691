"""Feedback on runs and projects."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from helpers.tracing.api.asked import (
    JsonResponse,
    Limit,
    ObjectOf,
    Offset,
    StoreOf,
    identifiers,
    refuse_others,
)
from helpers.tracing.errors import Unspoken
from helpers.tracing.store import feedback, feedback_configs
from helpers.tracing.store.incoming import identifier

router = APIRouter()


@router.post("/feedback")
def create(body: ObjectOf, store: StoreOf) -> Response:
    """Give feedback; it may come before its run."""
    with store.writing() as connection:
        for refused in feedback.write(connection, [body]):
            raise refused
        return JsonResponse(feedback.read(connection, identifier(body["id"], "id")))


@router.get("/feedback")
def find(
    request: Request,
    store: StoreOf,
    run: Annotated[list[str] | None, Query()] = None,
    session: Annotated[list[str] | None, Query()] = None,
    key: Annotated[list[str] | None, Query()] = None,
    source: Annotated[list[str] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Feedback in the order in which it was given."""
    known = {"run", "session", "key", "source", "limit", "offset"}
    refuse_others(request, known, "a query of feedback")
    found = feedback.find(
        store.reading(),
        runs=identifiers(run, "run"),
        projects=identifiers(session, "session"),
        keys=key,
        # The SDK writes the member of an enumeration as "FeedbackSourceType.API".
        sources=source and [name.rpartition(".")[2].lower() for name in source],
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
def update(feedback_id: str, body: ObjectOf, store: StoreOf) -> Response:
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


@router.post("/feedback-configs")
def create_config(body: ObjectOf, store: StoreOf) -> Response:
    """Say what a key of feedback means."""
    known = {"feedback_key", "feedback_config", "is_lower_score_better"}
    if unknown := {name for name, value in body.items() if value} - known:
        raise Unspoken(f"the field {min(unknown)} of a feedback configuration")
    with store.writing() as connection:
        found = feedback_configs.create(
            connection,
            body.get("feedback_key"),
            body.get("feedback_config"),
            body.get("is_lower_score_better"),
        )
        return JsonResponse(found)


@router.get("/feedback-configs")
def find_configs(
    request: Request,
    store: StoreOf,
    key: Annotated[list[str] | None, Query()] = None,
    name_contains: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """What the keys of feedback mean, by key."""
    known = {"key", "name_contains", "limit", "offset"}
    refuse_others(request, known, "a query of feedback configurations")
    found = feedback_configs.find(
        store.reading(), keys=key, name_contains=name_contains, limit=limit, offset=offset
    )
    return JsonResponse(found)


@router.delete("/feedback-configs")
def delete_config(request: Request, store: StoreOf, feedback_key: str) -> Response:
    """Forget what a key of feedback means."""
    refuse_others(request, {"feedback_key"}, "deleting a feedback configuration")
    with store.writing() as connection:
        feedback_configs.delete(connection, feedback_key)
    return JsonResponse({"message": "Feedback configuration deleted"})
