"""What the caller is told when the model fails, before the first word and in the middle."""

import json
import time

import pytest

from helpers.service.check.fake_model import FakeModel, Fault
from tests.service.serving import QUESTION, Running, events, names, serving

FOUR = {"message": "one two three four"}

BEFORE: list[tuple[Fault, int, str]] = [
    ("refuses", 502, "model-failed"),
    ("busy", 503, "model-busy"),
    ("bad key", 502, "model-failed"),
    ("silent", 504, "model-slow"),
]
MIDDLE: list[tuple[Fault, str]] = [
    ("hangs up", "model-unreachable"),
    ("stops short", "model-failed"),
    ("garbage", "model-failed"),
    ("reports", "model-failed"),
]
ENGINES = [
    pytest.param({"passthrough": True}, id="http"),
    pytest.param({"passthrough": False}, id="langchain"),
    pytest.param({"path": "agent"}, id="agent"),
]


def _stream(running: Running) -> tuple[int, str]:
    with running.client() as client:
        reply = client.post("/v1/chat/stream", json=FOUR)
    return reply.status_code, reply.text


@pytest.mark.parametrize("engine", ENGINES)
def test_every_fault_is_told(model: FakeModel, engine: dict[str, object]) -> None:
    with serving(model, silence_seconds=0.3, attempts=2, breaker_failures=99, **engine) as running:
        for fault, status, kind in BEFORE:
            model.fault = fault
            found, text = _stream(running)
            assert (fault, found) == (fault, status)
            problem = json.loads(text)
            assert problem["type"].endswith(f":{kind}")
            assert problem["detail"].endswith(".")
        for fault, kind in MIDDLE:
            model.fault = fault
            found, text = _stream(running)
            assert (fault, found) == (fault, 200)
            name, problem = events(text)[-1]
            assert (fault, name, problem["type"].rpartition(":")[2]) == (fault, "error", kind)
            with running.client() as client:
                whole = client.post("/v1/chat", json=FOUR)
            assert whole.status_code == 502, fault  # half an answer is none
        model.fault = "none"
        assert _stream(running)[0] == 200
        assert running.parts.gate.running == 0


def test_a_dead_model_is_told_and_not_ready(model: FakeModel) -> None:
    with serving(model, attempts=2) as running, running.client() as client:
        assert client.get("/readyz").status_code == 200
        model.stop()
        reply = client.post("/v1/chat/stream", json=QUESTION)
        assert reply.status_code == 502
        assert reply.json()["type"].endswith(":model-unreachable")
        assert reply.headers["retry-after"]
        time.sleep(1.1)  # the state is asked for once a second
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["errors"][0]["pointer"] == "/model"
        assert client.get("/livez").status_code == 200


def test_a_slow_model_ends_at_the_deadline(model: FakeModel) -> None:
    model.fault = "slow"
    with serving(model, deadline_seconds=0.5) as running, running.client() as client:
        reply = client.post("/v1/chat/stream", json={"message": "word " * 20})
        assert reply.status_code == 200
        assert names(reply.text)[-1] == "error"
        assert events(reply.text)[-1][1]["type"].endswith(":deadline")
        assert client.post("/v1/chat", json={"message": "word " * 20}).status_code == 504


def test_a_request_is_sent_again_until_an_answer_begins(model: FakeModel) -> None:
    model.fault = "flaky"
    with serving(model, attempts=2) as running, running.client() as client:
        replies = [client.post("/v1/chat", json=QUESTION) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200] * 3
    assert len(model.requests) == 6


def test_an_answer_that_has_begun_is_never_asked_for_again(model: FakeModel) -> None:
    model.fault = "hangs up"
    with serving(model, attempts=3) as running, running.client() as client:
        assert client.post("/v1/chat", json=FOUR).status_code == 502
    assert len(model.requests) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_circuit_opens_and_closes_again(model: FakeModel, engine: dict[str, object]) -> None:
    with serving(model, attempts=1, breaker_failures=3, breaker_seconds=1, **engine) as running:
        model.fault = "refuses"
        with running.client() as client:
            for _ in range(3):
                assert client.post("/v1/chat", json=QUESTION).status_code == 502
            asked = len(model.requests)
            reply = client.post("/v1/chat", json=QUESTION)
            assert reply.status_code == 503
            assert reply.json()["type"].endswith(":circuit-open")
            assert len(model.requests) == asked  # it was left alone
            assert client.get("/readyz").status_code == 503
            model.fault = "none"
            time.sleep(1.1)
            assert client.post("/v1/chat", json=QUESTION).status_code == 200
            assert client.get("/readyz").status_code == 200


def test_a_callers_mistake_does_not_open_the_circuit(model: FakeModel) -> None:
    with serving(model, breaker_failures=2) as running, running.client() as client:
        for _ in range(4):
            model.fault = "refuses"
            client.post("/v1/chat", json=QUESTION)
            model.fault = "none"
            assert client.post("/v1/chat", json=QUESTION).status_code == 200


def test_the_agent_goes_on_from_before_a_turn_that_failed(model: FakeModel) -> None:
    """A question that was not answered, or half, is not part of the conversation."""
    with serving(model, path="agent", attempts=1) as running, running.client() as client:

        def ask(message: str, fault: Fault = "none") -> int:
            model.fault = fault
            body = {"message": message, "conversation_id": "c"}
            return int(client.post("/v1/chat", json=body).status_code)

        assert ask("lost at once", "hangs up") == 502
        assert ask("How much does the Alta 2 tent weigh?") == 200
        assert ask("lost again", "hangs up") == 502
        assert ask("lost a third time", "refuses") == 502
        assert ask("How long is the Drift air mat?") == 200
        said = [m["content"] for m in model.requests[-1]["messages"] if m["role"] == "user"]
        assert said == ["How much does the Alta 2 tent weigh?", "How long is the Drift air mat?"]
        roles = [m["role"] for m in model.requests[-1]["messages"]]
        assert roles == [
            "system",
            "user",
            "assistant",
            "tool",
            "assistant",
            "user",
            "assistant",
            "tool",
        ]
