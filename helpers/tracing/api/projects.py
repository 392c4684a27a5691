"""Projects (sessions) and experiments."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from helpers.tracing.api.asked import (
    JsonResponse,
    Limit,
    ObjectOf,
    Offset,
    StoreOf,
    identifiers,
    mapping,
    refuse_others,
)
from helpers.tracing.store import projects
from helpers.tracing.store.incoming import identifier

router = APIRouter()


@router.post("/sessions")
def create(body: ObjectOf, store: StoreOf, upsert: bool = False) -> Response:
    """Make a project."""
    with store.writing() as connection:
        return JsonResponse(projects.create(connection, body, upsert=upsert))


@router.get("/sessions")
def find(
    request: Request,
    store: StoreOf,
    id: Annotated[list[str] | None, Query()] = None,
    name: str | None = None,
    name_contains: str | None = None,
    reference_dataset: Annotated[list[str] | None, Query()] = None,
    reference_free: bool | None = None,
    metadata: str | None = None,
    include_stats: bool = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Projects, the newest first."""
    refuse_others(request, _FIND, "a query of projects")
    found = projects.find(
        store.reading(),
        ids=identifiers(id, "id"),
        name=name,
        name_contains=name_contains,
        datasets=identifiers(reference_dataset, "reference_dataset"),
        without_dataset=reference_free,
        metadata=mapping(metadata, "metadata"),
        stats=include_stats,
        limit=limit,
        offset=offset,
    )
    return JsonResponse(found)


@router.get("/sessions/{project_id}")
def one(project_id: str, store: StoreOf, include_stats: bool = False) -> Response:
    """One project."""
    chosen = identifier(project_id, "the project's id")
    return JsonResponse(projects.read(store.reading(), chosen, stats=include_stats))


@router.patch("/sessions/{project_id}")
def update(project_id: str, body: ObjectOf, store: StoreOf) -> Response:
    """Change a project."""
    with store.writing() as connection:
        chosen = identifier(project_id, "the project's id")
        return JsonResponse(projects.update(connection, chosen, body))


@router.delete("/sessions/{project_id}")
def delete(project_id: str, store: StoreOf) -> Response:
    """Delete a project with its runs."""
    with store.writing() as connection:
        projects.delete(connection, identifier(project_id, "the project's id"))
    return JsonResponse({"message": "Project deleted"}, status_code=202)


_FIND = {
    "id",
    "name",
    "name_contains",
    "reference_dataset",
    "reference_free",
    "metadata",
    "include_stats",
    "limit",
    "offset",
}
