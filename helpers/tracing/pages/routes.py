"""The pages' addresses."""

import hmac
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpers.tracing.api.asked import StoreOf
from helpers.tracing.api.attachments import addresses
from helpers.tracing.errors import Refused
from helpers.tracing.pages import view, words
from helpers.tracing.store.incoming import identifier

router = APIRouter()

_FOLDER = Path(__file__).parent / "templates"
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=words.visible,
)
_TEMPLATES.globals["words"] = words
_ADDRESSES = ("/projects/", "/traces/", "/o/", "/style.css")
_HEADERS = {
    # Nothing but the one style sheet, from here.
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def is_page(request: Request) -> bool:
    """Whether a request is for a page."""
    path = request.url.path
    return request.method == "GET" and (path == "/" or path.startswith(_ADDRESSES))


def cookie_name(request: Request) -> str:
    """The cookie that opens the pages; browsers share cookies between ports, hence the port."""
    return f"traces-{request.url.port}"


def at_the_door(request: Request, key: str) -> Response:
    """Give the cookie to whoever brings the key in the address, and say what to do to others."""
    given = request.query_params.get("key")
    if given is None or not hmac.compare_digest(given.encode(), key.encode()):
        return _page("door.html", status=401)
    answer = RedirectResponse(str(request.url.remove_query_params("key")), 303, _HEADERS)
    answer.set_cookie(cookie_name(request), key, httponly=True, samesite="strict")
    return answer


@router.get("/")
def projects(store: StoreOf) -> Response:
    """The projects."""
    return _page("projects.html", projects=view.project_list(store))


@router.get("/projects/{project_id}")
def project(
    project_id: str,
    store: StoreOf,
    runs: str = "requests",
    status: str = "",
    type: str = "",
    name: str = "",
    tag: str = "",
    filter: str = "",
    sort: str = "time",
    order: str = "desc",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
) -> Response:
    """A project's runs."""
    asked = view.Asked(runs, status, type, name, tag, filter, sort, order, page)
    try:
        found = view.run_list(store, identifier(project_id, "the project"), asked)
    except Refused as refused:
        return _page("gone.html", status=404, what=str(refused))
    return _page("project.html", **found)


@router.get("/traces/{run_id}")
def trace(run_id: str, request: Request, store: StoreOf) -> Response:
    """A run in its trace."""
    try:
        found = view.trace(store, identifier(run_id, "the run"))
    except Refused as refused:
        return _page("gone.html", status=404, what=str(refused))
    if not found:
        return _page("gone.html", status=404, what=f"There is no run {run_id}.")
    files = addresses(store, request, found["run"]["id"], found.pop("files"))
    return _page("trace.html", **found, files=files)


@router.get("/o/{tenant}/projects/p/{project_id}")
def link_to_project(project_id: str) -> Response:
    """The address that the SDK writes for a project."""
    return _to("projects", project_id)


@router.get("/o/{tenant}/projects/p/{project_id}/r/{run_id}")
def link_to_run(run_id: str) -> Response:
    """The address that the SDK writes for a run."""
    return _to("traces", run_id)


@router.get("/o/{tenant}/datasets/{dataset_id}/compare")
def link_to_experiment(selectedSessions: str = "") -> Response:  # noqa: N803
    """The address that the SDK writes for an experiment."""
    return _to("projects", selectedSessions.split(",")[0])


@router.get("/style.css")
def style() -> Response:
    """The pages' style sheet."""
    return Response((_FOLDER / "style.css").read_text("utf-8"), media_type="text/css")


def _to(kind: str, key: str) -> Response:
    try:
        return RedirectResponse(f"/{kind}/{identifier(key, 'the address')}", 303, _HEADERS)
    except Refused as refused:
        return _page("gone.html", status=404, what=str(refused))


def _page(template: str, *, status: int = 200, **values: Any) -> Response:
    html = _TEMPLATES.get_template(template).render(**values)
    return HTMLResponse(html, status, _HEADERS)
