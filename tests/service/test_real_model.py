"""The service on the course's own model: its words, and that leaving stops its work."""

import json
import time
from collections.abc import Iterator

import httpx2
import openai
import pytest

from helpers.agent import build_agent
from helpers.models.local import chat_server
from tests.service.serving import QUESTION, Running, events, serving, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real() -> Iterator[Running]:
    with serving(make_agent=build_agent, path="agent", max_output_tokens=60) as running:
        yield running


def test_the_agent_answers_from_its_documents(real: Running) -> None:
    with real.client(timeout=60) as client:
        found = client.post("/v1/chat", json=QUESTION).json()
        streamed = client.post("/v1/chat/stream", json=QUESTION)
    assert "2.1 kg" in found["answer"]
    assert found["passages"][0]["document"] == "alta-2-tent"
    assert found["usage"]["cost_usd"] > 0
    said = "".join(data["text"] for name, data in events(streamed.text) if name == "token")
    assert said == found["answer"]


def test_the_agent_acts_for_the_keys_customer_alone(real: Running) -> None:
    answers = []
    for key in (real.key, real.other_key):
        with real.client(key, timeout=60) as client:
            body = {"message": "What is the status of my order FH-10234?"}
            answers.append(client.post("/v1/chat", json=body).json()["tool_calls"])
    statuses = {call["status"] for calls in answers for call in calls if "order" in call["name"]}
    assert "refused" in statuses  # it cannot be both customers' order


def test_both_plain_ways_give_the_same_words(real: Running) -> None:
    client = openai.OpenAI(base_url=f"{real.url}/v1", api_key=real.key, timeout=60)
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    texts = [
        client.chat.completions.create(model="plain", messages=asked, max_tokens=12),  # type: ignore[arg-type]
    ]
    with serving(path="plain", passthrough=False, max_output_tokens=12) as running:
        other = openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.key, timeout=60)
        texts.append(other.chat.completions.create(model="plain", messages=asked))  # type: ignore[arg-type]
        other.close()
    client.close()
    assert texts[0].choices[0].message.content == texts[1].choices[0].message.content
    assert texts[0].usage == texts[1].usage


def test_leaving_stops_the_model(real: Running) -> None:
    """Its only slot is free again long before the answer would have ended."""
    body = {
        "model": "plain",
        "stream": True,
        "messages": [{"role": "user", "content": "Count from one to a thousand."}],
    }
    with serving(path="plain", max_output_tokens=2000) as running:
        with (
            running.client(timeout=60) as client,
            client.stream("POST", "/v1/chat/completions", json=body) as reply,
        ):
            pieces = reply.iter_raw()
            next(pieces)
            next(pieces)
        assert until(lambda: running.parts.gate.running == 0)
        assert until(_idle)


def _idle() -> bool:
    slots = httpx2.get(chat_server().url.removesuffix("/v1") + "/slots", timeout=5, trust_env=False)
    if slots.status_code != 200:
        pytest.fail(f"the engine does not list its slots: {slots.status_code}")
    time.sleep(0.05)
    return not any(slot["is_processing"] for slot in json.loads(slots.text))
