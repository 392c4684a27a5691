"""Runs go out: `list_runs`, `read_run`, `get_run_stats`."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from helpers.tracing.api.asked import Body, JsonResponse, StoreOf, identifiers
from helpers.tracing.api.attachments import addresses
from helpers.tracing.errors import Missing, Unspoken
from helpers.tracing.store import Store, attachments, feedback, items, read
from helpers.tracing.store.incoming import identifier, instant, run_type
from helpers.tracing.store.stats import run_stats

router = APIRouter()


class RunsBody(Body):
    """Which runs, as `list_runs` and `get_run_stats` ask."""

    session: Any = None
    session_id: Any = None  # so `read_run` asks for a run's children
    id: Any = None
    trace: Any = None
    parent_run: Any = None
    reference_example: Any = None
    run_type: str | None = None
    is_root: bool | None = None
    error: bool | None = None
    start_time: str | None = None
    end_time: str | None = None
    filter: str | None = None
    trace_filter: str | None = None
    tree_filter: str | None = None
    order: Literal["asc", "desc"] = "desc"

    def to_query(self) -> read.RunQuery:
        """The query that the parameters mean. `end_time` is the latest start."""
        self.refuse_unknown("a query of runs")
        oldest_first = self.order == "asc"
        if self.id is not None:  # then everything else is ignored, as LangSmith's SDK says
            return read.RunQuery(ids=identifiers(self.id, "id"), oldest_first=oldest_first)
        return read.RunQuery(
            projects=identifiers(
                self.session_id if self.session is None else self.session, "session"
            ),
            trace=None if self.trace is None else identifier(self.trace, "trace"),
            parent=None if self.parent_run is None else identifier(self.parent_run, "parent_run"),
            examples=identifiers(self.reference_example, "reference_example"),
            run_type=run_type(self.run_type, "run_type"),
            is_root=self.is_root,
            error=self.error,
            started_from=instant(self.start_time, "start_time") if self.start_time else None,
            started_to=instant(self.end_time, "end_time") if self.end_time else None,
            filter=self.filter,
            trace_filter=self.trace_filter,
            tree_filter=self.tree_filter,
            oldest_first=oldest_first,
        )


class PageBody(RunsBody):
    """Which runs, which of their fields, and which page."""

    select: list[str] | None = None
    limit: int | None = None
    cursor: str | None = None


@router.post("/runs/query")
def query(body: PageBody, request: Request, store: StoreOf) -> Response:
    """A page of runs, newest first."""
    fields, needed = items.selected(body.select)
    connection = store.reading()
    page = read.find(
        connection,
        body.to_query(),
        limit=max(1, min(body.limit or read.LARGEST_PAGE, read.LARGEST_PAGE)),
        cursor=body.cursor,
        bodies=needed,
    )
    runs = [items.item(source, fields) for source in sources(store, request, page, fields)]
    return JsonResponse({"runs": runs, "cursors": {"next": page.cursor}})


@router.post("/runs/stats")
def stats(body: RunsBody, store: StoreOf) -> Response:
    """Statistics over the runs that a query means."""
    return JsonResponse(run_stats(store.reading(), body.to_query()))


@router.get("/runs/{run_id}")
def one(run_id: str, request: Request, store: StoreOf) -> Response:
    """One run with everything it has."""
    fields, needed = items.selected(None)
    page = find_one(store, run_id, needed)
    return JsonResponse(items.item(sources(store, request, page, fields)[0], fields))


@router.delete("/runs/{run_id}")
def delete(run_id: str) -> Response:
    """Runs are deleted with their project."""
    raise Unspoken(f"deleting a single run ({run_id}); delete its project")


def find_one(store: Store, run_id: str, needed: list[str], project: str | None = None) -> read.Page:
    """The page that holds one run.

    Raises:
        Missing: there is no such run.
    """
    query = read.RunQuery(
        ids=[identifier(run_id, "the run's id")],
        projects=identifiers(project, "project_id"),
    )
    page = read.find(store.reading(), query, limit=1, bodies=needed)
    if not page.rows:
        raise Missing(f"There is no run {run_id}.")
    return page


def sources(
    store: Store, request: Request, page: read.Page, fields: list[str], *, own: bool = False
) -> list[items.Source]:
    """What the items of a page are made of."""
    ids = [row["id"] for row in page.rows]
    given, files = {}, {}
    if {"feedback_stats", "FEEDBACK_STATS"} & set(fields):
        given = feedback.stats_of_runs(store.reading(), ids)
    if {"s3_urls", "ATTACHMENTS"} & set(fields):
        files = attachments.listed(store.reading(), ids)
    return [
        items.Source(
            row,
            page.bodies.get(row["id"]),
            given.get(row["id"]),
            addresses(store, request, row["id"], files.get(row["id"], [])),
            own=own,
        )
        for row in page.rows
    ]
