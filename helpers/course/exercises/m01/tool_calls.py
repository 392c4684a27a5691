"""What a model sees of a tool for exercise 01.2, what the tool says, and whether it is chosen."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.types import Command

from helpers.agent import Caller, build_agent, make_tools
from helpers.course.exercises.m01.retrievers import NoDocuments
from helpers.models import chat_model
from helpers.shop import open_orders
from helpers.testbed import ScriptedModel

ASKED = "Show me my orders, please."


def seen(tool: BaseTool) -> tuple[str, list[str]]:
    """What a model sees of a tool: its name and the names of its arguments."""
    function = convert_to_openai_tool(tool)["function"]
    return function["name"], sorted(function.get("parameters", {}).get("properties", {}))


class _Watched(AgentMiddleware[Any, Any, Any]):
    """Keeps what a tool returns: in a message, a list or a dictionary would be a text already."""

    def __init__(self) -> None:
        self.returned: list[Any] = []

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        tool: Any = request.tool

        async def ainvoke(call: dict[str, Any], config: RunnableConfig) -> Any:
            # Without the id of a call, LangChain gives what the tool returns as it is.
            got = await tool.ainvoke(call["args"], config)
            self.returned.append(got)
            if isinstance(got, ToolMessage | Command):
                return got
            return ToolMessage(str(got), name=tool.name, tool_call_id=call["id"])

        watched: Any = SimpleNamespace(name=tool.name, ainvoke=ainvoke)
        return await handler(request.override(tool=watched))


async def told(tool: BaseTool, customer: str | None, asked: str = ASKED) -> Any:
    """What a tool without arguments says when an agent calls it for this customer.

    Or what it returns, where that is no text.
    """
    model = ScriptedModel(replies=[{"name": tool.name, "args": {}}], then="Done.")
    watched = _Watched()
    agent = build_agent(model=model, tools=[tool], middleware=[watched])
    config = RunnableConfig(configurable={"thread_id": "chat-1"})
    state = await agent.ainvoke(
        {"messages": [HumanMessage(asked)]}, config, context=Caller(customer)
    )
    if watched.returned and not isinstance(watched.returned[0], str | ToolMessage | Command):
        return watched.returned[0]
    return next(m.text for m in state["messages"] if isinstance(m, ToolMessage))


async def told_in_turn(tool: BaseTool, customers: Sequence[str | None]) -> list[Any]:
    """What it says to each of these, one after another."""
    return [await told(tool, customer) for customer in customers]


async def told_at_once(tool: BaseTool, customers: Sequence[str | None]) -> list[Any]:
    """What it says to each of these, all at the same time."""
    return await asyncio.gather(*(told(tool, customer) for customer in customers))


_PATIENCE = 12
"""Pieces of text after which no call is expected: some hosted models speak before they call."""


def chosen(added: BaseTool, requests: Sequence[str]) -> Iterator[bool]:
    """Whether the model, which has the shop's four tools too, calls this one first.

    Raises ValueError when this tool takes arguments, which nobody has asked for.
    """
    if seen(added)[1]:
        raise ValueError(f"{added.name} takes arguments: see the first case.")
    tools = make_tools(NoDocuments(), open_orders(), threshold=0.0)
    model = chat_model().bind_tools([*tools, added])
    for request in requests:
        called, spoken = "", 0
        for chunk in model.stream(request):
            pieces = getattr(chunk, "tool_call_chunks", [])
            called = next((piece["name"] for piece in pieces if piece["name"]), "")
            spoken += bool(chunk.text)
            if called or spoken > _PATIENCE:
                break  # the rest of an answer takes seconds, and is not looked at
        yield called == added.name
