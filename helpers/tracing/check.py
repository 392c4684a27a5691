"""`course trace-check`: does every request leave a trace, with its tokens and its cost?

It asks the agent requests of the day with tracing on, to wherever `COURSE_TRACING` says, reads the
traces back by the SDK, and counts. That is the evidence for the checklist's item `monitoring`.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.evaluate.proportion import Proportion
from helpers.models.errors import OverBudget
from helpers.tracing.quiet import quiet

if TYPE_CHECKING:
    from langsmith import Client
    from langsmith.schemas import Run

    from helpers.shop.traffic import Request

ITEM = "monitoring"
Ask = Callable[["Request", uuid.UUID], object]
"""Asks the agent one request; its root run gets the id that is given."""

_PATIENCE_S = 30.0  # a hosted backend shows a run some seconds after it has taken it


@dataclass(frozen=True)
class TraceCheck:
    """What came back of the requests' traces.

    Attributes:
        traced: requests whose root run came back, ended, of all that were asked.
        metered: model runs that came back with tokens and a cost, of all model runs.
        dollars: the cost of all requests together, without the model runs that have no price.
        failed: requests that ended in an error; their traces count like all others.
    """

    traced: Proportion
    metered: Proportion
    dollars: float
    failed: int


def check(client: "Client", project: str, requests: "Sequence[Request]", ask: Ask) -> TraceCheck:
    """Ask the requests, and count what came back of them in the project.

    Args:
        client: the client by which tracing is on.
        project: where the runs go.
        requests: what to ask, one after the other.
        ask: how; what it raises ends that request alone.

    Raises:
        OverBudget: the budget of a hosted model is spent.
    """
    ids = {uuid.uuid4(): request for request in requests}
    failed = 0
    for run_id, request in ids.items():
        try:
            ask(request, run_id)
        except OverBudget:
            raise
        except Exception:  # a request that failed has to be traced like any other
            failed += 1
    client.flush()
    runs = _read(client, project, ids)
    ended = {run.id for run in runs if run.end_time is not None}
    models = [run for run in runs if run.run_type == "llm"]
    priced = [run for run in models if run.total_cost is not None]
    return TraceCheck(
        traced=Proportion(len(ids.keys() & ended), len(ids)),
        metered=Proportion(sum(run.total_tokens is not None for run in priced), len(models)),
        dollars=float(sum(run.total_cost or 0 for run in priced)),
        failed=failed,
    )


def _read(client: "Client", project: str, wanted: Iterable[uuid.UUID]) -> "list[Run]":
    """All runs of the project, once the wanted ones are among them or no longer to be expected."""
    expected = set(wanted)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with quiet():
            runs = list(client.list_runs(project_name=project))
        if expected <= {run.id for run in runs} or time.monotonic() > deadline:
            return runs
        time.sleep(1)
