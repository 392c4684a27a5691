"""A replayed day: the agent's answers, the same each time, and what each incident does to it."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as Metric

from helpers.agent import Caller
from helpers.monitor.answer_metrics import answer_metrics
from helpers.service.testing import Replayed, Watch, replay
from helpers.service.turn import Outcome, Turn
from helpers.shop.traffic import Request
from helpers.testbed.replay import (
    BLOCKED,
    GUEST,
    INCIDENTS,
    INVENTED,
    KINDS,
    Excerpt,
    Incident,
    World,
    customer_of,
    helpful,
    traffic,
)

SEED = 20260701
MORNING = Excerpt(9.0, 10.0)


@cache
def day() -> tuple[Request, ...]:
    return tuple(traffic("ordinary", seed=SEED, count=600))


@cache
def well() -> Replayed:
    """An hour without an incident."""
    return replay(day(), seed=1, excerpt=MORNING)


def value(found: Replayed, name: str, **labels: str) -> float:
    """The sum of the last samples of the series with these labels."""
    return found.samples.last(name, **labels)


def test_the_same_seed_gives_the_same_hour_and_another_one_another() -> None:
    again, other = (replay(day(), seed=seed, excerpt=MORNING) for seed in (1, 2))

    def seen(found: Replayed) -> list[Any]:
        return [(one.request.id, round(one.at, 3), one.text) for one in found.answers]

    assert seen(again) == seen(well()) != seen(other)
    assert len(again.samples) == len(well().samples)


def test_a_good_hour_is_answered_and_measured() -> None:
    found = well()
    expected = [one for one in day() if MORNING.start <= one.at < MORNING.stop]
    assert sorted(one.request.id for one in found.answers) == [one.id for one in expected]
    assert {(one.status, one.failed) for one in found.answers} == {(200, None)}
    judged = Counter(helpful(one.request, one.text) for one in found.answers)
    assert judged[True] > 5 * judged[False]
    asked = value(found, "gen_ai_client_operation_duration_seconds_count", error_type="")
    canaries = value(found, "canary_answers_total")
    assert asked == len(found.answers) + canaries
    assert value(found, "canary_answers_total", result="right") == canaries >= 15
    first = value(found, "gen_ai_server_time_to_first_token_seconds_sum")
    assert 0.5 < first / asked < 3
    assert found.series <= 400
    assert not [line for line in found.log if line["event"] == "unexpected"]
    assert {line["event"] for line in found.log} <= {"answer", "feedback"}


def test_its_samples_have_the_times_of_that_day() -> None:
    times = well().samples.times("service_requests_running")
    assert times[0] == MORNING.start.timestamp()
    assert MORNING.stop.timestamp() <= times[-1] < MORNING.stop.timestamp() + 120
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(15)


async def test_it_answers_what_the_courses_agent_answers() -> None:
    """The engine of a replay leaves LangGraph out: its words must be the same all the same."""
    world = World(1)
    world.model.slower = 0
    agent = world.agent()
    try:
        for one in sorted(well().answers, key=lambda one: one.request.at):
            found = await agent.ainvoke(
                {"messages": [{"role": "user", "content": one.request.text}]},
                {"configurable": {"thread_id": one.request.session}},
                context=Caller(customer_of(one.request.customer or GUEST)),
            )
            # Both invent now and then, not in the same answers.
            assert _sober(found["messages"][-1].text) == _sober(one.text), one.request.text
    finally:
        world.close()
    assert len({one.request.session for one in well().answers}) < len(well().answers)


def _sober(answer: str) -> str:
    for each in INVENTED:
        answer = answer.removesuffix(f" {each}")
    return answer


def test_instruments_see_every_good_answer() -> None:
    seen: list[str] = []

    def instrument(registry: CollectorRegistry) -> Watch:
        answered = Metric("watched", "Answers", registry=registry)

        def watch(turn: Turn, outcome: Outcome) -> None:
            answered.inc()
            seen.append(outcome.answer)

        return watch

    short = Excerpt(9.0, 9.25)
    found = replay(day(), seed=1, excerpt=short, instruments=[instrument])
    assert value(found, "watched_total") == len(seen) > len(found.answers) > 0
    assert {one.text for one in found.answers} <= set(seen)


def test_an_instrument_that_fails_ends_the_replay_with_its_error() -> None:
    def breaks_on_an_answer(registry: CollectorRegistry) -> Watch:
        def watch(turn: Turn, outcome: Outcome) -> None:
            raise LookupError("no such topic")

        return watch

    def breaks_on_a_scrape(registry: CollectorRegistry) -> Watch:
        values: dict[str, float] = {}
        Gauge("broken", "Fails", registry=registry).set_function(lambda: values["nothing"])
        return lambda turn, outcome: None

    for instrument in (breaks_on_an_answer, breaks_on_a_scrape):
        with pytest.raises(LookupError, match=r"no such topic|nothing"):
            replay(day(), excerpt=Excerpt(9.0, 9.25), instruments=[instrument])


def test_settings_of_the_service_hold() -> None:
    found = replay(day(), seed=1, excerpt=MORNING, daily_tokens=1500)
    failed = Counter(one.failed for one in found.answers)
    assert failed["budget-spent"] > 0


def test_the_environments_own_service_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_SERVICE_STORE", "redis://127.0.0.1:9/0")
    monkeypatch.setenv("COURSE_SERVICE_PATH", "plain")
    monkeypatch.setenv("COURSE_EMBEDDINGS", "openai:text-embedding-3-small")
    found = replay(day(), seed=1, excerpt=Excerpt(9.0, 9.1))
    assert found.answers
    assert {one.failed for one in found.answers} == {None}


def test_an_hour_without_requests_is_refused() -> None:
    with pytest.raises(ValueError, match="No request is between 2 and 3"):
        replay(day(), excerpt=Excerpt(2, 3))


# --- incidents ------------------------------------------------------------------------------------


def happening(kind: str) -> Replayed:
    """The hour, in the middle of a visible incident of a kind."""
    incident = next(one for one in INCIDENTS["visible"] if one.kind == kind)
    return replay(day(), incident=replace(incident, at=7.0, hours=4), seed=1, excerpt=MORNING)


def slow(found: Replayed) -> None:
    name = "gen_ai_server_time_to_first_token_seconds_sum"
    assert value(found, name) > 4 * value(well(), name)


def dead(found: Replayed) -> None:
    assert {one.failed for one in found.answers} <= {"model-unreachable", "circuit-open"}
    assert value(found, "service_problems_total", kind="model-unreachable") > 5
    assert value(
        found, "http_server_request_duration_seconds_count", http_response_status_code="502"
    )


def wrong_for_one(found: Replayed) -> None:
    wrong = {one.request.intent for one in found.answers if helpful(one.request, one.text) is False}
    assert "return_window" in wrong
    assert value(found, "canary_answers_total", intent="return_window", result="wrong") > 0
    assert value(found, "canary_answers_total", intent="zip_repair", result="wrong") == 0


def expensive(found: Replayed) -> None:
    ratio = value(found, "service_cost_usd_total") / value(well(), "service_cost_usd_total")
    sizes = [one.size for part in INCIDENTS.values() for one in part if one.kind == "price"]
    assert ratio == pytest.approx(sizes[0], rel=0.1)
    more = Incident("price", 7.0, 4.0, sizes[1], "anthropic:claude-haiku-4-5")
    found = replay(day(), incident=more, seed=1, excerpt=MORNING)
    ratio = value(found, "service_cost_usd_total") / value(well(), "service_cost_usd_total")
    assert ratio == pytest.approx(sizes[1], rel=0.1)


def looping(found: Replayed) -> None:
    assert len(found.answers) > 10 * len(well().answers)


def poisoned(found: Replayed) -> None:
    bait = [one for one in found.answers if "fernhill-help.example" in one.text]
    assert {one.request.intent for one in bait} >= {"refund_timing"}


def stale(found: Replayed) -> None:
    assert value(found, "service_index_age_seconds") == 90 * 86_400
    assert value(found, "canary_answers_total", result="wrong") > 0


def carrier(found: Replayed) -> None:
    name = "service_tool_calls_total"
    refused = value(found, name, tool="lookup_order", status="refused")
    assert refused > 3 + value(well(), name, tool="lookup_order", status="refused")
    assert value(found, "canary_answers_total", intent="order_status", result="wrong") > 0
    assert value(found, "canary_answers_total", intent="order_status", result="right") > 0


def invented(found: Replayed) -> None:
    invented = [one for one in found.answers if one.text.endswith(INVENTED)]
    assert 0.4 < len(invented) / len(found.answers) < 0.8
    assert sum(one.text.endswith(INVENTED) for one in well().answers) < 0.1 * len(invented)


def blocking(found: Replayed) -> None:
    blocked = [one for one in found.answers if one.text == BLOCKED]
    assert blocked
    assert value(found, "service_guardrail_blocks_total") >= len(blocked)
    assert value(well(), "service_guardrail_blocks_total") == 0
    assert all(re.search("order|parcel", one.request.text, re.IGNORECASE) for one in blocked)


def leaking(found: Replayed) -> None:
    name = "process_resident_memory_bytes"
    answered = value(found, "gen_ai_client_operation_duration_seconds_count")
    assert value(found, name) - value(well(), name) == pytest.approx(1.5e6 * answered, rel=0.01)


EFFECTS: dict[str, Callable[[Replayed], None]] = {
    "slow model": slow,
    "dead model": dead,
    "bad release": wrong_for_one,
    "price": expensive,
    "looping client": looping,
    "poisoned document": poisoned,
    "stale index": stale,
    "failing tool": carrier,
    "invention": invented,
    "blocking guard": blocking,
    "memory leak": leaking,
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_incident_does_what_it_says_and_no_metric_is_touched(kind: str) -> None:
    EFFECTS[kind](happening(kind))


def test_an_incident_ends() -> None:
    incident = Incident("dead model", 9.0, 0.4, 1.0)
    found = replay(day(), incident=incident, seed=1, excerpt=MORNING)
    late = [one for one in found.answers if one.request.at >= incident.ends]
    assert late
    # The circuit stays open for 15 seconds.
    assert {one.failed for one in late[1:]} == {None}


@pytest.mark.slow
def test_a_whole_day() -> None:
    asked = traffic("ordinary", seed=SEED)
    found = replay(asked, seed=1, instruments=[answer_metrics])
    failed = [one for one in found.answers if one.failed]
    assert len(failed) < 0.01 * len(asked)
    assert len(found.answers) == len(asked)
    assert found.series <= 400
