"""The order book that all replicas ask: each call of a turn is done once."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import ray

from helpers.scale import RunningRay
from helpers.scale.orders import ATTEMPT, Attempt, RemoteOrders, close_order_book, order_book
from helpers.shop import RefundRefused, UnknownOrder, open_orders

CUSTOMER = "C-0042"
ONE = Decimal("1.00")


@pytest.fixture
def orders(ray_cluster: RunningRay) -> Iterator[RemoteOrders]:
    close_order_book()
    book = order_book()
    ray.get(book.__ray_ready__.remote())  # as a replica waits for it
    yield RemoteOrders(book)
    close_order_book()


def refundable() -> str:
    """An order of the customer of which pounds can be paid back."""
    book = open_orders()
    for order_id in book.order_ids(CUSTOMER):
        try:
            book.refund(order_id, CUSTOMER, Decimal("3.00"))
        except RefundRefused:
            continue
        return order_id
    raise AssertionError("no order can be refunded")


def test_a_refund_is_paid_once_however_often_its_turn_is_tried(orders: RemoteOrders) -> None:
    order_id = refundable()
    ATTEMPT.set(Attempt("turn 1"))
    before = orders.get(order_id, CUSTOMER)
    paid = orders.refund(order_id, CUSTOMER, ONE)
    after = orders.get(order_id, CUSTOMER)
    assert after.refunded == before.refunded + ONE

    ATTEMPT.set(Attempt("turn 1"))  # the replica died, and another one begins again
    assert orders.get(order_id, CUSTOMER) == before
    assert orders.refund(order_id, CUSTOMER, ONE) == paid
    assert orders.get(order_id, CUSTOMER) == after

    ATTEMPT.set(Attempt("turn 2"))  # another request is another refund
    orders.refund(order_id, CUSTOMER, ONE)
    assert orders.get(order_id, CUSTOMER).refunded == before.refunded + 2 * ONE


def test_a_ticket_is_opened_once_however_often_its_turn_is_tried(orders: RemoteOrders) -> None:
    tickets = []
    for turn in ("turn 1", "turn 1", "turn 2"):
        ATTEMPT.set(Attempt(turn))
        tickets.append(orders.open_ticket(CUSTOMER, "a person").id)
    assert tickets[0] == tickets[1] != tickets[2]


def test_what_is_refused_comes_in_the_same_words(orders: RemoteOrders) -> None:
    order_id = refundable()
    local = open_orders()
    for turn in ("turn 1", "turn 1"):
        ATTEMPT.set(Attempt(turn))
        for kind, call in (
            (UnknownOrder, lambda book: book.get("FH-99999", CUSTOMER)),
            (RefundRefused, lambda book: book.refund(order_id, CUSTOMER, Decimal("99999.00"))),
        ):
            with pytest.raises(kind) as here:
                call(local)
            with pytest.raises(kind) as there:
                call(orders)
            assert str(there.value) == str(here.value)
