"""Hosted models: the OpenAI provider against real HTTP on loopback, and every error's sentence."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import openai_shapes
import pytest
from langchain.agents import create_agent
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from helpers.models import chat_model, embeddings, errors, local

Serve = tuple[str, list[dict[str, Any]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with openai_shapes.running() as running:
        yield running


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-no")

    def make(name: str, url: str, **overrides: Any) -> Any:
        monkeypatch.setenv("COURSE_MODEL", f"openai:{name}")
        monkeypatch.setenv("COURSE_EMBEDDINGS", f"openai:{name}")
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        return chat_model(max_retries=0, use_responses_api=False, **overrides)

    return make


def _hosted_embeddings() -> Any:
    found: Any = embeddings()
    # Else the client fetches OpenAI's tokenizer and sends token numbers instead of the text.
    found.inner.check_embedding_ctx_length = False
    return found


# The extras are for the local model alone.
@tool(extras={"examples": ["Is it raining?"], "verbatim": ["location"]})
def get_current_weather(location: str) -> str:
    """Get the current weather in a given location"""
    return f"{location}: sunny"


def test_the_openai_provider_works_against_the_local_server(hosted: Callable[..., Any]) -> None:
    model = hosted(local.CHAT_MODEL, local.chat_server().url, stream_usage=True, temperature=0)
    assert isinstance(model, ChatOpenAI)
    prompt = [
        ("system", "You are a helpful assistant."),
        ("user", "What is the capital of France?"),
    ]
    whole = model.invoke(prompt)
    assert "Paris" in whole.text
    assert whole.response_metadata["model_name"] == local.CHAT_MODEL
    assert whole.usage_metadata["output_tokens"] > 0
    total = None
    for chunk in model.stream(prompt):
        total = chunk if total is None else total + chunk
    assert total is not None
    assert total.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"]
    with pytest.raises(errors.ContextOverflow, match="send less text"):
        model.invoke("hello " * 9000)


def test_the_openai_provider_embeds_with_the_local_server(
    hosted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosted(local.EMBEDDING_MODEL, local.embedding_server().url)
    found = _hosted_embeddings()
    monkeypatch.delenv("COURSE_EMBEDDINGS")
    ours = embeddings().embed_query("a tent")
    assert found.embed_query("a tent") == pytest.approx(ours, abs=1e-5)


def test_tool_messages_go_both_ways_in_openais_shapes(
    serve: Serve, hosted: Callable[..., Any]
) -> None:
    url, requests = serve
    agent = create_agent(hosted("any", url), [get_current_weather])
    messages = agent.invoke({"messages": [HumanMessage("How is the weather in Boston?")]})[
        "messages"
    ]
    assert messages[1].tool_calls[0]["args"] == {"location": "Boston, MA"}
    assert messages[1].usage_metadata["input_tokens"] == 82
    assert messages[2].text == "Boston, MA: sunny"
    assert messages[3].text == "It is sunny in Boston."
    sent = requests[1]["messages"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == "call_abc123"
    assert set(requests[0]["tools"][0]) == {"type", "function"}


def test_streamed_tool_calls_in_openais_shapes(serve: Serve, hosted: Callable[..., Any]) -> None:
    model = hosted("any", serve[0], stream_usage=True).bind_tools([get_current_weather])
    total = None
    for chunk in model.stream("How is the weather in Boston?"):
        total = chunk if total is None else total + chunk
    assert total is not None
    assert total.tool_calls[0]["name"] == "get_current_weather"
    assert total.tool_calls[0]["args"] == {"location": "Boston, MA"}
    assert total.usage_metadata["output_tokens"] == 17


CASES = [
    ("bad-key", errors.KeyRefused, r"refused the key \(Incorrect API key.*: check the key"),
    (
        "no-such-model",
        errors.UnknownModel,
        r"does not know the model .*no-such-model.*: check its name",
    ),
    ("too-long", errors.ContextOverflow, r"longer than the context of .*9046 tokens.*send less"),
    ("quota", errors.RateLimited, r"wants fewer requests \(You exceeded.*\): wait, or check"),
    ("broken", errors.ProviderFailed, r"failed \(The server had an error\): try again later"),
    ("bad-request", errors.RequestRefused, r"refused the request \(Invalid value: 'x'\): change"),
]


@pytest.mark.parametrize(("name", "kind", "sentence"), CASES, ids=[case[0] for case in CASES])
def test_each_error_of_a_provider_is_one_clear_sentence(
    serve: Serve,
    hosted: Callable[..., Any],
    name: str,
    kind: type[errors.ModelError],
    sentence: str,
) -> None:
    model = hosted(name, serve[0])
    with pytest.raises(kind, match=sentence) as caught:
        model.invoke("Hello")
    assert caught.value.__cause__ is not None
    assert "\n" not in str(caught.value)
    with pytest.raises(kind, match=sentence):
        list(model.stream("Hello"))
    with pytest.raises(kind, match=sentence):
        asyncio.run(model.ainvoke("Hello"))

    async def stream() -> None:
        async for _ in model.astream("Hello"):
            pass

    with pytest.raises(kind, match=sentence):
        asyncio.run(stream())
    with pytest.raises(kind, match=sentence):
        _hosted_embeddings().embed_query("Hello")


def test_a_request_that_takes_too_long(serve: Serve, hosted: Callable[..., Any]) -> None:
    with pytest.raises(errors.RequestTimedOut, match="The model slow did not answer in time"):
        hosted("slow", serve[0], timeout=0.1).invoke("Hello")


def test_a_server_that_is_not_there(hosted: Callable[..., Any]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    model = hosted("any", url)
    with pytest.raises(errors.Unreachable, match="The model any cannot be reached"):
        model.invoke("Hello")


def test_langchain_knows_which_errors_are_worth_a_second_try() -> None:
    assert errors.Unreachable.is_retryable
    assert errors.RateLimited.is_retryable
    assert not errors.ContextOverflow.is_retryable
    assert not errors.MissingKey.is_retryable
    assert issubclass(errors.ContextOverflow, ContextOverflowError)


@pytest.mark.parametrize("variable", ["COURSE_MODEL", "COURSE_EMBEDDINGS"])
@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("openai:any", errors.MissingKey, "needs a key: set OPENAI_API_KEY to yours"),
        ("ollama:any", errors.MissingPackage, "needs the package langchain-ollama: install it"),
        ("nonsense", errors.UnknownModel, "is no model id: write provider:model"),
        ("nobody:any", errors.UnknownModel, "is no model id: write provider:model"),
    ],
)
def test_what_cannot_be_made_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    name: str,
    kind: type[errors.ModelError],
    sentence: str,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv(variable, name)
    make = chat_model if variable == "COURSE_MODEL" else embeddings
    with pytest.raises(kind, match=f"{variable}={name} {sentence}"):
        make()


def test_a_mistake_in_the_callers_own_code_is_not_dressed_up(
    serve: Serve, hosted: Callable[..., Any]
) -> None:
    with pytest.raises(TypeError):
        hosted("any", serve[0]).invoke("Hello", no_such_option=1)
