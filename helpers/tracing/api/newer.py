"""The newer form of the same queries: `client.runs.query`, `retrieve` and `get_url`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from helpers.tracing.api.asked import Body, JsonResponse, StoreOf, identifiers, refuse_others
from helpers.tracing.api.runs import find_one, sources
from helpers.tracing.clock import now
from helpers.tracing.errors import Invalid
from helpers.tracing.store import items, read
from helpers.tracing.store.incoming import identifier, instant, run_type

router = APIRouter(prefix="/api/v2")

_DAY = 86_400_000_000  # microseconds
_LARGEST_PAGE = 1000


class QueryBody(Body):
    """Which runs, as `client.runs.query` asks."""

    project_ids: list[str] | None = None
    ids: list[str] | None = None
    trace_id: str | None = None
    reference_examples: list[str] | None = None
    run_type: str | None = None
    is_root: bool | None = None
    has_error: bool | None = None
    min_start_time: str | None = None
    max_start_time: str | None = None
    filter: str | None = None
    trace_filter: str | None = None
    tree_filter: str | None = None
    selects: list[str] | None = None
    page_size: int = 100
    cursor: str | None = None
    include_subtree_usage: bool = False

    def to_query(self) -> read.RunQuery:
        """The query that the parameters mean; without times, the last 24 hours."""
        self.refuse_unknown("a query of runs")
        if not self.project_ids:
            raise Invalid("Say which projects: project_ids is required.")
        earliest, latest = self.min_start_time, self.max_start_time
        return read.RunQuery(
            projects=identifiers(self.project_ids, "project_ids"),
            ids=identifiers(self.ids, "ids"),
            trace=identifier(self.trace_id, "trace_id") if self.trace_id else None,
            examples=identifiers(self.reference_examples, "reference_examples"),
            run_type=run_type(self.run_type.lower(), "run_type") if self.run_type else None,
            is_root=self.is_root,
            error=self.has_error,
            started_from=instant(earliest, "min_start_time") if earliest else now() - _DAY,
            started_to=instant(latest, "max_start_time") if latest else None,
            filter=self.filter,
            trace_filter=self.trace_filter,
            tree_filter=self.tree_filter,
        )


@router.post("/runs/query")
def query(body: QueryBody, request: Request, store: StoreOf) -> Response:
    """A page of runs, newest first; tokens and costs with what is below only when asked for."""
    if not 1 <= body.page_size <= _LARGEST_PAGE:
        raise Invalid(f"page_size must be between 1 and {_LARGEST_PAGE}.")
    fields, needed = items.newer_selected(body.selects)
    page = read.find(
        store.reading(),
        body.to_query(),
        limit=body.page_size,
        cursor=body.cursor,
        bodies=needed,
    )
    found = sources(store, request, page, fields, own=not body.include_subtree_usage)
    return JsonResponse(
        {
            "items": [items.newer_item(source, fields) for source in found],
            "next_cursor": page.cursor,
        }
    )


@router.get("/runs/{run_id}")
def retrieve(
    run_id: str,
    project_id: str,
    request: Request,
    store: StoreOf,
    selects: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """One run of a project."""
    refuse_others(request, {"project_id", "selects", "start_time"}, "reading a run")
    fields, needed = items.newer_selected(selects)
    page = find_one(store, run_id, needed, project_id)
    return JsonResponse(
        items.newer_item(sources(store, request, page, fields, own=True)[0], fields)
    )


@router.get("/runs/{run_id}/url")
def url(run_id: str, project_id: str, request: Request, store: StoreOf) -> Response:
    """Where the page of a run is."""
    find_one(store, run_id, [], project_id)
    return JsonResponse({"url": f"{request.base_url}traces/{run_id}"})
