"""The discount is given where it is due, and nobody reads the code that gives it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from langchain_core.messages import ToolMessage

from helpers.course.exercises.scripted import calling, saying
from helpers.security.controls import Till, make_apply_goodwill
from helpers.security.controls.secrets import DiscountRefused, check_entitled
from helpers.shop import TODAY, Order, open_orders
from tests.security.controls.running import answered

CODE = "FERN-KIND-77Q3"
LATE, OWNER = "FH-10200", "C-0095"


def asked(order_id: str, customer: str | None, till: Till, code: str = CODE) -> ToolMessage:
    messages, _ = answered(
        [],
        says=[calling(("apply_goodwill", {"order_id": order_id})), saying("Done.")],
        tools=[make_apply_goodwill(open_orders(), till, code)],
        customer=customer,
    )
    return next(m for m in messages if isinstance(m, ToolMessage))


def late() -> Order:
    return open_orders().get(LATE, OWNER)


def test_a_late_order_gets_its_discount_and_no_text_holds_the_code() -> None:
    till = Till(CODE)
    told = asked(LATE, OWNER, till)
    assert told.status == "success"
    assert "£20.00" in told.text
    assert [d.order_id for d in till.discounts] == [LATE]
    assert CODE not in told.text + repr(told) + repr(till)


def test_once_for_each_order_also_when_two_ask_at_once() -> None:
    till = Till(CODE)

    def redeem(_: int) -> bool:
        try:
            till.redeem(CODE, late())
        except DiscountRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(redeem, range(16))) == 1


@pytest.mark.parametrize(
    ("order_id", "customer", "reason"),
    [
        (LATE, "C-0029", "no order"),
        (LATE, None, "log in"),
        ("FH-99999", OWNER, "no order"),
        ("FH-10742", "C-0029", "not late"),
    ],
)
def test_it_is_refused_with_a_reason(order_id: str, customer: str | None, reason: str) -> None:
    till = Till(CODE)
    told = asked(order_id, customer, till)
    assert told.status == "error"
    assert reason in told.text
    assert till.discounts == []


def test_a_wrong_code_gets_nothing() -> None:
    till = Till(CODE)
    told = asked(LATE, OWNER, till, code="FERN-KIND-20")
    assert (told.status, till.discounts) == ("error", [])
    assert "FERN" not in told.text


def test_the_edges_of_late_and_of_the_total() -> None:
    order = late()
    assert order.expected_on is not None
    check_entitled(order)
    check_entitled(replace(order, status="shipped", delivered_on=None, expected_on=TODAY - DAY))
    for changed, reason in (
        (replace(order, delivered_on=order.expected_on), "not late"),
        (replace(order, status="shipped", delivered_on=None, expected_on=TODAY), "not late"),
        (replace(order, status="cancelled"), "not late"),
        (replace(order, total=Decimal("80.00")), "above £80.00"),
    ):
        with pytest.raises(DiscountRefused, match=reason):
            check_entitled(changed)
    check_entitled(replace(order, total=Decimal("80.01")))


def test_an_empty_code_is_an_error() -> None:
    with pytest.raises(ValueError, match="configuration"):
        Till(" ")


DAY = timedelta(days=1)
