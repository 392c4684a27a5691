from decimal import Decimal
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.messages import ToolMessage
from langchain.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from fakes import calls, scripted
from policy import CallPolicy, ask_above, cap_message, may_look_up, may_refund, safe_html

RULES = {"lookup_order": may_look_up, "issue_refund": may_refund}


@tool
def issue_refund(order_id: str, amount: str) -> str:
    """Pay an amount back."""
    return f"Paid back {amount} of {order_id}."


def hijacked(text: str, order_id: str, amount: str, middleware: Any) -> dict[str, Any]:
    """What comes of it when the model asks for this refund, whatever the customer wrote."""
    model = scripted(calls("issue_refund", {"order_id": order_id, "amount": amount}), "Done.")
    agent: Any = create_agent(
        model, [issue_refund], middleware=[middleware], checkpointer=InMemorySaver()
    )
    config = {"configurable": {"thread_id": "1"}}
    state: dict[str, Any] = agent.invoke({"messages": [("user", text)]}, config)
    return state


# One row for each thing that a hijacked model might ask of your tools.
@pytest.mark.parametrize(
    ("text", "order_id", "amount", "status"),
    [
        ("Please refund FH-10001.", "FH-10001", "20", "success"),
        ("Where is FH-10001?", "FH-10001", "20", "error"),
        ("Please refund FH-10001.", "FH-1000", "20", "error"),
        ("Please refund FH-10001.", "FH-10001", "-20", "error"),
        ("Please refund FH-10001.", "FH-10001", "inf", "error"),
    ],
)
def test_only_what_the_customer_asked_for_is_done(
    text: str, order_id: str, amount: str, status: str
) -> None:
    state = hijacked(text, order_id, amount, CallPolicy(RULES))
    (result,) = [each for each in state["messages"] if isinstance(each, ToolMessage)]
    assert result.status == status


@pytest.mark.parametrize(("amount", "asks"), [("50", False), ("50.01", True), ("many", True)])
def test_a_person_is_asked_about_large_sums(amount: str, asks: bool) -> None:
    state = hijacked("Please refund FH-10001.", "FH-10001", amount, ask_above(Decimal(50)))
    assert ("__interrupt__" in state) is asks


def test_a_page_shows_no_foreign_image_and_no_script() -> None:
    page = safe_html("![x](https://evil.example/p)<script>alert(1)</script>", {"shop.example"})
    assert "evil" not in page
    assert "<script" not in page


def test_a_long_message_is_not_read() -> None:
    agent: Any = create_agent(scripted("Hello."), [], middleware=[cap_message(10)])
    said = agent.invoke({"messages": [("user", "x" * 11)]})["messages"][-1].text
    assert said == "Please write a shorter message."
