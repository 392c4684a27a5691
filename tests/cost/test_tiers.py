"""Tiers in front of the model: what each answers, what none may, and the same when async."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage

from helpers.agent import Caller
from helpers.cost.outcomes import HANDED_OVER
from helpers.cost.rule import Rule
from helpers.cost.tiers import TIERS, Tiers, Told, may_be_kept
from helpers.shop import open_orders
from tests.cost.make_tiers import (
    CUSTOMER,
    ORDER,
    QUESTION,
    WEIGHT,
    Dictionary,
    Shelf,
    agent,
    call,
    say,
)

RULE = Rule(extract=0.8, margin=0.0, kinds=False, model=0.7)


def tiers(shelf: Shelf, **given: Any) -> Tiers:
    return Tiers(**({"rule": RULE, "retriever": shelf, "version": "1"} | given))


def tier(message: AIMessage) -> Any:
    return message.response_metadata.get("tier")


def test_a_sentence_that_the_rule_trusts_needs_no_model() -> None:
    shelf = Shelf(0.9, 0.5)
    built, model = agent([], tiers(shelf), shelf=shelf)
    answer = say(built, QUESTION)
    assert (answer.text, tier(answer)) == (WEIGHT, "extract")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == 0
    assert model.prompts == []


@pytest.mark.parametrize(("score", "name"), [(0.8, "extract"), (0.799, "model")])
def test_the_rule_holds_at_its_boundary(score: float, name: str) -> None:
    shelf = Shelf(score, 0.5)
    replies = [call("search_documents", query="Alta 2 weight"), "It weighs 2.1 kg."]
    built, _ = agent(replies, tiers(shelf), shelf=shelf)
    assert tier(say(built, QUESTION)) == name


def test_what_neither_sentence_nor_model_may_answer_goes_to_a_person_with_a_ticket() -> None:
    shelf, orders = Shelf(0.69, 0.5), open_orders()
    replies = [call("search_documents", query="Alta 2 weight")]
    built, model = agent(replies, tiers(shelf), shelf=shelf, orders=orders)
    answer = say(built, QUESTION)
    assert (answer.text, tier(answer)) == (HANDED_OVER, "person")
    assert len(model.prompts) == 1, "the model chose the tool and wrote nothing"
    assert [ticket.reason for ticket in orders.tickets()] == [QUESTION]


def test_without_a_person_the_model_answers() -> None:
    shelf = Shelf(0.69, 0.5)
    replies = [call("search_documents", query="Alta 2 weight"), "It weighs 2.1 kg."]
    built, _ = agent(replies, tiers(shelf, use=("extract", "tool", "model")), shelf=shelf)
    assert tier(say(built, QUESTION)) == "model"


def test_an_order_is_told_in_the_words_of_the_tool() -> None:
    shelf = Shelf(0.1)
    built, model = agent([call("lookup_order", order_id=ORDER)], tiers(shelf), shelf=shelf)
    answer = say(built, f"Where is my order {ORDER}?")
    assert tier(answer) == "tool"
    assert answer.text.startswith(f"Order {ORDER}: ")
    assert shelf.asked == [], "no document is searched for a question about an order"
    assert len(model.prompts) == 1


def test_the_tool_tier_alone_leaves_documents_to_the_model() -> None:
    shelf = Shelf(0.9, 0.5)
    replies = [call("search_documents", query="weight"), "It weighs 2.1 kg."]
    built, _ = agent(replies, tiers(shelf, use=("tool", "model")), shelf=shelf)
    assert tier(say(built, QUESTION)) == "model"


def test_a_question_with_two_parts_is_not_cut_short_on_a_model_that_chooses_by_itself() -> None:
    shelf = Shelf(0.9, 0.5)
    replies = [
        call("lookup_order", order_id=ORDER),
        call("search_documents", query="returns"),
        "It has been shipped, and you have 30 days.",
    ]
    built, model = agent(replies, tiers(shelf), shelf=shelf)
    answer = say(built, f"Where is {ORDER} and how long may I keep it?")
    assert tier(answer) == "model"
    assert len(model.prompts) == 3


def test_a_refund_is_never_cached_or_extracted_and_is_told_by_the_model() -> None:
    shelf, cache = Shelf(0.99, 0.1), Dictionary()
    text = "Please refund order FH-10743, I never opened it."
    cache.put(text, "Done.", customer=None, version="1", checked=True)
    orders = open_orders()
    replies = [call("issue_refund", order_id="FH-10743"), "£189.00 has been refunded."]
    built, _ = agent(replies, tiers(shelf, cache=cache), shelf=shelf, orders=orders)
    answer = say(built, text, customer="C-0055")
    assert (answer.text, tier(answer)) == ("£189.00 has been refunded.", "model")
    assert list(cache.kept.values()) == ["Done."]


def test_a_refused_refund_is_told_in_the_words_of_the_tool() -> None:
    shelf = Shelf(0.1)
    replies = [call("issue_refund", order_id="FH-10743")]
    built, model = agent(replies, tiers(shelf), shelf=shelf)
    answer = say(built, "Please refund order FH-10743.", customer=CUSTOMER)
    assert tier(answer) == "tool"
    assert answer.text.startswith("Order FH-10743: ")
    assert len(model.prompts) == 1


def test_a_hand_over_that_was_asked_for_goes_through_the_agent() -> None:
    shelf, orders = Shelf(0.99, 0.1), open_orders()
    replies = [call("hand_over", reason="zip"), "A colleague will be in touch."]
    built, _ = agent(replies, tiers(shelf), shelf=shelf, orders=orders)
    answer = say(built, "I want to talk to a human about my broken zip")
    assert (answer.text, tier(answer)) == ("A colleague will be in touch.", "model")
    assert len(orders.tickets()) == 1


def test_a_checked_answer_is_cached_for_all_and_of_one_version_only() -> None:
    shelf, cache = Shelf(0.9, 0.5), Dictionary()
    built, _ = agent([], tiers(shelf, cache=cache), shelf=shelf)
    assert tier(say(built, QUESTION, thread="1", customer="C-0001")) == "extract"
    hit = say(built, QUESTION, thread="2", customer="C-0002")
    assert (hit.text, tier(hit)) == (WEIGHT, "cache")
    assert len(shelf.asked) == 1
    newer, _ = agent([], tiers(shelf, cache=cache, version="2"), shelf=shelf)
    assert tier(say(newer, QUESTION)) == "extract"


def test_what_was_read_from_an_order_is_never_kept_for_anybody() -> None:
    shelf, cache = Shelf(0.1), Dictionary()
    replies = [call("lookup_order", order_id=ORDER), call("lookup_order", order_id=ORDER)]
    built, model = agent(replies, tiers(shelf, cache=cache), shelf=shelf)
    text = "Has my tent been shipped by now?"  # names no order: only what was called tells
    first = say(built, text, thread="1")
    other = say(built, text, thread="2", customer="C-0034")
    assert cache.kept == {}
    assert len(model.prompts) == 2
    assert first.text.startswith(f"Order {ORDER}: ")
    assert tier(other) == "tool", "the tool's refusal: it is another customer's order"
    assert "shipped" not in other.text


@pytest.mark.parametrize(
    ("told", "tools", "read", "kept"),
    [
        (Told("extract", WEIGHT), [], [], True),
        (Told("extract", WEIGHT), ["search_documents"], [WEIGHT], True),
        (Told("model", "It weighs 2.1 kg."), ["search_documents"], [WEIGHT], True),
        (Told("model", "It weighs 3.4 kg."), ["search_documents"], [WEIGHT], False),
        (Told("model", "It weighs 2.1 kg."), [], [], False),
        (Told("model", WEIGHT), ["search_documents", "lookup_order"], [WEIGHT], False),
        (Told("tool", "Order FH-10832: shipped."), ["lookup_order"], [], False),
        (Told("person", HANDED_OVER), ["search_documents"], [], False),
        (Told("model", " "), ["search_documents"], [WEIGHT], False),
    ],
)
def test_only_what_is_checked_and_of_documents_may_be_kept(
    told: Told, tools: list[str], read: list[str], kept: bool
) -> None:
    assert may_be_kept(told, QUESTION, tools, read) is kept


def test_a_follow_up_is_never_served_from_cache_or_documents() -> None:
    shelf, cache = Shelf(0.9, 0.5), Dictionary()
    follow_up = "And how much does the other one weigh?"
    cache.put(follow_up, "The answer to another talk.", customer=None, version="1", checked=True)
    replies = [call("search_documents", query="Alta 3 weight"), "The Alta 3 weighs 2.6 kg."]
    middleware = tiers(shelf, cache=cache, use=("cache", "tool", "model"))
    built, _ = agent(["2.1 kg.", *replies], middleware, shelf=shelf)
    say(built, QUESTION)
    answer = say(built, follow_up)
    assert (answer.text, tier(answer)) == ("The Alta 3 weighs 2.6 kg.", "model")


def test_a_later_question_that_stands_alone_is_served() -> None:
    shelf = Shelf(0.9, 0.5)
    built, model = agent([], tiers(shelf), shelf=shelf)
    say(built, QUESTION)
    assert tier(say(built, "What does a new jacket zip cost?")) == "extract"
    assert model.prompts == []


def _both_ways(replies: list[Any], text: str, score: float) -> list[list[tuple[str, str, Any]]]:
    def shown(state: Any) -> list[tuple[str, str, Any]]:
        return [
            (m.type, m.text, tier(m) if isinstance(m, AIMessage) else None)
            for m in state["messages"]
        ]

    found = []
    for how in ("invoke", "ainvoke"):
        shelf = Shelf(score, 0.5)
        built, _ = agent(list(replies), tiers(shelf, cache=Dictionary()), shelf=shelf)
        done = getattr(built, how)(
            {"messages": [("user", text)]},
            config={"configurable": {"thread_id": "1"}},
            context=Caller(CUSTOMER),
        )
        found.append(shown(asyncio.run(done) if how == "ainvoke" else done))
    return found


@pytest.mark.parametrize(
    ("replies", "text", "score"),
    [
        ([], QUESTION, 0.9),
        ([call("search_documents", query="weight"), "It weighs 2.1 kg."], QUESTION, 0.75),
        ([call("search_documents", query="weight")], QUESTION, 0.3),
        ([call("lookup_order", order_id=ORDER)], f"Where is {ORDER}?", 0.9),
    ],
)
def test_async_is_the_same(replies: list[Any], text: str, score: float) -> None:
    plain, later = _both_ways(replies, text, score)
    assert plain == later


def test_words_that_no_model_wrote_are_in_the_stream_too() -> None:
    shelf = Shelf(0.9, 0.5)
    built, _ = agent([], tiers(shelf), shelf=shelf)

    async def streamed() -> list[Any]:
        return [
            part
            async for part in built.astream(
                {"messages": [("user", QUESTION)]},
                {"configurable": {"thread_id": "1"}},
                context=Caller(CUSTOMER),
                stream_mode=["messages", "updates"],
            )
        ]

    parts = asyncio.run(streamed())
    messages = [part[0] for mode, part in parts if mode == "messages"]
    assert [(message.text, tier(message)) for message in messages] == [(WEIGHT, "extract")]
    updates = [m for mode, part in parts if mode == "updates" for m in part["model"]["messages"]]
    assert [message.text for message in updates] == [WEIGHT]


def test_the_models_words_are_still_streamed_in_pieces() -> None:
    shelf = Shelf(0.75, 0.5)
    replies = [call("search_documents", query="weight"), "It weighs 2.1 kg."]
    built, _ = agent(replies, tiers(shelf), shelf=shelf)

    async def streamed() -> list[Any]:
        return [
            message
            async for message, _ in built.astream(
                {"messages": [("user", QUESTION)]},
                {"configurable": {"thread_id": "1"}},
                context=Caller(CUSTOMER),
                stream_mode="messages",
            )
            if not isinstance(message, ToolMessage)
        ]

    pieces = [m for m in asyncio.run(streamed()) if isinstance(m, AIMessageChunk) and m.text]
    assert len(pieces) > 1
    assert "".join(piece.text for piece in pieces) == "It weighs 2.1 kg."


def test_tiers_that_do_not_exist_or_leave_nobody_are_refused() -> None:
    with pytest.raises(ValueError, match="no tier gpt"):
        Tiers(use=("gpt",))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has to answer"):
        Tiers(use=("cache", "extract"))
    assert Tiers(use=TIERS)
