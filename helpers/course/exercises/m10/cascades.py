"""Cascades for exercise 10.4, and faulty ways to choose and to judge their thresholds."""

import inspect
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Part = list[list[tuple[float, bool]]]
Answer = Callable[[Part, Part, list[Decimal], Decimal, Decimal], Any]

TUNE: Part = [[(0.9, True)], [(0.5, True)], [(0.4, False)]]
TEST: Part = [[(0.8, True)], [(0.5, False)], [(0.3, True)]]
"""The statement's example."""
ALL_WRONG: Part = [[(0.8, False)], [(0.2, True)]]
TWO: Part = [
    [(0.9, True), (0.7, True)],
    [(0.8, False), (0.9, True)],
    [(0.8, True), (0.4, True)],
    [(0.6, True), (0.8, False)],
    [(0.6, False), (0.3, False)],
    [(0.2, False), (0.7, True)],
    [(0.2, False), (0.6, True)],
]
OTHER: Part = [
    [(0.6, True), (0.5, True)],
    [(0.3, False), (0.9, True)],
    [(0.9, False), (0.9, False)],
    [(0.3, False), (0.1, False)],
    [(0.7, True), (0.7, False)],
]
USELESS: Part = [
    [(0.9, False), (0.6, True)],
    [(0.5, False), (0.8, True)],
    [(0.7, False), (0.2, False)],
]
"""The first tier is never right."""
THREE: Part = [
    [(0.9, True), (0.2, False), (0.5, True)],
    [(0.4, False), (0.8, True), (0.5, True)],
    [(0.4, True), (0.3, False), (0.9, True)],
    [(0.1, False), (0.8, True), (0.1, False)],
    [(0.1, False), (0.3, False), (0.5, False)],
    [(0.9, True), (0.8, True), (0.9, True)],
]


LAST_TIED: Part = [
    [(0.25, False), (0.75, False)],
    [(0.5, True), (0.5, False)],
    [(0.5, False), (0.75, True)],
]
"""At $3 and $2, and tiers that cost nothing: (0.5, inf) costs the same as (inf, 0.75)."""
PEOPLE_TIED: Part = [
    [(0.5, True), (0.5, True)],
    [(0.5, False), (0.5, True)],
    [(0.25, False), (0.5, False)],
    [(0.25, False), (0.25, True)],
]
"""At $3 and $2, and $1 for the second tier: (0.5, inf) costs the same as (inf, 0.25)."""
CLOSE: Part = [[(0.8123456, True)], [(0.4123456, False)]]
CLOSE_TEST: Part = [[(0.8123457, True)], [(0.8123456, False)], [(0.8123455, True)]]
"""Where a wrong answer costs hardly more than a person: the least of amounts decides."""


def plain(answer: Answer) -> Answer:
    """An answer, unless it is async: that is never run, and an error says so."""

    def refused(*arguments: Any) -> Any:
        raise TypeError("plan is async; it has to be a plain function")

    return refused if inspect.iscoroutinefunction(answer) else answer


