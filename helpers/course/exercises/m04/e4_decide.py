"""Exercise 04.4: how much is paid without a person."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, example, exercise, generated, raises, solved


@exercise(
    "04.4",
    title="Limit what a bad day costs",
    hints=[
        "Two sums, each beginning with payment.amount: over the payments of this customer in the"
        " last 24 hours, and over all payments in the last hour.",
        Hint(
            "The age of a payment is payment.at - one.at, a timedelta. It counts while its age is"
            " less than timedelta(hours=24). The age of a later payment is below zero.",
            "window",
        ),
        Hint("A sum may reach its limit, but not exceed it: 'ask' if it is more.", "limit"),
        Hint("Stay with Decimal: no float(...), and no set of payments.", "sums"),
        Hint(
            "Compare one.customer with payment.customer for the one sum, and not for the other.",
            "whose",
        ),
        Hint(
            "payment.amount.is_finite() is False for infinity and NaN, and never raises. Ask it"
            " before you compare: `if not payment.amount.is_finite() or payment.amount <= 0`.",
            "amount",
        ),
    ],
)
def decide(answer: Any) -> Iterator[Case]:
    """Both sides of each limit and of each window, whose payments count, exact sums, no amounts."""
    from helpers.course.exercises.m04 import payments as given

    paid, reference = given.paid, solved("04.4")
    slips = {name: Slip.like(name, faulty, text) for name, (faulty, text) in given.FAULTY.items()}

    def named(name: str, about: str, payment: Any, *earlier: Any, slip: str = "") -> Case:
        return example(
            name,
            answer,
            payment,
            list(earlier) if len(earlier) % 2 else tuple(earlier),
            called="decide",
            expect=reference(payment, earlier),
            slips=[slips[slip]] if slip else [],
            about=about,
        )

    other = "C-0029"
    before = paid("200.00", hours=2)
    far = [paid("200.00", hours=3), paid("100.00", hours=5)]
    yield named("a customer's limit alone is passed", "limit", paid("9"), *far, slip="no-customer")
    far = [paid("240.00", f"C-01{n:02}", minutes=n) for n in range(5)]
    yield named("the shop's limit alone is passed", "limit", paid("9"), *far, slip="no-shop")
    yield named("a customer's limit is reached", "limit", paid("50.00"), before, slip="below")
    yield named("it is passed by a penny", "limit", paid("50.01"), before)
    alone = paid("250.01", other)
    yield named("one payment that is too much", "limit", alone, slip="without-this")
    yield named("one payment of just the limit", "limit", paid("250.00", other), slip="below")
    crowd = [paid("150.00", f"C-01{n:02}", minutes=9 * n) for n in range(6)]
    yield named("the shop's limit is reached", "limit", paid("100.00"), *crowd)
    yield named("the shop's is passed by a penny", "limit", paid("100.01"), *crowd)
    mine, theirs = paid("225.00", minutes=5), paid("300.00", "C-0311", minutes=2)
    there = [mine, theirs, paid("249", other)]
    yield named("other customers", "whose", paid("25.00"), *there, slip="all-customers")
    yield named("all count for the shop", "whose", paid("0.01"), *crowd, paid("100"))
    yield named("a name in small letters", "whose", paid("60.00", "c-0042"), paid("200.00"))
    day_ago, hour_ago = paid("200", hours=24), paid("240", other, hours=1)
    yield named("exactly 24 hours ago", "window", paid("60"), day_ago, slip="to-the-end")
    nearly = paid("200", hours=24, microseconds=-1)
    yield named("a moment less than 24 hours ago", "window", paid("60"), nearly)
    big = [paid("240.00", f"C-02{n:02}", minutes=50 - n) for n in range(4)]
    yield named("exactly an hour ago", "window", paid("41"), hour_ago, *big[1:], slip="to-the-end")
    nearly = paid("240", other, hours=1, microseconds=-1)
    yield named("a moment less than an hour ago", "window", paid("40.01"), nearly, *big[1:])
    evening = paid("200", hours=14)
    yield named("yesterday evening", "window", paid("60"), evening, slip="calendar")
    past = paid("200", days=1, minutes=10)
    yield named("a day and ten minutes ago", "window", paid("60"), past, slip="seconds")
    past = paid("250", days=21, seconds=5)
    yield named("weeks ago", "window", paid("250"), past, slip="seconds")
    ahead = paid("200", minutes=-3)
    yield named("later, by another clock", "window", paid("60"), ahead, slip="no-future")
    ahead = paid("200", days=-2, hours=-5)
    yield named("much later", "window", paid("60"), ahead, slip="no-future")
    yield named("at the same moment", "window", paid("60"), paid("200"))
    mixed = [paid("150", hours=2), paid("99", days=3), paid("60.00", hours=5), paid("9", days=2)]
    yield named("in no order", "window", paid("40.01"), *mixed, slip="in-order")
    rest = ("4.96", "47.74", "25.73", "32.77", "60.68", "63.78")
    parts = [paid(amount, hours=n) for n, amount in enumerate(rest, 2)]
    yield named("to the penny", "sums", paid("14.34"), *parts, slip="floats")
    yield named("a penny more", "sums", paid("14.35"), *parts)
    yield named("equal payments", "sums", paid("60"), *[paid("100", hours=4)] * 2, slip="distinct")
    yield named("equal to this payment", "sums", paid("90"), *[paid("90")] * 2)
    same = paid("90")
    yield named("this payment itself, twice", "sums", same, same, same)
    yield named("this payment itself, once", "sums", same, paid("70.01", minutes=3), same)
    for days in (10, 120, 800):
        yield named(f"{days} days later", "window", paid("60"), paid("200", days=-days))
    old = [paid("9", f"C-{n:04}", days=3, minutes=n) for n in range(300)]
    yield named("before 300 others", "window", paid("60"), paid("200", hours=2), *old)
    yield named(
        "among 300 others", "window", paid("60"), *old[:150], paid("191", hours=2), *old[150:]
    )
    pence = [paid("0.83", seconds=n) for n in range(300)]
    yield named("300 small ones", "sums", paid("1.00"), *pence)
    yield named("300 small ones, and a penny more", "sums", paid("1.01"), *pence)
    for amount in ("1000000.01", "1E+12", "123456789012345678901234567890.12"):
        yield named(f"an amount of £{amount}", "limit", paid(amount), paid("5", hours=2))
    yield Case(
        "the decimal context",
        call=lambda: given.context_changed(answer),
        show="what decide changes in decimal.getcontext(), of prec, rounding and traps",
        expect=[],
        slips=[
            Slip.when(
                "context",
                lambda got: bool(got),
                "The context belongs to all code of this thread: use decimal.localcontext().",
            )
        ],
        about="sums",
    )
    yield generated(
        "any payments",
        answer,
        exercise="04.4",
        inputs=given.inputs(),
        called="decide",
        slips=[
            slips[name] for name in ("no-future", "to-the-end", "below", "all-customers", "seconds")
        ],
        about="window",
        budget=150,
    )

    def no_amount(amount: str, *earlier: Any) -> Case:
        return Case(
            f"an amount of {amount}",
            call=lambda: answer(paid(amount), list(earlier)),
            expect=raises(ValueError, "amount"),
            show=f"decide(£{amount} to C-0042, {list(earlier)})",
            about="amount",
        )

    for amount in ("Infinity", "NaN", "0", "-0.01", "-300"):
        yield no_amount(amount)
    for amount in ("-Infinity", "sNaN", "0.00", "-0"):
        yield no_amount(amount, paid("900", "C-0311", minutes=1))
    for amount in ("NaN", "0.0", "-1"):
        over = [paid("251", minutes=1), paid("999", "C-0311", minutes=1)]
        yield replace(no_amount(amount, *over), name=f"{amount}, with both limits passed")
