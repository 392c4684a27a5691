# Written by `course build` from solutions/src/01_build_an_agent.py: change it there.
# The exercise's own cell.
from collections.abc import Callable

from langchain.agents.middleware import ToolCallRequest
from langchain.messages import AIMessage, ToolMessage


def look_before_refund(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage]
) -> ToolMessage:
    """Make the tool call, but no refund of an order that was not looked up before."""
    call, messages = request.tool_call, request.state["messages"]
    asked = {
        made["id"]: made["args"]["order_id"]
        for message in messages
        if isinstance(message, AIMessage)
        for made in message.tool_calls
        if made["name"] == "lookup_order"
    }
    results = [m for m in messages if isinstance(m, ToolMessage) and m.tool_call_id in asked]
    seen = {asked[m.tool_call_id] for m in results if m.status == "success"}
    if call["name"] != "issue_refund" or call["args"]["order_id"] in seen:
        return handler(request)
    text = f"Use lookup_order on {call['args']['order_id']} first, then refund it."
    return ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error")
ANSWER = look_before_refund