def dollars(*amounts: str | int) -> list[Decimal]:
    """Amounts as decimals."""
    return [Decimal(amount) for amount in amounts]


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Cascades of up to three tiers, with few confidences and round costs: ties are many."""
    from hypothesis import strategies as st

    confidence = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
    price = st.sampled_from(["0", "0.1", "0.3", "0.7", "1", "2.5", "6"]).map(Decimal)
    cost = st.integers(0, 8).map(Decimal) | st.sampled_from(dollars("0.1", "2.5"))

    def cascade(count: int) -> "SearchStrategy[tuple[Any, ...]]":
        answer = st.tuples(confidence, st.booleans())
        question = st.tuples(*[answer] * count).map(list)
        part = st.lists(question, min_size=1, max_size=7 if count < 3 else 4)
        prices = st.tuples(*[price] * count).map(list)
        return st.tuples(part, part, prices, cost, cost)

    return cascade(1) | cascade(2) | cascade(3)


class Planned:
    """The steps, one method each; faulty ways change one."""

    def choose(self, tune: Part, test: Part, prices: Any, wrong: Any, person: Any) -> Any:
        """The thresholds."""
        combinations = list(product(*self.candidates(tune, len(prices))))
        costs = [self.run(tune, each, prices, wrong, person)["cost"] for each in combinations]
        lowest = min(costs)
        return self.tie(
            [each for each, cost in zip(combinations, costs, strict=True) if cost == lowest]
        )

    def tie(self, cheapest: list[Any]) -> Any:
        """One of the cheapest combinations."""
        return min(cheapest)

    def candidates(self, tune: Part, count: int) -> list[list[float]]:
        """For each tier what its threshold may be."""
        return [
            sorted({question[tier][0] for question in tune} | {math.inf}) for tier in range(count)
        ]

    def asked(self, threshold: float) -> bool:
        """Whether a tier with this threshold is asked and paid."""
        return threshold < math.inf

    def served(self, confidence: float, threshold: float) -> bool:
        """Whether an answer is served."""
        return confidence >= threshold

    def paid(self, asked: Sequence[Any], served: bool) -> Any:
        """What the tiers cost that were asked, in order; the last one served, or none."""
        return sum(asked, Decimal(0))

    def run(self, part: Part, thresholds: Any, prices: Any, wrong: Any, person: Any) -> Any:
        """Counts and cost."""
        counts, cost = {"right": 0, "wrong": 0, "handed_over": 0}, Decimal(0)
        for question in part:
            ended, asked = "handed_over", []
            for tier, (confidence, right) in enumerate(question):
                if not self.asked(thresholds[tier]):
                    continue
                asked.append(prices[tier])
                if self.served(confidence, thresholds[tier]):
                    ended = "right" if right else "wrong"
                    break
            counts[ended] += 1
            cost += self.paid(asked, ended != "handed_over")
        cost += counts["wrong"] * wrong + counts["handed_over"] * person
        return counts | {"cost": cost}

    def judged(self, tune: Part, test: Part) -> Part:
        """The part that the result is about."""
        return test

    def per_right(self, found: Any) -> Any:
        """Dollars a right answer."""
        return found["cost"] / found["right"] if found["right"] else None

    def __call__(self, tune: Part, test: Part, prices: Any, wrong: Any, person: Any) -> Any:
        """The whole result."""
        thresholds = self.choose(tune, test, prices, wrong, person)
        found = self.run(self.judged(tune, test), thresholds, prices, wrong, person)
        return {"thresholds": list(thresholds)} | found | {"per_right": self.per_right(found)}


def but(**methods: Callable[..., Any]) -> Answer:
    """`Planned` with these methods changed."""
    changed: Answer = type("Changed", (Planned,), methods)()
    return changed


def each_alone(self: Planned, tune: Part, test: Part, prices: Any, wrong: Any, person: Any) -> Any:
    """Each tier's threshold as if it was the only tier."""
    return [
        Planned.choose(self, [[each[tier]] for each in tune], test, [prices[tier]], wrong, person)[
            0
        ]
        for tier in range(len(prices))
    ]


def without_prices(self: Planned, tune: Part, test: Part, prices: Any, *costs: Any) -> Any:
    """The choice by wrong answers and people alone."""
    return Planned.choose(self, tune, test, [Decimal(0)] * len(prices), *costs)


FAULTY: dict[str, tuple[Answer, str]] = {
    "each-alone": (
        but(choose=each_alone),
        "Each threshold was chosen as if its tier was the only one. What a tier hands up costs"
        " what comes after it: choose them together.",
    ),
    "prices-ignored": (
        but(choose=without_prices),
        "The choice leaves out what the tiers cost.",
    ),
    "chosen-on-test": (
        but(choose=lambda self, tune, test, *how: Planned.choose(self, test, test, *how)),
        "The thresholds were chosen on test: that is where they have to be judged.",
    ),
    "judged-on-tune": (
        but(judged=lambda self, tune, test: tune),
        "The figures are those of tune, where the thresholds were made to look good.",
    ),
    "last-alone-paid": (
        but(paid=lambda self, asked, served: asked[-1] if asked else Decimal(0)),
        "Only the last tier that was asked is paid. Those that handed it the question are, too.",
    ),
    "served-alone-paid": (
        but(paid=lambda self, asked, served: asked[-1] if served else Decimal(0)),
        "Only a tier whose answer is served is paid. Every tier that is asked has to be.",
    ),
    "infinite-paid": (
        but(asked=lambda self, threshold: True),
        "A tier whose threshold is math.inf is paid. It is left out, and costs nothing.",
    ),
    "never-infinite": (
        but(
            candidates=lambda self, tune, count: [
                each[:-1] for each in Planned.candidates(self, tune, count)
            ]
        ),
        "math.inf is a candidate of each tier, too: it leaves the tier out.",
    ),
    "above-alone": (
        but(served=lambda self, confidence, threshold: confidence > threshold),
        "An answer whose confidence equals the threshold is served.",
    ),
    "highest-of-equal": (
        but(tie=max),
        "Several combinations cost the same: choose the one with the lowest first threshold.",
    ),
    "costs-swapped": (
        lambda tune, test, prices, wrong, person: Planned()(tune, test, prices, person, wrong),
        "wrong is for a wrong answer that is served, person for a question that is handed over.",
    ),
    "person-is-right": (
        but(
            per_right=lambda self, found: (
                found["cost"] / (found["right"] + found["handed_over"])
                if found["right"] + found["handed_over"]
                else None
            )
        ),
        "A question that was handed over counts as right in per_right: only right answers do.",
    ),
}
"""By the slip's id: what it does, and what a card says of it."""
