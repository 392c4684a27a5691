import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from langchain.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

import chat
import measure
import serve
from fakes import agent_of, book, calls, scripted
from orders import OrderBook
from service import digest, make_app

KEY = "the-key"
HEADERS = {"Authorization": f"Bearer {KEY}"}
ORDER = "Where is FH-00001?"
LOOK = calls("lookup_order", {"order_id": "FH-00001"})
MISSING = calls("lookup_order", {"order_id": "FH-99999"})
USED = UsageMetadata(input_tokens=30, output_tokens=4, total_tokens=34)


@pytest.fixture
def served(shop: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Ann has a key, and no price is set."""
    monkeypatch.setenv("KEYS_JSON", json.dumps({digest(KEY): "ann"}))
    monkeypatch.setenv("LOG_LEVEL", "critical")
    for name in ("PRICE_IN", "PRICE_OUT"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def model_says(patch: pytest.MonkeyPatch, *replies: AIMessage | str) -> None:
    patch.setattr(chat, "make_model", lambda name: scripted(*replies))


def counted(client: TestClient) -> dict[str, float]:
    """What /metrics has: name and labels -> value."""
    text = client.get("/metrics").text
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def ask(client: TestClient, *messages: str) -> list[int]:
    return [
        client.post("/chat", json={"message": each}, headers=HEADERS).status_code
        for each in messages
    ]


def test_an_answer_is_counted_with_its_model_and_its_tools(served: pytest.MonkeyPatch) -> None:
    answers = [AIMessage(text, usage_metadata=USED) for text in ("It is there.", "There is none.")]
    model_says(served, LOOK, answers[0], MISSING, answers[1])
    with TestClient(serve.create_app()) as client:
        before = counted(client)
        # For the last one the script has no reply: the model fails.
        assert ask(client, ORDER, "And FH-99999?", "Again?") == [200, 200, 502]
        after = counted(client)

    def came(start: str) -> float:
        return sum(value for name, value in after.items() if name.startswith(start))

    tool = 'agent_tool_calls_total{ended="%s",tool="%s"}'
    for ended in ("success", "error"):
        # From the start, so that the first failure is seen as a change.
        for name in ("lookup_order", "issue_refund", "search_documents"):
            assert before[tool % (ended, name)] == 0
        assert after[tool % (ended, "lookup_order")] == 1
        assert after[tool % (ended, "issue_refund")] == 0
    assert came('chat_answers_total{ended="done"}') == 2
    assert came('chat_answers_total{ended="error"}') == 1
    assert came("chat_first_words_seconds_count") == 2
    assert came("gen_ai_client_operation_duration_seconds_count") == 5
    assert came("gen_ai_server_time_to_first_token_seconds_count") == 4
    assert came("gen_ai_client_token_usage_sum") == 2 * 34
    assert after["http_requests_in_flight"] == 0


def test_the_gauge_has_the_requests_that_are_being_answered(served: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def describe(self: OrderBook, order_id: str, customer_id: str) -> str:
        seen.append(counted(client)["http_requests_in_flight"])
        return "A lamp."

    served.setattr(OrderBook, "describe", describe)
    model_says(served, LOOK, "A lamp.", LOOK, "A lamp.")
    with TestClient(serve.create_app()) as client:
        assert ask(client, ORDER, ORDER) == [200, 200]
        seen.append(counted(client)["http_requests_in_flight"])
    assert seen == [1, 1, 0]  # the probe of /metrics itself is none of them


@pytest.mark.parametrize(
    ("prices", "usd"),
    [
        ({}, None),
        ({"PRICE_IN": "", "PRICE_OUT": " "}, None),
        ({"PRICE_IN": "2", "PRICE_OUT": "8.5"}, 30 * 2e-6 + 4 * 8.5e-6),
        ({"PRICE_IN": "0", "PRICE_OUT": "0"}, 0),
    ],
)
def test_cost_is_counted_where_the_price_is_known(
    prices: dict[str, str], usd: float | None, served: pytest.MonkeyPatch
) -> None:
    for name, price in prices.items():
        served.setenv(name, price)
    model_says(served, AIMessage("Hello.", usage_metadata=USED))
    with TestClient(serve.create_app()) as client:
        assert ask(client, "Hi") == [200]
        found = counted(client)
    cost = [value for name, value in found.items() if name.startswith("agent_cost_usd_total")]
    assert cost == ([] if usd is None else [pytest.approx(usd)])


@pytest.mark.parametrize(
    ("prices", "wrong"),
    [
        ({"PRICE_IN": "2"}, "PRICE_OUT"),
        ({"PRICE_OUT": "2"}, "PRICE_IN"),
        ({"PRICE_IN": "free", "PRICE_OUT": "2"}, "PRICE_IN=free"),
        ({"PRICE_IN": "2", "PRICE_OUT": "-1"}, "PRICE_OUT=-1"),
        ({"PRICE_IN": "nan", "PRICE_OUT": "2"}, "PRICE_IN=nan"),
        ({"PRICE_IN": "2", "PRICE_OUT": "inf"}, "PRICE_OUT=inf"),
        ({"PRICE_IN": "$2", "PRICE_OUT": "2"}, "PRICE_IN=$2"),
    ],
)
def test_a_price_that_is_none(
    prices: dict[str, str],
    wrong: str,
    served: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, price in prices.items():
        served.setenv(name, price)
    assert serve.main([]) == 2
    error = capsys.readouterr().err
    assert error.startswith(wrong)
    assert "is no price: set PRICE_IN and PRICE_OUT to the US dollars of a million" in error
    assert error.count("\n") == 1


def test_it_is_the_service_of_make_app() -> None:
    """The same paths, the same limit of size, the same problem documents."""
    agent = agent_of(scripted(), book())
    whole, measured = make_app(agent, {}), measure.make_measured_app(agent, {})
    assert FastAPI.openapi(measured)["paths"] == FastAPI.openapi(whole)["paths"]
    assert measured.exception_handlers == whole.exception_handlers
    with TestClient(whole) as one, TestClient(measured) as other:
        for path in ("/chat", "/chat/stream", "/nothing", "/readyz", "/docs", "/openapi.json"):
            for size in (1, 40_000):
                replies = [
                    client.request(method, path, json={"message": "x" * size}, headers=HEADERS)
                    for client in (one, other)
                    for method in ("GET", "POST")
                ]
                told = [(reply.status_code, reply.text) for reply in replies]
                assert told[:2] == told[2:]


def test_it_has_the_limits_that_are_set(served: pytest.MonkeyPatch) -> None:
    model_says(served, "Hello.")
    served.setattr(measure, "RATE", "3/minute")
    with TestClient(serve.create_app()) as client:
        assert ask(client, "Hi", "", "", "") == [200, 422, 422, 429]
    served.setattr(measure, "RUNNING", 0)
    served.setattr(measure, "WAITING", 0)
    with TestClient(serve.create_app()) as client:
        assert ask(client, "Hi") == [503]
