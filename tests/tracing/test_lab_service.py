"""What lab 09 rests on: its planted days, and the cost of the pipeline that it gives."""

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler

from helpers.course.exercises import m09_runs as runs
from helpers.course.exercises.m09_desk import desk, redacting, runs_of
from helpers.course.exercises.m09_given import NEAR_ENOUGH, make_pipeline
from helpers.tracing import analysis, redactor


@pytest.mark.slow
@pytest.mark.parametrize("seed", [runs.SHOWN, *runs.OTHERS])
def test_a_planted_day_holds_what_it_says(seed: int) -> None:
    day = runs.planted(seed)
    frame = analysis.requests(desk(), day.project)
    assert (len(frame), frame.cost.isna().sum()) == (200, day.unpriced)
    worst = analysis.excess(frame, day.key).iloc[0]
    assert worst[day.key] == day.value
    assert worst.cost == pytest.approx(100 * day.cost_share)
    calls = analysis.tool_calls(desk(), day.project)
    rates = calls.groupby("tool").raised.agg(["mean", "size"])
    assert rates[rates["size"] > 1]["mean"].idxmax() == day.failing
    tails = calls[~calls.raised].groupby("tool").seconds.quantile(0.95)
    assert tails.idxmax() == day.slow
    assert len(day.complaints) > 10
    assert len({one.question for one in day.complaints}) == len(day.complaints)


def test_the_days_have_their_trouble_in_different_places() -> None:
    days = [runs.planted(seed) for seed in (runs.SHOWN, *runs.OTHERS)]
    for name in ("value", "slow", "failing"):
        assert len({getattr(day, name) for day in days}) > 1, name


@pytest.mark.slow
def test_the_given_pipeline_costs_what_the_lab_says() -> None:
    meter = UsageMetadataCallbackHandler()
    llm = runs.model().model_copy(update={"callbacks": [meter]})
    question = runs.REQUESTS[0]
    assert make_pipeline(runs.index(), llm)(question) == runs.given_answer(question)
    (used,) = meter.usage_metadata.values()
    read, written = runs.GIVEN[question]
    assert used["input_tokens"] == pytest.approx(read, rel=0.1)
    assert used["output_tokens"] == pytest.approx(written, rel=0.5)
    far = [q for q in runs.GIVEN if runs.index().search(q, k=1)[0].score < NEAR_ENOUGH]
    assert len(far) == 2


def test_the_lab_keeps_apart_what_its_clients_send() -> None:
    with redacting(redactor()) as client:
        client.create_run(
            "ask",
            {"text": "a@b.example"},
            "chain",
            project_name="apart",
            **dict.fromkeys(("id", "trace_id"), "01a214b2-69c0-7aca-adb1-fd837232d00f"),
            dotted_order="20260615T090000000000Z01a214b2-69c0-7aca-adb1-fd837232d00f",
        )
        client.flush()
    (run,) = runs_of("apart")
    assert run.inputs == {"text": "[email]"}
