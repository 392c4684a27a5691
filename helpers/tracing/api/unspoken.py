"""Everything else: answered with 501 and a sentence that names it."""

from fastapi import APIRouter, Request, Response

from helpers.tracing.errors import Unspoken

first = APIRouter()
"""What would else be taken for an id."""
last = APIRouter()
"""Whatever no other route takes."""

# The first that matches names the feature.
_FEATURES = (
    ("/share", "sharing"),
    ("/public/", "sharing"),
    ("/repos", "the prompt hub"),
    ("/commits", "the prompt hub"),
    ("/likes", "the prompt hub"),
    ("/settings", "the prompt hub"),
    ("/hub", "the prompt hub"),
    ("/annotation-queues", "annotation queues"),
    ("/feedback/tokens", "feedback by link (presigned tokens)"),
    ("/feedback-configs", "changing a feedback configuration; delete it and make it again"),
    ("/feedback-formulas", "feedback formulas"),
    ("/datasets/comparative", "comparative experiments (evaluate two together instead)"),
    ("/otel", "OpenTelemetry; point the exporter at an OpenTelemetry backend"),
    ("/insights", "insights"),
    ("/sandboxes", "sandboxes"),
    ("/threads", "queries of threads; filter runs by eq(thread_id, ...)"),
    ("/traces", "queries of whole traces; query runs by trace_id"),
    ("/versions", "versions of datasets"),
    ("/tags", "tags of dataset versions"),
    ("/runs", "this use of runs"),
    ("/sessions", "this use of projects"),
    ("/datasets", "this use of datasets"),
    ("/examples", "this use of examples"),
)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@first.api_route("/feedback/tokens", methods=METHODS)
@last.api_route("/{path:path}", methods=METHODS)
def unspoken(request: Request) -> Response:
    """Name what was asked for."""
    path = request.url.path
    # Where OpenTelemetry's exporters send spans: with or without LangSmith's own prefix.
    spans = request.method == "POST" and path.endswith("/traces")
    sought = f"/otel{path}" if spans else path
    feature = next((name for part, name in _FEATURES if part in sought), "this")
    raise Unspoken(f"{feature} ({request.method} {path[:100]})")
