"""What the shop's order book holds: customers, orders, refunds and tickets.

All amounts are pounds as `Decimal` with two places.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

TODAY: Final = date(2026, 6, 15)
"""The shop's fixed date: "30 days ago" means the same thing on every run."""

Status = Literal["processing", "shipped", "delivered", "returned", "cancelled"]
Delivery = Literal["standard", "express", "pallet"]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of Fernhill. Everything personal is invented and uses reserved ranges:
    e-mail domains of RFC 2606, telephone numbers of Ofcom's range for drama, postcodes in
    areas that do not exist."""

    id: str
    name: str
    email: str
    phone: str
    street: str
    town: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order; `price` is the price of a single piece."""

    product_id: str
    title: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its owner may see it.

    `total` is the sum of the items plus `delivery_fee`; `refunded` is what has been paid back so
    far. `expected_on` is the last day of the delivery estimate, and None for an order that was
    cancelled. `carrier`, `tracking` and `shipped_on` are None until the order has left the shop;
    `delivered_on`, `returned_on` (the goods are back in the warehouse) and `cancelled_on` until
    that has happened.
    """

    id: str
    customer_id: str
    status: Status
    items: tuple[Item, ...]
    delivery: Delivery
    delivery_fee: Decimal
    total: Decimal
    refunded: Decimal
    carrier: str | None
    tracking: str | None
    ordered_on: date
    expected_on: date | None
    shipped_on: date | None
    delivered_on: date | None
    returned_on: date | None
    cancelled_on: date | None


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund that was made."""

    id: str
    order_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Ticket:
    """A conversation handed over to a person."""

    id: str
    customer_id: str | None
    reason: str


def pounds(amount: Decimal) -> str:
    """An amount as the shop writes it: `£49.00`, `£1,249.00`."""
    return f"£{amount:,.2f}"


def day(value: date) -> str:
    """A date as the shop writes it: `3 June 2026`."""
    return f"{value.day} {value:%B} {value.year}"
