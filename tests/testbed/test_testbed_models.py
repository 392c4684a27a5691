"""The models without a model: LangChain takes them for models, and they do what they are told."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import BaseModel

from helpers.testbed import (
    Breaks,
    FallsSilent,
    HeldModel,
    ModelFailed,
    ScriptedModel,
    SlowModel,
    Turn,
    UsedUp,
)

SEARCH = {"name": "search", "args": {"query": "Alta 2"}}


@tool
def search(query: str) -> str:
    """Search the documents."""
    return f"hits for {query}"


class TestScriptedUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ScriptedModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"replies": ["Hello"]}


class TestSlowUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return SlowModel


def invoked(model: ScriptedModel) -> AIMessage:
    return model.invoke("How heavy is it?")


def streamed(model: ScriptedModel) -> AIMessage:
    chunks = list(model.stream("How heavy is it?"))
    return sum(chunks[1:], chunks[0])


def ainvoked(model: ScriptedModel) -> AIMessage:
    return asyncio.run(model.ainvoke("How heavy is it?"))


def astreamed(model: ScriptedModel) -> AIMessage:
    async def read() -> list[AIMessageChunk]:
        return [chunk async for chunk in model.astream("How heavy is it?")]

    chunks = asyncio.run(read())
    return sum(chunks[1:], chunks[0])


@pytest.mark.parametrize("asked", [invoked, streamed, ainvoked, astreamed])
def test_a_script_is_said_whichever_way_it_is_asked(
    asked: Callable[[ScriptedModel], AIMessage],
) -> None:
    model = ScriptedModel(
        replies=[
            "It weighs  2.1 kg.\n",
            [SEARCH, {**SEARCH, "id": "mine"}],
            Turn("Let me look.", [SEARCH]),
            AIMessage("", tool_calls=[{**SEARCH, "id": "theirs"}]),
            ValueError("overloaded"),
        ]
    )
    said = asked(model)
    assert (said.text, said.tool_calls) == ("It weighs  2.1 kg.\n", [])
    assert said.usage_metadata == {"input_tokens": 4, "output_tokens": 5, "total_tokens": 9}
    both = asked(model)
    assert [call["args"] for call in both.tool_calls] == [SEARCH["args"]] * 2
    assert [call["id"] for call in both.tool_calls] == ["call_2_0", "mine"]
    assert both.response_metadata["finish_reason"] == "tool_calls"
    assert asked(model).text == "Let me look."
    assert asked(model).tool_calls[0]["id"] == "theirs"
    with pytest.raises(ValueError, match="overloaded"):
        asked(model)
    with pytest.raises(UsedUp, match="has 5 replies, and this is call 6"):
        asked(model)
    assert [prompt[0].text for prompt in model.prompts] == ["How heavy is it?"] * 6


def test_after_the_script_comes_then() -> None:
    model = ScriptedModel(replies=["First."], then="Done.")
    assert [model.invoke("Hi").text for _ in range(3)] == ["First.", "Done.", "Done."]


def test_an_agent_completes_its_loop_and_the_model_keeps_its_prompts() -> None:
    model = ScriptedModel(replies=[SEARCH, "It weighs 2.1 kg."])
    state = create_agent(model, [search], system_prompt="Be brief.").invoke(
        {"messages": "How heavy is it?"}
    )
    assert state["messages"][-1].text == "It weighs 2.1 kg."
    assert isinstance(model.prompts[1][-1], ToolMessage)
    assert model.prompts[1][-1].text == "hits for Alta 2"
    assert model.offered == [["search"], ["search"]]


def test_structured_output_comes_by_a_call() -> None:
    class Weight(BaseModel):
        kg: float

    model = ScriptedModel(replies=[{"name": "Weight", "args": {"kg": 2.1}}])
    assert model.with_structured_output(Weight).invoke("How heavy is it?") == Weight(kg=2.1)


@pytest.mark.parametrize("reply", [7, {"name": "search"}, [], HumanMessage("Hi")])
def test_what_is_no_reply_is_refused_at_the_start(reply: object) -> None:
    with pytest.raises(TypeError, match="is no reply"):
        ScriptedModel(replies=[reply])


def test_one_script_for_many_threads_gives_each_reply_once() -> None:
    model = ScriptedModel(replies=[str(number) for number in range(200)])
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: model.invoke("Hi").text, range(200)))
    assert sorted(said, key=int) == [str(number) for number in range(200)]


def test_a_held_model_writes_a_word_when_it_may() -> None:
    async def read() -> None:
        model, seen = HeldModel(answer="one two three"), list[str]()

        async def reader() -> None:
            async for chunk in model.astream("Hi"):
                seen.append(chunk.text)

        task = asyncio.create_task(reader())
        for number in (1, 2, 3):
            await asyncio.sleep(0.02)
            assert len([text for text in seen if text]) == number - 1
            model.let()
            async with asyncio.timeout(10):
                while len([text for text in seen if text]) < number:
                    await asyncio.sleep(0.001)
        await task
        assert "".join(seen) == "one two three"
        assert (model.calls, model.in_flight) == (1, 0)

    asyncio.run(read())


def test_answers_in_flight_are_counted_and_cancelled_ones_are_not() -> None:
    async def load() -> None:
        model = HeldModel(answer=lambda prompt: f"You said {prompt[-1].text}")
        tasks = [asyncio.create_task(model.ainvoke(str(number))) for number in range(5)]
        async with asyncio.timeout(10):
            while model.in_flight < 5:
                await asyncio.sleep(0.001)
            for task in tasks[:3]:
                task.cancel()
            await asyncio.wait(tasks[:3])
            assert model.in_flight == 2
            model.let(100)
            rest = await asyncio.gather(*tasks[3:])
        assert [one.text for one in rest] == ["You said 3", "You said 4"]
        assert (model.calls, model.in_flight, model.most_in_flight) == (5, 0, 5)

    asyncio.run(load())


def test_a_reader_that_leaves_ends_the_answer() -> None:
    model = SlowModel(answer="many words " * 1000, token_s=0.001)
    stream = model.stream("Hi")
    next(stream)
    assert model.in_flight == 1
    stream.close()
    assert model.in_flight == 0


def test_it_is_held_in_threads_too() -> None:
    model = HeldModel(answer="one two")
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(model.invoke("Hi").text), daemon=True)
    thread.start()
    model.let()
    thread.join(0.1)
    assert (thread.is_alive(), said) == (True, [])
    model.let()
    thread.join(10)
    assert said == ["one two"]


def test_the_pace_of_a_slow_model(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr("helpers.testbed.models.time.sleep", paused.append)
    model = SlowModel(answer="one two", delay_s=3, token_s=0.5, full_speed=2)
    model.invoke("Hi")
    assert paused == [3, 0.5, 0.5]
    paused.clear()
    streams = [model.stream("Hi") for _ in range(4)]
    for stream in streams:
        next(stream)
    assert paused == [3, 0.5, 3, 0.5, 4.5, 0.75, 6, 1]
    for stream in streams:
        stream.close()


def test_an_agent_streams_its_tokens() -> None:
    agent = create_agent(SlowModel(answer="one two"), [search])
    seen = [chunk.text for chunk, _ in agent.stream({"messages": "Hi"}, stream_mode="messages")]
    assert "".join(seen) == "one two"
    assert len([text for text in seen if text]) == 2


def fails(messages: list[Any]) -> Any:
    """An answer for each kind of question."""
    answers = {"break": Breaks("One two three"), "disk": Breaks("One two", 0, OSError("full"))}
    return answers.get(messages[-1].text, FallsSilent("One two three", after=2))


async def read_until_it_ends(model: SlowModel, question: str) -> tuple[list[str], str]:
    read, ended = list[str](), "done"
    try:
        async with asyncio.timeout(0.2):
            async for chunk in model.astream(question):
                read.append(chunk.text)
    except (ModelFailed, OSError) as error:
        ended = type(error).__name__
    return read, ended


@pytest.mark.parametrize("held", [False, True])
async def test_a_slow_model_may_break_or_fall_silent(held: bool) -> None:
    model = HeldModel(answer=fails) if held else SlowModel(answer=fails)
    if isinstance(model, HeldModel):
        model.let(6)
    assert await read_until_it_ends(model, "break") == (["One"], "ModelFailed")
    assert await read_until_it_ends(model, "disk") == ([], "OSError")
    assert await read_until_it_ends(model, "hang") == (["One", " two"], "TimeoutError")
    assert (model.calls, model.in_flight) == (3, 0)
    if isinstance(model, HeldModel):
        assert model._permits.acquire(blocking=False)  # silence used none
        assert not model._permits.acquire(blocking=False)


def test_a_slow_model_breaks_when_it_is_not_streamed_either() -> None:
    with pytest.raises(ModelFailed, match="process ended"):
        SlowModel(answer=Breaks("One two")).invoke("break")
