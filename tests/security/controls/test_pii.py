"""Which personal data the patterns find, which they leave, and what the agent does with it."""

import time

import pytest
from langchain_core.messages import HumanMessage

from helpers.course.exercises.scripted import calling, saying
from helpers.security.controls import redact_pii
from helpers.security.controls.pii import (
    DETECTORS,
    detect_card,
    detect_email,
    detect_phone,
    detect_postcode,
    find_pii,
    public_contacts,
)
from helpers.shop import documents, open_orders, questions
from tests.security.controls.growth import grows_linearly
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


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
        ("4111 1111 1111 1111 12/27 123", "4111 1111 1111 1111"),
        ("4111 1111 1111 1111 1227 123", "4111 1111 1111 1111"),
        ("4111 1111 1111 1111 123", "4111 1111 1111 1111"),
        ("4111111111111111 12/27", "4111111111111111"),
        ("4111111111111111-1227-123", "4111111111111111"),
        ("4111-1111-1111-1111-12-27", "4111-1111-1111-1111"),
        ("123 4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("12/27 4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("4111.1111.1111.1111", "4111.1111.1111.1111"),
        ("4111.1111.1111.1111.", "4111.1111.1111.1111"),
        ("4111\u00a01111\u00a01111\u00a01111", "4111\u00a01111\u00a01111\u00a01111"),
        ("4111\u202f1111\u20091111 1111", "4111\u202f1111\u20091111 1111"),
        ("4111  1111  1111  1111", "4111  1111  1111  1111"),
        ("4111 - 1111 - 1111 - 1111", "4111 - 1111 - 1111 - 1111"),
        ("4111\u20111111\u20131111-1111", "4111\u20111111\u20131111-1111"),
        ("4111_1111_1111_1111", "4111_1111_1111_1111"),
        ("４１１１ １１１１ １１１１ １１１１", "４１１１ １１１１ １１１１ １１１１"),
        ("4111 1111\u200b 1111 1111", "4111 1111\u200b 1111 1111"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
        ("3782 822463 10005", "3782 822463 10005"),
        ("3782-822463-10005", "3782-822463-10005"),
        ("3782 822463 10005 12/27 1234", "3782 822463 10005"),
        ("card4111111111111111", "4111111111111111"),
        ("(4111 1111 1111 1111)", "4111 1111 1111 1111"),
    ],
)
def test_a_card_is_found_however_it_is_grouped_and_with_numbers_beside(
    text: str, number: str
) -> None:
    assert [found["value"] for found in detect_card(f"Card: {text} please")] == [number]


def test_two_cards_in_a_row_are_two() -> None:
    text = "5555 5555 5555 4444 5500 0000 0000 0004"
    assert [found["value"] for found in detect_card(text)] == [text[:19], text[20:]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0044 7700 900123", "0044 7700 900123"),
        ("00 44 7700 900123", "00 44 7700 900123"),
        ("(+44) 7700 900123", "(+44) 7700 900123"),
        ("(0044) 7700 900123", "(0044) 7700 900123"),
        ("+(44) 7700 900123", "+(44) 7700 900123"),
        ("+44(0)7700 900123", "+44(0)7700 900123"),
        ("+44 07700 900123", "+44 07700 900123"),
        ("tel:+44-7700-900-123", "+44-7700-900-123"),
        ("447700900123", "447700900123"),
        ("020-7946-0958", "020-7946-0958"),
        ("01632.960077", "01632.960077"),
        ("Tel.01632 960077", "01632 960077"),
        ("01632·960077", "01632·960077"),
        ("01632/960077", "01632/960077"),
        ("07700\u00a0900\u00a0123", "07700\u00a0900\u00a0123"),
        ("07700  900  123", "07700  900  123"),
        ("０７７００ ９００１２３", "０７７００ ９００１２３"),
        ("0 7 7 0 0 9 0 0 1 2 3", "0 7 7 0 0 9 0 0 1 2 3"),
        ("07 70 09 00 12 3", "07 70 09 00 12 3"),
        ("07700 900123 ext. 4", "07700 900123"),
        ("07700900123x12", "07700900123"),
        ("07700 900123 2 items", "07700 900123"),
        ("_01632 960077_", "01632 960077"),
        ("0800 123456", "0800 123456"),
        ("+33 6 12 34 56 78", "+33 6 12 34 56 78"),
        ("+1 (202) 555-0143", "+1 (202) 555-0143"),
    ],
)
def test_a_telephone_number_is_found_in_every_form(text: str, number: str) -> None:
    assert [found["value"] for found in detect_phone(f"Call {text}!")] == [number]


