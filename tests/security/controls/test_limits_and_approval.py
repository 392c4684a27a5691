"""Long and empty messages cost no model call, loops end, and money waits for a person."""

import base64
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import ToolMessage
from langgraph.types import Command

from helpers.agent import Caller, build_agent
from helpers.course.exercises.m01.retrievers import NoDocuments
from helpers.course.exercises.scripted import Scripted, calling, saying
from helpers.security.controls import (
    LimitInput,
    LimitResults,
    approve_refunds,
    limit_calls,
)
from helpers.security.controls.limits import (
    EMPTY,
    MOST_BYTES,
    TOO_LONG,
    estimated_tokens,
    model_tokens,
)
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
    never = [LimitInput(count=lambda text: pytest.fail(f"{len(text):,} characters were counted"))]
    assert estimated_tokens("") == 0
    assert estimated_tokens("ab") == 2
    assert estimated_tokens("東京") == 6
    assert answered(never, "word " * 200_000)[0][-1].text == TOO_LONG
    assert answered(never, "1" * 600)[0][-1].text == "Done."


TEXTS = {
    "English": "Where is my order, please? I have been waiting since Monday. " * 30,
    "digits": "1234567890" * 100,
    "a digit a line": "7\n" * 500,
    "Base64": base64.b64encode(Random(3).randbytes(2_000)).decode(),
    "hex": Random(3).randbytes(1_000).hex(),
    "Chinese": "我的订单在哪里？我从星期一开始一直在等。" * 40,
    "Japanese": "注文はどこですか。月曜日から待っています。" * 40,
    "Arabic": "أين طلبي؟ أنا أنتظر منذ يوم الاثنين. " * 30,
    "emoji": "😀🏔️👩‍👩‍👧🇬🇧" * 50,
    "code": "def f(x: int) -> list[int]:\n    return [y ** 2 for y in range(x) if y % 3 == 0]\n"
    * 20,
    "JSON": '{"id":"FH-10042","price":4900,"tags":["a","b"]},' * 30,
    "URLs": "https://fernhill.example/a/b?c=d&e=%20f#g " * 40,
    "letters": "qzxjvkqpw" * 100,
    "rare scripts": "𓀀𒀀ꙮ" * 100,
    "accents": "a\u0301\u0327" * 200,
    "full width": "１２３ａｂｃ" * 100,
    "controls": "\x00\x01\x02\x7f" * 100,
    "spaces": " " * 1_000,
    "line ends": "\n\r\n\t" * 250,
    "one compatibility sign": "\ufdfa" * 100,
    "special tokens": "<|im_start|>user<|im_end|>" * 50,
    "half a pair": "a\ud800b" * 100,
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_bound_is_never_below_the_model_s_own_count(name: str) -> None:
    text = TEXTS[name]
    assert 0 < model_tokens(text) <= estimated_tokens(text)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=200))
def test_the_bound_holds_for_any_text(text: str) -> None:
    assert model_tokens(text) <= estimated_tokens(text)


def test_a_message_is_measured_in_the_model_s_tokens() -> None:
    """1,800 characters of English are a message, and of digits three times what is allowed."""
    assert answered([LimitInput()], TEXTS["English"])[0][-1].text == "Done."
    for name in ("digits", "Base64", "Chinese", "emoji", "rare scripts"):
        assert answered([LimitInput()], TEXTS[name])[0][-1].text == TOO_LONG, name
    assert answered([LimitInput()], "1" * 601)[0][-1].text == TOO_LONG


def test_a_hosted_model_s_tokens_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_MODEL", "openai:some-model")
    assert model_tokens("a b c") == 5
    assert answered([LimitInput(10)], "x" * 11)[0][-1].text == TOO_LONG
    # As many words as for the local model, not as many bytes as that has tokens.
    assert answered([LimitInput()], "x" * MOST_BYTES)[0][-1].text == "Done."
    assert answered([LimitInput()], "x" * (MOST_BYTES + 1))[0][-1].text == TOO_LONG


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
