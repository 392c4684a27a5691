"""Orders in sentences: what a small model reads better than fields."""

from helpers.shop import Order
from helpers.shop.records import day, pounds

STATE = "state"

TOPICS: dict[str, tuple[str, ...]] = {
    STATE: (
        "Where is my order?",
        "When will it arrive?",
        "Has it been delivered?",
        "What day was it delivered?",
        "Has it been shipped yet?",
        "What is the status of my order?",
        "Was it cancelled?",
        "Did you get my return?",
    ),
    "shipped": (
        "When was it shipped?",
        "On which day did you send it?",
        "When was the parcel posted?",
        "When did it leave the warehouse?",
    ),
    "carrier": ("Which carrier brings it?", "Who delivers the parcel, which courier?"),
    "tracking": ("What is the tracking number?", "How can I track the parcel?"),
    "placed": ("When did I place the order?", "On which date did I order?"),
    "items": (
        "What is in my order?",
        "What did I order?",
        "What is in it?",
        "Which jacket did I buy?",
        "Which tent is in it?",
        "How many did I order?",
    ),
    "total": ("How much did I pay?", "What is the total of the order?", "What was the bill?"),
    "delivery": (
        "What did the delivery cost?",
        "How much was postage?",
        "Was it express or standard delivery?",
    ),
    "refunded": ("How much was refunded?", "Did I get my money back?"),
}
"""What customers ask about an order; each topic is a fact of `order_facts`."""


def order_facts(order: Order) -> dict[str, str]:
    """What a customer may want to know of an order, one sentence for each topic that applies."""
    items = ", ".join(
        f"{item.quantity} x {item.title} at {pounds(item.price)}" for item in order.items
    )
    facts = {
        STATE: _state(order),
        "placed": f"It was placed on {day(order.ordered_on)}.",
        "items": f"It contains {items}.",
        "total": f"The total is {pounds(order.total)}.",
        "delivery": f"Of the total, {order.delivery} delivery cost {pounds(order.delivery_fee)}.",
    }
    if order.shipped_on:
        facts["shipped"] = f"It was shipped on {day(order.shipped_on)}."
    if order.carrier:
        facts["carrier"] = f"The carrier is {order.carrier}."
    if order.tracking:
        facts["tracking"] = f"The tracking number is {order.tracking}."
    if order.refunded:
        facts["refunded"] = f"{pounds(order.refunded)} has been refunded."
    return facts


def _state(order: Order) -> str:
    """The sentence on where the order is now."""
    expected = day(order.expected_on) if order.expected_on else None
    match order.status:
        case "processing":
            return f"It is being prepared and should arrive by {expected}."
        case "shipped":
            assert order.shipped_on is not None
            return f"It was shipped on {day(order.shipped_on)} and should arrive by {expected}."
        case "delivered":
            assert order.delivered_on is not None
            return f"It was delivered on {day(order.delivered_on)}."
        case "returned":
            assert order.returned_on is not None
            return f"It was returned on {day(order.returned_on)}."
        case "cancelled":
            assert order.cancelled_on is not None
            return f"It was cancelled on {day(order.cancelled_on)}."
