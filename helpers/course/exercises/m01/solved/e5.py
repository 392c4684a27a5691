# Written by `course build` from solutions/src/01_build_an_agent.py: change it there.
# The exercise's own cell.
from collections.abc import Callable

from langchain.agents.middleware import ToolCallRequest, wrap_tool_call
from langchain.messages import AIMessage, ToolMessage
from langgraph.types import Command


@wrap_tool_call
def look_before_refund(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command]
) -> ToolMessage | Command:
    """Make the tool call, but no refund of an order that was not looked up before."""
    call = request.tool_call
    if call["name"] != "issue_refund":
        return handler(request)
    order_id = call["args"]["order_id"]
    lookups = set()  # the ids of the calls that look this order up
    for message in request.state["messages"]:
        if isinstance(message, AIMessage):
            for made in message.tool_calls:
                if made["name"] == "lookup_order" and made["args"]["order_id"] == order_id:
                    lookups.add(made["id"])
        found = isinstance(message, ToolMessage) and message.status == "success"
        if found and message.tool_call_id in lookups:
            return handler(request)
    text = f"Call lookup_order for {order_id} first."
    return ToolMessage(text, tool_call_id=call["id"], status="error")
ANSWER = look_before_refund
