"""What a guard around tool calls does, for exercise 01.5: called by itself, and in an agent."""

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from helpers.agent import Caller, build_agent
from helpers.course.exercises.m01.middleware import needs_middleware
from helpers.course.exercises.m01.retrievers import BOOTS, NoDocuments
from helpers.course.todo import TODO
from helpers.shop import Order, Refund, Ticket, open_orders
from helpers.testbed import ScriptedModel

Guard = AgentMiddleware[Any, Any, Any]
Turn = tuple[str, Sequence[Sequence[tuple[str, str]]]]
"""The name of a conversation; then, step by step, the tools that the model calls, each with the
value of its first argument."""


# --- the guard by itself --------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One call of a tool, with the value of its first argument, and how it ends.

    `ends` is "success", "error", "command" (the tool returns a `Command`) or "raises".
    """

    tool: str
    value: str
    ends: str = "success"

    def __str__(self) -> str:
        return f"{self.tool}({self.value})"


Step = str | Sequence[Call]
"""What a customer says, or the calls that the model makes in one message."""


class BusyError(RuntimeError):
    """The shop's order book does not answer."""


def judged(guard: Guard, steps: Sequence[Step], known: int = 0) -> list[str]:
    """What the guard does with each call of a conversation, in order, in a few words.

    The first `known` steps happened in another process: the guard finds them in the messages.
    """
    needs_middleware(guard)
    messages: list[AnyMessage] = []
    verdicts = []
    for place, step in enumerate(steps):
        if isinstance(step, str):
            messages.append(HumanMessage(step))
            continue
        calls = [_tool_call(call, f"call_{place}_{n}") for n, call in enumerate(step)]
        messages.append(
            AIMessage(f"I look at {step[0].value} with lookup_order.", tool_calls=calls)
        )
        results: list[ToolMessage] = []
        for call, made in zip(step, calls, strict=True):
            if place < known:
                results.append(_restored(_result(call, made["id"])))
                continue
            verdict, message = _asked(guard, call, made, messages)
            verdicts.append(f"{call} {verdict}")
            results.append(message)
        messages += results if place % 2 else results[::-1]
    return verdicts


def _asked(
    guard: Guard, call: Call, made: dict[str, Any], messages: list[AnyMessage]
) -> tuple[str, ToolMessage]:
    """What the guard does with one call, and the message that follows."""
    handed: list[ToolCallRequest] = []
    result = _result(call, made["id"])
    gives: Any = Command(update={"messages": [result]}) if call.ends == "command" else result
    busy = BusyError("The order book does not answer.")

    def handler(request: ToolCallRequest) -> Any:
        handed.append(request)
        if call.ends == "raises":
            raise busy
        return gives

    tool: Any = SimpleNamespace(name=call.tool)
    runtime: Any = SimpleNamespace(context=Caller("C-0029"), tool_call_id=made["id"], config={})
    request = ToolCallRequest(
        tool_call=ToolCall(type="tool_call", name=call.tool, args=made["args"], id=made["id"]),
        tool=tool,
        state={"messages": list(messages)},
        runtime=runtime,
    )
    whole = copy.deepcopy(request.tool_call)
    before = [message.model_dump() for message in messages]
    try:
        returned: Any = guard.wrap_tool_call(request, handler)
    except BusyError as error:
        returned = error
    if returned is TODO:
        raise TODO
    if [message.model_dump() for message in request.state["messages"]] != before:
        return "and the messages are changed", result
    if not handed:
        told = returned if isinstance(returned, ToolMessage) else result
        return _refused(returned, made, told), told
    if len(handed) > 1:
        return f"is made {len(handed)} times", result
    if handed[0].tool_call != whole or handed[0].state != request.state:
        return "is made with another request", result
    if returned is not (busy if call.ends == "raises" else gives):
        return "is made, and something else comes back", result
    return "goes through", result


