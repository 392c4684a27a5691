"""Requests as a plan, and their traces as LangSmith's client writes them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from langsmith import Client

UNPRICED: Final = "house-7b"
"""The name of a model that has no price."""

_BEFORE_S: Final = 0.1  # from the start of a request to its first call
_MODEL_S: Final = 0.9


@dataclass(frozen=True)
class Call:
    """A call of a tool.

    Attributes:
        tool: its name.
        seconds: how long it took.
        error: what it raised, such as "TimeoutError: no answer in 12 s".
        refused: whether it ended well with an answer that says no, which is no error.
        below: calls of tools that it made itself, one after another within its time.
        run_type: of its run; with another one than "tool" it is no call of a tool.
        outputs: of a call that ended well; by default a status, which `refused` decides, and a
            content.
    """

    tool: str
    seconds: float = 0.1
    error: str | None = None
    refused: bool = False
    below: Sequence["Call"] = ()
    run_type: str = "tool"
    outputs: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Feedback:
    """What was said of a request, with the names of `Client.create_feedback`."""

    key: str
    score: float | None = None
    comment: str | None = None
    correction: Mapping[str, Any] | None = None


@dataclass
class Request:
    """One request: its root run `name`, calls of tools, and one call of a model.

    Attributes:
        metadata: of the root, and of all runs below it.
        model: whose price the tokens have; `UNPRICED` for none.
        tokens: read and written by the model; None for a request without a call of a model.
        tools: calls, one after another.
        at: seconds after the first request's start; by default 50 for each request before it.
        run_type: of the root; with "tool" it is itself a call of a tool, that took `seconds`.
        seconds: of the root; by default the sum of what is below it.
        error: what the request raised.
        id: of the root and the trace, set by `write` if it is None.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    model: str = "local"
    tokens: tuple[int, int] | None = (180, 30)
    tools: list[Call] = field(default_factory=list)
    question: str = "Where is my tent?"
    answer: str = "That depends."
    feedback: list[Feedback] = field(default_factory=list)
    at: float | None = None
    name: str = "request"
    run_type: str = "chain"
    seconds: float | None = None
    error: str | None = None
    id: uuid.UUID | None = None


def write(
    client: "Client",
    project: str,
    requests: Sequence[Request],
    *,
    start: datetime | None = None,
) -> list[uuid.UUID]:
    """Write the traces of requests and what was said of them into a project.

    Args:
        start: of the first request; by default three hours ago.

    Returns:
        The ids of the root runs, in the order of the requests.
    """
    start = start or datetime.now(UTC) - timedelta(hours=3)
    if not requests:
        client.create_project(project, upsert=True)
    runs: list[dict[str, Any]] = []
    for number, request in enumerate(requests):
        at = number * 50.0 if request.at is None else request.at
        runs += _trace(project, request, start + timedelta(seconds=at))
    if runs:
        client.multipart_ingest(create=runs)
    if any(request.feedback for request in requests):
        session = client.read_project(project_name=project).id
        for request in requests:
            for said in request.feedback:
                # With the trace named, the client sends feedback in batches from the background.
                client.create_feedback(
                    run_id=request.id,
                    trace_id=request.id,
                    session_id=session,
                    **{key: value for key, value in vars(said).items() if value is not None},
                )
    client.flush()
    return [request.id for request in requests if request.id is not None]


def _trace(project: str, request: Request, start: datetime) -> Iterator[dict[str, Any]]:
    """All runs of a request as `multipart_ingest` takes them, parents first."""
    below = sum(call.seconds for call in request.tools)
    below += _BEFORE_S + (_MODEL_S if request.tokens else 0.0)
    end = start + timedelta(seconds=below if request.seconds is None else request.seconds)
    root = _run(project, None, request.name, request.run_type, start, end, request.id)
    request.id = root["id"]
    yield root | {
        "inputs": {"question": request.question},
        "outputs": {"answer": request.answer} if request.error is None else None,
        "error": request.error,
        "extra": {"metadata": dict(request.metadata)},
    }
    at = start + timedelta(seconds=_BEFORE_S)
    for call in request.tools:
        yield from _called(project, root, call, at, request.metadata)
        at += timedelta(seconds=call.seconds)
    if request.tokens:
        read, written = request.tokens
        usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
        run = _run(project, root, "chat", "llm", at, at + timedelta(seconds=_MODEL_S))
        yield run | {
            "inputs": {"messages": [{"role": "user", "content": request.question}]},
            "outputs": {"usage_metadata": usage},
            "extra": {"metadata": {**request.metadata, "ls_model_name": request.model}},
        }


def _called(
    project: str, parent: dict[str, Any], call: Call, at: datetime, metadata: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    run = _run(project, parent, call.tool, call.run_type, at, at + timedelta(seconds=call.seconds))
    run |= {"inputs": {}, "error": call.error, "extra": {"metadata": dict(metadata)}}
    if call.error is None:
        status = "error" if call.refused else "success"
        usual = {"output": {"status": status, "content": "..."}}
        run["outputs"] = usual if call.outputs is None else dict(call.outputs)
    yield run
    for inner in call.below:
        yield from _called(project, run, inner, at, metadata)
        at += timedelta(seconds=inner.seconds)


def _run(
    project: str,
    parent: dict[str, Any] | None,
    name: str,
    run_type: str,
    start: datetime,
    end: datetime,
    run_id: uuid.UUID | None = None,
) -> dict[str, Any]:
    from langsmith import uuid7_from_datetime

    run_id = run_id or uuid7_from_datetime(start)
    order = f"{start:%Y%m%dT%H%M%S%f}Z{run_id}"
    return {
        "id": run_id,
        "trace_id": parent["trace_id"] if parent else run_id,
        "parent_run_id": parent["id"] if parent else None,
        "dotted_order": f"{parent['dotted_order']}.{order}" if parent else order,
        "name": name,
        "run_type": run_type,
        "session_name": project,
        "start_time": start,
        "end_time": end,
    }
