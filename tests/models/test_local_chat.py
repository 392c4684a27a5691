"""The local chat model: answers, streams, token counts, and errors in one clear sentence."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from helpers.models import chat_model, prices
from helpers.models.chat import LocalChatModel
from helpers.models.errors import (
    ContextOverflow,
    EmptyPrompt,
    RequestTimedOut,
    Unfinished,
)


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_MODEL", raising=False)


def test_the_door_gives_the_local_model_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(chat_model(), LocalChatModel)
    monkeypatch.setenv("COURSE_MODEL", "local")
    assert isinstance(chat_model(max_tokens=5), LocalChatModel)


def test_it_answers_and_counts_its_tokens() -> None:
    answer = chat_model().invoke("What is the capital of France?")
    assert "Paris" in answer.text
    usage = answer.usage_metadata
    assert usage is not None
    assert 15 < usage["input_tokens"] < 40
    assert 0 < usage["output_tokens"] < 40
    assert prices.cost(answer.response_metadata["model_name"], usage) > 0


def test_stream_invoke_and_async_give_the_same_text_and_usage() -> None:
    model = chat_model(max_tokens=16)
    whole = model.invoke("Name three colours.")
    chunks = list(model.stream("Name three colours."))
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks) == whole.text
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    assert total.usage_metadata == whole.usage_metadata

    async def both() -> tuple[str, str]:
        waited = await model.ainvoke("Name three colours.")
        parts = [chunk.text async for chunk in model.astream("Name three colours.")]
        return waited.text, "".join(parts)

    # Two event loops one after the other, as in two notebook runs.
    for _ in range(2):
        assert asyncio.run(both()) == (whole.text, whole.text)


def test_batch_keeps_the_order() -> None:
    model = chat_model(max_tokens=8)
    prompts = ["What is the capital of France?", "Name three colours."]
    assert [answer.text for answer in model.batch(prompts)] == [
        model.invoke(prompt).text for prompt in prompts
    ]


def test_calls_after_streams_do_not_fail() -> None:
    # The engine's HTTP server closes connections that a client would like to use again.
    model = chat_model(max_tokens=2)
    for _ in range(12):
        assert list(model.stream("Hello"))
        assert model.invoke("Hello").text


def test_token_counts_are_the_models_own() -> None:
    model = chat_model()
    messages = [SystemMessage("Be brief."), HumanMessage("What is the capital of France?")]
    usage = model.invoke(messages).usage_metadata  # type: ignore[union-attr]
    assert usage is not None
    assert model.get_num_tokens_from_messages(messages) == usage["input_tokens"]
    assert model.get_num_tokens("hello world") == 2


@pytest.mark.parametrize("prompt", ["", "   ", [HumanMessage("")], [SystemMessage(" ")]])
def test_an_empty_prompt_is_refused(prompt: Any) -> None:
    with pytest.raises(EmptyPrompt, match="holds no text: write a question first"):
        chat_model().invoke(prompt)


def test_a_huge_prompt_names_both_sizes() -> None:
    expected = r"longer than the context .*9\d{3} tokens.*4096 tokens.*send less text"
    with pytest.raises(ContextOverflow, match=expected):
        chat_model().invoke("hello " * 9000)
    with pytest.raises(ContextOverflow, match=expected):
        list(chat_model().stream("hello " * 9000))


def test_a_request_that_takes_too_long_is_cut_off() -> None:
    with pytest.raises(RequestTimedOut, match="did not answer in time: try again, or pass a"):
        chat_model(timeout=0.01).invoke("Tell me a long story.")


class Person(BaseModel):
    """A person."""

    name: str = Field(description="the person's name")
    age: int | None = Field(default=None, description="the age in years")


def test_structured_output_is_an_instance_of_the_class_asked_for() -> None:
    found = chat_model().with_structured_output(Person).invoke("Anna Schmidt is 34 years old.")
    assert type(found) is Person
    assert found == Person(name="Anna Schmidt", age=34)


def test_structured_output_that_does_not_fit_says_so() -> None:
    with pytest.raises(Unfinished, match=r"ran out of tokens .*: raise max_tokens"):
        chat_model(max_tokens=3).with_structured_output(Person).invoke("Anna is 34.")


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_a_forced_tool_call_is_written_by_the_model() -> None:
    model = chat_model().bind_tools([add], tool_choice="add")
    answer = model.invoke("Hello, how are you?")
    assert answer.tool_calls[0]["name"] == "add"
    assert {type(value) for value in answer.tool_calls[0]["args"].values()} == {int}
    assert answer.usage_metadata["output_tokens"] > 0


def test_results_and_question_reach_the_model_in_one_user_turn() -> None:
    model = LocalChatModel(results_prompt="<<{results}>> {question}")
    call = {"name": "add", "args": {"a": 1, "b": 2}, "id": "1"}
    turns = model._rendered(
        [
            HumanMessage("What is 5 + 5?"),
            AIMessage("", tool_calls=[call]),
            ToolMessage("10", tool_call_id="1"),
            AIMessage("It is 10."),
            HumanMessage("And 1 + 2?"),
            AIMessage("", tool_calls=[call]),
            ToolMessage("3", tool_call_id="1"),
        ]
    )
    assert [(turn.type, turn.text) for turn in turns] == [
        ("system", "You are a helpful assistant."),
        ("human", "What is 5 + 5?"),
        ("ai", "It is 10."),
        ("human", "<<3>> And 1 + 2?"),
    ]


def test_a_trace_does_not_name_openai_as_the_provider() -> None:
    assert LocalChatModel()._get_ls_params()["ls_provider"] == "local"
