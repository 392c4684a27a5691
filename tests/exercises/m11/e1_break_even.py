"""Answers to exercise 11.1, most of them a right one with a part that is another."""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Context
from fractions import Fraction
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m11.deployments import FAULTY, Volumes
from helpers.operate.testing.plans import Plan

FIELDS = ("fixed", "request", "free", "instance", "capacity", "minimum")


def look(a: Plan, b: Plan, most: int) -> None:
    for plan in (a, b):
        for name in FIELDS:
            if getattr(plan, name) < (1 if name == "capacity" else 0):
                raise ValueError(f"The field {name} is too small.")
    if most < 0:
        raise ValueError("most must not be negative.")


class Lines(Volumes):
    """The two ends of each line between steps, from the last one downwards."""

    def find(self, a: Plan, b: Plan, most: int) -> int | None:
        ends = {most}
        for plan in (a, b):
            ends |= {min(plan.free, most), *range(0, most + 1, plan.capacity)}
        points = sorted(ends, reverse=True)
        for place, end in enumerate(points):
            if not self.no_more(a, b, end):
                return None if end == most else end + 1
            start = points[place + 1] + 1 if place + 1 < len(points) else 0
            if not self.no_more(a, b, start):
                return self.between(a, b, start, end)
        return 0

    def between(self, a: Plan, b: Plan, start: int, end: int) -> int:
        """The first volume of a line at which b costs no more: by halving."""
        low, high = start, end
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.no_more(a, b, middle) else (middle, high)
        return high


def by(way: Volumes, look: Callable[..., None] = look) -> object:
    def break_even(a: Plan, b: Plan, most: int) -> Any:
        look(a, b, most)
        return way.find(a, b, most)

    return break_even


def but(**methods: Callable[..., Any]) -> object:
    return by(type("Changed", (Lines,), methods)())


def faulty(name: str) -> object:
    """A known mistake in the steps, with the quick way to find; else the slow one of its own."""
    way = FAULTY[name][0]
    if "find" in vars(type(way)):
        return by(way)
    return by(type("Changed", (type(way), Lines), {"find": Lines.find})())


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda a, b, most: None


@wrong("The statement's example, whatever comes.")
def hard_coded() -> object:
    return by(type("Fixed", (Lines,), {"find": lambda self, a, b, most: 110})())


@wrong("It looks at each volume.")
def each_volume() -> object:
    return by(Volumes())


@wrong("The first volume at which b costs no more.", slip="first-crossing")
def first_crossing() -> object:
    def find(self: Any, a: Plan, b: Plan, most: int) -> int | None:
        if most > 100_000:
            return Lines.find(self, a, b, most)
        return FAULTY["first-crossing"][0].find(a, b, most)

    return but(find=find)


@wrong("It halves the whole interval.", slip="bisection")
def bisection() -> object:
    return faulty("bisection")


@wrong("Equal costs do not count.", slip="strict")
def strict() -> object:
    return faulty("strict")


@wrong("Free requests are paid.", slip="free-paid")
def free_is_paid() -> object:
    return faulty("free-paid")


@wrong("Above the allowance everything is paid.", slip="all-or-nothing")
def all_or_nothing() -> object:
    return by(_volumes_when_small("all-or-nothing"))


@wrong("Instances are rounded down.", slip="rounded-down")
def rounded_down() -> object:
    return by(_volumes_when_small("rounded-down"))


@wrong("Parts of instances.", slip="parts")
def parts() -> object:
    return by(_volumes_when_small("parts"))


def _volumes_when_small(name: str) -> Any:
    """A mistake that moves the lines: looked at volume by volume, but for the large cases."""
    way = FAULTY[name][0]

    class Small(Lines):
        def find(self, a: Plan, b: Plan, most: int) -> int | None:
            return way.find(a, b, most) if most <= 100_000 else Lines.find(self, a, b, most)

    return Small()


@wrong("The minimum is ignored.", slip="no-minimum")
def no_minimum() -> object:
    return faulty("no-minimum")


@wrong("The minimum comes on top.", slip="added")
def minimum_on_top() -> object:
    return faulty("added")


