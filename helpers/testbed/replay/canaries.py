"""Questions with known answers, which a prober asks the running service again and again."""

from dataclasses import dataclass
from functools import cache

from helpers.shop import open_orders
from helpers.shop.questions import questions
from helpers.shop.records import day
from helpers.testbed.replay.world import GUEST

_GOLDEN = {
    "return_window": "dev-single_fact-001",
    "refund_timing": "dev-single_fact-002",
    "delivery_orkney": "dev-single_fact-003",
    "warranty_backpack": "dev-single_fact-004",
    "sunday_hours": "dev-single_fact-006",
    "zip_repair": "dev-single_fact-010",
    "instalments": "dev-single_fact-011",
}


@dataclass(frozen=True)
class Canary:
    """One of them: right is every answer that holds one text of each group in `facts`."""

    intent: str
    customer: str
    text: str
    facts: tuple[tuple[str, ...], ...]

    def right(self, answer: str) -> bool:
        """Whether an answer holds what it must."""
        return holds(answer, self.facts)


def holds(answer: str, facts: tuple[tuple[str, ...], ...]) -> bool:
    """Whether an answer holds at least one text of each group."""
    return all(any(fact in answer for fact in group) for group in facts)


@cache
def canaries() -> tuple[Canary, ...]:
    """One for each frequent question about the shop, and one for each carrier's orders."""
    golden = {one.id: one for one in questions("dev")}
    found = []
    for intent, name in _GOLDEN.items():
        customer = GUEST + intent.replace("_", "-")
        found.append(Canary(intent, customer, golden[name].question, golden[name].required))
    with open_orders() as orders:
        shipped = [order for order in orders.all_orders() if order.status == "shipped"]
    for carrier in sorted({order.carrier or "" for order in shipped}):
        order = next(each for each in shipped if each.carrier == carrier)
        assert order.expected_on is not None
        asked = f"Where is my order {order.id}?"
        expected = ((day(order.expected_on),),)
        found.append(Canary("order_status", order.customer_id, asked, expected))
    return tuple(found)
