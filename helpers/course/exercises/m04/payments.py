"""Payments for exercise 04.4, and known mistakes about limits of money."""

import decimal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

CUSTOMER_LIMIT: Final = Decimal("250.00")
SHOP_LIMIT: Final = Decimal("1000.00")
NOON: Final = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
CUSTOMERS: Final = ("C-0042", "C-0029", "C-0007", "C-0311")


@dataclass(frozen=True)
class Payment:
    """A refund, as the lab's cell defines it."""

    customer: str
    amount: Decimal
    at: datetime

    def __repr__(self) -> str:
        part = f".{self.at.microsecond:06}" if self.at.microsecond else ""
        return f"£{self.amount} to {self.customer} at {self.at:%d %b %H:%M:%S}{part}"


def paid(amount: str, customer: str = "C-0042", **before: float) -> Payment:
    """A payment so many hours, minutes, seconds or microseconds before noon."""
    return Payment(customer, Decimal(amount), NOON - timedelta(**before))


Decide = Callable[[Any, Any], Any]

_TINY: Final = timedelta(microseconds=1)
_AGES: Final = (
    *(timedelta(hours=hours) + tiny for hours in (0, 1, 24) for tiny in (-_TINY, 0 * _TINY, _TINY)),
    *(timedelta(minutes=minutes) for minutes in (20, 59, 90, 13 * 60, 23 * 60)),
    *(timedelta(days=days, minutes=30) for days in (1, 2, 20)),
    *(timedelta(days=-days, minutes=30) for days in (1, 3)),
    -timedelta(hours=2),
)
_AMOUNTS: Final = tuple(
    Decimal(pounds)
    for pounds in (
        *("0.01", "0.10", "9.99", "40.00", "64.65", "100.00", "109.95", "124.99", "125.00"),
        *("150.00", "200", "249.99", "250.00", "250.01", "300.00", "500.00", "750.00", "1000.00"),
    )
)


def inputs() -> "st.SearchStrategy[tuple[Payment, Sequence[Payment]]]":
    """A payment, and up to eight earlier ones, in any order, as list or tuple."""
    amounts = st.one_of(
        st.sampled_from(_AMOUNTS), st.decimals("0.01", "260", places=2, allow_nan=False)
    )
    customers = st.sampled_from([*CUSTOMERS, CUSTOMERS[0], CUSTOMERS[0], "c-0042"])
    ages = st.one_of(
        st.sampled_from(_AGES), st.timedeltas(timedelta(hours=-2), timedelta(hours=50))
    )
    now = st.sampled_from([NOON, NOON.replace(hour=0), NOON.replace(hour=23, minute=59)])

    def of(at: datetime, customer: str, amount: Decimal, rest: Iterable[Any], copied: bool) -> Any:
        earlier = [Payment(who, much, at - age) for who, much, age in rest]
        if copied:
            earlier += earlier[:2]
        return Payment(customer, amount, at), earlier

    rest = st.lists(st.tuples(customers, amounts, ages), max_size=8)
    made = st.builds(of, now, customers, amounts, rest, st.booleans())
    return st.tuples(made, st.booleans()).map(
        lambda both: (both[0][0], tuple(both[0][1]) if both[1] else both[0][1])
    )


def context_changed(decide: Decide) -> list[str]:
    """What a decision changes in the context of Decimal, which is put back afterwards."""
    with decimal.localcontext(decimal.DefaultContext) as context:
        before = {name: repr(getattr(context, name)) for name in ("prec", "rounding", "traps")}
        decide(paid("1.01"), [paid("2.02", minutes=1)])
        now = decimal.getcontext()
        return [name for name, value in before.items() if repr(getattr(now, name)) != value]


