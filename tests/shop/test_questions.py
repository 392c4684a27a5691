"""The golden questions: the format, and those about orders, actions and what nobody knows."""

import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helpers.evaluate.text import states
from helpers.shop import (
    Question,
    QuestionError,
    RefundRefused,
    ToolCall,
    UnknownOrder,
    day,
    document,
    documents,
    open_orders,
    pounds,
    questions,
)
from helpers.shop.questions import FOLDER, KINDS, PARTS, TOOL_ARGUMENTS, load_file

ALL = [question for part in PARTS for question in questions(part)]
ABOUT_ORDERS = [q for q in ALL if q.order is not None]
UNANSWERABLE = [q for q in ALL if q.kind == "unanswerable"]
COUNTS = {
    "dev": {"order": 10, "action": 8, "two_step": 10, "unanswerable": 16},
    "lab": {"order": 10, "action": 8, "two_step": 10, "unanswerable": 16},
    "heldout": {"order": 18, "action": 14, "two_step": 16, "unanswerable": 28},
    "heldout2": {"order": 8, "action": 6, "two_step": 7, "unanswerable": 12},
}
SIZES = {"dev": 80, "lab": 80, "heldout": 140, "heldout2": 60}
HANDED_OVER = "A colleague will take over; the ticket is T-0001."


def tools_of(question: Question) -> list[str]:
    return [call.name for call in question.tools]


def lookup(question: Question) -> str:
    """All that the order book says about the order, or that the customer has no such order."""
    assert question.order is not None
    assert question.customer is not None
    with open_orders() as orders:
        try:
            order = orders.get(question.order, question.customer)
        except UnknownOrder as unknown:
            return str(unknown)
    days = {
        "placed": order.ordered_on,
        "expected": order.expected_on,
        "shipped": order.shipped_on,
        "delivered": order.delivered_on,
        "returned": order.returned_on,
        "cancelled": order.cancelled_on,
    }
    return " ".join(
        [
            f"Its state is {order.status}.",
            *(f"It was {what} on {day(when)}." for what, when in days.items() if when),
            f"The carrier is {order.carrier}. The tracking number is {order.tracking}.",
            *(f"{i.quantity} x {i.title} for {pounds(i.price)} each." for i in order.items),
            f"The total is {pounds(order.total)}.",
            f"The {order.delivery} delivery cost {pounds(order.delivery_fee)}.",
            f"Refunded so far: {pounds(order.refunded)}.",
        ]
    )


def refund(question: Question, call: ToolCall) -> str:
    """What the order book says to the refund that the question expects to be asked for."""
    assert question.customer is not None
    assert call.args is not None
    amount = call.args.get("amount")
    with open_orders() as orders:
        try:
            made = orders.refund(
                str(call.args["order_id"]),
                question.customer,
                None if amount is None else Decimal(str(amount)),
            )
        except (RefundRefused, UnknownOrder) as refused:
            return str(refused)
    return f"{pounds(made.amount)} of order {made.order_id} has been refunded."


def truth(question: Question) -> str:
    """The words of the expected tools, but for those of a search."""
    words = []
    for call in question.tools:
        if call.name == "lookup_order":
            words.append(lookup(question))
        elif call.name == "issue_refund":
            words.append(refund(question, call))
        elif call.name == "hand_over":
            words.append(HANDED_OVER)
    return " ".join(words)


def right(question: Question, answer: str) -> bool:
    return all(
        any(states(answer, fact) for fact in group) for group in question.required
    ) and not any(states(answer, fact) for fact in question.forbidden)


# All questions


def test_there_are_360_questions_in_four_parts() -> None:
    assert {part: len(questions(part)) for part in PARTS} == SIZES


@pytest.mark.parametrize("part", PARTS)
def test_counts_per_kind(part: Any) -> None:
    kinds = Counter(q.kind for q in questions(part))
    assert {kind: kinds[kind] for kind in COUNTS[part]} == COUNTS[part]


def test_ids_are_unique_and_no_wording_is_used_twice() -> None:
    assert len({q.id for q in ALL}) == len(ALL)
    wordings = Counter(" ".join(q.question.casefold().split()).rstrip("?!. ") for q in ALL)
    assert [wording for wording, times in wordings.items() if times > 1] == []


def test_heldout2_is_as_it_was_before_anything_was_run_on_it() -> None:
    """A question that the agent gets wrong is a fault of the agent: do not change the question."""
    texts = [(FOLDER / f"heldout2-{kind}.jsonl").read_text("utf-8") for kind in KINDS]
    frozen = "176cbecc84b8581a4e7f410809d792581e8879f52a1ad4f601ef4b878e6eac49"
    assert hashlib.sha256("".join(texts).encode()).hexdigest() == frozen


