"""Answers to exercise 10.4, most of them a right one with a part that is another."""

import math
from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m10.cascades import FAULTY, Planned
from helpers.course.exercises.m10.cascades import but as changed

EQUIVALENT = {
    "line 19, keyword strict dropped: for (confidence, right), price, threshold in"
    " zip(question, prices, thresholds,": "a question has one pair for each tier",
    "line 20, True -> False: strict=True):": "a question has one pair for each tier",
}


def look(tune: Any, test: Any) -> None:
    for name, part in (("tune", tune), ("test", test)):
        if len(part) == 0:
            raise ValueError(f"{name}: no questions")


def looking(inner: Callable[..., Any], look: Callable[..., None] = look) -> object:
    def plan(tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        look(tune, test)
        return inner(tune, test, prices, wrong, person)

    return plan


def but(**methods: Callable[..., Any]) -> object:
    return looking(changed(**methods))


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda *arguments: None


@wrong("The statement's example, whatever comes.")
def hard_coded() -> object:
    counts = {"right": 1, "wrong": 1, "handed_over": 1}
    money = {"cost": Decimal("7.3"), "per_right": Decimal("7.3")}
    return looking(lambda *arguments: {"thresholds": [0.5]} | counts | money)


@wrong("Each tier as if it was alone.", slip="each-alone")
def each_alone() -> object:
    return looking(FAULTY["each-alone"][0])


@wrong("Wrong answers and people alone decide.", slip="prices-ignored")
def prices_ignored() -> object:
    return looking(FAULTY["prices-ignored"][0])


@wrong("Chosen where it is judged.", slip="chosen-on-test")
def chosen_on_test() -> object:
    return looking(FAULTY["chosen-on-test"][0])


@wrong("Judged where it was chosen.", slip="judged-on-tune")
def judged_on_tune() -> object:
    return looking(FAULTY["judged-on-tune"][0])


@wrong("A tier that hands up is not paid.", slip="last-alone-paid")
def last_alone_paid() -> object:
    return looking(FAULTY["last-alone-paid"][0])


@wrong("Only what serves is paid.", slip="served-alone-paid")
def served_alone_paid() -> object:
    return looking(FAULTY["served-alone-paid"][0])


@wrong("A tier that is left out is paid.", slip="infinite-paid")
def infinite_paid() -> object:
    return looking(FAULTY["infinite-paid"][0])


@wrong("No tier can be left out.", slip="never-infinite")
def never_infinite() -> object:
    return looking(FAULTY["never-infinite"][0])


@wrong("At the threshold is not served.", slip="above-alone")
def above_alone() -> object:
    return looking(FAULTY["above-alone"][0])


@wrong("The highest of equal ones.", slip="highest-of-equal")
def highest_of_equal() -> object:
    return looking(FAULTY["highest-of-equal"][0])


@wrong("The two costs are exchanged.", slip="costs-swapped")
def costs_swapped() -> object:
    return looking(FAULTY["costs-swapped"][0])


@wrong("A person's answer counts as right.", slip="person-is-right")
def person_is_right() -> object:
    return looking(FAULTY["person-is-right"][0])


@wrong("From the last tier backwards, each on all questions, with what comes after it.")
def backwards() -> object:
    def choose(self: Planned, tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        chosen: list[float] = []
        for tier in reversed(range(len(prices))):
            rest = [each[tier:] for each in tune]
            options = self.candidates(rest, 1)[0]

            def cost(one: float, tier: int = tier, rest: Any = rest, later: Any = chosen) -> Any:
                run = self.run(rest, [one, *later], prices[tier:], wrong, person)
                return run["cost"], one

            chosen = [min(options, key=cost), *chosen]
        return chosen

    return but(choose=choose)


@wrong("The threshold with the most right answers.")
def most_right() -> object:
    def choose(self: Planned, tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        def fewer_right(each: Any) -> Any:
            return -self.run(tune, each, prices, wrong, person)["right"], each

        return min(product(*self.candidates(tune, len(prices))), key=fewer_right)

    return but(choose=choose)


@wrong("Of equal costs the fewest people.")
def fewest_people() -> object:
    def choose(self: Planned, tune: Any, test: Any, *how: Any) -> Any:
        def key(each: Any) -> Any:
            found = self.run(tune, each, *how)
            return found["cost"], found["handed_over"], each

        return min(product(*self.candidates(tune, len(how[0]))), key=key)

    return but(choose=choose)


@wrong("Of equal costs the lowest last threshold.")
def last_first() -> object:
    return but(tie=lambda self, cheapest: min(cheapest, key=lambda each: each[::-1]))


@wrong("The candidates are those of test.")
def candidates_of_both() -> object:
    def choose(self: Planned, tune: Any, test: Any, *how: Any) -> Any:
        both = product(*self.candidates(tune + test, len(how[0])))
        return min(both, key=lambda each: (self.run(tune, each, *how)["cost"], each))

    return but(choose=choose)


@wrong("A grid of thresholds.")
def grid() -> object:
    tenths = [n / 10 for n in range(11)] + [math.inf]
    return but(candidates=lambda self, tune, count: [tenths] * count)


@wrong("Each question asks all tiers.")
def all_paid() -> object:
    def run(self: Planned, part: Any, thresholds: Any, prices: Any, *costs: Any) -> Any:
        found = Planned.run(self, part, thresholds, [Decimal(0) for _ in prices], *costs)
        return found | {"cost": found["cost"] + len(part) * sum(prices, Decimal(0))}

    return but(run=run)


@wrong("The cost of one question.")
def mean_cost() -> object:
    inner = Planned()

    def plan(tune: Any, test: Any, *how: Any) -> Any:
        found = inner(tune, test, *how)
        return found | {"cost": found["cost"] / len(test)}

    return looking(plan)


@wrong("Money in floats.")
def floats() -> object:
    inner = Planned()

    def plan(tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        cheap = inner.run(test, [math.inf] * len(prices), prices, wrong, person)["cost"] * 0
        found = inner(tune, test, prices, wrong, person)
        amounts = sum([float(price) / 3 for price in prices], float(cheap))
        return found | {"cost": float(found["cost"]) + amounts * 3 - float(sum(prices))}

    return looking(plan)


@wrong("0 dollars a right answer where none is right.")
def zero_per_right() -> object:
    return but(per_right=lambda self, found: Planned.per_right(self, found) or Decimal(0))


@wrong("People and mistakes are left out of the cost a right answer.")
def tokens_per_right() -> object:
    inner = Planned()

    def plan(tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        found = inner(tune, test, prices, wrong, person)
        tokens = found["cost"] - found["wrong"] * wrong - found["handed_over"] * person
        return found | {"per_right": tokens / found["right"] if found["right"] else None}

    return looking(plan)


@wrong("Shares, and not counts.")
def shares() -> object:
    inner = Planned()

    def plan(tune: Any, test: Any, *how: Any) -> Any:
        found = inner(tune, test, *how)
        names = ("right", "wrong", "handed_over")
        return found | {name: found[name] / len(test) for name in names}

    return looking(plan)


@wrong("It looks at nothing.")
def looks_at_nothing() -> object:
    inner = Planned()
    return lambda *arguments: inner(*arguments)


@wrong("One message for both parts.")
def names_both() -> object:
    def check(tune: Any, test: Any) -> None:
        if not tune or not test:
            raise ValueError("tune and test need questions")

    return looking(Planned(), check)


@wrong("It looks at test first.")
def test_first() -> object:
    def check(tune: Any, test: Any) -> None:
        if not test:
            raise ValueError("test: no questions")
        look(tune, test)

    return looking(Planned(), check)


@wrong("It sorts the questions that it was given.")
def sorts_in_place() -> object:
    def plan(tune: Any, test: Any, *how: Any) -> Any:
        tune.sort()
        return Planned()(tune, test, *how)

    return looking(plan)


@wrong("It is another time's result.")
def remembers() -> object:
    kept: list[Any] = []

    def plan(*arguments: Any) -> Any:
        kept.append(Planned()(*arguments))
        return kept[0]

    return looking(plan)


def by_rounded_cost(rounded: Callable[[Decimal], Any]) -> object:
    """The choice by costs that are not exact; the result is."""

    def choose(self: Planned, tune: Any, test: Any, *how: Any) -> Any:
        every = product(*self.candidates(tune, len(how[0])))
        return min(every, key=lambda each: (rounded(self.run(tune, each, *how)["cost"]), each))

    return but(choose=choose)


@wrong("Costs are compared as floats.")
def compared_as_floats() -> object:
    return by_rounded_cost(float)


@wrong("Costs are compared with 9 digits.")
def compared_rounded() -> object:
    return by_rounded_cost(lambda cost: round(cost, 9))


@wrong("Costs are compared with 15 digits.")
def compared_with_15_digits() -> object:
    return by_rounded_cost(lambda cost: round(cost, 15))


@wrong("The cost is rounded to 6 digits.")
def cost_rounded() -> object:
    def plan(*arguments: Any) -> Any:
        found = Planned()(*arguments)
        return found | {"cost": round(found["cost"], 6)}

    return looking(plan)


@wrong("The thresholds are rounded to 2 digits.")
def thresholds_rounded() -> object:
    def plan(*arguments: Any) -> Any:
        found = Planned()(*arguments)
        return found | {"thresholds": [round(each, 2) for each in found["thresholds"]]}

    return looking(plan)


@wrong("It is async.")
def is_async() -> object:
    plain: Any = but()

    async def plan(tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        return plain(tune, test, prices, wrong, person)

    return plan


@right("Loops, and a list of thresholds.")
def loops() -> object:
    return but()


@right("A recursion over tiers, which keeps the questions that are still open.")
def recursion() -> object:
    def best(questions: Any, tier: int, prices: Any, wrong: Any, person: Any) -> Any:
        if tier == len(prices):
            return len(questions) * person, ()
        options = []
        for threshold in {each[tier][0] for each in questions[0:0]} | all_of[tier]:
            served = [each for each in questions if each[tier][0] >= threshold]
            left = [each for each in questions if each[tier][0] < threshold]
            paid = 0 if threshold == math.inf else len(questions) * prices[tier]
            later, rest = best(left, tier + 1, prices, wrong, person)
            mistakes = sum(not each[tier][1] for each in served) * wrong
            options.append((paid + mistakes + later, (threshold, *rest)))
        return min(options)

    all_of: list[set[float]] = []

    def plan(tune: Any, test: Any, prices: Any, wrong: Any, person: Any) -> Any:
        all_of[:] = [{each[n][0] for each in tune} | {math.inf} for n in range(len(prices))]
        chosen = best(tune, 0, prices, wrong, person)[1]
        found = Planned().run(test, chosen, prices, wrong, person)
        return {"per_right": Planned().per_right(found), "thresholds": chosen} | found

    return looking(plan)


@right("NumPy's numbers, and a float for the quotient.")
def numpy_numbers() -> object:
    def plan(*arguments: Any) -> Any:
        found = Planned()(*arguments)
        names = ("right", "wrong", "handed_over")
        counts = {name: np.int64(found[name]) for name in names}
        per_right = None if found["per_right"] is None else np.float64(found["per_right"])
        limits = [np.float64(each) for each in found["thresholds"]]
        return found | counts | {"per_right": per_right, "thresholds": limits}

    return looking(plan)


@right("From the highest combination down, the last of the cheapest.")
def downwards() -> object:
    def choose(self: Planned, tune: Any, test: Any, *how: Any) -> Any:
        best, lowest = None, None
        for each in sorted(product(*self.candidates(tune, len(how[0]))), reverse=True):
            cost = self.run(tune, each, *how)["cost"]
            if lowest is None or cost <= lowest:
                best, lowest = each, cost
        return best

    return but(choose=choose)
