"""The figures themselves: what a label may hold, what a jump of the clock does, how many series."""

import itertools
import json
import re
import sys
import threading
import time
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from prometheus_client.parser import text_string_to_metric_families

from helpers.agent import Caller
from helpers.paths import ROOT
from helpers.service import metrics as module
from helpers.service.check.fake_model import FakeModel
from helpers.service.metrics import OTHER, Metrics
from helpers.service.turn import Outcome
from tests.service.serving import QUESTION, cheap_agent, serving, until

SECRET = "my card is 4111 1111 1111 1111"


def made(**given: Any) -> Metrics:
    return Metrics(running=lambda: 3, waiting=lambda: 2, **given)


def answered(metrics: Metrics, outcome: Outcome, **given: Any) -> None:
    at = time.perf_counter()
    told: dict[str, Any] = {"path": "agent", "ended": "done", "cost": None}
    metrics.answered(**{**told, "outcome": outcome, "arrived": at, "entered": at, **given})


def series(text: bytes) -> list[Any]:
    return [
        one for family in text_string_to_metric_families(text.decode()) for one in family.samples
    ]


def test_words_of_a_customer_become_no_label() -> None:
    metrics = made()
    outcome = Outcome(tool_calls=[{"name": SECRET, "status": SECRET}])
    answered(metrics, outcome, path=SECRET, ended=SECRET)
    metrics.problems.labels(SECRET).inc()
    metrics.feedback.labels(SECRET).inc()
    metrics.requests.labels(SECRET, "/v1/chat", "200").observe(1)
    metrics.tokens.labels(SECRET, SECRET, SECRET).observe(1)
    assert SECRET.encode() not in metrics.text()
    value = metrics.registry.get_sample_value
    assert value("service_tool_calls_total", {"tool": OTHER, "status": OTHER}) == 1
    assert value("service_problems_total", {"kind": OTHER}) == 1
    labels = {"gen_ai_operation_name": "chat", "gen_ai_request_model": OTHER, "error_type": OTHER}
    assert value("gen_ai_client_operation_duration_seconds_count", labels) == 1


def test_a_thousand_unknown_values_are_one_series() -> None:
    metrics = made()
    metrics.tools.labels("hand_over", "ok").inc()
    before = len(series(metrics.text()))
    for number in range(1000):
        metrics.tools.labels(f"tool_{number}", "refused").inc()
    assert len(series(metrics.text())) == before + 1
    labels = {"tool": OTHER, "status": "refused"}
    assert metrics.registry.get_sample_value("service_tool_calls_total", labels) == 1000


def test_each_label_has_its_own_number_of_values() -> None:
    with pytest.raises(ValueError, match="argument"):
        made().tools.labels("hand_over")


def test_a_tool_that_a_model_makes_up_is_no_label(model: FakeModel) -> None:
    """A model may write what it was told where a tool's name belongs."""

    def rename(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        changed = json.dumps(chunks).replace("search_documents", "card_4111")
        return json.loads(changed)  # type: ignore[no-any-return]

    model.edit = rename
    with serving(model, make_agent=cheap_agent, path="agent") as running:
        with running.client() as client:
            assert "card_4111" in client.post("/v1/chat/stream", json=QUESTION).text
            text = client.get("/metrics").text
        assert "card_4111" not in text
        assert running.metric("service_tool_calls_total", tool=OTHER, status="refused") >= 1


def test_another_agents_tools_are_known(model: FakeModel) -> None:
    @tool
    def search_documents(query: str) -> str:
        """Search."""
        return "It is so."

    @tool
    def water_plants() -> str:
        """Water them."""
        return "Done."

    def agent(model: Any, middleware: Any) -> Any:
        both = [search_documents, water_plants]
        return create_agent(model, both, middleware=middleware, context_schema=Caller)

    with serving(model, make_agent=agent, path="agent") as running, running.client() as client:
        client.post("/v1/chat/stream", json=QUESTION)
        assert running.metric("service_tool_calls_total", tool="search_documents", status="ok") == 1
        running.parts.metrics.tools.labels("water_plants", "ok").inc()
        running.parts.metrics.tools.labels("hand_over", "ok").inc()
        assert running.metric("service_tool_calls_total", tool="water_plants", status="ok") == 1
        assert running.metric("service_tool_calls_total", tool=OTHER, status="ok") == 1


def test_a_method_that_the_service_does_not_take_is_no_label(model: FakeModel) -> None:
    with serving(model) as running, running.client() as client:
        client.request("PROPFIND", "/v1/chat")
        text = client.get("/metrics").text
    assert "PROPFIND" not in text
    assert 'http_request_method="_OTHER"' in text


def test_requests_in_flight_are_those_that_run_and_those_that_wait(model: FakeModel) -> None:
    """The autoscaler of module 07 looks at them, by this name."""
    manifest = ROOT / "helpers/course/home/programs/k8s/overlays/prod/hpa.yaml"
    assert "{name: http_requests_in_flight}" in manifest.read_text("utf-8")
    model.fault = "silent"
    with serving(model, running=1, waiting=3, deadline_seconds=2) as running:
        assert running.metric("http_requests_in_flight") == 0

        def ask() -> None:
            with running.client() as client:
                client.post("/v1/chat", json=QUESTION)

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for each in asking:
            each.start()
        assert until(lambda: running.metric("http_requests_in_flight") == 3)
        assert running.metric("service_requests_running") == 1
        assert running.metric("service_requests_waiting") == 2
        with running.client() as client:
            assert "\nhttp_requests_in_flight 3.0\n" in client.get("/metrics").text
        for each in asking:
            each.join(20)
        assert until(lambda: running.metric("http_requests_in_flight") == 0)


def test_a_clock_that_is_set_back_or_forward_changes_no_figure(
    model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.chunks, model.seconds = 3, 0.02
    real, jumps = time.time, itertools.cycle([0.0, -3600.0, 86_400.0])
    with serving(model) as running, running.client() as client:
        monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
        for _ in range(4):
            assert client.post("/v1/chat/stream", json=QUESTION).status_code == 200
        monkeypatch.undo()
        found = [one for one in series(client.get("/metrics").content) if "seconds" in one.name]
    timed = [one for one in found if not one.name.startswith("process")]
    assert {one.name for one in timed} >= {"service_queue_seconds_sum"}
    for one in timed:
        assert one.value >= 0, one
        if one.name.endswith("_sum"):
            assert one.value < 60, one


def test_the_index_and_the_process_are_measured(model: FakeModel) -> None:
    with serving(model, make_agent=cheap_agent, path="agent") as running:
        first = running.metric("service_index_age_seconds")
        assert until(lambda: first < running.metric("service_index_age_seconds") < 60)
        if sys.platform == "linux":
            assert running.metric("process_resident_memory_bytes") > 10e6
    with serving(model) as running, running.client() as client:
        assert "service_index_age_seconds" not in client.get("/metrics").text  # there is no index


def test_every_metric_stands_in_the_modules_description(model: FakeModel) -> None:
    described = set(re.findall(r"^([a-z_]+)  +\S", str(module.__doc__), re.MULTILINE))
    families = made(index_built=time.monotonic()).registry.collect()
    ours = {
        f"{one.name}_total" if one.type == "counter" else one.name
        for one in families
        if not one.name.startswith("process_")
    }
    assert ours == described


def test_what_prometheus_reads_has_no_series_that_nobody_reads() -> None:
    metrics = made()
    answered(metrics, Outcome(text=["a", "b"], input_tokens=1, output_tokens=2, first_token=0.0))
    text = metrics.text()
    assert b"gen_ai_client_token_usage_bucket" in text
    assert b"_created" not in text