def test_no_document_answers_more_than_two_questions_of_heldout2() -> None:
    asked = Counter(q.document for q in questions("heldout2") if q.document)
    assert max(asked.values()) <= 2


def test_no_required_alternative_states_something_forbidden() -> None:
    for question in ALL:
        for group in question.required:
            for fact in group:
                assert not any(states(fact, bad) for bad in question.forbidden), question.id


# Orders, actions, two steps


def test_no_order_is_asked_about_twice() -> None:
    """What is shown in the course must not give away an answer of heldout."""
    assert [o for o, times in Counter(q.order for q in ABOUT_ORDERS).items() if times > 1] == []


def test_every_order_exists_is_named_and_belongs_to_who_asks_or_is_denied() -> None:
    with open_orders() as orders:
        owners = {order.id: order.customer_id for order in orders.all_orders()}
        people = {customer.id for customer in orders.all_customers()}
    foreign = Counter()
    for question in ABOUT_ORDERS:
        assert question.order in owners, question.id
        assert question.order in question.question.upper(), question.id
        assert question.customer in people, question.id
        if owners[question.order] != question.customer:
            assert any("no order" in group for group in question.required), question.id
            assert question.forbidden, question.id
            foreign[question.id.partition("-")[0]] += 1
    assert foreign == {"dev": 2, "heldout": 2, "heldout2": 1}


def test_customers_of_other_questions_exist_or_are_nobody() -> None:
    with open_orders() as orders:
        people = {customer.id for customer in orders.all_customers()}
    assert {q.customer for q in ALL} <= people | {None}


def test_expected_calls_name_the_order_of_the_question() -> None:
    for question in ALL:
        for call in question.tools:
            if "order_id" in TOOL_ARGUMENTS[call.name]:
                assert call.args is not None, question.id
                assert call.args["order_id"] == question.order, question.id
            if call.args and "amount" in call.args:
                assert f"{call.args['amount']:g}" in question.question, question.id


@pytest.mark.parametrize(
    "question", [q for q in ALL if q.kind in {"order", "action"}], ids=lambda q: q.id
)
def test_what_the_tools_say_is_a_right_answer(question: Question) -> None:
    assert right(question, truth(question)), truth(question)


@pytest.mark.parametrize("question", [q for q in ALL if q.kind == "two_step"], ids=lambda q: q.id)
def test_two_steps_need_what_both_tools_say(question: Question) -> None:
    assert len(set(tools_of(question))) == 2
    searched = "search_documents" in tools_of(question)
    assert (question.document is not None) == searched
    page = document(question.document).text if question.document else ""
    said = truth(question)
    for group in question.required:
        assert any(states(said, fact) or states(page, fact) for fact in group), group
    for fact in question.forbidden:
        assert not states(said, fact), fact
    assert not right(question, page)
    assert right(question, said) == (not searched)


def test_each_part_has_refunds_that_are_made_and_refunds_that_are_refused() -> None:
    for part in PARTS:
        asked = [q for q in questions(part) if "issue_refund" in tools_of(q)]
        made = [q for q in asked if "has been refunded." in refund(q, q.tools[-1])]
        assert len(made) >= 4
        assert len(asked) - len(made) >= 4


@pytest.mark.parametrize("part", PARTS)
def test_two_steps_of_several_kinds(part: Any) -> None:
    pairs = Counter(tuple(tools_of(q)) for q in questions(part) if q.kind == "two_step")
    assert set(pairs) == {
        ("lookup_order", "search_documents"),
        ("lookup_order", "issue_refund"),
        ("search_documents", "hand_over"),
        ("lookup_order", "hand_over"),
    }


# Unanswerable


def test_unanswerable_questions_expect_a_search_and_nothing_else() -> None:
    for question in UNANSWERABLE:
        assert tools_of(question) == ["search_documents"]
        assert (question.document, question.order, question.required) == (None, None, ())


def test_some_answers_stand_only_in_the_notes_for_staff() -> None:
    """What such a question forbids is what the note says, and no public page answers with it."""
    notes = " ".join(d.text for d in documents(internal=True) if d.kind == "internal")
    secrets = [q for q in UNANSWERABLE if q.forbidden and states(notes, q.forbidden[0])]
    assert {part: sum(q.id.startswith(f"{part}-") for q in secrets) for part in PARTS} == {
        "dev": 3,
        "lab": 3,
        "heldout": 5,
        "heldout2": 2,
    }
    names = (
        "FERN-KIND-20",
        "Veldane",
        "Harrow Mere",
        "Inge Solway",
        "I-2026-031",
        "week 27",
        "35 per cent",
        "lighter model",
    )
    for page in documents():
        for name in names:
            assert not states(page.text, name), (page.id, name)


