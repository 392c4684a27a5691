"""Answers to exercise 04.4, most of them a right one with a step that is another."""

from datetime import timedelta
from decimal import Decimal, getcontext, localcontext
from enum import StrEnum
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m04.payments import CUSTOMER_LIMIT, FAULTY, SHOP_LIMIT, Limits


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda payment, earlier: None


@wrong("Everything is paid.")
def pays() -> object:
    return lambda payment, earlier: "pay"


@wrong("A person is asked about everything.")
def asks() -> object:
    return lambda payment, earlier: "ask"


@wrong("A limit that is reached is passed.", slip="below")
def below() -> object:
    return FAULTY["below"][0]


@wrong("The end of a window belongs to it.", slip="to-the-end")
def to_the_end() -> object:
    return FAULTY["to-the-end"][0]


@wrong("The part of the time without whole days.", slip="seconds")
def seconds() -> object:
    return FAULTY["seconds"][0]


@wrong("Later payments are left out.", slip="no-future")
def no_future() -> object:
    return FAULTY["no-future"][0]


@wrong("Days of the calendar.", slip="calendar")
def calendar() -> object:
    return FAULTY["calendar"][0]


@wrong("Sums of floats.", slip="floats")
def floats() -> object:
    return FAULTY["floats"][0]


@wrong("The customer's limit alone.", slip="no-shop")
def no_shop() -> object:
    return FAULTY["no-shop"][0]


@wrong("The shop's limit alone.", slip="no-customer")
def no_customer() -> object:
    return FAULTY["no-customer"][0]


@wrong("Asks when both limits are passed.", slip="no-customer")
def both() -> object:
    class Both(Limits):
        def asks(self, customer: bool, shop: bool) -> bool:
            return customer and shop

    return Both()


@wrong("One limit for all customers.", slip="all-customers")
def all_customers() -> object:
    return FAULTY["all-customers"][0]


@wrong("Equal payments count once.", slip="distinct")
def distinct() -> object:
    return FAULTY["distinct"][0]


@wrong("Stops at the first payment that is too old.", slip="in-order")
def in_order() -> object:
    return FAULTY["in-order"][0]


@wrong("The new payment is not part of the sums.", slip="without-this")
def without_this() -> object:
    return FAULTY["without-this"][0]


@wrong("The difference of times without its sign.")
def absolute() -> object:
    class Absolute(Limits):
        def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
            return bool(abs(payment.at - one.at) < window)

    return Absolute()


@wrong("Whole hours.")
def whole_hours() -> object:
    class Whole(Limits):
        def counts(self, payment: Any, one: Any, window: timedelta) -> bool:
            return bool(
                (payment.at - one.at) // timedelta(hours=1) <= window.total_seconds() / 3600
            )

    return Whole()


@wrong("The windows of the two limits are exchanged.")
def exchanged() -> object:
    class Exchanged(Limits):
        def within(self, payment: Any, earlier: Any, hours: int) -> Any:
            return super().within(payment, earlier, 25 - hours)

    return Exchanged()


@wrong("Customers are the same in capital letters.")
def any_case() -> object:
    class AnyCase(Limits):
        def mine(self, payment: Any, payments: Any) -> Any:
            return [one for one in payments if one.customer.upper() == payment.customer.upper()]

    return AnyCase()


@wrong("The shop's limit is for other customers.")
def shop_of_others() -> object:
    class Others(Limits):
        def within(self, payment: Any, earlier: Any, hours: int) -> Any:
            found = super().within(payment, earlier, hours)
            if hours > 1:
                return found
            return [one for one in found if one.customer != payment.customer]

    return Others()


@wrong("A payment that equals the new one is taken for it.")
def without_equal() -> object:
    class WithoutEqual(Limits):
        def within(self, payment: Any, earlier: Any, hours: int) -> Any:
            return super().within(payment, [one for one in earlier if one != payment], hours)

    return WithoutEqual()


@wrong("Sorts the caller's list.")
def sorts() -> object:
    class Sorts(Limits):
        def within(self, payment: Any, earlier: Any, hours: int) -> Any:
            if isinstance(earlier, list):
                earlier.sort(key=lambda one: one.at)
            return super().within(payment, earlier, hours)

    return Sorts()


@wrong("Keeps what it has seen.")
def keeps() -> object:
    seen: list[Any] = []

    class Keeps(Limits):
        def within(self, payment: Any, earlier: Any, hours: int) -> Any:
            seen.extend(one for one in earlier if one not in seen)
            return super().within(payment, seen, hours)

    return Keeps()


@wrong("No amount is refused.")
def refuses_nothing() -> object:
    class Lenient(Limits):
        def look(self, payment: Any) -> None:
            pass

    return Lenient()


@wrong("A comparison alone: NaN raises another error, infinity none.")
def compares_alone() -> object:
    class Compares(Limits):
        def look(self, payment: Any) -> None:
            if payment.amount <= 0:
                raise ValueError("amount")

    return Compares()


@wrong("Zero is an amount.")
def zero() -> object:
    class Zero(Limits):
        def look(self, payment: Any) -> None:
            if not payment.amount.is_finite() or payment.amount < 0:
                raise ValueError("amount")

    return Zero()


@wrong("A person is asked about what is no amount.")
def asks_about_bad_ones() -> object:
    class Asks(Limits):
        def __call__(self, payment: Any, earlier: Any) -> str:
            try:
                return super().__call__(payment, earlier)
            except ValueError:
                return "ask"

    return Asks()


