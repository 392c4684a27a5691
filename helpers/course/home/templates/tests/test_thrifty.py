import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from langchain.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langgraph.checkpoint.memory import InMemorySaver

import chat
import serve
import thrifty
from agent import Agent, Caller
from chat import SetupError, shop_orders
from fakes import ScriptedModel, calls, scripted
from service import digest
from thrifty import budget_of, thrifty_agent, token_price
from tiers import HANDED_OVER

USED = UsageMetadata(input_tokens=1000, output_tokens=100, total_tokens=1100)
USD = (0.000002, 0.000008)  # of a token read and of a token written
LOOK = calls("lookup_order", {"order_id": "FH-00001"})


@pytest.fixture
def checked(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop with one answer that was checked; the most that a request can cost is 0.01."""
    monkeypatch.setattr(thrifty, "CHECKED", {"Is the lamp green?": "Yes, it is."})
    monkeypatch.setattr(thrifty, "MOST", Decimal("0.01"))


def made(patch: pytest.MonkeyPatch, model: ScriptedModel, dollars: str = "1") -> Agent:
    patch.setattr(thrifty, "make_model", lambda name: model)
    return thrifty_agent(shop_orders(), InMemorySaver(), dollars, USD)


def say(agent: Agent, text: str, customer: str | None = None, thread: str = "1") -> tuple[str, str]:
    """The tier that answers, and its words."""
    config: Any = {"configurable": {"thread_id": thread}}
    given: Any = {"messages": [("user", text)]}
    last = agent.invoke(given, config, context=Caller(customer))["messages"][-1]
    return last.response_metadata.get("tier", "model"), last.text


@pytest.mark.usefixtures("checked")
def test_each_tier_answers_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    model = scripted(LOOK, LOOK, "Not yours.", "Hello.")
    agent = made(monkeypatch, model)
    assert say(agent, "is the lamp green", thread="1") == ("cache", "Yes, it is.")
    sentence = "The lamp weighs 2 kg."
    assert say(agent, sentence, thread="2") == ("extract", f"Lamp: {sentence}")
    tier, order = say(agent, "Where is FH-00001?", "ann", "3")
    assert (tier, "Items: Lamp." in order) == ("tool", True)
    # Another customer is refused, and reads no word of the order.
    assert say(agent, "Where is FH-00001?", "bob", "4") == ("model", "You have no order FH-00001.")
    assert say(agent, "Anything else?", thread="5") == ("model", "Hello.")
    assert len(model.seen) == 4


@pytest.mark.usefixtures("checked")
def test_in_a_conversation_the_model_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = made(monkeypatch, scripted("Hello.", "It is."))
    assert [say(agent, text)[0] for text in ("Hi", "Is the lamp green?")] == ["model", "model"]


@pytest.mark.usefixtures("checked")
def test_without_money_the_cheap_tiers_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    paid = [AIMessage(f"Answer {n}.", usage_metadata=USED) for n in range(9)]  # 0.0028 each
    agent = made(monkeypatch, scripted(*paid), "0.015")
    said = [say(agent, f"Anything else, {n}?", thread=f"{n}") for n in range(5)]
    # Two are paid, 0.0056; the third could cost 0.01, and 0.0094 are left.
    assert [tier for tier, _ in said] == ["model", "model", "person", "person", "person"]
    assert said[-1][1] == HANDED_OVER
    assert say(agent, "Is the lamp green?", thread="last")[0] == "cache"


@pytest.mark.usefixtures("checked")
def test_who_was_paid_back_reads_so_when_the_money_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refund = calls("issue_refund", {"order_id": "FH-00001"})
    agent = made(monkeypatch, scripted(refund), "0.01")  # enough for one request
    tier, receipt = say(agent, "Refund £5 of FH-00001.", "ann")
    assert tier == "tool"
    assert "5.00" in receipt


def test_prices_are_yours_or_those_of_the_list() -> None:
    assert token_price("openai:gpt-4.1-mini", USD)(USED) == Decimal("0.0028")
    # 1000 tokens at 0.40 and 100 at 1.60 dollars a million
    assert token_price("openai:gpt-4.1-mini", None)(USED) == Decimal("0.00056")
    with pytest.raises(SetupError, match="has no my-model: set PRICE_IN and PRICE_OUT"):
        token_price("openai:my-model", None)


@pytest.mark.parametrize("dollars", ["-1", "free", "nan", "$5"])
def test_a_budget_that_is_none(dollars: str) -> None:
    with pytest.raises(SetupError, match="is no budget: set it to US dollars, for instance 5"):
        budget_of(dollars)


@pytest.mark.usefixtures("checked")
@pytest.mark.parametrize(("budget", "answer"), [("1", "Yes, it is."), ("", "The model's.")])
def test_the_service_has_the_tiers_where_a_budget_is_set(
    budget: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "KEYS_JSON": json.dumps({digest("key"): "ann"}),
        "LOG_LEVEL": "critical",
        "BUDGET_USD": budget,
        "PRICE_IN": "2",
        "PRICE_OUT": "8",
    }.items():
        monkeypatch.setenv(name, value)
    for module in (chat, thrifty):
        monkeypatch.setattr(module, "make_model", lambda name: scripted("The model's."))
    with TestClient(serve.create_app()) as client:
        headers, asked = {"Authorization": "Bearer key"}, {"message": "Is the lamp green?"}
        said = client.post("/chat", json=asked, headers=headers)
    assert said.status_code == 200
    assert answer in said.text