# The format


GOOD: dict[str, Any] = {
    "id": "dev-action-001",
    "kind": "action",
    "question": "Please refund £12.50 of FH-10234.",
    "customer": "C-0042",
    "document": None,
    "order": "FH-10234",
    "required": [["£12.50"], ["refunded", "refund of"]],
    "forbidden": ["cannot"],
    "tools": [{"name": "issue_refund", "args": {"order_id": "FH-10234", "amount": 12.5}}],
}


def written(folder: Path, *rows: dict[str, Any] | str, name: str = "dev-action.jsonl") -> Path:
    path = folder / name
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_good_line_is_read(tmp_path: Path) -> None:
    assert load_file(written(tmp_path, GOOD)) == [
        Question(
            id="dev-action-001",
            kind="action",
            question="Please refund £12.50 of FH-10234.",
            customer="C-0042",
            document=None,
            order="FH-10234",
            required=(("£12.50",), ("refunded", "refund of")),
            forbidden=("cannot",),
            tools=(ToolCall("issue_refund", {"order_id": "FH-10234", "amount": 12.5}),),
        )
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "chat"}, "kind: Input should be"),
        ({"kind": "order"}, "do not belong in this file"),
        ({"id": "lab-action-001"}, "do not belong in this file"),
        ({"id": "dev-action-1"}, "id: String should match"),
        ({"question": " Refund me "}, "question: String should match"),
        ({"question": None}, "question: Input should be a valid string"),
        ({"customer": "42"}, "customer: String should match"),
        ({"customer": None}, "needs the customer who asks it"),
        ({"order": "10234"}, "order: String should match"),
        ({"required": []}, "'required' is empty"),
        ({"required": [[]]}, "required.0: Tuple should have at least 1 item"),
        ({"required": ["£12.50"]}, "required.0: Input should be a valid array"),
        ({"forbidden": "cannot"}, "forbidden: Input should be a valid array"),
        ({"tools": []}, "tools: Tuple should have at least 1 item"),
        ({"tools": [{"name": "refund"}]}, "tools.0.name: Input should be"),
        ({"tools": [{"name": "hand_over", "args": {"order_id": "x"}}]}, "no argument order_id"),
        ({"tools": [{"name": "hand_over", "reason": "x"}]}, "tools.0.reason: Unexpected"),
        ({"note": "why"}, "note: Unexpected"),
    ],
)
def test_a_broken_field_is_named_with_its_line(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, GOOD, {**GOOD, "id": "dev-action-002", **change})
    with pytest.raises(QuestionError, match=r"dev-action\.jsonl, line 2: ") as error:
        load_file(path)
    assert message in str(error.value)


@pytest.mark.parametrize("line", ["", "{", "[]", "null"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(QuestionError, match=r"dev-action\.jsonl, line 1: "):
        load_file(written(tmp_path, line))


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    row = {name: value for name, value in GOOD.items() if name != "forbidden"}
    with pytest.raises(QuestionError, match="forbidden: Field required"):
        load_file(written(tmp_path, row))


def test_an_unanswerable_question_requires_nothing(tmp_path: Path) -> None:
    row = {
        **GOOD,
        "id": "dev-unanswerable-001",
        "kind": "unanswerable",
        "order": None,
        "tools": [{"name": "search_documents"}],
    }
    with pytest.raises(QuestionError, match="no document and nothing required"):
        load_file(written(tmp_path, row, name="dev-unanswerable.jsonl"))


def test_an_id_is_used_once(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="used twice as an id: dev-action-001"):
        load_file(written(tmp_path, GOOD, GOOD))


def test_a_missing_file_and_a_wrong_name_are_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="restore it"):
        load_file(tmp_path / "dev-order.jsonl")
    with pytest.raises(QuestionError, match="<part>-<kind>"):
        load_file(written(tmp_path, GOOD, name="test-action.jsonl"))


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        questions("train")  # type: ignore[arg-type]


def test_questions_may_be_changed_without_changing_the_next_load() -> None:
    questions("dev").clear()
    assert len(questions("dev")) == SIZES["dev"]
    assert {q.kind for q in questions("dev")} == set(KINDS)