@wrong("The error does not say what is wrong.")
def says_nothing() -> object:
    class Silent(Limits):
        def look(self, payment: Any) -> None:
            if not payment.amount.is_finite() or payment.amount <= 0:
                raise ValueError("not valid")

    return Silent()


def over(change: Any) -> object:
    """The right one over other earlier payments."""

    class Over(Limits):
        def __call__(self, payment: Any, earlier: Any) -> str:
            return super().__call__(payment, change(payment, earlier))

    return Over()


@wrong("The last hundred.")
def the_last_hundred() -> object:
    return over(lambda payment, earlier: earlier[-100:])


@wrong("The first hundred.")
def the_first_hundred() -> object:
    return over(lambda payment, earlier: earlier[:100])


@wrong("The hundred newest.")
def the_newest() -> object:
    return over(lambda payment, earlier: sorted(earlier, key=lambda one: one.at)[-100:])


@wrong("A clock is not wrong by more than a week.")
def a_week_ahead() -> object:
    return over(
        lambda payment, earlier: [e for e in earlier if e.at - payment.at < timedelta(days=7)]
    )


@wrong("A clock is not wrong by more than a year.")
def a_year_ahead() -> object:
    return over(
        lambda payment, earlier: [e for e in earlier if e.at - payment.at < timedelta(days=365)]
    )


@wrong("This payment itself is left out.")
def not_itself() -> object:
    return over(lambda payment, earlier: [one for one in earlier if one is not payment])


def looking(is_wrong: Any) -> object:
    """The right one, which looks at the amount in another way."""

    class Looking(Limits):
        def look(self, payment: Any) -> None:
            if is_wrong(payment.amount):
                raise ValueError("amount")

    return Looking()


@wrong("A large amount is none.")
def no_large_amount() -> object:
    return looking(lambda amount: not amount.is_finite() or not 0 < amount <= 1_000_000)


@wrong("An amount with more digits than the context has is an error.")
def quantizes() -> object:
    return looking(lambda amount: not amount.is_finite() or amount.quantize(Decimal("0.01")) <= 0)


@wrong("A limit that is passed already comes first.")
def limits_first() -> object:
    class First(Limits):
        def __call__(self, payment: Any, earlier: Any) -> str:
            passed = self.sum(self.mine(payment, self.within(payment, earlier, 24)))
            return "ask" if passed > CUSTOMER_LIMIT else super().__call__(payment, earlier)

    return First()


@wrong("It sets the precision for all.", slip="context")
def sets_the_precision() -> object:
    class Precise(Limits):
        def look(self, payment: Any) -> None:
            super().look(payment)
            getcontext().prec = 50

    return Precise()


@right("Two sums with a generator, and the times as moments.")
def two_sums() -> object:
    def decide(payment: Any, earlier: Any) -> str:
        amount = payment.amount
        if amount.is_nan() or amount.is_infinite() or amount.is_signed() or amount.is_zero():
            raise ValueError(f"{amount} is not an amount")
        day, hour = payment.at - timedelta(days=1), payment.at - timedelta(minutes=60)
        mine = (e.amount for e in earlier if e.customer == payment.customer and e.at > day)
        left = CUSTOMER_LIMIT - amount - sum(mine)
        left_shop = SHOP_LIMIT - amount - sum(e.amount for e in earlier if e.at > hour)
        return "ask" if min(left, left_shop) < 0 else "pay"

    return decide


@right("In pennies, with a result that is a subclass of str.")
def in_pennies() -> object:
    class Decision(StrEnum):
        PAY = "pay"
        ASK = "ask"

    def decide(payment: Any, earlier: Any) -> str:
        try:
            pennies = int(payment.amount * 100)
        except (ArithmeticError, ValueError) as error:
            raise ValueError("The amount must be finite") from error
        if pennies < 1:
            raise ValueError("The Amount must be more than 0")
        mine, all_of_them = pennies, pennies
        for one in sorted(earlier, key=lambda one: one.at, reverse=True):
            age = (payment.at - one.at) / timedelta(hours=1)
            if age >= 24:
                break
            mine += int(one.amount * 100) if one.customer == payment.customer else 0
            all_of_them += int(one.amount * 100) if age < 1 else 0
        return Decision.ASK if mine > 25_000 or all_of_them > 100_000 else Decision.PAY

    return decide


@right("A class whose instances are called.")
def a_class() -> object:
    return Limits()


@right("What is left of the limits, payment by payment.")
def what_is_left() -> object:
    def decide(payment: Any, earlier: Any) -> str:
        match payment.amount.as_tuple():
            case (0, digits, int()) if any(digits):
                pass
            case _:
                raise ValueError("This is no amount of money.")
        left = {24: CUSTOMER_LIMIT - payment.amount, 1: SHOP_LIMIT - payment.amount}
        for one in earlier:
            hours = (payment.at - one.at).total_seconds() / 3600
            left[1] -= one.amount if hours < 1 else 0
            left[24] -= one.amount * (one.customer == payment.customer) if hours < 24 else 0
        return "pay" if all(each >= 0 for each in left.values()) else "ask"

    return decide


@right("A context of its own.")
def own_context() -> object:
    def decide(payment: Any, earlier: Any) -> str:
        with localcontext() as context:
            context.prec = 60
            return Limits()(payment, earlier)

    return decide
