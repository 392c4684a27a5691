"""The server in OpenAI's shapes, as LangChain's and OpenAI's own clients see it."""

import asyncio
import math
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import httpx2
import numpy as np
import openai
import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from helpers.testbed import CutOff, Fails, OpenAIServer, Turn, openai_server

SEARCH = {"name": "search", "args": {"query": "Alta 2", "k": 3}}


@tool
def search(query: str, k: int = 1) -> str:
    """Search the documents."""
    return f"{k} hits for {query}"


def model(server: OpenAIServer, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key="none", model="any", **options)


def client(server: OpenAIServer, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="none", **options)


def ask(one: openai.OpenAI, **options: Any) -> Any:
    messages = [{"role": "user", "content": "How heavy is it?"}]
    return one.chat.completions.create(model="any", messages=messages, **options)


def test_langchain_invokes_streams_and_counts() -> None:
    text = "It weighs  2.1 kg\nwithout pegs. "
    with openai_server(replies=[text, text]) as server:
        whole = model(server).invoke("How heavy is it?")
        chunks = list(model(server, stream_usage=True).stream("How heavy is it?"))
    assert whole.text == text
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata == {
        **{"input_tokens": 4, "output_tokens": 7, "total_tokens": 11},
        **{"input_token_details": {}, "output_token_details": {}},
    }
    assert [one.text for one in chunks if one.text] == [
        *["It", " weighs", "  2.1", " kg", "\nwithout", " pegs.", " "]
    ]
    joined = sum(chunks[1:], chunks[0])
    assert isinstance(joined, AIMessageChunk)
    assert joined.usage_metadata is not None
    assert joined.usage_metadata["total_tokens"] == 11
    assert [body["messages"][-1]["content"] for body in server.requests] == ["How heavy is it?"] * 2
    assert [bool(body.get("stream")) for body in server.requests] == [False, True]


@pytest.mark.parametrize("streams", [False, True])
def test_tool_calls_have_openais_shape(streams: bool) -> None:
    script = [Turn("Let me look.", [SEARCH, {**SEARCH, "id": "mine"}])]
    with openai_server(replies=script) as server:
        bound = model(server).bind_tools([search])
        if streams:
            chunks = list(bound.stream("How heavy is it?"))
            message = sum(chunks[1:], chunks[0])
        else:
            message = bound.invoke("How heavy is it?")
    assert message.text == "Let me look."
    assert [call["args"] for call in message.tool_calls] == [SEARCH["args"]] * 2
    assert [call["id"] for call in message.tool_calls] == ["call_1", "mine"]
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert server.requests[0]["tools"][0]["function"]["name"] == "search"


def test_an_agent_completes_its_loop() -> None:
    with openai_server(replies=[[SEARCH, SEARCH], "It weighs 2.1 kg."]) as server:
        agent = create_agent(model(server), [search])
        state = agent.invoke({"messages": "How heavy is it?"})
    results = [one for one in state["messages"] if isinstance(one, ToolMessage)]
    assert [one.content for one in results] == ["3 hits for Alta 2"] * 2
    assert state["messages"][-1].text == "It weighs 2.1 kg."
    assert server.requests[1]["messages"][-1]["tool_call_id"] == results[1].tool_call_id


def test_structured_output_by_json_and_by_tool() -> None:
    class Weight(BaseModel):
        kg: float

    call = {"name": "Weight", "args": {"kg": 2.1}}
    with openai_server(replies=['{"kg": 2.1}', call]) as server:
        for method in ("json_schema", "function_calling"):
            structured = model(server).with_structured_output(Weight, method=method)
            assert structured.invoke("How heavy is it?") == Weight(kg=2.1)


def test_openais_client_reads_whole_answers_and_streams() -> None:
    with openai_server(replies=["two words", "two words", SEARCH, "a b c d"]) as server:
        one = client(server)
        whole = ask(one)
        assert (whole.object, whole.choices[0].message.content) == ("chat.completion", "two words")
        chunks = list(ask(one, stream=True, stream_options={"include_usage": True}))
        assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk.id for chunk in chunks}) == 1
        assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], 2)
        assert all(chunk.usage is None for chunk in chunks[:-1])
        assert [chunk.choices[0].finish_reason for chunk in chunks[-2:-1]] == ["stop"]
        called = ask(one).choices[0].message
        assert (called.content, called.tool_calls[0].type) == (None, "function")
        assert called.tool_calls[0].function.arguments == '{"query": "Alta 2", "k": 3}'
        cut = ask(one, max_tokens=2)
        assert cut.choices[0].message.content == "a b"
        assert cut.choices[0].finish_reason == "length"
        assert [one.id for one in one.models.list()] == ["scripted"]


def test_a_script_that_is_used_up_says_so_at_once() -> None:
    with openai_server(replies=["Hello"]) as server:
        ask(client(server))
        with pytest.raises(
            openai.InternalServerError, match="has 1 replies, and this is request 2"
        ):
            ask(client(server))
    assert len(server.requests) == 2, "the client does not ask again"


def test_a_function_answers_and_may_wait() -> None:
    def echo(body: dict[str, Any]) -> str:
        return str(body["messages"][-1]["content"]).upper()

    async def late(body: dict[str, Any]) -> str:
        await asyncio.sleep(0)
        return echo(body)

    for replies in (echo, late):
        with openai_server(replies) as server:
            assert model(server).invoke("hello").text == "HELLO"


