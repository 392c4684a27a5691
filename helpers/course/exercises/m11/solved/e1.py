# Written by `course build` from solutions/src/11_operate_and_improve.py: change it there.
from helpers.operate.testing.plans import Plan
# The exercise's own cell.
from fractions import Fraction
from math import ceil


def break_even(a: Plan, b: Plan, most: int) -> int | None:
    """The requests a month from which on `b` costs no more than `a`, up to `most`."""
    for plan in (a, b):
        for name in ("fixed", "request", "free", "instance", "capacity", "minimum"):
            if getattr(plan, name) < (name == "capacity"):
                raise ValueError(f"{name} is too small")
    if most < 0:
        raise ValueError("most is negative")

    def cost(plan, requests):
        instances = max(plan.minimum, -(-requests // plan.capacity))
        paid = max(0, requests - plan.free)
        return plan.fixed + plan.request * paid + plan.instance * instances

    def extra(requests):
        return cost(b, requests) - cost(a, requests)

    starts = {0}
    for plan in (a, b):
        starts |= {min(plan.free, most), *range(1, most + 1, plan.capacity)}
    end = most
    for start in sorted(starts, reverse=True):
        if extra(end) > 0:
            return None if end == most else end + 1
        if extra(start) > 0:
            falls = extra(start) - extra(start + 1)
            return start + ceil(Fraction(extra(start)) / Fraction(falls))
        end = start - 1
    return 0
ANSWER = break_even
