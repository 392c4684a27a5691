"""What lab 09 rests on: days with trouble in them, and small projects of requests."""

from decimal import Decimal

import pandas as pd
import pytest

from helpers.course.home.programs.tracing import excess, failing_tools, request_frame
from helpers.tracing.testing import (
    REQUESTS,
    UNPRICED,
    Call,
    Feedback,
    Request,
    fresh,
    lab_client,
    planted_day,
    runs_of,
    write,
)

SEEDS = (9, 93)


@pytest.mark.slow
def test_a_planted_day_contains_what_it_says_and_each_another_trouble() -> None:
    days = [planted_day(lab_client(), seed) for seed in SEEDS]
    for day in days:
        frame = request_frame(lab_client(), day.project)
        assert (len(frame), frame.cost.isna().sum()) == (REQUESTS, day.unpriced)
        assert excess(frame, day.key).index[0] == day.value
        calls = runs_of(lab_client(), day.project, run_type="tool")
        assert failing_tools(calls).index[0] == day.failing
        times = pd.DataFrame([(run.name, run.latency) for run in calls if not run.error])
        assert times.groupby(0)[1].quantile(0.95).idxmax() == day.slow
        assert len(day.complaints) == len({one.question for one in day.complaints}) > 10
    for name in ("value", "slow", "failing"):
        assert len({getattr(day, name) for day in days}) == len(SEEDS), name


def test_requests_are_written_as_planned() -> None:
    project, client = fresh("small"), lab_client()
    requests = [
        Request({"channel": "web"}, tokens=(100, 0), tools=[Call("stock", 2, below=[Call("sql")])]),
        Request(model=UNPRICED, feedback=[Feedback("helpful", 0, correction={"answer": "4 pm"})]),
        Request(run_type="tool", name="report", seconds=3, error="KeyError: 'paper'", tokens=None),
    ]
    assert write(client, project, requests) == [one.id for one in requests]
    first, second, third = runs_of(client, project, is_root=True)
    assert (first.metadata["channel"], first.total_tokens, first.latency) == ("web", 100, 3.0)
    assert first.total_cost == Decimal("0.000005")
    assert second.total_cost is None
    assert (third.name, third.error, third.latency) == ("report", "KeyError: 'paper'", 3.0)
    tools = runs_of(client, project, run_type="tool")
    assert [(run.name, run.latency) for run in tools] == [("stock", 2), ("sql", 0.1), ("report", 3)]
    assert tools[1].parent_run_id == tools[0].id
    (said,) = client.list_feedback(run_ids=[second.id])
    assert (said.score, said.correction) == (0, {"answer": "4 pm"})


def test_a_project_may_be_empty() -> None:
    project = fresh("empty")
    assert write(lab_client(), project, []) == []
    assert runs_of(lab_client(), project) == []
