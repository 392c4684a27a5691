"""Figures, logs, readiness: what whoever runs the service sees, and what they do not see."""

import json
import threading

import pytest
from pydantic import ValidationError

from helpers.service import Settings, create_app, issue
from helpers.service.check.fake_model import FakeModel
from helpers.service.keys import KeysError
from helpers.service.server import Server
from helpers.sockets import listen
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


def test_probes_and_figures_take_head_requests(model: FakeModel) -> None:
    with serving(model) as running, running.client() as client:
        for path in ("/livez", "/readyz", "/metrics", "/v1/models", "/openapi.json"):
            got, head = client.get(path), client.head(path)
            assert (path, head.status_code, head.content) == (path, 200, b"")
            assert head.headers["content-type"] == got.headers["content-type"]
        running.parts.health.stopping = True
        assert client.head("/readyz").status_code == 503


def test_no_address_needs_the_network(model: FakeModel) -> None:
    """The pages that FastAPI adds load scripts from elsewhere; the description itself stands."""
    with serving(model) as running, running.client() as client:
        assert client.get("/docs").status_code == 404
        assert client.get("/redoc").status_code == 404
        assert client.get("/openapi.json").json()["info"]["title"] == "Fernhill support agent"


@pytest.mark.parametrize(
    "store",
    [
        "redis://:s3cret@127.0.0.1:1/0",
        "redis://name:s3cret@127.0.0.1:1",
        "redis://127.0.0.1:1/0?password=s3cret",
        "rediss://:s3cret%40@127.0.0.1:1/0",
    ],
)
def test_a_stores_password_is_not_told(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    _, kept = issue(CUSTOMER)
    settings = Settings(store=store, keys=(kept,))
    assert "s3cret" not in repr(settings)
    with listen("127.0.0.1", 0) as sock:
        server = Server(create_app(settings), settings)
        assert server.serve_until_stopped(sock, lambda: None) == 1
    said = "".join(capfd.readouterr())
    assert "127.0.0.1:1" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "wrong",
    [
        {"store": "reids://:s3cret@127.0.0.1:6379/0"},
        {"store": "redis://:s3cret/more@127.0.0.1:6379/0"},
        {"store": "redis://name:12/s3cret@127.0.0.1:6379/0"},
        {"store": "redis://:s3cret#more@127.0.0.1:6379/0"},
        {"upstream_url": "http://name:s3cret@127.0.0.1:8080/v1"},
        {"upstream_url": "name:s3cret@127.0.0.1:8080/v1"},
    ],
)
def test_a_password_in_a_setting_that_is_refused_is_not_told(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**wrong)  # type: ignore[arg-type]
    assert "s3cret" not in str(refused.value)
    (found,) = refused.value.errors(include_input=False)
    assert found["msg"].endswith(".")
    assert "s3cret" not in found["msg"]


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
