"""The shop's orders: read from a file, shown to their customer only, paid back by strict rules."""

import threading
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Pounds = Annotated[Decimal, Field(ge=0, decimal_places=2)]


class Order(BaseModel):
    """One order; what is misspelt or missing is an error."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^FH-\d{5}$")
    customer: str = Field(min_length=1)
    placed: date
    delivered: date | None
    items: list[str] = Field(min_length=1)
    paid: Pounds
    refunded: Pounds = Decimal(0)

    @property
    def left(self) -> Decimal:
        """The pounds that can still be paid back."""
        return self.paid - self.refunded


class OrderBook:
    """Orders in memory: what is paid back is forgotten when the process ends.

    Raises:
        ValueError: two orders have the same id, or one has more refunded than paid.
    """

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders: dict[str, Order] = {}
        self._paying = threading.Lock()
        for order in orders:
            if order.id in self._orders:
                raise ValueError(f"two orders have the id {order.id}")
            if order.left < 0:
                raise ValueError(f"{order.id} has more refunded than paid")
            self._orders[order.id] = order

    @property
    def customers(self) -> list[str]:
        """The ids of those who have ordered."""
        return sorted({order.customer for order in self._orders.values()})

    def get(self, order_id: str, customer_id: str) -> Order:
        """An order of this customer.

        Raises:
            LookupError: this customer has no such order.
        """
        order = self._orders.get(order_id)
        # The same words for both: nobody learns here which orders others have.
        if order is None or order.customer != customer_id:
            raise LookupError(f"You have no order {order_id}.")
        return order

    def describe(self, order_id: str, customer_id: str) -> str:
        """An order in words.

        Raises:
            LookupError: this customer has no such order.
        """
        order = self.get(order_id, customer_id)
        arrived = (
            f"was delivered on {_day(order.delivered)}" if order.delivered else "is on its way"
        )
        back = f", of which £{order.refunded:.2f} was paid back" if order.refunded else ""
        return (
            f"Order {order.id} was placed on {_day(order.placed)} and {arrived}. "
            f"Items: {', '.join(order.items)}. Paid: £{order.paid:.2f}{back}."
        )

    def pay(self, order_id: str, customer_id: str, pounds: Decimal | None) -> str:
        """Pay back so many pounds, or with None all that is left; return a receipt.

        Raises:
            LookupError: this customer has no such order.
            ValueError: it is not delivered, or so much is not left.
        """
        order = self.get(order_id, customer_id)
        if order.delivered is None:
            raise ValueError(f"{order.id} can be paid back once it is delivered.")
        with self._paying:  # two requests at once must not both find the money there
            if not order.left:
                raise ValueError(f"All of {order.id} was paid back before.")
            amount = order.left if pounds is None else pounds
            if not 0 < amount <= order.left:
                raise ValueError(
                    f"£{amount:.2f} of {order.id} cannot be paid back: "
                    f"it has to be more than £0.00 and at most £{order.left:.2f}."
                )
            order.refunded += amount
        return f"£{amount:.2f} of {order.id} was paid back."


def read_orders(file: Path) -> OrderBook:
    """The orders of a JSON file.

    Raises:
        OSError: it cannot be read.
        ValueError: it has something that is no order; the message says where.
    """
    try:
        return OrderBook(TypeAdapter(list[Order]).validate_json(file.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step + 1 if isinstance(step, int) else step) for step in first["loc"])
        raise ValueError(f"{'order ' * bool(place)}{place}: {first['msg']}") from error


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
