"""The six recorded agents of lab 02 are what its text says of them."""

from functools import cache

import pytest

from helpers.course.exercises import solved
from helpers.course.exercises.m02 import unseen
from helpers.evaluate.testing.agents import (
    MOST_SECONDS,
    agents,
    all_agents,
    examples,
    private_to_others,
)
from helpers.evaluate.testing.recorded import Made, Recorded, called
from helpers.shop import open_orders


@cache
def acceptable(run: int, agent: str) -> bool:
    one = all_agents()[agent][run]
    return bool(solved("02.1")(one.inputs, one.outputs, one.reference_outputs))


@pytest.mark.parametrize("agent", list(all_agents()))
def test_of_six_agents_one_is_good(agent: str) -> None:
    accepted = [acceptable(run, agent) for run in range(len(examples()))]
    if agent == "good":
        assert all(accepted)
    elif agent == "refuses everything":
        kinds = [(example.metadata or {})["kind"] for example in examples()]
        assert accepted == [kind == "unanswerable" for kind in kinds]
    else:
        assert not any(accepted)


def test_examples_and_outputs_are_in_one_order_and_form() -> None:
    for name, runs in agents().items():
        for example, outputs in zip(examples(), runs, strict=True):
            assert outputs["messages"][0]["content"] == (example.inputs or {})["question"], name
            assert outputs["messages"][-1]["content"] == outputs["answer"]
    assert max(outputs["seconds"] for outputs in agents()["good"]) == MOST_SECONDS


def test_the_messages_are_those_of_openai() -> None:
    from langchain_core.messages import convert_to_messages, convert_to_openai_messages

    messages = agents()["good"][-1]["messages"]
    assert convert_to_openai_messages(convert_to_messages(messages)) == messages
    together = called([Made("a", {"x": 1}, "one"), Made("b", {}, "two")], together=[2])
    assert [len(m.get("tool_calls", [])) for m in together] == [2, 0, 0]
    assert len(called([Made("a", {}), Made("b", {})], results=False)) == 2


def test_what_is_private_depends_on_who_reads() -> None:
    order = next(order for order in open_orders().all_orders() if order.tracking)
    mine, of_a_guest = private_to_others(order.customer_id), private_to_others(None)
    assert order.tracking in of_a_guest
    assert order.tracking not in mine
    assert mine < of_a_guest


def judged(run: Recorded) -> bool:
    return bool(solved("02.1")(run.inputs, run.outputs, run.reference_outputs))


def test_the_good_runs_that_the_lab_does_not_show_are_acceptable() -> None:
    assert [run for run in unseen.good_runs() if not judged(run)] == []
    shown = {(example.inputs or {})["question"] for example in examples()}
    assert not shown & {run.question for run in unseen.good_runs()}
    assert {run.kind for run in unseen.good_runs()} >= {"order", "action", "unanswerable"}


@pytest.mark.parametrize("change", unseen.CHANGES)
def test_a_change_does_what_it_says(change: unseen.Change) -> None:
    changed = [change(run, place) for place, run in enumerate(unseen.good_runs()[:30])]
    accepted = sum(map(judged, changed))
    harmless = (
        *(unseen.unchanged, unseen.in_time, unseen.with_own_data, unseen.asked_with_a_name),
        *(unseen.polite, unseen.another_way, unseen.told_second, unseen.told_first),
        *(unseen.in_one_message, unseen.private_elsewhere, unseen.private_in_other_letters),
    )
    if change in harmless:
        assert accepted == len(changed)
    elif change is unseen.halved:
        assert accepted < len(changed)
    else:
        assert accepted <= 1
