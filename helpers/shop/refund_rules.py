"""When the shop pays money back: the returns policy as code.

The agent may ask for any refund; these rules, not the model, decide. They state what the
documents `returns`, `refunds` and `order-changes` say about whole orders and sums of money. What
only a look at the goods can tell (traces of use, a broken seal), and the label of a return by
post, is settled when the goods arrive and is no part of this.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from helpers.shop.delivery import fee, goods
from helpers.shop.records import TODAY, Item, Order, day, pounds

RETURN_WINDOW: Final = timedelta(days=30)
SHORT_WINDOWS: Final = {"crag-60-rope": timedelta(days=14)}
"""Climbing ropes, harnesses and helmets; the shop's one product of these is a rope."""

_PENNY: Final = Decimal("0.01")


class RefundRefused(Exception):  # noqa: N818 - a decision, not a fault
    """The refund is against the rules; the message is a sentence for the customer."""


def amount_to_pay(order: Order, amount: Decimal | None) -> Decimal:
    """The pounds to pay back for a request of `amount` (None: all that the rules allow).

    Raises `RefundRefused` when the rules forbid it.
    """
    if order.status == "shipped":
        raise RefundRefused(
            f"Order {order.id} is still on its way, so it cannot be refunded yet. "
            "It can be sent back after it has arrived."
        )
    if order.status == "delivered" and not _may_come_back(order):
        raise RefundRefused(_too_late(order))
    # A refund does not say which item it was for, so all of them count against what may come back.
    limit = _limit(order) - order.refunded
    if limit <= 0:
        raise RefundRefused(
            f"Order {order.id} has already been refunded: "
            f"{pounds(order.refunded)} was paid back, and nothing is left to refund."
        )
    if amount is None:
        return limit
    if not amount.is_finite() or amount <= 0:
        raise RefundRefused("A refund must be an amount of more than £0.00.")
    if amount > limit:
        raise RefundRefused(
            f"At most {pounds(limit)} of order {order.id} can be refunded, "
            f"so {pounds(amount)} is too much."
        )
    if amount != amount.quantize(_PENNY):
        raise RefundRefused("A refund must be an amount in whole pence, such as £12.50.")
    if order.status == "processing" and amount < limit:
        raise RefundRefused(
            f"Order {order.id} is still being processed, so it can be cancelled and refunded "
            f"in full ({pounds(limit)}), but not in part."
        )
    return amount.quantize(_PENNY)


def _limit(order: Order) -> Decimal:
    """The most that may ever be paid back for an order, in pounds."""
    if order.shipped_on is None:
        return order.total
    back = order.items if order.status == "returned" else _may_come_back(order)
    # The extra cost of express is never refunded; of a part, the delivery cost is not either.
    whole_order = len(back) == len(order.items)
    return goods(back) + (fee(order.items, "standard") if whole_order else 0)


def _may_come_back(order: Order) -> tuple[Item, ...]:
    """The items of a delivered order whose time for returns has not run out."""
    return tuple(item for item in order.items if _last_day(order, item) >= TODAY)


def _last_day(order: Order, item: Item) -> date:
    if order.delivered_on is None:
        raise ValueError(f"{order.id} has not been delivered, so no time for returns is running.")
    return order.delivered_on + SHORT_WINDOWS.get(item.product_id, RETURN_WINDOW)


def _too_late(order: Order) -> str:
    last_day = max(_last_day(order, item) for item in order.items)
    assert order.delivered_on is not None  # _last_day has looked at it
    return (
        f"Order {order.id} cannot be refunded: it was delivered on {day(order.delivered_on)} "
        f"and could be returned until {day(last_day)}."
    )
