"""Figures, logs, readiness: what whoever runs the service sees, and what they do not see."""

import json
import threading

import pytest
from pydantic import ValidationError

from helpers.service import Settings, create_app, issue
from helpers.service.check.fake_model import FakeModel
from helpers.service.keys import KeysError
from tests.service.serving import CUSTOMER, QUESTION, Running, cheap_agent, serving, until


def test_figures_by_opentelemetrys_names(model: FakeModel) -> None:
    model.chunks = 4
    with serving(model, make_agent=cheap_agent, path="agent") as running:
        with running.client() as client:
            client.post("/v1/chat/stream", json=QUESTION)
            client.post("/v1/chat", content=b"{", headers={"Content-Type": "application/json"})
            client.get("/no/such/address")
            text = client.get("/metrics").text
        labels = {"gen_ai_operation_name": "chat", "gen_ai_request_model": "agent"}
        for name in (
            "gen_ai_client_operation_duration_seconds",
            "gen_ai_client_token_usage",
            "gen_ai_server_time_to_first_token_seconds",
            "gen_ai_server_time_per_output_token_seconds",
            "http_server_request_duration_seconds",
            "service_queue_seconds",
        ):
            assert f"# TYPE {name} histogram" in text
        assert running.metric("gen_ai_server_time_to_first_token_seconds_count", **labels) == 1
        written = {**labels, "gen_ai_token_type": "output"}
        assert running.metric("gen_ai_client_token_usage_sum", **written) >= 4
        tool = {"tool": "search_documents", "status": "ok"}
        assert running.metric("service_tool_calls_total", **tool) == 1
        assert running.metric("service_problems_total", kind="bad-request") == 1
        assert 'http_route="none"' in text  # unknown addresses do not become labels
        assert "no/such" not in text
        assert CUSTOMER not in text


def test_failures_in_the_middle_of_a_stream_are_counted(model: FakeModel) -> None:
    model.fault = "stops short"
    with serving(model) as running, running.client() as client:
        client.post("/v1/chat/stream", json=QUESTION)
        assert running.metric("service_problems_total", kind="model-failed") == 1


@pytest.mark.parametrize("switched_on", [False, True])
def test_logs_hold_no_words_unless_switched_on(
    model: FakeModel, capfd: pytest.CaptureFixture[str], switched_on: bool
) -> None:
    with serving(model, log_messages=switched_on) as running, running.client() as client:
        request_id = client.post("/v1/chat", json=QUESTION).json()["request_id"]
        client.post("/v1/chat", json={"message": "hunter2 " * 800})
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"]
    (line,) = [each for each in lines if each["event"] == "answer"]
    assert line["request_id"] == request_id
    assert line["ended"] == "done"
    said = json.dumps(lines)
    assert CUSTOMER not in said
    assert running.key not in said
    assert "hunter2" not in said
    assert ("Alta" in said) is switched_on


def test_a_full_queue_is_not_ready(model: FakeModel) -> None:
    model.fault = "silent"
    with serving(model, running=1, waiting=0, deadline_seconds=3) as running:
        with running.client() as client, client.stream("GET", "/readyz") as reply:
            assert reply.status_code == 200
        asking = threading.Thread(target=_ask, args=[running])
        asking.start()
        assert until(lambda: running.parts.gate.full)
        with running.client() as client:
            assert until(lambda: client.get("/readyz").status_code == 503, 3)
            assert client.get("/livez").status_code == 200
        asking.join(10)


def _ask(running: Running) -> None:
    with running.client() as client:
        client.post("/v1/chat", json=QUESTION)


def test_stopping_is_not_ready(model: FakeModel) -> None:
    with serving(model) as running, running.client() as client:
        running.parts.health.stopping = True
        reply = client.get("/readyz")
        assert reply.status_code == 503
        assert "stopping" in reply.json()["detail"]


def test_a_service_without_keys_is_not_made() -> None:
    with pytest.raises(KeysError, match="has no API keys"):
        create_app(Settings())


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": "often"},
        {"store": "file:///tmp"},
        {"upstream_url": "localhost:8080"},
        {"running": 0},
        {"waiting": -1},
        {"path": "both"},
        {"unknown": 1},
        {"keys": [{"id": "x", "sha256": "y", "customer": "z"}]},
    ],
)
def test_settings_that_cannot_be_used(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _, kept = issue(CUSTOMER)
    monkeypatch.setenv("COURSE_SERVICE_RUNNING", "7")
    monkeypatch.setenv("COURSE_SERVICE_KEYS", f"[{kept.model_dump_json()}]")
    settings = Settings()
    assert (settings.running, settings.keys) == (7, (kept,))
