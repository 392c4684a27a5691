"""A person decides before money moves: LangChain's middleware, set up for Fernhill's refunds.

The run stops where the model asks for a refund and goes on with the person's decision:
`agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), config, context=caller)`. It
needs a checkpointer, which keeps the conversation while the person thinks.
"""

import re
from typing import Any, Final

from langchain.agents.middleware import (
    AgentState,
    HumanInTheLoopMiddleware,
    InterruptOnConfig,
    ToolCallRequest,
)
from langchain_core.messages import ToolCall
from langgraph.runtime import Runtime

from helpers.agent import Caller

REFUND: Final = "issue_refund"

_ORDER_ID: Final = re.compile(r"FH-\d{5}", re.ASCII)


def approve_refunds(free_up_to: float = 0.0) -> HumanInTheLoopMiddleware[Any, Caller, Any]:
    """Ask a person before each refund above `free_up_to` pounds.

    A refund without an amount pays back all that the rules allow, so it is always asked for. The
    person may approve or reject; what is to be paid cannot be edited here, since an edited amount
    would be the person's word under the customer's name.
    """

    def asks(request: ToolCallRequest) -> bool:
        amount = request.tool_call["args"].get("amount")
        # Written so that NaN, which compares with nothing, is asked for.
        return not (isinstance(amount, int | float) and amount <= free_up_to)

    config = InterruptOnConfig(
        allowed_decisions=["approve", "reject"], description=_described, when=asks
    )
    return HumanInTheLoopMiddleware(interrupt_on={REFUND: config})


def _described(tool_call: ToolCall, state: AgentState[Any], runtime: Runtime[Any]) -> str:
    """What the person reads: the call's figures and the login, no words that the model chose."""
    args = tool_call["args"]
    amount, order = args.get("amount"), str(args.get("order_id"))
    paid = f"£{amount:.2f}" if isinstance(amount, int | float) else "all that may be refunded"
    named = order if _ORDER_ID.fullmatch(order) else "(not an order number)"
    return f"Pay back {paid} of order {named} to customer {runtime.context.customer_id}?"
