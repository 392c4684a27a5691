# Written by `course build` from solutions/src/04_limit_the_agents_actions.py: change it there.
import re
from dataclasses import asdict
from decimal import Decimal
from langchain.messages import ToolMessage
ORDER = re.compile('(?<![\\w-])FH-\\d{5}(?![\\w-])')
SUM = re.compile('£((?:\\d{1,3}(?:,\\d{3})+|\\d+)(?:\\.\\d{1,2})?)(?![.,]?\\d)')
def sums(text: str) -> list[Decimal]:
    """The sums of money in a text, in pounds."""
    return [Decimal(each.replace(',', '')) for each in SUM.findall(text)]
def found(message: ToolMessage) -> dict:
    """The order that a successful lookup has found; it has, for instance, an id and a total."""
    order = message.artifact
    return order if isinstance(order, dict) else asdict(order)
# The exercise's own cell.
from collections.abc import Callable

from langchain.agents.middleware import ToolCallRequest, wrap_tool_call
from langchain.messages import HumanMessage
from langgraph.types import Command

ARGUMENTS = {"lookup_order": ["order_id"], "issue_refund": ["order_id", "amount"]}


def objection(name: str, args: dict, words: str, totals: dict[str, Decimal]) -> str | None:
    """Why the customer has not asked for this call; None if the call may be made."""
    if name in ("search_documents", "hand_over"):
        return None
    if name not in ARGUMENTS:
        return f"{name} is not one of the agent's tools"
    for argument in args:
        if argument not in ARGUMENTS[name]:
            return f"{name} has no argument {argument}"
    order_id, amount = args.get("order_id"), args.get("amount")
    if order_id not in (ORDER.findall(words) or list(totals)):
        return f"order_id: the customer does not speak of {order_id}"
    if name == "issue_refund" and "refund" not in words.lower():
        return "the customer does not ask for issue_refund"
    asked = sums(words)
    if name == "lookup_order" or (amount is None and not asked):
        return None
    number = isinstance(amount, int | float) and not isinstance(amount, bool) and amount > 0
    if number and Decimal(str(amount)) in (asked or [totals.get(order_id)]):
        return None
    return f"amount: {amount} is not the customer's sum"


@wrap_tool_call
def policy(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command]
) -> ToolMessage | Command:
    """Make the tool call if its arguments come from the customer."""
    words, totals = "", {}
    for message in request.state["messages"]:
        if isinstance(message, HumanMessage):
            words = message.text
        looked_up = isinstance(message, ToolMessage) and message.name == "lookup_order"
        if looked_up and message.status == "success":
            totals[found(message)["id"]] = found(message)["total"]
    call = request.tool_call
    reason = objection(call["name"], call["args"], words, totals)
    if reason is None:
        return handler(request)
    return ToolMessage(f"Refused: {reason}.", tool_call_id=call["id"], status="error")
ANSWER = policy