class Limits:
    """A right `decide` in steps; a faulty one changes a step."""

    def __call__(self, payment: Any, earlier: Any) -> str:
        """The decision."""
        self.look(payment)
        day = self.sum([payment, *self.mine(payment, self.within(payment, earlier, 24))])
        hour = self.sum([payment, *self.within(payment, earlier, 1)])
        over = self.over(day, CUSTOMER_LIMIT), self.over(hour, SHOP_LIMIT)
        return "ask" if self.asks(*over) else "pay"

    def look(self, payment: Any) -> None:
        """Refuse what is no amount."""
        if not (payment.amount.is_finite() and payment.amount > 0):
            raise ValueError(f"amount: {payment.amount}")

    def within(self, payment: Any, earlier: Any, hours: int) -> list[Any]:
        """The earlier payments that count for so many hours."""
        return [one for one in earlier if self.counts(payment, one, timedelta(hours=hours))]

    def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
        """Whether a payment is young enough."""
        return bool(payment.at - one.at < window)

    def mine(self, payment: Any, payments: Sequence[Any]) -> list[Any]:
        """Those of the same customer."""
        return [one for one in payments if one.customer == payment.customer]

    def sum(self, payments: Iterable[Any]) -> Any:
        """Their amounts together."""
        return sum(one.amount for one in payments)

    def over(self, total: Any, limit: Decimal) -> bool:
        """Whether it is too much."""
        return bool(total > limit)

    def asks(self, customer: bool, shop: bool) -> bool:
        """Whether a person is asked."""
        return customer or shop


class _Below(Limits):
    def over(self, total: Any, limit: Decimal) -> bool:
        return bool(total >= limit)


class _ToTheEnd(Limits):
    def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
        return bool(payment.at - one.at <= window)


class _Seconds(Limits):
    def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
        age = payment.at - one.at
        return bool(age.seconds < window.total_seconds())


class _NoFuture(Limits):
    def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
        return bool(timedelta(0) <= payment.at - one.at < window)


class _Calendar(Limits):
    def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
        if window > timedelta(hours=1):
            return bool(one.at.date() >= payment.at.date())
        return super().counts(payment, one, window)


class _Floats(Limits):
    def sum(self, payments: Iterable[Any]) -> Any:
        total = 0.0
        for one in payments:
            total += float(one.amount)
        return total

    def over(self, total: Any, limit: Decimal) -> bool:
        return bool(total > float(limit))


class _NoShop(Limits):
    def asks(self, customer: bool, shop: bool) -> bool:
        return customer


class _NoCustomer(Limits):
    def asks(self, customer: bool, shop: bool) -> bool:
        return shop


class _AllCustomers(Limits):
    def mine(self, payment: Any, payments: Sequence[Any]) -> list[Any]:
        return list(payments)


class _Distinct(Limits):
    def within(self, payment: Any, earlier: Any, hours: int) -> list[Any]:
        return list(set(super().within(payment, earlier, hours)))


class _InOrder(Limits):
    def within(self, payment: Any, earlier: Any, hours: int) -> list[Any]:
        found = []
        for one in reversed(earlier):
            if not self.counts(payment, one, timedelta(hours=hours)):
                break
            found.append(one)
        return found


class _WithoutThis(Limits):
    def __call__(self, payment: Any, earlier: Any) -> str:
        self.look(payment)
        day = self.sum(self.mine(payment, self.within(payment, earlier, 24)))
        over = self.over(day, CUSTOMER_LIMIT)
        return (
            "ask"
            if over or self.over(self.sum(self.within(payment, earlier, 1)), SHOP_LIMIT)
            else "pay"
        )


FAULTY: Final[Mapping[str, tuple[Decide, str]]] = {
    "in-order": (_InOrder(), "`earlier` has no order: an old payment may come before a new one."),
    "without-this": (_WithoutThis(), "The new payment itself is part of both sums."),
    "distinct": (_Distinct(), "Two equal payments were both paid: both count."),
    "no-future": (
        _NoFuture(),
        "A payment that is later than this one was paid all the same: it counts.",
    ),
    "calendar": (_Calendar(), "The window moves. It does not begin at midnight."),
    "seconds": (
        _Seconds(),
        "timedelta.seconds leaves out whole days. Compare with timedelta(hours=...), or use"
        " total_seconds().",
    ),
    "to-the-end": (
        _ToTheEnd(),
        "A payment of exactly 24 hours, or one hour, ago no longer counts.",
    ),
    "below": (_Below(), "A sum that equals its limit is still paid: at most, not less than."),
    "floats": (_Floats(), "Sums of floats are not exact. Stay with Decimal."),
    "all-customers": (
        _AllCustomers(),
        "What other customers got does not count against this customer's limit.",
    ),
    "no-shop": (_NoShop(), "The shop's limit alone is a reason to ask."),
    "no-customer": (_NoCustomer(), "The customer's limit alone is a reason to ask."),
}
"""Known mistakes, the most particular first: a function that makes each, and what to say of it."""
