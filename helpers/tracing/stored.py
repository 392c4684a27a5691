"""A day of requests, from a stored run where there is one, with the traces that it left.

A stored trace has every step with its name, place, beginning and length, and what went in and out
of the request, its models and its tools. What the other steps passed on to each other is left out.
The traces are sent to the project in which the requests would have been traced now, and say in
their metadata that they are of a stored run.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from helpers.evaluate.evidence import fast_mode
from helpers.evaluate.stored import Item, Step
from helpers.evaluate.stored_answers import guarded, is_local
from helpers.evaluate.version import AGENT, current_version
from helpers.models import chat_model
from helpers.tracing.asking import CALLS, NAME, Asked, ask_all, config_of
from helpers.tracing.quiet import quiet

if TYPE_CHECKING:
    from langsmith import Client
    from langsmith.schemas import Run

    from helpers.agent import Agent
    from helpers.shop.traffic import Request

SPOT = 2
"""Requests that are made again before stored ones are taken for the agent's."""

Progress = Callable[["Sequence[Request]"], "Iterable[Request]"]


def ask_or_read(
    name: str,
    client: "Client",
    project: str,
    agent: "Agent",
    requests: "Sequence[Request]",
    progress: Progress = iter,
    *,
    live: bool = False,
) -> list[Asked]:
    """Ask the requests as `ask_all` does, or read them and their traces from the stored run `name`.

    A stored run is read when it is of this version of the agent and has all the requests, and when
    the agent, asked two of them now, gives the stored answers. What is read, and what is not and
    why, is printed. In fast mode (`COURSE_FAST`) nothing is read or kept.

    Args:
        name: of the step, such as "09-day".
        client: the one by which tracing is on.
        project: where the traces go.
        agent: the agent, on the course's model.
        requests: what to ask, in this order.
        progress: passes the requests on, and shows how many are done.
        live: ask even where the course has a stored run.

    Raises:
        OverBudget: the budget of a hosted model is spent.
        StoredRunError: a file of this name cannot be read.
    """
    if fast_mode():
        return ask_all(agent, requests, progress)
    step = Step(name, version=current_version().only(AGENT), live=live)
    by_id = {request.id: request for request in requests}
    asked: dict[str, Asked] = {}

    def ask(key: str) -> Item:
        cpu, wall = time.process_time(), time.perf_counter()
        asked[key] = ask_all(agent, [by_id[key]])[0]
        took = (time.process_time() - cpu, time.perf_counter() - wall)
        client.flush()
        return Item(_content(client, project, asked[key]), *took)

    # A conversation is remembered by the agent that had it: one that was cut off is had again.
    cut = {one.session for one in requests if one.id not in step.begun()}
    step.forget(one.id for one in requests if one.session in cut)
    with guarded(step, chat_model(), CALLS * len(requests)):
        items = step.answers(
            list(by_id),
            ask,
            spot=_spot(requests) if is_local() else [],
            again=lambda key: _untraced(agent, by_id[key]),
            keep=lambda item: bool(item.content["runs"]) and not item.content["error"],
            progress=lambda keys: (one.id for one in progress([by_id[key] for key in keys])),
        )
    read = [
        (request, item)
        for request, item in zip(requests, items, strict=True)
        if request.id not in asked
    ]
    asked |= _sent(client, project, read, name)
    return [asked[request.id] for request in requests]


