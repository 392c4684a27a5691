# Written by `course build` from solutions/src/04_limit_the_agents_actions.py: change it there.
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
CUSTOMER_LIMIT = Decimal('250.00')
SHOP_LIMIT = Decimal('1000.00')
@dataclass(frozen=True)
class Payment:
    """A refund: made, or about to be."""
    customer: str
    amount: Decimal
    at: datetime
# The exercise's own cell.
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal


def decide(payment: Payment, earlier: Sequence[Payment]) -> Literal["pay", "ask"]:
    """Whether this refund is paid at once, or a person is asked."""
    if not payment.amount.is_finite() or payment.amount <= 0:
        raise ValueError(f"The amount must be more than zero, and finite: {payment.amount}.")
    customer = shop = payment.amount
    for one in earlier:
        age = payment.at - one.at  # below zero for a later one, which counts
        if age < timedelta(hours=1):
            shop += one.amount
        if age < timedelta(hours=24) and one.customer == payment.customer:
            customer += one.amount
    return "pay" if customer <= CUSTOMER_LIMIT and shop <= SHOP_LIMIT else "ask"
ANSWER = decide
