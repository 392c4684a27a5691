"""Questions to the traces, on a project whose answers can be worked out by hand."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from langsmith import Client

from helpers.tracing import analysis
from tests.tracing.serving import PRICED, PROMPT_PRICE, UNPRICED, fresh

START = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


def run(
    project: str, name: str, kind: str, seconds: float, parent: dict[str, Any] | None, **more: Any
) -> dict[str, Any]:
    key = uuid.uuid4()
    order = f"20260615T090000000000Z{key}"
    return {
        "id": key,
        "trace_id": parent["trace_id"] if parent else key,
        "parent_run_id": parent["id"] if parent else None,
        "dotted_order": f"{parent['dotted_order']}.{order}" if parent else order,
        "name": name,
        "run_type": kind,
        "session_name": project,
        "start_time": START,
        "end_time": START + timedelta(seconds=seconds),
        **more,
    }


@pytest.fixture(scope="module")
def project(client: Client) -> str:
    """Ten requests: one reads ten times as much, one has no price; a tool refuses, one raises."""
    name, runs = fresh("analysis"), []
    for n in range(10):
        who = {"customer": "C-0001" if n < 3 else f"C-01{n:02}"}
        root = run(name, "request", "chain", 3, None, extra={"metadata": who})
        read = 1000 if n == 0 else 100
        usage = {"input_tokens": read, "output_tokens": 0, "total_tokens": read}
        told = {"ls_model_name": UNPRICED if n == 9 else PRICED}
        model = run(
            name, "model", "llm", 2, root, outputs={"usage_metadata": usage},
            extra={"metadata": told},
        )  # fmt: skip
        output = {"output": {"status": "error" if n < 2 else "success", "content": "-"}}
        more: dict[str, Any] = {"error": "TimeoutError"} if n == 5 else {"outputs": output}
        tool = run(name, "lookup", "tool", 0.5, root, **more)
        runs += [root, model, tool]
    client.multipart_ingest(create=runs)
    return name


def test_one_row_for_each_request_dearest_first(client: Client, project: str) -> None:
    frame = analysis.requests(client, project)
    assert len(frame) == 10
    assert frame.cost[0] == pytest.approx(1000 * PROMPT_PRICE)
    assert np.isnan(frame.cost[9]), "no price is not zero, and comes last"
    assert (frame.seconds[0], frame.tokens[0], frame.customer[0]) == (3.0, 1000, "C-0001")
    assert analysis.dearest(frame, 0.05) == pytest.approx(1000 / 1800), "one of nine priced"
    places, costs = analysis.cost_curve(frame)
    assert len(places) == 9
    assert (places[-1], costs[-1]) == (100, pytest.approx(100))
    rows = {row["figure"]: row["value"] for row in analysis.statistics(client, project)}
    assert rows["requests"] == "10"
    assert rows["model runs that the cost leaves out"] == "1"


def test_excess_is_what_the_number_of_requests_does_not_explain(
    client: Client, project: str
) -> None:
    worst = analysis.excess(analysis.requests(client, project), "customer").iloc[0]
    assert (worst.customer, worst.requests) == ("C-0001", 3)
    assert worst.cost == pytest.approx(100 * 1200 / 1800)
    assert worst.excess == pytest.approx(100 * (1200 / 1800 - 3 / 9))


def test_own_times_add_up_to_the_whole(client: Client, project: str) -> None:
    spent = analysis.seconds_by_kind(analysis.steps(client, project))
    assert spent == pytest.approx({"model": 20.0, "around them": 5.0, "tools": 5.0})
    assert next(iter(spent)) == "model"


def test_children_at_the_same_time_leave_no_negative_time(client: Client) -> None:
    name = fresh("parallel")
    root = run(name, "request", "chain", 1, None)
    client.multipart_ingest(create=[root, *(run(name, "m", "llm", 0.9, root) for _ in range(2))])
    own = analysis.own_seconds(analysis.steps(client, name))
    assert own[root["id"]] == 0.0


def test_a_refusal_is_no_failure(client: Client, project: str) -> None:
    calls = analysis.tool_calls(client, project)
    assert (len(calls), calls.raised.sum(), calls.refused.sum()) == (10, 1, 2)
    (row,) = analysis.tool_table(calls, analysis.requests(client, project))
    assert row["raised"].endswith(" 1/10")
    assert row["refused"].endswith(" 2/10")
    assert row["refused most often"] == "C-0001 (2)"
    assert row["median"] == pytest.approx(500)


def test_marks_are_read_back_and_compared(client: Client, project: str) -> None:
    frame = analysis.requests(client, project)
    session = client.read_project(project_name=project).id
    for place, score in ((0, 0), (1, 1), (2, 1)):
        key = frame.id[place]
        client.create_feedback(key, "right", score=score, trace_id=key, session_id=session)
    client.flush()
    frame = analysis.requests(client, project, feedback=["right"])
    assert frame.right[:3].tolist() == [0, 1, 1]
    assert frame.right[3:].isna().all()
    wrong, right = analysis.by_mark(frame, "right")
    assert (wrong["right"], wrong["requests"], right["requests"]) == ("no", 1, 2)
    assert wrong["cost of one"] == pytest.approx(1e9 * PROMPT_PRICE)


def test_what_sampling_keeps() -> None:
    worth = [True] * 50 + [False] * 50
    kept, halved = analysis.kept_by_chance(worth, 0.1)
    assert kept == pytest.approx(0.1, abs=0.02)
    assert halved == 1.0
    assert analysis.kept_by_chance([False], 0.1) == (0.0, 0.0)
    chance, tail = analysis.sampling(pd.DataFrame(index=range(100)), worth, 0.1)
    assert chance["traces"] == pytest.approx(10)
    assert (tail["traces"], tail["of those worth it"]) == (pytest.approx(55), 100)


def test_a_dead_server_is_an_error() -> None:
    client = Client(api_url="http://127.0.0.1:9", api_key="-", auto_batch_tracing=False, info={})
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        analysis.requests(client, "any")