@pytest.mark.parametrize("between", [" ", ", ", "/", " / ", "  "])
def test_two_numbers_in_a_row_are_two(between: str) -> None:
    found = detect_phone(f"01632 960077{between}07700 900123")
    assert [each["value"] for each in found] == ["01632 960077", "07700 900123"]


@pytest.mark.parametrize(
    "text",
    [
        "Orders FH-10042, FH-10043 and FH-100441",
        "FH-01632960077",
        "ISBN 978-0-306-40615-7, 0-306-40615-2 or 9780306406157",
        "Barcode 5012345678900",
        "01.12.2026 123 and 02-12-2026 100 and 2026-11-28 10:45:00",
        "£1,234.50, £0.99 and £07700900123",
        "0.4111111111111111 and 3.07700900123",
        "IMEI 490154203237518",
        "It weighs 2100 g, not 0.5 kg, at 15000 mm",
        "Sizes 41 42 43 44 45 46 47 48",
        "550e8400-e29b-41d4-a716-446655440000",
        "Figures +10 20 30 40 and 007 1000 20000",
        "The M25 3rd exit, A4 2ft long, T8 8ft",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "@here, ann@localhost and a@b",
    ],
)
def test_honest_numbers_stay(text: str) -> None:
    assert list(find_pii(text)) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mailto:ann@post.example", "ann@post.example"),
        ("<ann@post.example>", "ann@post.example"),
        ("_ann@post.example_", "ann@post.example"),
        ("o'neil@post.example", "o'neil@post.example"),
        ("'ann@post.example'", "ann@post.example"),
        ("ann@post.example.", "ann@post.example"),
        ("ann＠post．example", "ann＠post．example"),
        ("ann@pöst-office.example", "ann@pöst-office.example"),
        ("to=ann@post.example&x", "ann@post.example"),
        ("a" * 70 + "@post.example", "a" * 70 + "@post.example"),
    ],
)
def test_an_e_mail_address_is_found(text: str, address: str) -> None:
    assert [found["value"] for found in detect_email(f"At {text}")] == [address]


@pytest.mark.parametrize("text", ["QA3\u00a07BD", "qa3  7bd", "QA3-7BD", "_QA3 7BD_", "QA3.7BD"])
def test_a_postcode_is_found_however_it_is_spaced(text: str) -> None:
    assert len(detect_postcode(f"to {text}!")) == 1


@pytest.mark.parametrize("kind", DETECTORS)
@pytest.mark.parametrize(
    "hostile",
    ["3e9a07b1", "a", "1", "1 ", "0 ", "4 ", "4111 ", "07700 ", "+", "+44 ", "(", "a.", "a-", "a@",
     "@", "a@b.", "a@b-", "a@b.c ", "'", "A1 ", "QA3", "é", "\u0301"],
)  # fmt: skip
def test_every_detector_is_linear_on_hostile_input(kind: str, hostile: str) -> None:
    assert grows_linearly(DETECTORS[kind], hostile, 1_000)


def test_forty_thousand_hex_digits_take_no_time_to_speak_of() -> None:
    """They took the e-mail pattern 25 seconds; a fold of the text is the unit here."""
    text = "3e9a07b1" * 5_000
    before = time.thread_time()
    assert list(find_pii(text)) == []
    assert time.thread_time() - before < 2


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
