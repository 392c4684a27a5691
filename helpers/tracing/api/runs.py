"""Runs go out: `list_runs`, `read_run`, `get_run_stats`."""

from typing import Any, Literal

from fastapi import APIRouter, Response

from helpers.tracing.api.asked import Body, JsonResponse, StoreOf, identifiers
from helpers.tracing.errors import Missing, Unspoken
from helpers.tracing.store import Store, feedback, items, read
from helpers.tracing.store.incoming import identifier, instant
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
        return read.RunQuery(
            projects=identifiers(self.session or self.session_id, "session"),
            ids=identifiers(self.id, "id"),
            trace=identifier(self.trace, "trace") if self.trace else None,
            parent=identifier(self.parent_run, "parent_run") if self.parent_run else None,
            examples=identifiers(self.reference_example, "reference_example"),
            run_type=self.run_type,
            is_root=self.is_root,
            error=self.error,
            started_from=instant(self.start_time, "start_time") if self.start_time else None,
            started_to=instant(self.end_time, "end_time") if self.end_time else None,
            filter=self.filter,
            trace_filter=self.trace_filter,
            tree_filter=self.tree_filter,
            oldest_first=self.order == "asc",
        )


class PageBody(RunsBody):
    """Which runs, which of their fields, and which page."""

    select: list[str] | None = None
    limit: int | None = None
    cursor: str | None = None


@router.post("/runs/query")
def query(body: PageBody, store: StoreOf) -> Response:
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
    runs = [items.item(source, fields) for source in sources(store, page, fields)]
    return JsonResponse({"runs": runs, "cursors": {"next": page.cursor}})


@router.post("/runs/stats")
def stats(body: RunsBody, store: StoreOf) -> Response:
    """Statistics over the runs that a query means."""
    return JsonResponse(run_stats(store.reading(), body.to_query()))


@router.get("/runs/{run_id}")
def one(run_id: str, store: StoreOf) -> Response:
    """One run with everything it has."""
    fields, needed = items.selected(None)
    page = find_one(store, run_id, needed)
    return JsonResponse(items.item(sources(store, page, fields)[0], fields))


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
    store: Store, page: read.Page, fields: list[str], *, own: bool = False
) -> list[items.Source]:
    """What the items of a page are made of."""
    given = {}
    if {"feedback_stats", "FEEDBACK_STATS"} & set(fields):
        given = feedback.stats_of_runs(store.reading(), [row["id"] for row in page.rows])
    return [
        items.Source(row, page.bodies.get(row["id"]), given.get(row["id"]), own=own)
        for row in page.rows
    ]
