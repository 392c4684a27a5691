# Written by `course build` from solutions/src/04_limit_the_agents_actions.py: change it there.
# The exercise's own cell.
from decimal import Decimal

from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolCallRequest


def approval(limit: Decimal) -> HumanInTheLoopMiddleware:
    """A middleware that asks a person about new addresses, and about refunds above the limit."""

    def above_limit(request: ToolCallRequest) -> bool:
        total = Decimal(0)
        for message in request.state["messages"]:
            for call in getattr(message, "tool_calls", []):
                if call["name"] == "issue_refund":
                    amount = call["args"].get("amount")
                    number = isinstance(amount, int | float) and not isinstance(amount, bool)
                    if not (number and amount > 0):
                        return True
                    total += Decimal(str(amount))
        return total > limit

    decisions = ["approve", "edit", "reject"]
    return HumanInTheLoopMiddleware(
        interrupt_on={
            "issue_refund": {"allowed_decisions": decisions, "when": above_limit},
            "change_email": {"allowed_decisions": ["approve", "reject"]},
        }
    )
ANSWER = approval