def test_a_function_that_fails_is_told_to_the_client() -> None:
    with (
        openai_server(lambda body: body["no such key"]) as server,
        pytest.raises(openai.InternalServerError, match="no such key"),
    ):
        ask(client(server))


@pytest.mark.parametrize("script", ["Hello", [7], [{"name": "search"}], [[]], [{"tool": "x"}]])
def test_what_is_no_script_is_refused_at_the_start(script: Any) -> None:
    with pytest.raises(TypeError), openai_server(script):
        pass


def test_errors_on_demand() -> None:
    script = [Fails(429, "Slow down.", retry_after_s=0), "Hello", Fails(401), Fails(503)]
    with openai_server(script) as server:
        assert ask(client(server)).choices[0].message.content == "Hello"
        assert len(server.requests) == 2, "the client asked again after 429"
        with pytest.raises(openai.AuthenticationError):
            ask(client(server))
        with pytest.raises(openai.InternalServerError, match="server had an error") as raised:
            ask(client(server, max_retries=0))
        assert raised.value.status_code == 503


def test_a_stream_is_cut_and_so_is_an_answer_in_one_piece() -> None:
    with openai_server([CutOff("one two three", after=2)] * 2) as server:
        seen = []
        stream = ask(client(server), stream=True)
        with pytest.raises(openai.APIConnectionError):
            seen.extend(chunk.choices[0].delta.content for chunk in stream)
        assert seen == ["", "one", " two"]
        with pytest.raises(openai.APIConnectionError):
            ask(client(server, max_retries=0))
    assert server.abandoned == 0


def test_what_openai_would_refuse_is_refused() -> None:
    unanswered = {
        **{"role": "assistant", "content": None},
        "tool_calls": [{"id": "c1", "type": "function", "function": SEARCH}],
    }
    user, answer = {"role": "user", "content": "Hi"}, {"role": "tool", "tool_call_id": "c1"}
    with openai_server(["Hello"] * 9) as server:
        for messages, status in [
            ([], 400),
            ("Hi", 400),
            ([{"content": "Hi"}], 400),
            ([user, unanswered], 400),
            ([user, unanswered, user], 400),
            ([user, answer], 400),
            ([user, unanswered, answer, answer], 400),
            ([user, unanswered, answer, user], 200),
        ]:
            reply = httpx2.post(
                f"{server.url}/chat/completions", json={"messages": messages}, trust_env=False
            )
            assert reply.status_code == status, (messages, reply.text)
        assert len(server.requests) == 1
        bad = httpx2.post(f"{server.url}/chat/completions", content=b"{", trust_env=False)
        assert (bad.status_code, "no JSON" in bad.text) == (400, True)
        lost = httpx2.post(f"{server.url}/responses", json={}, trust_env=False)
        assert (lost.status_code, "answers POST" in lost.json()["error"]["message"]) == (404, True)


def test_embeddings_are_near_for_shared_words_and_the_same_each_time() -> None:
    texts = ["The Alta 2 tent", "a tent: the ALTA 2!", "refunds take five days", "???"]
    with openai_server() as server:
        made = OpenAIEmbeddings(
            base_url=server.url, api_key="none", model="any", check_embedding_ctx_length=False
        )
        tent, same, other, wordless = made.embed_documents(texts)
        again = client(server).embeddings.create(model="any", input=texts[0], dimensions=64)
        one = client(server).embeddings.create(model="any", input=texts[0], encoding_format="float")
        with pytest.raises(openai.BadRequestError, match="not empty"):
            client(server).embeddings.create(model="any", input="")
    assert [len(vector) for vector in (tent, same, other, wordless)] == [256] * 4
    assert all(math.hypot(*vector) == pytest.approx(1) for vector in (tent, other, wordless))
    assert np.dot(tent, same) > 0.8 > 0.2 > np.dot(tent, other)
    assert one.data[0].embedding == pytest.approx(tent)
    assert len(again.data[0].embedding) == 64


def test_pace_and_readers_who_leave() -> None:
    async def read_one(server: OpenAIServer) -> None:
        made = openai.AsyncOpenAI(base_url=server.url, api_key="none")
        messages = [{"role": "user", "content": "Hi"}]
        stream = await made.chat.completions.create(model="any", messages=messages, stream=True)
        async for _ in stream:
            assert server.in_flight == 1
            break
        await stream.close()
        await made.close()
        async with asyncio.timeout(10):
            while server.in_flight:
                await asyncio.sleep(0.01)

    with openai_server(["many words " * 1000], token_s=0.05) as server:
        asyncio.run(read_one(server))
        assert server.abandoned == 1
    with openai_server(["too late"], delay_s=3600) as server:
        with pytest.raises(openai.APITimeoutError):
            ask(client(server, timeout=0.2, max_retries=0))
        assert server.in_flight <= 1


def test_nothing_is_left_after_an_error_in_the_block() -> None:
    def fail_while_an_answer_is_due() -> None:
        with openai_server(["Hello"], delay_s=3600) as server:
            ports.append(urlsplit(server.url).port)
            list(ask(client(server, timeout=0.2, max_retries=0), stream=True))

    ports: list[int | None] = []
    before = threading.active_count()
    with pytest.raises(openai.APITimeoutError):
        fail_while_an_answer_is_due()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", ports[0])) != 0
    assert threading.active_count() == before
