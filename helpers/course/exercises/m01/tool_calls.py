"""What a model sees of a tool for exercise 01.2, what the tool says, and whether it is chosen."""

from collections.abc import Iterator, Sequence

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from helpers.agent import Caller, build_agent, make_tools
from helpers.course.exercises.m01.retrievers import NoDocuments
from helpers.models import chat_model
from helpers.shop import open_orders
from helpers.testbed import ScriptedModel


def arguments(tool: BaseTool) -> dict[str, object]:
    """What a model sees of a tool: its name and the names of its arguments."""
    function = convert_to_openai_tool(tool)["function"]
    seen = function.get("parameters", {}).get("properties", {})
    return {"name": function["name"], "arguments": sorted(seen)}


def told(tool: BaseTool, customer: str | None) -> str:
    """What a tool without arguments says when the agent calls it for this customer."""
    model = ScriptedModel(replies=[{"name": tool.name, "args": {}}], then="Done.")
    agent = build_agent(model=model, tools=[tool])
    config = RunnableConfig(configurable={"thread_id": "chat-1"})
    asked = HumanMessage("Mine, please.")
    state = agent.invoke({"messages": [asked]}, config, context=Caller(customer))
    return next(m.text for m in state["messages"] if isinstance(m, ToolMessage))


_PATIENCE = 12
"""Pieces of text after which no call is expected: some hosted models speak before they call."""


def chosen(added: BaseTool, requests: Sequence[str]) -> Iterator[str]:
    """The tool that the model calls first, of the shop's and this one; "" where it answers.

    Raises ValueError when this tool takes arguments, which nobody has asked for.
    """
    if arguments(added)["arguments"]:
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
        yield called