@wrong("At least one instance runs.")
def never_without() -> object:
    return but(instances=lambda self, plan, n: max(plan.minimum, -(-n // plan.capacity), 1))


@wrong("Floats.")
def floats() -> object:
    def cost(self: Any, plan: Plan, requests: int) -> Any:
        variable = float(plan.request) * self.paid(plan, requests)
        return float(plan.fixed) + variable + float(plan.instance) * self.instances(plan, requests)

    return but(cost=cost)


@wrong("Cents.")
def cents() -> object:
    def cost(self: Any, plan: Plan, requests: int) -> Any:
        return round(Volumes.cost(self, plan, requests), 2)

    return but(cost=cost)


@wrong("The volume before.")
def one_less() -> object:
    def find(self: Any, a: Plan, b: Plan, most: int) -> int | None:
        found = Lines.find(self, a, b, most)
        return found and found - 1

    return but(find=find)


@wrong("most itself does not belong to the volumes.")
def below_most() -> object:
    return but(find=lambda self, a, b, most: Lines.find(self, a, b, max(0, most - 1)))


@wrong("most + 1 instead of None.")
def beyond() -> object:
    def find(self: Any, a: Plan, b: Plan, most: int) -> int:
        found = Lines.find(self, a, b, most)
        return most + 1 if found is None else found

    return but(find=find)


@wrong("Only the steps of b.")
def steps_of_b() -> object:
    def find(self: Any, a: Plan, b: Plan, most: int) -> int | None:
        return Lines.find(self, Plan(**{**vars(a), "capacity": 10**9}), b, most)

    return but(find=find)


@wrong("Only the steps of a.")
def steps_of_a() -> object:
    def find(self: Any, a: Plan, b: Plan, most: int) -> int | None:
        return Lines.find(self, a, Plan(**{**vars(b), "capacity": 10**9}), most)

    return but(find=find)


@wrong("Only the first 9,990 steps.")
def last_steps_missing() -> object:
    class Short(Lines):
        def find(self, a: Plan, b: Plan, most: int) -> int | None:
            last = 9_990 * min(a.capacity, b.capacity)
            if last >= most or not self.no_more(a, b, most):
                return Lines.find(self, a, b, most)
            if not self.no_more(a, b, last + 1):
                return self.between(a, b, last + 1, most)
            return Lines.find(self, a, b, last)

    return by(Short())


@wrong("The quotient is a float.")
def float_quotient() -> object:
    return _quotient(lambda first, falls: float(Fraction(first) / Fraction(falls)))


@wrong("The quotient is a Decimal of 28 digits.")
def decimal_quotient() -> object:
    return _quotient(lambda first, falls: first / falls)


def _quotient(divide: Callable[[Any, Any], Any]) -> object:
    def between(self: Any, a: Plan, b: Plan, start: int, end: int) -> int:
        first, second = (self.cost(b, n) - self.cost(a, n) for n in (start, start + 1))
        return start + math.ceil(divide(first, first - second))

    return but(between=between)


@wrong("Costs of 27 digits.")
def digits_27() -> object:
    def cost(self: Any, plan: Plan, requests: int) -> Any:
        return Context(prec=27).plus(Volumes.cost(self, plan, requests))

    return but(cost=cost)


@wrong("Answers are kept by the identity of the plans.")
def kept_by_identity() -> object:
    kept: dict[Any, Any] = {}

    def find(self: Any, a: Plan, b: Plan, most: int) -> Any:
        key = id(a), id(b), most
        if key not in kept:
            kept[key] = Lines.find(self, a, b, most)
        return kept[key]

    return but(find=find)


@wrong("Only steps, and no line between them.")
def no_lines() -> object:
    return but(between=lambda self, a, b, start, end: start)


@wrong("Plans in the other order.")
def turned() -> object:
    return but(find=lambda self, a, b, most: Lines.find(self, b, a, most))


@wrong("No field is looked at.")
def no_look() -> object:
    return by(Lines(), look=lambda a, b, most: None)


@wrong("Only the first plan is looked at.")
def only_the_first() -> object:
    return by(Lines(), look=lambda a, b, most: look(a, a, most))


@wrong("A capacity of 0 passes.")
def capacity_of_0() -> object:
    def short(a: Plan, b: Plan, most: int) -> None:
        for plan in (a, b):
            for name in FIELDS:
                if getattr(plan, name) < 0:
                    raise ValueError(f"{name} is negative")
        look(Plan(), Plan(), most)

    return by(Lines(), look=short)


@wrong("Of the capacities, only 0 is refused.")
def negative_capacity() -> object:
    def short(a: Plan, b: Plan, most: int) -> None:
        look(*(replace(plan, capacity=abs(plan.capacity)) for plan in (a, b)), most)

    return by(Lines(), look=short)


@right("By halving within a line.")
def halving() -> object:
    return by(Lines())


@right("Whole units of 10^-20 dollars.")
def whole_units() -> object:
    def cost(self: Any, plan: Plan, requests: int) -> Any:
        fixed, request, instance = (
            int(Fraction(each) * 10**20) for each in (plan.fixed, plan.request, plan.instance)
        )
        return (
            fixed + request * self.paid(plan, requests) + instance * self.instances(plan, requests)
        )

    return but(cost=cost)


@right("Fractions, and a quotient instead of halving.")
def quotients() -> object:
    def between(self: Any, a: Plan, b: Plan, start: int, end: int) -> int:
        first, second = (self.cost(b, n) - self.cost(a, n) for n in (start, start + 1))
        return start + math.ceil(Fraction(first) / Fraction(first - second))

    return but(between=between, no_more=lambda self, a, b, n: _exact(self, a, b, n) <= 0)


def _exact(way: Any, a: Plan, b: Plan, requests: int) -> Fraction:
    return Fraction(way.cost(b, requests)) - Fraction(way.cost(a, requests))


@right("All ends at once, the last bad one is taken.")
def upwards() -> object:
    def find(self: Any, a: Plan, b: Plan, most: int) -> int | None:
        starts = {0}
        for plan in (a, b):
            starts |= {min(plan.free, most), *range(1, most + 1, plan.capacity)}
        first = sorted(starts)
        found: int | None = 0
        for start, after in zip(first, [*first[1:], most + 1], strict=True):
            if not self.no_more(a, b, after - 1):
                found = after if after <= most else None
            elif not self.no_more(a, b, start):
                found = self.between(a, b, start, after - 1)
        return found

    return but(find=find)


EQUIVALENT: dict[str, str] = {}
