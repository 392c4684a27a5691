"""The chat, whole, streamed, over a WebSocket, and by OpenAI's own client."""

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest
import websockets.exceptions
import websockets.sync.client

from helpers.agent import REFUSAL
from helpers.service.check.fake_model import FakeModel, fake_model
from tests.service.serving import QUESTION, Running, events, names, serving, until


def test_an_answer_whole(shared: Running) -> None:
    with shared.client() as client:
        reply = client.post("/v1/chat", json={"message": "one two three four"})
    found = reply.json()
    assert reply.status_code == 200
    assert found["answer"] == "one two three four "
    assert found["usage"]["output_tokens"] == 4
    assert found["usage"]["cost_usd"] is None  # the fake model has no price, and none is not zero
    assert reply.headers["x-request-id"] == found["request_id"]
    assert uuid.UUID(found["request_id"]).version == 7


def test_an_answer_streamed(shared: Running) -> None:
    with shared.client() as client:
        reply = client.post("/v1/chat/stream", json={"message": "one two three four"})
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["cache-control"] == "no-cache"
    found = events(reply.text)
    assert [name for name, _ in found] == ["start", *["token"] * 4, "usage", "done"]
    assert "".join(data["text"] for name, data in found if name == "token") == "one two three four "
    assert found[0][1]["request_id"] == reply.headers["x-request-id"]
    assert found[-1][1] == {"request_id": found[0][1]["request_id"], "finish_reason": "stop"}


def test_a_conversation_goes_on_and_is_nobody_elses(model: FakeModel) -> None:
    with serving(model) as running:
        mine, theirs = running.key, running.other_key
        for key, message in ((mine, "one"), (theirs, "two"), (mine, "three")):
            body = {"message": message, "conversation_id": "same-id"}
            with running.client(key) as client:
                assert client.post("/v1/chat", json=body).json()["conversation_id"] == "same-id"
    said = [[each["content"] for each in request["messages"]] for request in model.requests]
    assert said == [["one"], ["two"], ["one", "one ", "three"]]


def test_the_price_of_another_model(model: FakeModel) -> None:
    with serving(model, price_as="openai:gpt-4o-mini") as running, running.client() as client:
        assert client.post("/v1/chat", json=QUESTION).json()["usage"]["cost_usd"] > 0


def test_the_plain_path_by_langchain_says_the_same(model: FakeModel) -> None:
    texts = []
    for passthrough in (True, False):
        with serving(model, passthrough=passthrough) as running, running.client() as client:
            reply = client.post("/v1/chat/stream", json=QUESTION)
            usage = dict(events(reply.text))["usage"]
            texts.append((names(reply.text), usage["input_tokens"], usage["output_tokens"]))
    assert texts[0] == texts[1]


def test_a_long_silence_is_filled(model: FakeModel) -> None:
    model.seconds = 0.15
    with serving(model, ping_seconds=0.05) as running, running.client() as client:
        reply = client.post("/v1/chat/stream", json=QUESTION)
    assert ": ping\n\n" in reply.text
    assert names(reply.text)[-1] == "done"


# --- the agent -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_agent() -> Iterator[Running]:
    with fake_model() as model, serving(model, path="agent") as running:
        yield running


def test_the_agent_streams_its_tools_and_sources(with_agent: Running) -> None:
    with with_agent.client() as client:
        reply = client.post("/v1/chat/stream", json=QUESTION)
    found = events(reply.text)
    kinds = [name for name, _ in found if name != "token"]
    assert kinds == ["start", "tool", "tool", "sources", "usage", "done"]
    tools = [data for name, data in found if name == "tool"]
    assert [tool["status"] for tool in tools] == ["started", "ok"]
    assert tools[0]["args"] == {"query": QUESTION["message"]}
    sources = dict(found)["sources"]["passages"]
    assert sources[0]["document"] == "alta-2-tent"
    assert set(sources[0]) == {"document", "title", "text", "score"}


def test_the_agent_answers_whole(with_agent: Running) -> None:
    with with_agent.client() as client:
        found = client.post("/v1/chat", json=QUESTION).json()
    assert found["answer"].strip() == QUESTION["message"]
    assert found["passages"][0]["document"] == "alta-2-tent"
    assert found["tool_calls"] == [
        {"name": "search_documents", "args": {"query": QUESTION["message"]}, "status": "ok"}
    ]
    assert found["usage"]["input_tokens"] > 0


def test_a_question_without_an_answer_is_streamed_as_the_refusal(with_agent: Running) -> None:
    with with_agent.client() as client:
        reply = client.post("/v1/chat/stream", json={"message": "What is the moon made of?"})
    said = [data["text"] for name, data in events(reply.text) if name == "token"]
    assert said == [REFUSAL]


