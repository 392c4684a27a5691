"""The shop's data, made from a seed: the same 150 customers and 400 orders on every machine.

The products come from `catalogue.csv`, a list of its own beside the documents: a document that is
added later must not move every order that was drawn before. A test compares it with the
documents.
"""

import csv
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from helpers.shop.customers import below, make_customers
from helpers.shop.delivery import fee, goods, working_day, works
from helpers.shop.records import TODAY, Customer, Delivery, Item, Order

SEED: Final = 20260615
COUNT: Final = 400

_FIRST_NUMBER: Final = 10017
_CATALOGUE: Final = Path(__file__).parent / "catalogue.csv"
_PALLET: Final = "lodge-5-tent"
"""The one product that is too heavy for a parcel."""
_CARRIERS: Final[dict[Delivery, tuple[str, str]]] = {
    "standard": ("Pennine Parcel", "PP"),
    "express": ("Heron Express", "HX"),
    "pallet": ("Longbarrow Pallets", "LB"),
}
# Shares of the orders by age in days (from, up to): dense where orders move and can be returned.
_AGES: Final = ((0.10, 0, 3), (0.25, 3, 9), (0.60, 9, 42), (1.00, 42, 270))


@cache
def catalogue() -> tuple[Item, ...]:
    """The products that orders are made of, one piece each, in pinned order; prices in pounds."""
    with _CATALOGUE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Item(row["product_id"], row["title"], 1, Decimal(row["price"]))
            for row in csv.DictReader(file)
        )


@cache
def generate(seed: int = SEED) -> tuple[tuple[Customer, ...], tuple[Order, ...]]:
    """The customers and their orders, oldest order first."""
    random = Random(seed)
    customers = make_customers(random)
    ages = sorted((_age(random) for _ in range(COUNT)), reverse=True)
    orders = []
    number = _FIRST_NUMBER
    for age, owner in zip(ages, _owners(random, customers), strict=True):
        placed = _placed(random, f"FH-{number}", owner, TODAY - timedelta(days=age))
        orders.append(_lived(random, placed))
        number += 1 + below(random, 4)
    return tuple(customers), tuple(orders)


def _age(random: Random) -> int:
    share = random.random()
    start, end = next((start, end) for up_to, start, end in _AGES if share < up_to)
    return start + below(random, end - start)


def _owners(random: Random, customers: list[Customer]) -> list[str]:
    """Who placed each order: everybody at least one, some several."""
    ids = [customer.id for customer in customers]
    ids += [ids[below(random, len(customers))] for _ in range(COUNT - len(ids))]
    return [ids.pop(below(random, len(ids))) for _ in range(COUNT)]


def _placed(random: Random, order_id: str, owner: str, ordered_on: date) -> Order:
    """An order that has just come in."""
    items = _items(random)
    delivery: Delivery = "express" if random.random() < 0.2 else "standard"
    if any(item.product_id == _PALLET for item in items):
        delivery = "pallet"
    cost = fee(items, delivery)
    return Order(
        id=order_id,
        customer_id=owner,
        status="processing",
        items=items,
        delivery=delivery,
        delivery_fee=cost,
        total=goods(items) + cost,
        refunded=Decimal("0.00"),
        carrier=None,
        tracking=None,
        ordered_on=ordered_on,
        expected_on=None,
        shipped_on=None,
        delivered_on=None,
        returned_on=None,
        cancelled_on=None,
    )


def _items(random: Random) -> tuple[Item, ...]:
    products = list(catalogue())
    share = random.random()
    lines = 1 if share < 0.55 else 2 if share < 0.85 else 3
    chosen = []
    for _ in range(lines):
        product = products.pop(below(random, len(products)))
        share = random.random()
        several = 0.3 if product.price < 60 else 0.04
        chosen.append(replace(product, quantity=2 + below(random, 2) if share < several else 1))
    return tuple(chosen)


def _lived(random: Random, order: Order) -> Order:
    """What has become of the order by today."""
    shipped_on, expected_on, delivered_on = _journey(random, order)
    carrier, letters = _CARRIERS[order.delivery]
    tracking = f"{letters}{100_000_000 + below(random, 900_000_000)}"
    fate = random.random()
    back_on = delivered_on + timedelta(days=3 + below(random, 22))
    if fate < 0.08 and order.ordered_on < shipped_on:
        settled = working_day(order.ordered_on, 2) < TODAY
        return replace(
            order,
            status="cancelled",
            cancelled_on=order.ordered_on,
            refunded=order.total if settled else order.refunded,
        )
    if shipped_on > TODAY:
        return replace(order, expected_on=expected_on)
    order = replace(
        order,
        status="shipped",
        carrier=carrier,
        tracking=tracking,
        shipped_on=shipped_on,
        expected_on=expected_on,
    )
    if delivered_on >= TODAY:
        return order
    order = replace(order, status="delivered", delivered_on=delivered_on)
    if fate < 0.20 and back_on < TODAY:
        settled = working_day(back_on, 5) < TODAY
        refund = goods(order.items) + fee(order.items, "standard")
        return replace(
            order,
            status="returned",
            returned_on=back_on,
            refunded=refund if settled else order.refunded,
        )
    if fate > 0.95 and len(order.items) > 1:  # one piece of several was sent back
        return replace(order, refunded=order.items[-1].price)
    return order


def _journey(random: Random, order: Order) -> tuple[date, date, date]:
    """The days on which an order is shipped, expected at the latest, and delivered."""
    start = order.ordered_on
    if order.delivery == "express":
        before_two = random.random() < 0.6 and works(start)
        arrives = working_day(start, 1 if before_two else 2)
        return (start if before_two else working_day(start, 1)), arrives, arrives
    shortest, longest = (6, 8) if order.delivery == "pallet" else (3, 5)
    takes = shortest + below(random, longest - shortest + 1)
    if random.random() < 0.04:  # late, but not yet lost
        takes += 4
    shipped_on = working_day(start, 1 + below(random, 2))
    return shipped_on, working_day(start, longest), working_day(start, takes)
