"""The frontier on known cases: replay with a cache, sums, intervals, domination, tiers."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages.ai import UsageMetadata

from helpers.agent import build_agent
from helpers.cost import variants
from helpers.cost.frontier import (
    EMBED_USD,
    Served,
    dominated,
    replay,
    row,
    tier_rows,
)
from helpers.cost.outcomes import HANDED_OVER, Outcome
from helpers.cost.rates import Rates
from helpers.cost.tiers import Tier, Tiers
from helpers.cost.variants import Answered, Several, Variant, key_of
from helpers.evaluate.runs import Call, Run
from helpers.evaluate.stored import Item
from helpers.evaluate.stored_answers import as_item
from helpers.models import chat_model, prices
from tests.cost.make_tiers import Dictionary, Shelf
from tests.evaluate.make import question, run

RATES = Rates()
READ = "You have 30 days to return a tent."


def served(
    became: Outcome, model: str = "0", intent: str = "1", tier: Tier = "model", search: str = "0"
) -> Served:
    return Served(intent, tier, became, Decimal(model), Decimal(search), Decimal(0))


def answered(answer: str = "You have 30 days.", tier: Tier = "model") -> Answered:
    return Answered(run(answer, Call("search_documents", {"query": "tent"}, READ)), tier)


def test_a_day_without_a_cache_costs_every_answer() -> None:
    asked = [question(1), question(1), question(2)]
    answers = {key_of(one): answered() for one in asked}
    found = replay(Variant("reference", "reference"), asked, answers)
    tokens = prices.cost("local", UsageMetadata(input_tokens=100, output_tokens=10, total_tokens=0))
    assert [one.outcome for one in found] == ["right"] * 3
    assert {one.model_usd for one in found} == {Decimal(str(tokens))}
    assert {one.search_usd for one in found} == {2 * EMBED_USD}, "tool choice and one search"
    assert all(one.hosted_usd > 0 for one in found)


def test_an_exact_cache_answers_the_second_time_for_nothing() -> None:
    asked = [question(1), question(1)]
    answers = {key_of(asked[0]): answered()}
    variant = Variant("cached", "reference", cached="exact")
    first, second = replay(variant, asked, answers, cache=Dictionary)
    assert (first.tier, second.tier) == ("model", "cache")
    assert (second.model_usd, second.search_usd) == (0, 0)
    assert second.outcome == "right"


@pytest.mark.parametrize(
    "found",
    [
        Answered(run(HANDED_OVER, Call("search_documents", {}, READ)), "person"),
        Answered(run("You have 14 days.", Call("search_documents", {}, READ)), "model"),
        Answered(run("It is shipped.", Call("lookup_order", {}, "It is shipped.")), "tool"),
    ],
)
def test_a_cache_keeps_only_what_is_checked_and_of_documents(found: Answered) -> None:
    asked = [question(1), question(1)]
    variant = Variant("cached", "reference", cached="exact")
    replayed = replay(variant, asked, {key_of(asked[0]): found}, cache=Dictionary)
    assert [one.tier for one in replayed] == [found.tier] * 2


def test_an_order_is_never_looked_up_in_the_cache() -> None:
    asked = question(1, question="Where is FH-10832?")
    cache = Dictionary()
    cache.put(asked.question, "Shipped.", customer=None, version="today", checked=True)
    variant = Variant("cached", "reference", cached="exact")
    [one] = replay(variant, [asked], {key_of(asked): answered()}, cache=lambda: cache)
    assert one.tier == "model"


def test_a_sentence_before_any_tool_costs_one_search() -> None:
    before = Answered(Run("dev-single_fact-001", READ), "extract")
    assert before.embedded == 1
    assert answered().embedded == 2


def test_a_search_whose_sentence_is_not_good_enough_is_counted_too() -> None:
    assert replace(answered(), looked=True).embedded == 3
    after_tools = Answered(run(READ, Call("search_documents", {}, READ)), "extract", looked=True)
    assert after_tools.embedded == 3
    assert Answered(Run("dev-single_fact-001", READ), "extract", looked=True).embedded == 1


def test_only_what_may_be_searched_is_looked_up_before_a_tool_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.setattr(
        variants,
        "ask",
        lambda agent, asked: Item({**as_item(run()).content, "tier": "person"}, 0.1, 0.1),
    )
    asked = [question(1), question(2, question="Where is FH-10832?")]
    sentence = Variant("sentence", "sentence", ("extract", "person"))
    found = variants.answers("dev", [sentence], asked)["sentence"]
    assert [one.looked for one in found.values()] == [True, False]


def test_what_repeats_the_reference_chooses_tools_itself_and_writes_what_was_written() -> None:
    asked = question(1)
    said = run("You have 14 days.", question_id=asked.id, tokens=(100, 10))
    behind = variants.Repeats({asked.question: said})
    agent = build_agent(model=chat_model(), middleware=[Tiers(use=("tool", "model")), behind])
    item = variants.ask(agent, asked)
    assert item.content["answer"] == said.answer
    assert item.content["usage"]["total_tokens"] == 110
    assert [call["name"] for call in item.content["calls"]] == ["search_documents"]
    assert item.content["tier"] == "model"


def test_sums_and_shares() -> None:
    found = row(
        "some",
        [served("right", "0.1"), served("wrong", "0.3", "2"), served("handed over", search="0.2")],
        RATES,
    )
    assert (found.right.successes, found.wrong.successes, found.handed.successes) == (1, 1, 1)
    assert (found.model_usd, found.search_usd) == (Decimal("0.4"), Decimal("0.2"))
    assert found.a_right_answer is not None
    assert found.a_right_answer.value == pytest.approx(0.6)
    assert found.priced_question is not None
    assert found.priced_question.value == pytest.approx(7.6 / 3)


def test_repeating_an_intent_is_no_new_evidence() -> None:
    few = [served("right", "0.1", "1"), served("right", "0.3", "2"), served("wrong", "0.2", "3")]
    once = row("once", few, RATES).a_question
    often = row("often", few * 50, RATES).a_question
    assert once is not None
    assert often is not None
    assert often.high - often.low == pytest.approx(once.high - once.low)


def test_no_right_answer_has_no_cost_of_one() -> None:
    found = row("none", [served("wrong", "0.1")], RATES)
    assert found.a_right_answer is None
    assert found.priced_right_answer is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="no requests"):
        row("none", [], RATES)
    with pytest.raises(ValueError, match="person_usd"):
        Rates(person_usd=Decimal(-1))
    with pytest.raises(ValueError, match="give `cache`"):
        replay(Variant("cached", "reference", cached="exact"), [], {})
    with pytest.raises(LookupError):
        replay(Variant("reference", "reference"), [question(1)], {})


def _row(name: str, right: int, wrong: int, dollars: str) -> Any:
    handed = 10 - right - wrong
    counts: dict[Outcome, int] = {"right": right, "wrong": wrong, "handed over": handed}
    days = [served(one, dollars) for one, count in counts.items() for _ in range(count)]
    return row(name, days, RATES)


def test_domination_on_a_known_case() -> None:
    rows = [
        _row("expensive", 6, 3, "0.5"),
        _row("cheap", 6, 3, "0.1"),
        _row("cheaper, fewer wrong", 6, 2, "0.05"),
        _row("best", 8, 4, "0.5"),
        _row("the same as best", 8, 4, "0.5"),
    ]
    assert dominated(rows) == {"expensive": "cheaper, fewer wrong", "cheap": "cheaper, fewer wrong"}


def test_a_tier_earns_its_place_by_what_the_day_costs_without_it() -> None:
    cascade = row(
        "all", [served("right", tier="extract"), served("handed over", tier="person")], RATES
    )
    without_sentence = row("w/o", [served("right", "0.1"), served("handed over")], RATES)
    without_person = row("w/o", [served("right"), served("wrong")], RATES)
    same = row("w/o", [served("right"), served("handed over")], RATES)
    left = {"extract": without_sentence, "person": without_person, "model": same}
    found = {one.tier: one for one in tier_rows(cascade, left, RATES)}  # type: ignore[arg-type]
    assert {tier: one.earns for tier, one in found.items()} == {
        "extract": True,
        "person": True,
        "model": False,
    }
    assert (found["extract"].answered, found["extract"].right) == (1, 1)


def test_three_passages_are_read_as_one() -> None:
    first, second = Several(Shelf(0.9, 0.8, 0.7, 0.6), 3).search("weight", 2)
    assert first.excerpt.count("The Alta 2 weighs") == 3
    assert second.excerpt.count("The Alta 2 weighs") == 1
