"""`create_agent` runs its loop on the local model, with one tool, two tools, and none."""

import asyncio
from typing import Any

import pytest
from assistants import LIBRARY
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from helpers.models import chat_model


@pytest.fixture(scope="module")
def agent() -> Any:
    return create_agent(chat_model(max_tokens=16), LIBRARY)


def _tools(messages: list[Any]) -> list[str]:
    return [call["name"] for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]


def test_two_different_tools_in_sequence(agent: Any) -> None:
    question = "When is loan L-4410 due, and what do I pay for a lost book?"
    messages = agent.invoke({"messages": [HumanMessage(question)]})["messages"]
    assert _tools(messages) == ["look_up_loan", "ask_rules"]
    assert [type(message) for message in messages] == [
        HumanMessage,
        AIMessage,
        ToolMessage,
        AIMessage,
        ToolMessage,
        AIMessage,
    ]
    assert messages[1].tool_calls[0]["args"] == {"loan_id": "L-4410"}
    assert messages[3].tool_calls[0]["args"] == {"question": "what do I pay for a lost book?"}
    assert messages[1].usage_metadata["total_tokens"] == 0
    assert messages[-1].text
    assert messages[-1].usage_metadata["output_tokens"] > 0


def test_small_talk_ends_without_a_tool(agent: Any) -> None:
    messages = agent.invoke({"messages": [HumanMessage("Hello there!")]})["messages"]
    assert len(messages) == 2
    assert messages[-1].text


def test_a_streamed_run_shows_the_call_and_the_answers_pieces() -> None:
    agent: Any = create_agent(chat_model(max_tokens=16), LIBRARY)

    async def run() -> list[Any]:
        question = {"messages": [HumanMessage("Put us down for a room on Friday, we are 4.")]}
        return [chunk async for chunk, _ in agent.astream(question, stream_mode="messages")]

    chunks = asyncio.run(run())
    calls = [call for chunk in chunks for call in getattr(chunk, "tool_call_chunks", [])]
    assert [call["name"] for call in calls] == ["book_room"]
    assert calls[0]["args"] == '{"date": "Friday", "people": 4}'
    assert sum(bool(chunk.text) for chunk in chunks if chunk.type == "AIMessageChunk") > 3


def test_memory_lets_a_later_turn_mean_an_earlier_loan() -> None:
    agent: Any = create_agent(chat_model(max_tokens=8), LIBRARY, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    agent.invoke({"messages": [HumanMessage("When is loan L-4410 due?")]}, thread)
    messages = agent.invoke({"messages": [HumanMessage("Please renew it by 2 weeks.")]}, thread)[
        "messages"
    ]
    last = [message for message in messages if isinstance(message, AIMessage)][-2]
    assert last.tool_calls[0]["name"] == "renew_loan"
    assert last.tool_calls[0]["args"] == {"loan_id": "L-4410", "weeks": 2}
