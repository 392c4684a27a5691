import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fakes import book
from orders import read_orders

ONE: dict[str, Any] = {
    "id": "FH-00001",
    "customer": "ann",
    "placed": "2026-10-05",
    "delivered": "2026-10-08",
    "items": ["Lamp"],
    "paid": "40.00",
}


def test_an_order_is_described_to_its_customer_only() -> None:
    said = book().describe("FH-00002", "bob")
    assert said == (
        "Order FH-00002 was placed on 5 October 2026 and is on its way. Items: Lamp. Paid: £25.50."
    )
    with pytest.raises(LookupError) as of_another:
        book().describe("FH-00002", "ann")
    with pytest.raises(LookupError) as unknown:
        book().describe("FH-00003", "ann")
    assert str(unknown.value).replace("3.", "2.") == str(of_another.value)


def test_refunds_never_exceed_what_was_paid() -> None:
    orders = book()
    assert orders.pay("FH-00001", "ann", Decimal("39.99")).startswith("£39.99 ")
    for amount in ("0.02", "0", "-1"):
        with pytest.raises(ValueError, match=r"at most £0\.01"):
            orders.pay("FH-00001", "ann", Decimal(amount))
    assert orders.pay("FH-00001", "ann", None).startswith("£0.01 ")
    with pytest.raises(ValueError, match="was paid back before"):
        orders.pay("FH-00001", "ann", None)


def test_what_is_on_its_way_or_anothers_is_not_paid_back() -> None:
    orders = book()
    with pytest.raises(ValueError, match="once it is delivered"):
        orders.pay("FH-00002", "bob", None)
    with pytest.raises(LookupError):
        orders.pay("FH-00001", "bob", None)


def test_many_requests_at_once_pay_no_more_than_there_is() -> None:
    orders = book()

    def pay(_: int) -> bool:
        try:
            return bool(orders.pay("FH-00001", "ann", Decimal(10)))
        except ValueError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(20))) == 4


@pytest.mark.parametrize(
    ("orders", "says"),
    [
        ("{", "JSON"),
        (json.dumps(ONE), "valid array"),
        (json.dumps([ONE, {**ONE, "id": "7"}]), "order 2.id: String should match"),
        (json.dumps([{**ONE, "price": "1"}]), "order 1.price: Extra inputs"),
        (json.dumps([{**ONE, "paid": "-1"}]), "order 1.paid: Input should be greater"),
        (json.dumps([{**ONE, "paid": "much"}]), "order 1.paid: Input should be a valid decimal"),
        (json.dumps([{**ONE, "refunded": "41"}]), "more refunded than paid"),
        (json.dumps([ONE, ONE]), "two orders have the id FH-00001"),
        (json.dumps([{"id": "FH-00001"}]), "order 1.customer: Field required"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, orders: str, says: str) -> None:
    file = tmp_path / "orders.json"
    file.write_text(orders, "utf-8")
    with pytest.raises(ValueError, match=says) as broken:
        read_orders(file)
    assert "\n" not in str(broken.value)


def test_the_orders_of_this_project_can_be_read() -> None:
    assert read_orders(Path(__file__).parents[1] / "orders.json").customers
