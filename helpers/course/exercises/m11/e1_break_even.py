"""Exercise 11.1: the volume from which on one deployment is cheaper than another, for good."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, example, exercise, generated, raises, solved

if TYPE_CHECKING:
    from helpers.course.exercises.m11.deployments import Answer

_QUICK_S = 2.0  # for 10,000 steps; the reference takes 0.03 s, and a look at each volume hours


@exercise(
    "11.1",
    title="The break-even that holds",
    hints=[
        "Write cost(plan, requests) first, and compare it with a table that you make by hand. Then"
        " find the last volume at which b costs more: the answer is the next one.",
        Hint(
            "-(-requests // capacity) rounds up with integers alone. max(minimum, ...) comes"
            " afterwards, and max(0, requests - free) is the number of requests that cost money.",
            "cost",
        ),
        Hint(
            "Go down from most. At the first volume at which b costs more you know the answer.",
            "steps",
        ),
        Hint(
            "Between two steps the difference is a straight line. Lines begin at 0, at free, and at"
            " each range(1, most + 1, capacity). So look at the two ends of each line, the last"
            " line first.",
            "fast",
        ),
        Hint(
            "On the line from start to end, b costs d more than a at the start, and this difference"
            " falls by s with each further request. The first volume at which b costs no more is"
            " start + math.ceil(Fraction(d) / Fraction(s)).",
            "fast",
        ),
        Hint("getattr(plan, name) reads a field by its name, for a loop over fields.", "bad"),
    ],
)
def break_even(answer: "Answer") -> Iterator[Case]:
    """Steps, allowances and ties; many volumes; plans that are none."""
    from helpers.course.exercises.m11 import deployments as given
    from helpers.operate.testing.plans import Plan

    reference = solved("11.1")
    slips = [Slip.like(name, way.find, text) for name, (way, text) in given.FAULTY.items()]

    def named(name: str, a: Any, b: Any, most: int, about: str, *, quick: bool = False) -> Case:
        return example(
            name,
            answer,
            *(a, b, most),
            called="break_even",
            expect=reference(a, b, most),
            slips=[] if quick else slips,
            about=about,
            limit=_QUICK_S if quick else 10.0,
        )

    function, container = given.FUNCTION, given.CONTAINER
    yield named("the example", function, container, 200, "steps")
    yield named("never within most", function, container, 59, "steps")
    yield named("at most itself", function, container, 60, "steps")
    yield named("from the other side", container, function, 200, "steps")
    yield named("only at most", container, Plan(fixed=Decimal(15)), 81, "steps")
    whole = replace(container, minimum=0)
    yield named("instances come whole", whole, Plan(fixed=Decimal(5)), 100, "cost")
    yield named("again and again", given.EVEN, given.SAW, 30, "steps")
    yield named("a plan against itself", given.SAW, given.SAW, 30, "steps")
    yield named("no volume but 0", function, container, 0, "steps")
    yield named("nothing costs anything", container, given.FREE, 200, "cost")
    free = replace(given.HALF, free=7)
    yield named("an allowance", free, replace(given.HALF, fixed=Decimal(2)), 40, "cost")
    yield named("two allowances", free, replace(free, free=3, request=Decimal("0.1")), 40, "cost")
    more = replace(given.SAW, minimum=2)
    yield named("a minimum of instances", given.EVEN, more, 40, "cost")
    tiny = replace(given.HALF, request=Decimal("0.5000000000000000001"))
    yield named("prices that hardly differ", tiny, given.HALF, 40, "cost")
    yield named("a cent too much, at the end", given.HALF, tiny, 40, "cost")
    yield named("steps of a alone", given.TENS, Plan(request=Decimal("1.05")), 25, "steps")
    large, more = Plan(fixed=Decimal(10**18)), Plan(fixed=10**18 + Decimal("1e-9"))
    yield named("costs of 28 digits", large, more, 10, "cost")
    yield Case(
        "one pair of plans after another",
        call=lambda: [answer(replace(function), Plan(fixed=Decimal(n)), 200) for n in range(9)],
        show="break_even(function, Plan(fixed=Decimal(n)), 200), for n from 0 to 8",
        expect=[reference(function, Plan(fixed=Decimal(n)), 200) for n in range(9)],
        about="steps",
    )
    yield generated(
        "any plans",
        answer,
        exercise="11.1",
        inputs=given.inputs(),
        called="break_even",
        slips=slips,
        about="steps",
        budget=120,
    )
    calls, steps = given.LARGE_CALLS, given.LARGE
    yield named("10,000 steps", calls, steps, 10**9, "fast", quick=True)
    yield named("few steps", replace(steps, capacity=10**8), calls, 10**9, "fast", quick=True)
    yield named("a crossing far from any step", given.CALLS, given.FIXED, 10**9, "fast", quick=True)
    yield named("the last of 10,000 steps", *given.LAST_STEPS, 10**9, "fast", quick=True)
    for price, fixed in (("1", "123456789.0000000001"), ("3", "370370367.0000000000000000001")):
        yield named(
            f"a crossing just after a whole number, at {price} dollars",
            Plan(request=Decimal(price), capacity=10**9),
            Plan(fixed=Decimal(fixed), capacity=10**9),
            10**9,
            "fast",
            quick=True,
        )
    for field, value in (
        ("fixed", Decimal("-0.01")),
        ("request", Decimal("-0.01")),
        ("free", -1),
        ("instance", Decimal(-1)),
        ("capacity", 0),
        ("capacity", -1),
        ("minimum", -1),
    ):
        for first in (True, False):
            wrong: dict[str, Any] = {field: value}
            bad = replace(container, **wrong)
            yield example(
                f"{field} of the {'first' if first else 'second'} plan is {value}",
                answer,
                *((bad, function) if first else (function, bad)),
                100,
                called="break_even",
                expect=raises(ValueError, field),
                about="bad",
            )
    yield example(
        "most is -1",
        answer,
        *(function, container, -1),
        called="break_even",
        expect=raises(ValueError, "most"),
        about="bad",
    )
