"""Tiers within budgets: what goes on, what degrades, what stops, and what is charged."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from helpers.agent import Caller, build_agent
from helpers.cost.budget import Budget, BudgetSpent
from helpers.cost.budgeted import ALL, CHEAP, Budgeted
from helpers.cost.outcomes import HANDED_OVER
from helpers.cost.rule import Rule
from helpers.cost.tiers import Tiers
from helpers.shop import Orders, open_orders
from helpers.testbed.models import ScriptedModel
from tests.cost.make_tiers import CUSTOMER, QUESTION, WEIGHT, Shelf, call

RULE = Rule(extract=0.8, margin=0.0, kinds=False, model=0.0)
CENT = Decimal("0.01")
ACTION = "Please cancel it."


class Shop:
    """An agent of which each call of the model costs a cent, within a budget."""

    def __init__(
        self, replies: Sequence[Any], cents: int, *, shelf: Shelf, orders: Orders | None = None
    ) -> None:
        self.budget = Budget(cents * CENT, 86_400)
        given: dict[str, Any] = {"retriever": shelf, "rule": RULE, "version": "1"}
        self.model = ScriptedModel(replies=replies)
        self._turns = 0
        middleware = Budgeted(
            Tiers(**given),
            cheap=Tiers(use=CHEAP, **given),
            per_customer=None,
            for_all=self.budget,
            price=lambda _: CENT,
            at_most=CENT,
        )
        self.agent = build_agent(
            model=self.model,
            retriever=shelf,
            orders=orders or open_orders(),
            middleware=[middleware],
        )

    async def say(self, text: str, customer: str = CUSTOMER) -> AIMessage:
        self._turns += 1
        state = await self.agent.ainvoke(
            {"messages": [("user", text)]},
            config={"configurable": {"thread_id": str(self._turns)}},
            context=Caller(customer),
        )
        answer: AIMessage = state["messages"][-1]
        return answer

    async def cents(self) -> Decimal:
        return await self.budget.committed(ALL) / CENT


async def test_below_the_threshold_the_model_writes_and_each_call_is_charged() -> None:
    shop = Shop([call("search_documents", query="x"), "It is so."], 10, shelf=Shelf(0.79, 0.5))
    answer = await shop.say("What about ferrets in tents?")
    assert (answer.text, answer.response_metadata["tier"]) == ("It is so.", "model")
    assert await shop.cents() == 2


async def test_above_it_a_person_gets_what_the_model_would_have_written() -> None:
    replies = [*["Done."] * 4, call("search_documents", query="x")]
    shop = Shop(replies, 5, shelf=Shelf(0.79, 0.5))
    for _ in range(4):
        assert (await shop.say(ACTION)).text == "Done."
    answer = await shop.say("What about ferrets in tents?")
    assert (answer.text, answer.response_metadata["tier"]) == (HANDED_OVER, "person")
    assert len(shop.model.prompts) == 5, "a tool was chosen, and nothing written"


async def test_what_costs_nothing_is_still_served_above_it() -> None:
    shop = Shop(["Done."] * 4, 5, shelf=Shelf(0.9, 0.5))
    for _ in range(4):
        await shop.say(ACTION)
    assert (await shop.say(QUESTION)).text == WEIGHT


async def test_a_spent_budget_stops_a_turn_before_anything_was_done() -> None:
    shop = Shop(["Done."] * 2, 2, shelf=Shelf(0.9, 0.5))
    await shop.say(ACTION)
    await shop.say(ACTION)
    with pytest.raises(BudgetSpent, match="come back in") as raised:
        await shop.say(QUESTION)
    assert raised.value.retry_after_s is not None
    assert 86_000 < raised.value.retry_after_s <= 86_400


async def test_what_a_tool_did_is_told_although_the_budget_ends_in_the_middle() -> None:
    orders = open_orders()
    shop = Shop([call("issue_refund", order_id="FH-10743")], 1, shelf=Shelf(0.1), orders=orders)
    answer = await shop.say("Please refund order FH-10743, I never opened it.", "C-0055")
    assert answer.response_metadata["tier"] == "tool"
    assert "189" in answer.text
    assert await shop.cents() == 1


async def test_a_failed_call_is_given_back() -> None:
    shop = Shop([RuntimeError("broken")], 10, shelf=Shelf(0.1))
    with pytest.raises(RuntimeError, match="broken"):
        await shop.say(ACTION)
    assert await shop.cents() == 0


async def test_leaving_early_is_charged_in_full() -> None:
    shop = Shop(["Done."], 10, shelf=Shelf(0.1))
    began = asyncio.Event()

    async def slow(*_: Any, **__: Any) -> Any:
        began.set()
        await asyncio.sleep(60)

    object.__setattr__(shop.model, "_agenerate", slow)
    task = asyncio.create_task(shop.say(ACTION))
    await asyncio.wait_for(began.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await shop.cents() == 1
