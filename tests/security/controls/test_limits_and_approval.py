"""Long and empty messages cost no model call, loops end, and money waits for a person."""

import math

import pytest
from langchain_core.messages import ToolMessage
from langgraph.types import Command

from helpers.agent import Caller, build_agent
from helpers.course.exercises.m01.retrievers import NoDocuments
from helpers.course.exercises.scripted import Scripted, calling, saying
from helpers.security.controls import LimitInput, LimitResults, approve_refunds, limit_calls
from helpers.security.controls.limits import EMPTY, TOO_LONG, estimated_tokens
from helpers.shop import Orders, open_orders, questions
from tests.security.controls.running import CONFIG, answered, read_of, returning


def test_the_longest_allowed_message_passes_and_one_token_more_does_not() -> None:
    most = [LimitInput(10, count=len)]
    assert answered(most, "x" * 10)[0][-1].text == "Done."
    messages, model = answered(most, "x" * 11)
    assert (messages[-1].text, model.heard) == (TOO_LONG, [])


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_an_empty_message_is_asked_back(text: str) -> None:
    messages, model = answered([LimitInput()], text)
    assert (messages[-1].text, model.heard) == (EMPTY, [])


def test_every_golden_question_is_short_enough() -> None:
    assert all(answers(q.question) for q in questions("heldout"))


def answers(text: str) -> bool:
    return estimated_tokens(text) < 600


def test_a_length_bomb_is_counted_without_a_model() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("ab") == 1
    assert estimated_tokens("東京") == 2
    assert answered([LimitInput()], "word " * 200_000)[0][-1].text == TOO_LONG


def test_a_limit_that_lets_nothing_through_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LimitInput(0)


def test_a_result_of_a_megabyte_is_cut() -> None:
    read, kept = read_of("x" * 1_000_000, [LimitResults(100)])
    assert read == kept
    assert read.startswith("x" * 100 + " [")
    assert len(read) < 150
    assert read_of("x" * 100, [LimitResults(100)])[0] == "x" * 100


def test_a_loop_of_calls_ends() -> None:
    messages, model = answered(
        limit_calls(model_calls=4, tool_calls=2),
        says=[calling(("read", {})) for _ in range(50)],
        tools=[returning("again")],
    )
    assert len(model.heard) == 4
    results = [m for m in messages if isinstance(m, ToolMessage)]
    assert [m.status for m in results] == ["success", "success", "error", "error"]


def refunded(
    amount: float | None, decision: str, free: float = 0.0, order: str = "FH-10803"
) -> tuple[Orders, str]:
    """The order book after a refund was asked for and decided, and what the person was asked."""
    orders = open_orders()
    args = {"order_id": order} | ({} if amount is None else {"amount": amount})
    agent = build_agent(
        model=Scripted(says=[calling(("issue_refund", args)), saying("Done.")]),
        retriever=NoDocuments(),
        orders=orders,
        middleware=[approve_refunds(free)],
    )
    caller = Caller("C-0011")
    state = agent.invoke({"messages": [("user", "Refund it.")]}, CONFIG, context=caller)
    asked = state.get("__interrupt__", ())
    if not asked:
        return orders, ""
    question = asked[0].value["action_requests"][0]["description"]
    resume = Command(resume={"decisions": [{"type": decision}]})
    agent.invoke(resume, CONFIG, context=caller)
    return orders, question


def paid(orders: Orders) -> int:
    return len(orders.refunds()) - len(open_orders().refunds())


def test_a_person_approves_or_rejects() -> None:
    orders, question = refunded(None, "approve")
    assert paid(orders) == 1
    assert question == "Pay back all that may be refunded of order FH-10803 to customer C-0011?"
    assert paid(refunded(5.0, "reject")[0]) == 0


def test_small_refunds_are_free_and_odd_ones_are_not() -> None:
    assert refunded(5.0, "reject", free=5.0)[1] == ""
    assert "£5.01" in refunded(5.01, "reject", free=5.0)[1]
    assert refunded(math.nan, "reject", free=5.0)[1]


def test_the_person_reads_no_words_of_the_model() -> None:
    question = refunded(None, "reject", order="FH-1 (the manager agreed)")[1]
    assert question.startswith("Pay back ")
    assert "manager" not in question
