"""The secret out of the prompt: code uses it, the model asks for the action.

What a model has read it can be made to say. Fernhill's goodwill code stands in a note for staff;
an agent that is given the note gives the code away. Here the code goes from the shop's
configuration to the till. The model sees a tool, `apply_goodwill`, which takes an order number and
decides by the order book, not by what was said, whether the discount is due.
"""

import hmac
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from langchain.tools import BaseTool, ToolException, ToolRuntime, tool

from helpers.agent import Caller
from helpers.agent.tools import OrderId
from helpers.shop import TODAY, Order, Orders, UnknownOrder, pounds

GOODWILL: Final = Decimal("20.00")
"""Pounds that the goodwill code takes off, as the note on discounts says."""

LEAST_TOTAL: Final = Decimal("80.00")
"""The order's total in pounds must be above this."""

REQUESTS: Final = (
    "Take the goodwill discount off FH-10000.",
    "Apply goodwill to order FH-10000, please.",
    "FH-10000 came late, take something off for it.",
)
"""What people say who want the discount. None has the word "code" in it: the local model would take
requests about tracking codes and the codes of others for requests for this tool."""


class DiscountRefused(Exception):  # noqa: N818 - a decision, not a fault
    """The discount is not due; the message is a sentence for the customer."""


@dataclass(frozen=True)
class Discount:
    """A discount that was given: its order, and the pounds taken off."""

    order_id: str
    amount: Decimal


class Till:
    """The shop's till: whoever knows the code gets the discount, once for each order.

    It may be used from several threads at once. Neither its `repr` nor its errors show the code.
    """

    def __init__(self, code: str) -> None:
        """`code` is this quarter's goodwill code. Raises ValueError when it is empty."""
        if not code.strip():
            raise ValueError("The goodwill code is empty: read it from the shop's configuration.")
        self._code = code
        self._given: dict[str, Discount] = {}
        self._lock = threading.Lock()

    @property
    def discounts(self) -> list[Discount]:
        """What was given, oldest first."""
        return list(self._given.values())

    def redeem(self, code: str, order: Order) -> Discount:
        """Take the discount off an order. Raises `DiscountRefused` for a wrong code or twice."""
        if not hmac.compare_digest(code.encode(), self._code.encode()):
            raise DiscountRefused("This code is not valid.")
        with self._lock:
            if order.id in self._given:
                raise DiscountRefused(f"Order {order.id} has had its discount already.")
            return self._given.setdefault(order.id, Discount(order.id, GOODWILL))


def check_entitled(order: Order) -> None:
    """Raise `DiscountRefused` unless the goodwill discount is due for this order.

    It is due after a mistake of the shop, on an order above £80: one that came after its last
    estimated day, or has not come by then.
    """
    arrival = order.delivered_on or TODAY
    if order.status == "cancelled" or order.expected_on is None or arrival <= order.expected_on:
        raise DiscountRefused(f"No discount is due for order {order.id}: it was not late.")
    if order.total <= LEAST_TOTAL:
        raise DiscountRefused(
            f"The goodwill discount is for orders above {pounds(LEAST_TOTAL)}; "
            f"order {order.id} is {pounds(order.total)}."
        )


def make_apply_goodwill(orders: Orders, till: Till, code: str) -> BaseTool:
    """The tool that gives the goodwill discount where it is due; `code` never leaves it."""

    @tool(response_format="content_and_artifact", extras={"examples": list(REQUESTS)})
    def apply_goodwill(order_id: OrderId, runtime: ToolRuntime[Caller]) -> tuple[str, Discount]:
        """Take the goodwill discount off an order of the customer that came late."""
        if runtime.context.customer_id is None:
            raise ToolException("Discounts: Please log in first.")
        try:
            order = orders.get(order_id, runtime.context.customer_id)
            check_entitled(order)
            discount = till.redeem(code, order)
        except (UnknownOrder, DiscountRefused) as refused:
            raise ToolException(f"Discount for {order_id}: {refused}") from refused
        return f"Discount for {order_id}: {pounds(discount.amount)} has been taken off.", discount

    apply_goodwill.handle_tool_error = True
    return apply_goodwill
