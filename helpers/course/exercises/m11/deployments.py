"""Plans for exercise 11.1, and faulty ways to find where one of them is cheaper for good."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from helpers.operate.testing.plans import Plan

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Answer = Callable[[Plan, Plan, int], int | None]

FUNCTION = Plan(request=Decimal("0.2"), free=10)
CONTAINER = Plan(instance=Decimal(10), capacity=80, minimum=1)
"""The statement's example."""
SAW = Plan(instance=Decimal(3), capacity=4)
"""More expensive than `EVEN` after each step, and cheaper before the next one."""
EVEN = Plan(request=Decimal("0.9"))
TENS = Plan(instance=Decimal(10), capacity=10)
HALF = Plan(request=Decimal("0.5"))
FREE = Plan()
LARGE = Plan(instance=Decimal("36.04"), capacity=100_000, minimum=1)
LARGE_CALLS = Plan(request=Decimal("0.000361"), free=1_000_000)
LAST_STEPS = (
    Plan(request=Decimal("0.000361")),
    Plan(instance=Decimal("36.1"), capacity=100_000),
)
"""Equal only where all instances are full, so the last of them decides."""
CALLS = Plan(request=Decimal("0.0000007"))
FIXED = Plan(fixed=Decimal("120.5"), request=Decimal("0.0000003"))


class Volumes:
    """The steps, one method each; faulty ways change one. It looks at each volume."""

    def instances(self, plan: Plan, requests: int) -> Any:
        """How many instances run."""
        return max(plan.minimum, -(-requests // plan.capacity))

    def paid(self, plan: Plan, requests: int) -> int:
        """How many requests are paid for."""
        return max(0, requests - plan.free)

    def cost(self, plan: Plan, requests: int) -> Any:
        """US dollars of a month."""
        variable = plan.request * self.paid(plan, requests)
        return plan.fixed + variable + plan.instance * self.instances(plan, requests)

    def no_more(self, a: Plan, b: Plan, requests: int) -> bool:
        """Whether `b` costs no more than `a`."""
        return bool(self.cost(b, requests) <= self.cost(a, requests))

    def find(self, a: Plan, b: Plan, most: int) -> int | None:
        """The volume from which on `b` costs no more."""
        for requests in range(most, -1, -1):
            if not self.no_more(a, b, requests):
                return requests + 1 if requests < most else None
        return 0


class FirstCrossing(Volumes):
    """The first volume at which `b` costs no more, whatever comes later."""

    def find(self, a: Plan, b: Plan, most: int) -> int | None:
        """The first such volume."""
        found = (each for each in range(most + 1) if self.no_more(a, b, each))
        return next(found, None)


class Bisection(Volumes):
    """Halves the interval, as if the difference changed its sign once."""

    def find(self, a: Plan, b: Plan, most: int) -> int | None:
        """Where halving ends."""
        if not self.no_more(a, b, most):
            return None
        low, high = 0, most
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.no_more(a, b, middle) else (middle + 1, high)
        return low


class Strict(Volumes):
    """Equal costs do not count."""

    def no_more(self, a: Plan, b: Plan, requests: int) -> bool:
        """Whether `b` costs less."""
        return bool(self.cost(b, requests) < self.cost(a, requests))


class Everything(Volumes):
    """Free requests are paid, too."""

    def paid(self, plan: Plan, requests: int) -> int:
        """All of them."""
        return requests


class AllOrNothing(Volumes):
    """Beyond the allowance, all requests are paid."""

    def paid(self, plan: Plan, requests: int) -> int:
        """All of them, or none."""
        return requests if requests > plan.free else 0


class RoundedDown(Volumes):
    """An instance is added when the last one is full, and not before."""

    def instances(self, plan: Plan, requests: int) -> Any:
        """Rounded down, and at least the minimum."""
        return max(plan.minimum, requests // plan.capacity)


class Parts(Volumes):
    """Half an instance costs half."""

    def instances(self, plan: Plan, requests: int) -> Any:
        """A fraction."""
        share = Fraction(requests, plan.capacity)
        return max(plan.minimum, Decimal(share.numerator) / share.denominator)


class NoMinimum(Volumes):
    """Without requests nothing runs."""

    def instances(self, plan: Plan, requests: int) -> Any:
        """By the requests alone."""
        return math.ceil(Fraction(requests, plan.capacity))


class Added(Volumes):
    """The minimum comes on top."""

    def instances(self, plan: Plan, requests: int) -> Any:
        """The sum of both."""
        return plan.minimum + -(-requests // plan.capacity)


FAULTY: dict[str, tuple[Volumes, str]] = {
    "first-crossing": (
        FirstCrossing(),
        "This is the first volume at which b costs no more: after a later step it costs more.",
    ),
    "bisection": (
        Bisection(),
        "Halving an interval finds a volume only if the difference changes its sign once. With"
        " steps it changes it many times.",
    ),
    "strict": (Strict(), "Where both cost the same, b costs no more than a."),
    "free-paid": (Everything(), "The free requests cost nothing."),
    "all-or-nothing": (
        AllOrNothing(),
        "The free requests stay free when there are more: only those after them are paid.",
    ),
    "rounded-down": (
        RoundedDown(),
        "One request more than the instances carry needs one instance more: round up.",
    ),
    "parts": (Parts(), "Instances come whole: half an instance costs as much as one."),
    "no-minimum": (NoMinimum(), "The minimum of instances is paid also when they are not needed."),
    "added": (Added(), "minimum is a lower bound. It does not come on top of what is needed."),
}
"""Known mistakes: a faulty way, and what the card says."""


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Pairs of plans with small steps and round prices, so that equal costs are many."""
    from hypothesis import strategies as st

    price = st.sampled_from(["0", "0.1", "0.25", "0.3", "1", "2.5", "7"]).map(Decimal)
    plans = st.builds(
        Plan,
        fixed=price,
        request=price,
        free=st.integers(0, 9),
        instance=price,
        capacity=st.integers(1, 7),
        minimum=st.integers(0, 3),
    )
    return st.tuples(plans, plans, st.integers(0, 40))
