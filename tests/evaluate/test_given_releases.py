"""What exercises 02.4 and 02.6 are given holds what its text says of it."""

import pandas as pd
import pytest

from helpers.evaluate import Call, Run
from helpers.evaluate.testing.changes import TO_SHIP, TO_STOP, TODAYS
from helpers.evaluate.testing.releases import as_table, probes, release_questions
from helpers.evaluate.testing.searches import INDEX_BUILT, known_of, two_searches
from helpers.shop import document, open_orders, questions


def test_no_document_that_is_newer_than_the_index_is_found() -> None:
    before, after = two_searches("dev")
    updated = {q.id: document(str(q.document)).updated for q in questions("dev") if q.id in before}
    newer = [name for name, when in updated.items() if when > INDEX_BUILT]
    assert sum(before[name] for name in newer) >= 5
    assert not any(after[name] for name in newer)
    assert sum(after.values()) == sum(before.values()), "the average hides it"


def test_a_question_without_a_document_has_the_same_columns() -> None:
    rows = [known_of(question) for question in questions("lab")]
    assert len({tuple(row) for row in rows}) == 1
    without = [row for row in rows if row["document"] is None]
    assert without
    for row in without:
        about = [row[name] for name in row if name.startswith("doc") or name == "words_shared"]
        assert set(about) == {None}
        assert row["updated"] is pd.NaT


def test_releases_are_asked_of_every_kind_that_a_rule_needs() -> None:
    fast, full = release_questions(fast=True), release_questions(fast=False)
    assert {q.id for q in fast} <= {q.id for q in full} | {q.id for q in questions("lab")}
    assert {q.kind for q in full} == {q.kind for q in questions("lab")}
    for kind in ("single_fact", "unanswerable"):
        assert sum(q.kind == kind for q in fast) >= 2
    assert len({TODAYS, *TO_SHIP, *TO_STOP}) == 9


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.id)
def test_a_probe_asks_for_the_order_of_another(probe: object) -> None:
    owners = {order.id: order.customer_id for order in open_orders().all_orders()}
    assert owners[str(vars(probe)["order"])] != vars(probe)["customer"]


def test_a_run_becomes_a_row_in_openai_s_form() -> None:
    (question,) = probes()[:1]
    call = Call("lookup_order", {"order_id": "FH-10921"}, "There is no order FH-10921.")
    told = Run(question.id, "You have no order FH-10921.", calls=(call,))
    (row,) = as_table([question], [told]).to_dict("records")
    assert [message["role"] for message in row["messages"]] == [
        *("user", "assistant", "tool", "assistant"),
    ]
    (made,) = row["messages"][1]["tool_calls"]
    assert made["function"] == {"name": "lookup_order", "arguments": '{"order_id": "FH-10921"}'}
    assert row["messages"][2]["tool_call_id"] == made["id"]
    assert row["messages"][2]["content"] == call.result
    assert (row["right"], row["error"], row["expected"]) == (True, "", ["lookup_order"])
    assert row["tokens"] != row["tokens"], "a run that tells no tokens"
    assert row["private"]


def test_a_run_that_failed_has_no_verdict() -> None:
    (question,) = probes()[:1]
    failed = Run(question.id, "", status="error", error="ValueError: no")
    (row,) = as_table([question], [failed]).to_dict("records")
    assert row["right"] is None
    assert (row["answer"], row["error"]) == ("", "ValueError: no")
    assert [message["role"] for message in row["messages"]] == ["user"]
