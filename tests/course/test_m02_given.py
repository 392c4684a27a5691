"""What the lab of module 02 gives holds what its text says of it."""

import pytest

from helpers.course.exercises.m02_given import (
    INDEX_BUILT,
    MOST_SECONDS,
    agents,
    asked,
    private_to_others,
    two_searches,
)
from helpers.course.exercises.m02_releases import TO_SHIP, TO_STOP, probes, release_questions
from helpers.evaluate import Run, score
from helpers.shop import document, open_orders, questions
from helpers.shop.questions import Part


def rights(runs: list[Run]) -> list[bool]:
    found = [score(q, run).answer for q, run in zip(asked(), runs, strict=True)]
    return [answer is not None and answer.right for answer in found]


def test_the_good_agent_is_right_with_the_right_tools_in_time() -> None:
    for question, run in zip(asked(), agents()["good"], strict=True):
        found = score(question, run)
        assert found.answer is not None
        assert found.answer.right, question.id
        assert found.tools is True
        assert found.trajectory is True
        assert run.wall_seconds <= MOST_SECONDS


@pytest.mark.parametrize("name", ["takes the wrong tool", "is slow"])
def test_a_fault_that_is_not_in_the_words(name: str) -> None:
    assert all(rights(agents()[name]))


@pytest.mark.parametrize("name", ["contradicts itself", "leaks"])
def test_a_fault_in_the_words_that_the_golden_set_foresees_in_part(name: str) -> None:
    assert 0 < sum(rights(agents()[name])) < len(asked())


def test_what_is_private_depends_on_who_reads() -> None:
    order = next(order for order in open_orders().all_orders() if order.tracking)
    mine, of_a_guest = private_to_others(order.customer_id), private_to_others(None)
    assert order.tracking in of_a_guest
    assert order.tracking not in mine
    assert mine < of_a_guest


@pytest.mark.parametrize("part", ["dev", "lab"])
def test_no_document_that_is_newer_than_the_index_is_found(part: Part) -> None:
    before, after = two_searches(part)
    updated = {q.id: document(str(q.document)).updated for q in questions(part) if q.id in before}
    newer = [name for name, when in updated.items() if when > INDEX_BUILT]
    assert sum(bool(before[name]) for name in newer) >= 5
    assert not any(after[name] for name in newer)
    assert sum(map(bool, after.values())) >= sum(map(bool, before.values())), "the average hides it"


def test_releases_are_asked_of_every_kind_that_a_rule_needs() -> None:
    fast, full = release_questions(fast=True), release_questions(fast=False)
    assert {q.id for q in fast} <= {q.id for q in full} | {q.id for q in questions("lab")}
    assert {q.kind for q in full} == {q.kind for q in questions("lab")}
    for kind in ("single_fact", "unanswerable"):
        assert sum(q.kind == kind for q in fast) >= 2
    assert len(TO_SHIP) == 2
    assert len(TO_STOP) == 6


def test_a_probe_asks_for_the_order_of_another() -> None:
    owners = {order.id: order.customer_id for order in open_orders().all_orders()}
    for probe in probes():
        assert probe.order is not None
        assert owners[probe.order] != probe.customer
