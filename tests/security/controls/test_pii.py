"""Which personal data the patterns find, which they leave, and what the agent does with it."""

import pytest
from langchain_core.messages import HumanMessage

from helpers.course.exercises.scripted import calling, saying
from helpers.security.controls import redact_pii
from helpers.security.controls.pii import (
    detect_card,
    detect_email,
    detect_phone,
    detect_postcode,
    find_pii,
    public_contacts,
)
from helpers.shop import documents, open_orders, questions
from tests.security.controls.running import answered, returning


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1111",
        "4111111111111111",
        "5500-0000-0000-0004",
        "3782 822463 10005",  # 15 digits: LangChain's own detector wants 16
        "4222222222222",  # 13
        "6304000000000000000",  # 19
    ],
)
def test_cards_of_every_length_are_found(number: str) -> None:
    assert [found["value"] for found in detect_card(f"Card {number}, please.")] == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # the check digit is wrong
        "411111111111",  # 12 digits
        "41111111111111111111",  # 20 digits
        "FH-10234",
        "It weighs 2100 g and costs £49.00",
    ],
)
def test_other_numbers_are_no_cards(text: str) -> None:
    assert detect_card(text) == []


@pytest.mark.parametrize(
    "number",
    ["01632 960042", "01632960042", "(01632) 960042", "+44 1632 960042", "+44 (0)1632 960 042",
     "07700 900123", "020 7946 0018"],
)  # fmt: skip
def test_telephone_numbers_are_found(number: str) -> None:
    assert [found["value"] for found in detect_phone(f"Call {number}!")] == [number]


@pytest.mark.parametrize(
    "text",
    ["FH-10234", "0.5 litres", "03 2026", "£01632 96", "Call 01632 960120.", "1800 g at 15000 mm"],
)
def test_other_figures_and_the_shop_s_own_number_are_left(text: str) -> None:
    assert detect_phone(text) == []


def test_the_shop_s_own_address_is_left() -> None:
    assert detect_email("business@fernhill.example") == []
    assert "business@fernhill.example" in public_contacts()
    assert len(detect_email("Ann.Lee+x@mail.example, b@c.example")) == 2
    assert detect_email("a@b") == []


@pytest.mark.parametrize(("text", "count"), [
    ("QA3 7BD", 1), ("to xk191hn.", 1), ("SW1A 1AA", 1), ("Alta 2 tent", 0), ("A1 paper", 0),
    ("E27 bulb 5", 0), ("FH-10234", 0), ("M6 2CV", 0),
])  # fmt: skip
def test_postcodes(text: str, count: int) -> None:
    assert len(detect_postcode(text)) == count


def test_every_customer_s_data_is_found_and_no_public_document_holds_any() -> None:
    for customer in open_orders().all_customers():
        text = f"{customer.email}, {customer.phone}, {customer.postcode}"
        assert [found["type"] for found in find_pii(text)] == ["email", "phone", "postcode"]
    assert [d.id for d in documents() if list(find_pii(d.text))] == []


def test_golden_questions_lose_nothing() -> None:
    assert [q.id for q in questions("dev") if list(find_pii(q.question))] == []


def test_message_result_and_answer_are_redacted() -> None:
    messages, model = answered(
        redact_pii(["card", "phone"]),
        "My card is 3782 822463 10005.",
        says=[calling(("read", {})), saying("I have 4111 1111 1111 1111 too.")],
        tools=[returning("Her number is 01632 960042.")],
    )
    texts = [message.text for message in messages if message.text]
    assert texts == [
        "My card is [REDACTED_CARD].",
        "Her number is [REDACTED_PHONE].",
        "I have [REDACTED_CARD] too.",
    ]
    heard = [m.text for prompt in model.heard for m in prompt if isinstance(m, HumanMessage)]
    assert all("3782" not in text for text in heard)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="passport"):
        redact_pii(["passport"])
