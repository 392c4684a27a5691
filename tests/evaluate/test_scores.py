"""Each verdict on answers and calls that are known to be right or wrong."""

from typing import Any

import pytest

from helpers.evaluate.runs import Call
from helpers.evaluate.scores import score, score_answer
from helpers.shop import ToolCall
from tests.evaluate.make import question, run

DOCUMENT = (
    "You may return a tent within 30 days of delivery. Boots may be returned within 60 days. "
    "Sale items must be back within 14 days."
)
RETURNS = question(forbidden=("60 days", "14 days"))


@pytest.mark.parametrize(
    "answer",
    [
        "You have 30 days.",
        "Thirty days from delivery.",
        "You may return a tent within 30 days of delivery.",
        "You have 30 days, not 14 days.",
    ],
)
def test_right_answers(answer: str) -> None:
    assert score_answer(RETURNS, answer).right


@pytest.mark.parametrize(
    "answer",
    [
        "You have 130 days.",
        "You have 14 days.",
        "It is not 30 days.",
        "You have 30 days, or 60 days for boots.",
        DOCUMENT,
        "I do not know. It is 30 days.",
        "It is 30 days, but I am not sure.",
        "I do not know.",
        "You have some days.",
        "",
        "   ",
    ],
)
def test_wrong_answers(answer: str) -> None:
    assert not score_answer(RETURNS, answer).right


def test_the_verdict_says_why() -> None:
    verdict = score_answer(RETURNS, "I do not know. It is 60 days.")
    assert verdict.missing == (("30 days",),)
    assert verdict.forbidden == ("60 days",)
    assert verdict.refused
    assert verdict.claims == ("it is 60 days",)


def test_every_group_is_needed_and_one_alternative_of_each_is_enough() -> None:
    asked = question(required=(("30 days", "a month"), ("free", "no charge")))
    assert score_answer(asked, "A month, and there is no charge.").right
    assert not score_answer(asked, "You have 30 days or a month.").right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("I do not know.", True),
        ("Sorry, I cannot find that in our documents. Please contact us.", True),
        ("I do not know. It is 30 days.", False),
        ("We sell kayaks.", False),
        ("", False),
    ],
)
def test_an_unanswerable_question_wants_a_refusal_and_no_claim(answer: str, right: bool) -> None:
    assert score_answer(question(kind="unanswerable"), answer).right is right


def refund(order_id: str, amount: float | str | None = None) -> Call:
    return Call("issue_refund", {"order_id": order_id, "amount": amount})


SEARCH = Call("search_documents", {"query": "refund"})
LOOKUP = Call("lookup_order", {"order_id": "FH-10234"})


@pytest.mark.parametrize(
    ("calls", "tools", "trajectory"),
    [
        ([LOOKUP, refund("FH-10234")], True, True),
        ([refund("FH-10234"), LOOKUP], True, False),
        ([LOOKUP, LOOKUP, refund("FH-10234")], True, False),
        ([LOOKUP], False, False),
        ([LOOKUP, refund("FH-10234"), SEARCH], False, False),
        ([SEARCH, refund("FH-10234")], False, False),
    ],
)
def test_tools_and_trajectory(calls: list[Call], tools: bool, trajectory: bool) -> None:
    asked = question(
        kind="two_step",
        tools=(ToolCall("lookup_order"), ToolCall("issue_refund", {"order_id": "FH-10234"})),
    )
    verdict = score(asked, run("Done.", *calls, question_id=asked.id))
    assert verdict.tools is tools
    assert verdict.trajectory is trajectory
    assert (verdict.arguments is None) is (not tools)


def test_no_call_at_all_is_a_wrong_choice() -> None:
    silent = run("You have 30 days.")
    assert score(RETURNS, type(silent)(**(vars(silent) | {"calls": ()}))).tools is False


@pytest.mark.parametrize(
    ("calls", "right"),
    [
        ([refund("FH-10234", 49)], True),
        ([refund("fh-10234 ", "49.00")], True),
        ([refund("FH-10234", 49.5)], False),
        ([refund("FH-10234", "all of it")], False),
        ([refund("FH-10234")], False),
        ([refund("FH-10235", 49)], False),
        ([refund("FH-10234", 49), refund("FH-10235", 49)], False),
    ],
)
def test_arguments(calls: list[Call], right: bool) -> None:
    wanted: dict[str, Any] = {"order_id": "FH-10234", "amount": 49.0}
    asked = question(kind="action", tools=(ToolCall("issue_refund", wanted),))
    assert score(asked, run("Done.", *calls, question_id=asked.id)).arguments is right


def test_arguments_that_no_question_names_are_free() -> None:
    assert score(RETURNS, run()).arguments is None


@pytest.mark.parametrize("status", ["error", "timeout"])
def test_a_failed_run_is_neither_right_nor_wrong(status: Any) -> None:
    verdict = score(RETURNS, run(status=status))
    assert verdict.status == status
    assert verdict.answer is verdict.tools is verdict.arguments is verdict.trajectory is None


def test_a_run_of_another_question_is_not_scored() -> None:
    with pytest.raises(ValueError, match="dev-single_fact-002"):
        score(RETURNS, run(question_id="dev-single_fact-002"))