# --- OpenAI's own client -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fernhill-agent", "plain"])
def test_the_official_client(with_agent: Running, name: str) -> None:
    client = openai.OpenAI(base_url=f"{with_agent.url}/v1", api_key=with_agent.key, max_retries=0)
    assert {each.id for each in client.models.list()} == {"fernhill-agent", "plain"}
    asked: list[dict[str, str]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How much does the Alta 2 tent weigh?"},
    ]
    whole = client.chat.completions.create(model=name, messages=asked)  # type: ignore[arg-type]
    assert "Alta 2" in (whole.choices[0].message.content or "")
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
    chunks = list(
        client.chat.completions.create(
            model=name,
            messages=asked,  # type: ignore[arg-type]
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"
    client.close()


def test_the_official_client_meets_refusals_and_failures(model: FakeModel) -> None:
    with serving(model) as running:
        client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0)
        stranger = openai.OpenAI(base_url=f"{running.url}/v1", api_key="no", max_retries=0)
        ask: Any = client.chat.completions.create
        message = [{"role": "user", "content": "one two three four"}]
        tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
        with pytest.raises(openai.NotFoundError, match="Ask for one of plain"):
            ask(model="gpt-none", messages=message)
        with pytest.raises(openai.AuthenticationError, match="does not open"):
            stranger.models.list()
        with pytest.raises(openai.UnprocessableEntityError, match="its own tools"):
            ask(model="plain", messages=message, tools=[tool])
        model.fault = "stops short"
        with pytest.raises(openai.APIError, match="No whole answer"):
            list(ask(model="plain", messages=message, stream=True))
        client.close()
        stranger.close()


def test_an_agent_is_not_offered_where_there_is_none(shared: Running) -> None:
    with shared.client() as client:
        found = client.get("/v1/models").json()
        assert [each["id"] for each in found["data"]] == ["plain"]


# --- WebSocket -----------------------------------------------------------------------------------


def _connect(running: Running, key: str | None = None) -> websockets.sync.client.ClientConnection:
    url = running.url.replace("http", "ws") + "/v1/chat/ws"
    headers = running.headers(key)
    return websockets.sync.client.connect(url, additional_headers=headers, proxy=None)


def _frames(socket: websockets.sync.client.ClientConnection) -> list[dict[str, object]]:
    found = []
    while not found or found[-1]["event"] not in {"done", "error"}:
        found.append(json.loads(socket.recv(timeout=10)))
    return found


def test_a_websocket_gives_the_same_events(shared: Running) -> None:
    with _connect(shared) as socket:
        for _ in range(2):
            socket.send(json.dumps({"message": "one two three four"}))
            found = [each["event"] for each in _frames(socket)]
            assert found == ["start", *["token"] * 4, "usage", "done"]


def test_a_websocket_survives_a_bad_frame(shared: Running) -> None:
    with _connect(shared) as socket:
        for bad in (
            "{",
            "[]",
            '{"message": 3}',
            '{"message": "\\ud83d"}',
            '{"\\ud83d": 1}',
            json.dumps({"message": "x" * 5000}),
        ):
            socket.send(bad)
            (found,) = _frames(socket)
            assert found["event"] == "error"
            assert found["data"]["status"] == 422  # type: ignore[index]
        socket.send(json.dumps({"message": "one"}))
        assert _frames(socket)[-1]["event"] == "done"


def test_a_websocket_needs_a_key(shared: Running) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        _connect(shared, "no-key")
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["type"].endswith(":bad-key")


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("Bearer KEY", True),
        ("Bearer  KEY", True),
        ("bearer KEY", True),
        ("BEARER   KEY", True),
        ("Bearer\tKEY", False),
        ("BearerKEY", False),
        ("Bearer", False),
        ("Token KEY", False),
        ("KEY", False),
        ("Bearer KEY KEY", False),
    ],
)
def test_a_key_is_read_alike_on_both_ways(shared: Running, written: str, taken: bool) -> None:
    """`credentials = auth-scheme [ 1*SP token68 ]`, RFC 9110, section 11.4."""
    headers = {"Authorization": written.replace("KEY", shared.key)}
    with shared.client() as client:
        status = client.get("/v1/models", headers=headers).status_code
    url = shared.url.replace("http", "ws") + "/v1/chat/ws"
    connect = websockets.sync.client.connect
    try:
        with connect(url, additional_headers=headers, proxy=None):
            answered = 200
    except websockets.exceptions.InvalidStatus as refused:
        answered = refused.response.status_code
    assert status == answered == (200 if taken else 401)


# --- feedback ------------------------------------------------------------------------------------


def test_feedback_is_kept_and_only_taken_from_who_got_the_answer(
    model: FakeModel, tmp_path: Path
) -> None:
    file = tmp_path / "feedback.jsonl"
    with serving(model, feedback_file=file) as running, running.client() as client:
        request_id = client.post("/v1/chat", json=QUESTION).json()["request_id"]
        rating = {"request_id": request_id, "score": -1, "comment": "It weighs more."}
        assert client.post("/v1/feedback", json=rating).status_code == 204
        assert client.post("/v1/feedback", json={**rating, "score": 3}).status_code == 422
        with running.client(running.other_key) as other:
            assert other.post("/v1/feedback", json=rating).status_code == 404
        assert running.metric("service_feedback_total", score="-1") == 1
    (row,) = map(json.loads, file.read_text().splitlines())
    assert (row["request_id"], row["score"]) == (request_id, -1)


def test_leaving_a_websocket_stops_the_model(model: FakeModel) -> None:
    model.chunks, model.seconds = 1000, 0.02
    with serving(model) as running:
        with _connect(running) as socket:
            socket.send(json.dumps(QUESTION))
            socket.recv(timeout=10)
        assert until(lambda: (model.working, model.abandoned) == (0, 1))
        assert until(lambda: running.parts.gate.running == 0)


def test_flooding_a_websocket_ends_it(model: FakeModel) -> None:
    model.fault = "silent"
    with serving(model) as running, _connect(running) as socket:
        with suppress(websockets.exceptions.ConnectionClosed):
            for _ in range(50):
                socket.send(json.dumps(QUESTION))
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert until(lambda: running.parts.gate.running == 0)
