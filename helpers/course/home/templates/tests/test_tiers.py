import asyncio
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.messages import AIMessage
from langchain_core.caches import InMemoryCache
from langchain_core.messages.ai import UsageMetadata

from fakes import ScriptedModel, WordEmbeddings, scripted
from tiers import (
    HANDED_OVER,
    Budget,
    BudgetSpentError,
    CostMeter,
    SafeCache,
    WithinBudget,
    may_serve,
    price,
)

USED = UsageMetadata(input_tokens=30, output_tokens=10, total_tokens=40)
CENT = Decimal("0.01")


def a_cent(used: UsageMetadata) -> Decimal:
    return CENT


def replies(count: int) -> ScriptedModel:
    return scripted(*[AIMessage("Hello.", usage_metadata=USED) for _ in range(count)])


def ask(agent: Any, text: str = "Hi") -> AIMessage:
    found: AIMessage = agent.invoke({"messages": [("user", text)]})["messages"][-1]
    return found


# Pairs of your own: the same question, and questions that must not share an answer.
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How heavy is the Otter pan?", "how heavy is the otter pan", True),
        ("Do two pans fit?", "Do 2 pans fit?", True),
        ("Do two pans fit?", "Do three pans fit?", False),
        ("Can it go into the oven?", "Can't it go into the oven?", False),
        ("How heavy is the Otter pan?", "How heavy is the Tern kettle?", False),
    ],
)
def test_an_answer_is_served_to_the_same_question_only(one: str, other: str, same: bool) -> None:
    names = frozenset({"otter", "pan", "tern", "kettle"})
    assert may_serve(one, other, names) is same
    assert may_serve(other, one, names) is same


def test_a_cache_keeps_versions_and_customers_apart() -> None:
    cache = SafeCache(WordEmbeddings(), least=0.7)
    cache.put("How heavy is the lamp?", "2 kg.", ("1", ""))
    cache.put("Where is my lamp?", "On its way.", ("1", "ann"))
    assert cache.get("how heavy is the lamp, please", ("1", "")) == "2 kg."
    assert cache.get("So how heavy is the lamp?", ("1", "")) == "2 kg."
    assert cache.get("How heavy is the lamp?", ("2", "")) is None
    assert cache.get("Where is my lamp?", ("1", "ann")) == "On its way."
    for customer in ("", "bob"):
        assert cache.get("Where is my lamp?", ("1", customer)) is None


def test_the_meter_counts_a_cached_answer_as_free_and_a_failure_as_unknown() -> None:
    model = replies(1)
    model.cache = InMemoryCache()
    meter = CostMeter(a_cent)
    for _ in range(2):
        model.invoke("Hi", {"callbacks": [meter], "metadata": {"customer": "ann"}})
    with pytest.raises(StopIteration):  # the script has no other reply
        model.invoke("More", {"callbacks": [meter]})
    assert [(row["ended"], row["usd"]) for row in meter.calls] == [
        ("answered", CENT),
        ("cached", 0),
        ("failed", None),
    ]
    assert [row.get("customer") for row in meter.calls] == ["ann", "ann", None]


def test_a_price_that_nobody_knows_is_an_error() -> None:
    assert price(USED, "gpt-4.1-mini") > 0
    with pytest.raises(LookupError):
        price(USED, "no-such-model")


@pytest.mark.parametrize("limit", ["-1", "NaN", "Infinity"])
def test_no_budget(limit: str) -> None:
    with pytest.raises(ValueError, match="from 0 up"):
        Budget(Decimal(limit))


def test_a_budget_is_not_exceeded_by_many_at_once() -> None:
    budget, given = Budget(10 * CENT), []

    def answer(number: int) -> None:
        try:
            budget.reserve(CENT)
        except BudgetSpentError:
            return
        given.append(number)
        budget.settle(CENT, CENT)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(answer, range(50)))
    assert len(given) == 10


def test_what_was_reserved_and_not_spent_is_given_back() -> None:
    budget = Budget(2 * CENT)
    for _ in range(2):
        budget.reserve(2 * CENT)
        budget.settle(2 * CENT, Decimal(0))
    budget.reserve(2 * CENT)


def test_without_money_a_person_answers() -> None:
    limited = WithinBudget(Budget(2 * CENT), CENT, a_cent)
    agent: Any = create_agent(replies(2), [], middleware=[limited])
    first, third = ask(agent), asyncio.run(agent.ainvoke({"messages": [("user", "Hi")]}))
    assert first.text == third["messages"][-1].text == "Hello."
    assert ask(agent).text == HANDED_OVER
