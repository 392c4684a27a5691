import asyncio
from decimal import Decimal
from typing import Any

import pytest
from langchain.messages import AIMessage, ToolMessage

from agent import NOT_FOUND, REFUSAL, Agent, Caller, asked_for
from fakes import agent_of, book, calls, scripted

LOOK = calls("lookup_order", {"order_id": "FH-00001"})
REFUND = calls("issue_refund", {"order_id": "FH-00001"})


def say(agent: Agent, text: str, customer: str | None = None, thread: str = "1") -> Any:
    """The conversation after this message."""
    config: Any = {"configurable": {"thread_id": thread}}
    given: Any = {"messages": [("user", text)]}
    return agent.invoke(given, config, context=Caller(customer))["messages"]


def results(messages: Any) -> list[str]:
    """What the tools returned."""
    return [message.text for message in messages if isinstance(message, ToolMessage)]


def test_the_model_answers_from_the_sentence_that_was_found() -> None:
    model = scripted(calls("search_documents", {"query": "How heavy is the lamp?"}), "2 kg.")
    messages = say(agent_of(model, book()), "How heavy is the lamp?")
    assert results(messages) == ["Lamp: The lamp weighs 2 kg."]
    assert messages[-1].text == "2 kg."
    assert model.seen[1][-1].text == "Lamp: The lamp weighs 2 kg."


def test_where_nothing_is_found_the_models_words_are_replaced() -> None:
    model = scripted(calls("search_documents", {"query": "Who rules Norway?"}), "I rule Norway.")
    messages = say(agent_of(model, book()), "Who rules Norway?")
    assert results(messages) == [NOT_FOUND]
    assert messages[-1].text == REFUSAL


def test_a_customer_sees_the_order_and_another_one_does_not() -> None:
    model = scripted(LOOK, "It is there.", LOOK, "Here it is: a lamp.")
    agent = agent_of(model, book())
    (shown,) = results(say(agent, "Where is FH-00001?", "ann", "1"))
    assert "Lamp" in shown
    hidden = say(agent, "Where is FH-00001?", "bob", "2")
    assert results(hidden) == [hidden[-1].text] == ["You have no order FH-00001."]
    assert "Lamp" not in str(model.seen[-1])


def test_nobody_logged_in_sees_no_order() -> None:
    messages = say(agent_of(scripted(LOOK, "A lamp."), book()), "Where is FH-00001?")
    assert "log in" in messages[-1].text


def test_a_thread_is_remembered_and_kept_apart_from_others() -> None:
    model = scripted("Hello Kim.", "You are Kim.", "I do not know.")
    agent = agent_of(model, book())
    say(agent, "I am Kim.", thread="1")
    say(agent, "Who am I?", thread="1")
    say(agent, "Who am I?", thread="2")
    sent = [[message.text for message in messages[1:]] for messages in model.seen]
    assert sent == [["I am Kim."], ["I am Kim.", "Hello Kim.", "Who am I?"], ["Who am I?"]]


@pytest.mark.parametrize(
    "text",
    [
        "Do not refund all of FH-00001!",
        "I do not want it. Refund all of FH-00001.",
        "Refund all of FH-00001 to my friend.",
        "Refund all of FH-00002.",
        "Did you refund FH-00001?",
    ],
)
def test_only_the_strict_sentence_pays(text: str) -> None:
    orders = book()
    messages = say(agent_of(scripted(REFUND, "I have paid it back."), orders), text, "ann")
    assert "Nothing has been paid back." in messages[-1].text
    assert "paid back" not in orders.describe("FH-00001", "ann")


def test_a_refund_is_paid_once_whatever_the_model_calls() -> None:
    orders, order = book(), {"order_id": "FH-00001"}
    model = scripted(calls("issue_refund", order, order), "Done.")
    first, second = results(say(agent_of(model, orders), "Refund £15.50 of FH-00001.", "ann"))
    assert first == "£15.50 of FH-00001 was paid back."
    assert "only once" in second
    assert "£15.50 was paid back" in orders.describe("FH-00001", "ann")


def test_another_customer_is_paid_nothing() -> None:
    orders = book()
    messages = say(agent_of(scripted(REFUND, "Done."), orders), "Refund all of FH-00001.", "bob")
    assert messages[-1].text == "You have no order FH-00001."
    assert "paid back" not in orders.describe("FH-00001", "ann")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Please refund £5 of fh-00001", ("FH-00001", Decimal(5))),
        ("refund all of FH-00001, please.", ("FH-00001", None)),
        ("Refund £-5 of FH-00001.", None),
        ("Refund £5.001 of FH-00001.", None),
        ("Refund all of FH-00001. Refund all of FH-00002.", None),
    ],
)
def test_what_asks_for_a_refund(text: str, asked: object) -> None:
    assert asked_for(text) == asked


def test_it_answers_async_too() -> None:
    nowhere = calls("search_documents", {"query": "Who rules Norway?"})
    agent = agent_of(scripted(REFUND, "Paid.", nowhere, "I do.", LOOK, "A lamp."), book())

    async def talk(text: str, customer: str, thread: str) -> str:
        config: Any = {"configurable": {"thread_id": thread}}
        given: Any = {"messages": [("user", text)]}
        done = await agent.ainvoke(given, config, context=Caller(customer))
        last = done["messages"][-1]
        assert isinstance(last, AIMessage)
        return last.text

    async def all_three() -> list[str]:
        return [
            await talk("Refund all of FH-00001.", "ann", "1"),
            await talk("Who rules Norway?", "ann", "1"),
            await talk("Where is FH-00001?", "bob", "2"),
        ]

    assert asyncio.run(all_three()) == ["Paid.", REFUSAL, "You have no order FH-00001."]
