"""`course tiers serve`: what its clients and its metrics see, and what its budgets stop."""

import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI

from helpers.cost.budgeted import dollars
from helpers.cost.caches import AnswerCache
from helpers.cost.command_serve import tier_metrics, tiers, with_tiers
from helpers.models.errors import UnknownPrice
from helpers.service import Settings, create_app, issue
from helpers.service.testing.client import Seen, post
from helpers.shop import open_orders
from helpers.testbed.models import ScriptedModel
from tests.cost.make_tiers import CUSTOMER, ORDER, QUESTION, WEIGHT, Shelf, call

OTHER = "C-0007"


class Service:
    """A service with tiers on a scripted model, in this process."""

    def __init__(self, app: FastAPI, keys: dict[str, str]) -> None:
        self.app, self._keys = app, keys

    async def ask(self, text: str, customer: str = CUSTOMER, way: str = "/stream") -> Seen:
        return await post(self.app, f"/v1/chat{way}", {"message": text}, self._keys[customer])

    def metric(self, name: str, **labels: str) -> float | None:
        found: float | None = self.app.state.parts.metrics.registry.get_sample_value(name, labels)
        return found


@contextlib.asynccontextmanager
async def service(
    replies: list[Any], *, shelf: Shelf, usd: str | None = None, each: str | None = None
) -> AsyncIterator[Service]:
    (key, kept), (other_key, other) = issue(CUSTOMER), issue(OTHER)
    settings = Settings(
        path="agent",
        keys=(kept, other),
        upstream_url="http://127.0.0.1:9/v1",
        price_as="openai:gpt-5-mini",
    )
    cache = AnswerCache()
    limits = [None if one is None else Decimal(one) for one in (usd, each)]
    make = with_tiers(cache, settings, *limits, retriever=shelf, orders=open_orders())

    def make_agent(*, model: Any, middleware: Any) -> Any:
        return make(model=ScriptedModel(replies=replies), middleware=middleware)

    app = create_app(settings, make_agent=make_agent, instruments=[tier_metrics(cache)])
    async with app.router.lifespan_context(app):
        yield Service(app, {CUSTOMER: key, OTHER: other_key})


def events(seen: Seen) -> dict[str, Any]:
    """The last event of each name."""
    found = {}
    for block in seen.body.decode().split("\n\n"):
        name, _, data = block.partition("\ndata: ")
        if name.startswith("event: "):
            found[name.removeprefix("event: ")] = json.loads(data)
    return found


async def test_what_a_tier_answers_streams_and_is_counted_under_its_name() -> None:
    async with service([], shelf=Shelf(0.9, 0.5)) as running:
        first, second = await running.ask(QUESTION), await running.ask(QUESTION, OTHER)
        for seen, tier in ((first, "extract"), (second, "cache")):
            assert seen.answer() == (WEIGHT, None)
            usage = events(seen)["usage"]
            assert (usage["tier"], usage["input_tokens"], usage["output_tokens"]) == (tier, 0, 0)
            assert usage["cost_usd"] == 0
            assert running.metric("service_tier_answers_total", tier=tier) == 1
            assert running.metric("service_tier_cost_usd_total", tier=tier) == 0
        assert running.metric("service_cache_lookups_total", result="exact") == 1
        assert running.metric("service_cache_lookups_total", result="miss") == 1
        whole = await running.ask(QUESTION, way="")
        assert json.loads(whole.body)["usage"]["tier"] == "cache"
        assert running.app.state.parts.metrics.text().count(b"\nservice_tier_answers_total{") == 6


async def test_no_tokens_are_charged_for_what_no_model_wrote() -> None:
    async with service([], shelf=Shelf(0.9, 0.5)) as running:
        budgets, charged = running.app.state.parts.budgets, []
        settle = budgets.settle

        async def seen(reservation: Any, used: int) -> None:
            charged.append(used)
            await settle(reservation, used)

        budgets.settle = seen
        await running.ask(QUESTION)
        assert charged == [0]


async def test_the_tokens_of_choosing_a_tool_are_dollars_of_the_tier_that_answers() -> None:
    async with service([call("lookup_order", order_id=ORDER)], shelf=Shelf(0.1)) as running:
        usage = events(await running.ask(f"Where is my order {ORDER}?"))["usage"]
        assert usage["tier"] == "tool"
        assert running.metric("service_tier_cost_usd_total", tier="tool") == usage["cost_usd"] > 0
        assert running.metric("service_cost_usd_total") == usage["cost_usd"]


async def test_an_answer_that_fails_is_of_no_tier() -> None:
    async with service([RuntimeError("broken")], shelf=Shelf(0.1)) as running:
        assert (await running.ask("Please refund my order.")).status == 500
        assert running.metric("service_tier_answers_total", tier="none") == 1


async def test_a_spent_budget_refuses_one_customer_and_says_when_to_come_back() -> None:
    # A call may cost 4000 tokens in and 160 out, $0.00132: after the first no other one fits.
    script = ["It is done.", "It is done."]
    async with service(script, shelf=Shelf(0.1), each="0.00132") as running:
        assert (await running.ask("Please cancel it.")).status == 200
        refused = await running.ask("Please cancel it.")
        document = json.loads(refused.body)
        assert (refused.status, document["type"]) == (429, "urn:fernhill:problem:budget-spent")
        assert 80_000 < document["retry_after"] <= 86_400
        assert CUSTOMER not in document["detail"]
        assert (await running.ask("Please cancel it.", OTHER)).status == 200


async def test_one_budget_for_all_stops_everybody_but_not_what_needs_no_model() -> None:
    async with service(["It is done."], shelf=Shelf(0.9, 0.5), usd="0.00132") as running:
        assert (await running.ask("Please cancel it.")).status == 200
        assert (await running.ask("Please cancel it.", OTHER)).status == 429
        assert (await running.ask(QUESTION, OTHER)).answer() == (WEIGHT, None)


@pytest.mark.parametrize("text", ["", " ", "-1", "0", "NaN", "inf", "1e999", "0.0000001", "5 USD"])
def test_a_budget_that_is_no_amount_is_refused_with_words(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="is no budget: give US dollars"):
        dollars(text)
    with pytest.raises(SystemExit):
        tiers(["serve", f"--budget-usd={text}"])
    assert "such as 0.05" in capsys.readouterr().err


def test_amounts_are_exact() -> None:
    assert dollars("0.05") == Decimal("0.05")
    assert dollars(" 1e-3 ") == Decimal("0.001")


def test_tiers_have_no_plain_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert tiers(["serve", "--path", "plain"]) == 1
    assert "leave out --path plain" in capsys.readouterr().err


def test_a_budget_needs_a_price_and_room_for_one_call() -> None:
    _, kept = issue(CUSTOMER)
    settings = Settings(path="agent", keys=(kept,), upstream_url="http://127.0.0.1:9/v1")
    with pytest.raises(UnknownPrice, match="COURSE_SERVICE_PRICE_AS"):
        with_tiers(AnswerCache(), settings, Decimal("0.05"))
    priced = settings.model_copy(update={"price_as": "openai:gpt-5-mini"})
    with pytest.raises(ValueError, match="raise it"):
        with_tiers(AnswerCache(), priced, None, Decimal("0.0001"))