def _spot(requests: "Sequence[Request]") -> list[str]:
    """Requests of guests that are the only one of their conversation: they change nothing."""
    sessions = [request.session for request in requests]
    alone = [
        one.id
        for one in requests
        if one.customer is None and one.question and sessions.count(one.session) == 1
    ]
    return alone[:: max(1, len(alone) // SPOT)][:SPOT]


def _untraced(agent: "Agent", request: "Request") -> Item:
    from langsmith import tracing_context

    with tracing_context(enabled=False):
        said = ask_all(agent, [replace(request, session=f"again {time.time_ns()}")])[0]
    return Item({"answer": said.answer}, 0.0, 0.0)


# --- from a trace to JSON -------------------------------------------------------------------------


def _content(client: "Client", project: str, asked: Asked) -> dict[str, Any]:
    """An answer with its trace, the root first and parents before their children.

    `runs` is empty where the trace has not arrived whole: LangSmith itself takes its time.
    """
    with quiet():
        found = list(client.list_runs(project_name=project, trace_id=asked.run_id))
    runs = sorted(found, key=lambda run: run.dotted_order or "")
    places = {run.id: place for place, run in enumerate(runs)}
    whole = all(run.end_time and run.parent_run_id in {None, *places} for run in runs)
    return {
        "answer": asked.answer,
        "error": asked.error,
        "runs": [_as_json(run, runs[0].start_time, places) for run in runs] if whole else [],
    }


def _as_json(run: "Run", begin: datetime, places: Mapping[UUID, int]) -> dict[str, Any]:
    assert run.end_time is not None, "a trace is read when it has ended"
    microsecond = timedelta(microseconds=1)
    kept: dict[str, Any] = {
        "name": run.name,
        "type": run.run_type,
        "start": (run.start_time - begin) // microsecond,
        "length": (run.end_time - run.start_time) // microsecond,
    }
    if run.parent_run_id is not None:
        kept["parent"] = places[run.parent_run_id]
    if run.error:
        kept["error"] = run.error
    outputs = run.outputs or {}
    if run.run_type == "tool":
        said = outputs.get("output")
        told = ("content", "type", "name", "status")
        kept["inputs"] = run.inputs
        if isinstance(said, Mapping):
            kept["outputs"] = {"output": {key: said[key] for key in told if key in said}}
    if run.run_type == "llm":
        kept["metadata"] = {k: v for k, v in run.metadata.items() if k in _OF_A_MODEL}
        kept["outputs"] = {"generations": _generations(outputs)}
    return kept


_OF_A_MODEL = ("ls_provider", "ls_model_name", "ls_model_type", "ls_temperature", "ls_max_tokens")
_OF_A_MESSAGE = ("content", "type", "tool_calls", "usage_metadata")


def _generations(outputs: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    return [[_generation(one) for one in some] for some in outputs.get("generations") or []]


def _generation(one: Mapping[str, Any]) -> dict[str, Any]:
    said = one["message"]["kwargs"]
    message = {key: said[key] for key in _OF_A_MESSAGE if key in said}
    return {"text": one["text"], "message": {"kwargs": message}}


# --- from JSON to a trace -------------------------------------------------------------------------


def _sent(
    client: "Client", project: str, read: "Sequence[tuple[Request, Item]]", name: str
) -> dict[str, Asked]:
    """Send the stored traces, as if the last of them had ended just now."""
    begin = datetime.now(UTC) - timedelta(seconds=sum(item.wall_seconds for _, item in read))
    asked = {}
    for request, item in read:
        asked[request.id] = _send(client, project, request, item, begin, name)
        begin += timedelta(seconds=item.wall_seconds)
    client.flush()
    return asked


def _send(
    client: "Client", project: str, request: "Request", item: Item, begin: datetime, name: str
) -> Asked:
    from langsmith import uuid7

    content = item.content
    ids = [uuid7() for _ in content["runs"]]
    config = config_of(request, ids[0])
    orders: list[str] = []
    for run_id, run in zip(ids, content["runs"], strict=True):
        start = begin + timedelta(microseconds=run["start"])
        parent = run.get("parent")
        above = "" if parent is None else f"{orders[parent]}."
        orders.append(f"{above}{start:%Y%m%dT%H%M%S%f}Z{run_id}")
        metadata = {
            **config.get("metadata", {}),
            "thread_id": request.session,
            "stored_run": name,
            **run.get("metadata", {}),
        }
        inputs, outputs = run.get("inputs", {}), run.get("outputs", {})
        if parent is None:
            inputs = {"messages": [["user", request.text]]}
            outputs = {"messages": [*inputs["messages"], ["assistant", content["answer"]]]}
        client.create_run(
            NAME if parent is None else run["name"],
            inputs,
            run["type"],
            project_name=project,
            id=run_id,
            trace_id=ids[0],
            parent_run_id=None if parent is None else ids[parent],
            dotted_order=orders[-1],
            start_time=start,
            end_time=start + timedelta(microseconds=run["length"]),
            outputs=outputs,
            error=run.get("error"),
            extra={"metadata": metadata},
            tags=config.get("tags"),
        )
    return Asked(ids[0], request, content["answer"], content["error"])
