import pytest

from helpers.shop import open_orders
from helpers.tracing.redact import redactor


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to una.caird+x@mail.example, please", "write to [email], please"),
        ("Call 01632 960123 or +44 1632 960123.", "Call [phone] or [phone]."),
        ("call (01632) 960 123", "call [phone]"),
        ("mobile 07700 900123", "mobile [phone]"),
        ("card 4111 1111 1111 1111 exp 12/28", "card [card] exp 12/28"),
        ("card 4111-1111-1111-1111", "card [card]"),
        ("card 4111111111111111", "card [card]"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN [iban]"),
        ("12 Fell View, Ambersett QA3 4BD", "12 Fell View, Ambersett [postcode]"),
        ("Una Caird wants it, says UNA CAIRD", "[name] wants it, says [name]"),
    ],
)
def test_personal_data_go(text: str, clean: str) -> None:
    assert redactor("Una Caird")(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Where is order FH-10234, customer C-0042?",
        "It weighs 2,400 g and costs £149.00; I bought it on 2026-05-30.",
        "tracking PP123456789",
        "score 0.8123456789012345, 1.341234567890123",
        "latency 0.123456789 s at 2026-06-15T09:00:00.123456+00:00",
        "run 01a20903-9d1d-70ee-b2a3-4f1560d33e42",
        "1600 mm water column, minus 10 degrees, 30 days",
        "the Alta 2 tent",
    ],
)
def test_what_the_agent_needs_stays(text: str) -> None:
    assert redactor("Una Caird")(text) == text


def test_all_levels_of_a_run() -> None:
    """The SDK's own `create_anonymizer` stops at ten levels, and LangChain's messages go deeper."""
    deep: object = "a@b.example"
    for _ in range(30):
        deep = {"m": [deep]}
    assert "b.example" not in str(redactor()({"inputs": deep}))
    data = {"email": "odd at nowhere", "n": 5, "yes": True, "no": None, "list": ["a@b.example"]}
    assert redactor()(data) == {
        "email": "[email]",
        "n": 5,
        "yes": True,
        "no": None,
        "list": ["[email]"],
    }


def test_every_customer_of_the_shop() -> None:
    orders = open_orders()
    customers = orders.all_customers()
    redact = redactor(*(customer.name for customer in customers))
    for customer in customers:
        text = f"I am {customer.name}, {customer.email}, {customer.phone}, {customer.postcode}."
        assert redact(text) == "I am [name], [email], [phone], [postcode]."
    orders.close()
