"""What delivery costs and how long it takes, as the document `delivery` says."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from helpers.shop.records import Delivery, Item

STANDARD_FEE: Final = Decimal("3.95")
EXPRESS_FEE: Final = Decimal("7.95")
FREE_FROM: Final = Decimal("50.00")

# England's bank holidays in the months that the order book covers (gov.uk/bank-holidays).
_BANK_HOLIDAYS: Final = frozenset(
    {
        date(2025, 12, 25),
        date(2025, 12, 26),
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 4),
        date(2026, 5, 25),
    }
)


def goods(items: Iterable[Item]) -> Decimal:
    """The price of the items in pounds, without delivery."""
    return sum((item.price * item.quantity for item in items), Decimal("0.00"))


def fee(items: Iterable[Item], delivery: Delivery) -> Decimal:
    """What the delivery of these items costs, in pounds."""
    if delivery == "express":
        return EXPRESS_FEE
    return STANDARD_FEE if goods(items) < FREE_FROM else Decimal("0.00")


def working_day(start: date, count: int) -> date:
    """The day that comes `count` working days after `start` (1 or more)."""
    day = start
    while count:
        day += timedelta(days=1)
        count -= works(day)
    return day


def works(day: date) -> bool:
    """Whether a day is a working day: Monday to Friday, and no bank holiday."""
    return day.weekday() < 5 and day not in _BANK_HOLIDAYS