def _refused(returned: object, made: dict[str, Any], told: ToolMessage) -> str:
    if not isinstance(returned, ToolMessage):
        return f"is not made, and {type(returned).__name__} comes back"
    if told.status != "error":
        return 'is not made, but the status is "success"'
    if told.tool_call_id != made["id"]:
        return "is refused with the id of another call"
    if missing := [
        part for part in ("lookup_order", made["args"]["order_id"].strip()) if part not in told.text
    ]:
        return f"is refused without a word of {missing[0]}"
    return "is refused"


def _tool_call(call: Call, call_id: str) -> dict[str, Any]:
    argument = {"search_documents": "query", "hand_over": "reason"}.get(call.tool, "order_id")
    return {"name": call.tool, "args": {argument: call.value}, "id": call_id}


def _result(call: Call, call_id: str) -> ToolMessage:
    """What a tool's call gives; its text names another order, too."""
    if call.ends in ("error", "raises"):
        text, artifact = f"Order {call.value}: There is no such order.", None
    else:
        text = f"Order {call.value}: It was sent together with {_other(call.value)}."
        artifact = _artifact(call)
    return ToolMessage(
        text,
        tool_call_id=call_id,
        name=call.tool,
        status="error" if call.ends in ("error", "raises") else "success",
        artifact=artifact,
    )


ORDERS = ("FH-10742", "FH-10743", "FH-1074", "fh-10742", "FH-10742 ")


def _other(order: str) -> str:
    return ORDERS[(ORDERS.index(order) + 1) % len(ORDERS)] if order in ORDERS else ORDERS[0]


def _restored(message: ToolMessage) -> ToolMessage:
    """A message as it comes back from a checkpointer: an order is a dictionary then."""
    if isinstance(message.artifact, Order):
        message.artifact = asdict(message.artifact)
    return message


def _artifact(call: Call) -> object:
    match call.tool:
        case "lookup_order":
            return replace(_some_order(), id=call.value)
        case "issue_refund":
            return Refund("RF-0001", call.value, Decimal("12.50"))
        case "hand_over":
            return Ticket("T-0001", "C-0029", call.value)
        case "search_documents":
            return [BOOTS]
    return None


@cache
def _some_order() -> Order:
    return open_orders().all_orders()[0]


# --- in an agent ----------------------------------------------------------------------------------


def acted(guard: Guard, turns: Sequence[Turn], customer: str) -> list[str]:
    """The orders that were refunded in these turns."""
    orders = open_orders()
    before = len(orders.refunds())
    replies: list[Any] = []
    for _, steps in turns:
        replies += [[_call(tool, value) for tool, value in calls] for calls in steps]
        replies.append("Done.")
    agent = build_agent(
        model=ScriptedModel(replies=replies, then="Done."),
        retriever=NoDocuments(),
        orders=orders,
        middleware=[guard],
    )
    for name, steps in turns:
        config = RunnableConfig(configurable={"thread_id": name})
        asked = HumanMessage(_request(steps))
        agent.invoke({"messages": [asked]}, config, context=Caller(customer))
    return [refund.order_id for refund in orders.refunds()[before:]]


def acted_at_once(guard: Guard, customers: Sequence[tuple[str, Sequence[Turn]]]) -> list[list[str]]:
    """The orders refunded to each of these customers, whose agents share the guard and the time."""
    with ThreadPoolExecutor(len(customers)) as pool:
        runs = [pool.submit(acted, guard, turns, customer) for customer, turns in customers]
        return [run.result() for run in runs]


def _request(steps: Sequence[Sequence[tuple[str, str]]]) -> str:
    """What the customer says: the refunds that the model is going to call for are asked for."""
    refunds = [value for calls in steps for tool, value in calls if tool == "issue_refund"]
    return f"Please refund {' and '.join(dict.fromkeys(refunds))}." if refunds else "Please."


def _call(tool: str, value: str) -> dict[str, Any]:
    return {"name": tool, "args": {"reason" if tool == "hand_over" else "order_id": value}}
