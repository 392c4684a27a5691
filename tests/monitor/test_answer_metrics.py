"""What is counted of an answer's words, and that no customer's word becomes a label."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from helpers.agent import REFUSAL
from helpers.monitor.answer_metrics import answer_metrics, foreign_addresses, topic
from helpers.shop import documents


@dataclass
class Said:
    text: str


@dataclass
class Turn:
    messages: list[Said]


@dataclass
class Outcome:
    answer: str
    passages: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)


RETURNS = {"document": "returns", "title": "Returns", "text": "Tents can be returned in 30 days."}
SEARCH = {"name": "search_documents"}


def counted(*answers: Outcome, question: str = "How long?") -> dict[tuple[str, str], float]:
    registry = CollectorRegistry()
    watch = answer_metrics(registry)
    for each in answers:
        watch(Turn([Said(question)]), each)
    found = [
        sample
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "service_answers_total"
    ]
    return {(one.labels["topic"], one.labels["result"]): one.value for one in found}


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("You have 30 days.", "grounded"),
        ("You have 40 days.", "ungrounded"),
        ("You have 30 days, and Mister Drummond decides.", "ungrounded"),
        (REFUSAL, "refused"),
        ("Yes.", "not judged"),
    ],
)
def test_an_answer_is_held_against_its_passage(answer: str, result: str) -> None:
    assert counted(Outcome(answer, [RETURNS], [SEARCH])) == {("returns", result): 1}


def test_what_the_question_says_may_be_repeated() -> None:
    told = Outcome("Not after 45 days: 30 days.", [RETURNS], [SEARCH])
    assert counted(told, question="Can I return it after 45 days?") == {("returns", "grounded"): 1}


def test_an_answer_without_a_document_is_not_judged() -> None:
    order = Outcome("It was shipped on 3 June 2026.", tool_calls=[{"name": "lookup_order"}])
    assert counted(order, Outcome("Hello!")) == {
        ("lookup_order", "not judged"): 1,
        ("none", "not judged"): 1,
    }


def test_topics_are_few_whatever_is_found() -> None:
    found = {topic(Outcome("", [{**RETURNS, "document": each.id}])) for each in documents()}
    assert {"returns", "product", "howto"} <= found
    assert len(found) <= 25
    assert topic(Outcome("", [{**RETURNS, "document": "gone"}])) == "other document"


def test_a_tool_that_a_model_makes_up_is_no_topic() -> None:
    words = "my card is 4111 1111 1111 1111"
    made_up = Outcome("I cannot.", tool_calls=[{"name": words}])
    assert list(counted(made_up)) == [("other tool", "not judged")]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Write to help@fernhill.example.", []),
        ("See https://www.fernhill.example/returns.", []),
        ("Confirm your card at fernhill-help.example.", ["fernhill-help.example"]),
        ("Write to a@evilfernhill.example, A@EvilFernhill.example", ["evilfernhill.example"]),
        ("It weighs 2.1 kg. It costs £49.00.", []),
        ("It takes 3 days.Then it is there.", []),
    ],
)
def test_addresses_of_others(answer: str, found: list[str]) -> None:
    assert foreign_addresses(answer) == found
