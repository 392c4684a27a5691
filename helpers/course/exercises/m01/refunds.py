"""What an agent does with a guard around its tools, for exercise 01.5; a scripted model calls."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest, wrap_tool_call
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from helpers.agent import Caller, build_agent
from helpers.course.exercises.m01.retrievers import NoDocuments
from helpers.shop import Order, Orders, UnknownOrder, open_orders
from helpers.testbed import ScriptedModel

Told = ToolMessage | Command[None]
Middleware = AgentMiddleware[Any, Caller, Any]
Guard = Callable[[ToolCallRequest, Callable[[ToolCallRequest], Told]], Told]
Turn = tuple[str, Sequence[Sequence[tuple[str, str]]]]
"""The name of a conversation; then, step by step, the tools that the model calls, each with the
value of its first argument."""


class BusyOnce(Orders):
    """An order book whose first lookup fails."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = True

    def get(self, order_id: str, customer_id: str) -> Order:
        """The order, from the second lookup on."""
        if self._busy:
            self._busy = False
            raise UnknownOrder(order_id)
        return super().get(order_id, customer_id)


def acted(
    guard: Guard | Middleware, turns: Sequence[Turn], customer: str, *, busy: bool = False
) -> tuple[list[str], ToolMessage]:
    """The orders that were refunded in these turns, and the last message of a tool."""
    orders = BusyOnce() if busy else open_orders()
    before = len(orders.refunds())
    replies: list[Any] = []
    for _, steps in turns:
        replies += [[_call(tool, value) for tool, value in calls] for calls in steps]
        replies.append("Done.")
    middleware: Middleware
    middleware = guard if isinstance(guard, AgentMiddleware) else wrap_tool_call(guard)
    agent = build_agent(
        model=ScriptedModel(replies=replies, then="Done."),
        retriever=NoDocuments(),
        orders=orders,
        middleware=[middleware],
    )
    messages: list[BaseMessage] = []
    for name, steps in turns:
        config = RunnableConfig(configurable={"thread_id": name})
        asked = HumanMessage(_request(steps))
        messages = agent.invoke({"messages": [asked]}, config, context=Caller(customer))["messages"]
    refunded = [refund.order_id for refund in orders.refunds()[before:]]
    return refunded, [m for m in messages if isinstance(m, ToolMessage)][-1]


def _request(steps: Sequence[Sequence[tuple[str, str]]]) -> str:
    """What the customer says: the refunds that the model is going to call for are asked for."""
    refunds = [value for calls in steps for tool, value in calls if tool == "issue_refund"]
    return f"Please refund {' and '.join(dict.fromkeys(refunds))}." if refunds else "Please."


def _call(tool: str, value: str) -> dict[str, Any]:
    return {"name": tool, "args": {"reason" if tool == "hand_over" else "order_id": value}}
