"""Requests as OpenAI's own client sends them, and what it makes of the answers."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

from tests.service.serving import Running

TEXT = "one two three four"
ASKED: list[Any] = [{"role": "user", "content": TEXT}]


@pytest.fixture(scope="module")
def client(shared: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{shared.url}/v1", api_key=shared.key, max_retries=0) as found:
        yield found


def test_every_way_to_ask(client: openai.OpenAI) -> None:
    chat = client.chat.completions
    whole = chat.create(model="plain", messages=ASKED)
    assert whole.choices[0].message.content == f"{TEXT} "
    raw = chat.with_raw_response.create(model="plain", messages=ASKED)
    assert raw.headers["x-request-id"] in raw.parse().id
    with chat.with_streaming_response.create(model="plain", messages=ASKED) as reply:
        assert reply.parse().choices[0].message == whole.choices[0].message
    parsed = chat.parse(model="plain", messages=ASKED)
    assert parsed.choices[0].message.content == f"{TEXT} "


def test_every_way_to_stream(client: openai.OpenAI) -> None:
    chat = client.chat.completions
    with chat.create(model="plain", messages=ASKED, stream=True) as chunks:
        said = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(said) == f"{TEXT} "
    options: Any = {"include_usage": True}
    with chat.stream(model="plain", messages=ASKED, stream_options=options) as events:
        kinds = {event.type for event in events}
        final = events.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content == f"{TEXT} "
    assert final.usage is not None
    assert final.usage.completion_tokens == 4


def test_an_answer_goes_back_as_the_client_gave_it(client: openai.OpenAI) -> None:
    chat = client.chat.completions
    said = chat.create(model="plain", messages=ASKED).choices[0].message
    again = chat.create(model="plain", messages=[*ASKED, said, *ASKED])  # type: ignore[list-item]
    assert again.choices[0].message.content == f"{TEXT} "


@pytest.mark.parametrize(
    "more",
    [
        {"n": None, "stream": None, "tools": None, "functions": None, "response_format": None},
        {"max_tokens": None, "max_completion_tokens": None, "temperature": None},
        {"stream_options": None},
        {"stream": True, "stream_options": {"include_usage": None}},
        {"stream": False, "stream_options": {}},
        {"n": 1, "tools": [], "tool_choice": "none", "functions": []},
        {"response_format": {"type": "text"}, "stop": None, "logprobs": None, "user": "u"},
        {"seed": 1, "store": False, "metadata": {"a": "b"}, "reasoning_effort": "low"},
    ],
)
def test_a_null_is_a_field_left_out(shared: Running, more: dict[str, Any]) -> None:
    with shared.client() as http:
        reply = http.post(
            "/v1/chat/completions", json={"model": "plain", "messages": ASKED, **more}
        )
    assert reply.status_code == 200
    if more.get("stream"):
        assert reply.text.endswith("data: [DONE]\n\n")
        assert '"choices":[]' not in reply.text
    else:
        assert reply.json()["choices"][0]["message"]["content"] == f"{TEXT} "


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "assistant", "content": None},
        {"role": "assistant"},
        {"role": "assistant", "content": None, "refusal": "I will not.", "tool_calls": None},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I will not."}]},
        {"role": "assistant", "content": "", "function_call": None, "audio": None, "name": None},
        {"role": "user", "content": [{"type": "text", "text": "one"}], "name": "n"},
        {"role": "developer", "content": "Be brief."},
    ],
)
def test_turns_of_a_conversation(shared: Running, turn: dict[str, Any]) -> None:
    body = {"model": "plain", "messages": [*ASKED, turn, *ASKED]}
    with shared.client() as http:
        assert http.post("/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"messages": [{"role": "user", "content": None}]}, "/messages/0"),
        ({"messages": [{"role": "user", "content": None}, *ASKED]}, "needs a content"),
        ({"messages": [{"role": "system"}, *ASKED]}, "needs a content"),
        ({"messages": [{"role": "user", "content": []}]}, "last message"),
        ({"model": None}, "/model"),
        ({"messages": None}, "/messages"),
        ({"functions": [{"name": "f"}]}, "its own tools"),
        ({"response_format": {"type": "json_object"}}, "answers are words"),
        ({"temperature": float("nan")}, "/temperature"),
        ({"n": 2}, "/n"),
    ],
)
def test_what_cannot_be_done_is_said(shared: Running, body: dict[str, Any], detail: str) -> None:
    sent = json.dumps({"model": "plain", "messages": ASKED, **body})
    with shared.client() as http:
        reply = http.post(
            "/v1/chat/completions", content=sent, headers={"Content-Type": "application/json"}
        )
    assert reply.status_code == 422
    assert detail in reply.json()["detail"]


def test_an_answer_cannot_be_had_in_a_schema(client: openai.OpenAI) -> None:
    class Weight(pydantic.BaseModel):
        kg: float

    with pytest.raises(openai.UnprocessableEntityError, match="answers are words"):
        client.chat.completions.parse(model="plain", messages=ASKED, response_format=Weight)
