# %% [markdown] name="title" only="lab"
# # Lab 11: Operate and improve

# %% [markdown] name="title" only="solution"
# # Solution of lab 11: Operate and improve

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="break-even-goal"
# ## 1. The break-even that holds
#
# Find the number of requests a month from which on one deployment costs no more than another, for
# good. A deployment is a `Plan`. Its prices are `Decimal`s, in US dollars of a month.

# %% name="break-even-look"
from decimal import Decimal

from helpers.operate.testing.plans import Plan

function = Plan(request=Decimal("0.2"), free=10)
container = Plan(instance=Decimal(10), capacity=80, minimum=1)
print(function)
print(container)

# %% [markdown] name="break-even-task"
# | field | type | what |
# |---|---|---|
# | `fixed` | `Decimal` | dollars a month |
# | `request` | `Decimal` | dollars of each request after the free ones |
# | `free` | `int` | requests a month that cost nothing; they stay free when there are more |
# | `instance` | `Decimal` | dollars a month of an instance |
# | `capacity` | `int` | requests a month that an instance carries |
# | `minimum` | `int` | instances that run also when fewer are needed |
#
# With `n` requests a month, as many instances run as are needed to carry `n`, and at least
# `minimum`. Without requests, none is needed.
#
# Write `break_even(a, b, most)`. It returns the smallest number of requests, from 0 to `most`, from
# which on `b` costs no more than `a` at **every** number of requests up to and including `most`. It
# returns `None` if there is no such number.
#
# - Equal costs are "no more". All costs are exact: no float, and no rounding.
# - `most` is at most 10^9, and no plan has more than 10,000 steps up to it (`most // capacity`).
#   With that many steps you have 2 seconds, so do not look at each number of requests.
# - Every cost up to `most` has at most 28 digits, so `Decimal` can hold it exactly.
# - A negative field of a plan, a `capacity` below 1, and a negative `most` raise `ValueError`, and
#   its message contains the name of the field, or `most`. No more than one of them is wrong.
# - `a` and `b` are not changed, and the function is a plain one, not async.
#
# Example: `break_even(function, container, 200)` is `110`. At 60 requests both cost $10. But the
# 81st request needs a second container: now they cost $20, and the function $14.20. At 110 requests
# both cost $20. The third container, at 161, costs no more than the function ($30, and $30.20).

# %% exercise="11.1"
from fractions import Fraction
from math import ceil


def break_even(a: Plan, b: Plan, most: int) -> int | None:
    """The requests a month from which on `b` costs no more than `a`, up to `most`."""
    # LAB: return TODO
    # BEGIN SOLUTION
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
    # END SOLUTION

# %%
check("11.1", break_even)

# %% [markdown] name="break-even-why" only="solution"
# The difference of two plans is a straight line between two steps, and it jumps at each of them. So
# it can change its sign many times, and halving an interval finds any of these places. But a line
# that is above 0 somewhere is above 0 at one of its ends. It is enough to look at the ends of the
# lines, from the last one downwards: the first end at which `b` costs more decides.
#
# Lines begin at 0, at `free`, and one request after each number that fills all instances. A
# `Decimal` is exact when it is added and multiplied, as long as it has room for the digits (28 by
# default), and not when it is divided. `Fraction` divides exactly.
