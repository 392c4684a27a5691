"""Answers to exercise 08.4, each a right one with a part that is another."""

import math
from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

from helpers.authoring.answers import right, wrong


class Parts:
    """The steps, one method each; the answers below change one."""

    def look(self, tune: Any, test: Any) -> None:
        for name, part in (("tune", tune), ("test", test)):
            if True not in part[1] or False not in part[1]:
                raise ValueError(f"{name}: both kinds of answers are needed")

    def flagged(self, score: float, threshold: float) -> bool:
        return score < threshold

    def counts(self, part: Any, threshold: float) -> tuple[int, int]:
        pairs = list(zip(*part, strict=True))
        missed = sum(not good and not self.flagged(score, threshold) for score, good in pairs)
        alarms = sum(good and self.flagged(score, threshold) for score, good in pairs)
        return missed, alarms

    def shares(self, part: Any, threshold: float) -> tuple[float, float]:
        missed, alarms = self.counts(part, threshold)
        return missed / part[1].count(False), alarms / part[1].count(True)

    def rate(self, part: Any, rate: float) -> float:
        return rate

    def cost(self, part: Any, threshold: float, rate: float, missed: float, alarm: float) -> Any:
        m, a = self.shares(part, threshold)
        rate = self.rate(part, rate)
        return rate * missed * m + (1 - rate) * alarm * a

    def candidates(self, tune: Any) -> list[float]:
        return [*sorted(set(tune[0])), math.inf]

    def choose(self, tune: Any, test: Any, *how: float) -> Any:
        best, lowest = None, math.inf
        for one in self.candidates(tune):
            cost = self.cost(tune, one, *how)
            if cost < lowest - 1e-12:
                best, lowest = one, cost
        return best

    def precision(self, test: Any, threshold: float, rate: float) -> Any:
        m, a = self.shares(test, threshold)
        caught, alarms = rate * (1 - m), (1 - rate) * a
        return caught / (caught + alarms) if caught + alarms > 0 else None

    def judged(self, tune: Any, test: Any) -> Any:
        return test

    def __call__(self, tune: Any, test: Any, rate: float, missed: float, alarm: float) -> Any:
        self.look(tune, test)
        threshold = self.choose(tune, test, rate, missed, alarm)
        on = self.judged(tune, test)
        counts = self.counts(on, threshold)
        return {
            "threshold": threshold,
            "missed": counts[0],
            "alarms": counts[1],
            "cost": self.cost(on, threshold, rate, missed, alarm),
            "precision": self.precision(on, threshold, rate),
        }


def but(**methods: Callable[..., Any]) -> object:
    changed: Any = type("Changed", (Parts,), methods)()
    return lambda *arguments: changed(*arguments)


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda *arguments: None


@wrong("The statement's example, whatever comes.")
def hard_coded() -> object:
    def by_cost(tune: Any, test: Any, rate: float, missed: float, alarm: float) -> Any:
        Parts().look(tune, test)
        return {"threshold": 0.8, "missed": 0, "alarms": 1, "cost": 0.375, "precision": 0.4}

    return by_cost


@wrong("The share of the part, and not the live one.", slip="own-rate")
def own_rate() -> object:
    inner = Parts()

    def by_cost(tune: Any, test: Any, rate: float, missed: float, alarm: float) -> Any:
        inner.look(tune, test)
        return inner(tune, test, tune[1].count(False) / len(tune[1]), missed, alarm)

    return by_cost


@wrong("Each part's own share in its cost.")
def each_own_rate() -> object:
    return but(rate=lambda self, part, rate: part[1].count(False) / len(part[1]))


@wrong("Chosen where it is judged.", slip="chosen-on-test")
def chosen_on_test() -> object:
    return but(choose=lambda self, tune, test, *how: Parts().choose(test, test, *how))


@wrong("Judged where it was chosen.", slip="judged-on-tune")
def judged_on_tune() -> object:
    return but(judged=lambda self, tune, test: tune)


@wrong("The costs are exchanged.", slip="costs-swapped")
def costs_swapped() -> object:
    def by_cost(tune: Any, test: Any, rate: float, missed: float, alarm: float) -> Any:
        return Parts()(tune, test, rate, alarm, missed)

    return by_cost


@wrong("The precision of the labelled part.", slip="precision-in-part")
def precision_in_part() -> object:
    def precision(self: Parts, test: Any, threshold: float, rate: float) -> Any:
        missed, alarms = self.counts(test, threshold)
        caught = test[1].count(False) - missed
        return caught / (caught + alarms) if caught + alarms else None

    return but(precision=precision)


@wrong("No candidate flags everything.", slip="never-infinite")
def never_infinite() -> object:
    return but(candidates=lambda self, tune: sorted(set(tune[0])))


@wrong("The highest score and a little, for infinity.", slip="never-infinite")
def a_little_more() -> object:
    return but(candidates=lambda self, tune: [*sorted(set(tune[0])), max(tune[0]) + 1e-9])


@wrong("An answer at the threshold is flagged.", slip="flags-equal")
def flags_equal() -> object:
    return but(flagged=lambda self, score, threshold: score <= threshold)


@wrong("Answers above the threshold are flagged.")
def flags_high() -> object:
    return but(flagged=lambda self, score, threshold: score > threshold)


@wrong("Of equal costs the highest threshold.", slip="highest-of-equal")
def highest_of_equal() -> object:
    def choose(self: Parts, tune: Any, test: Any, *how: float) -> Any:
        return max(self.candidates(tune), key=lambda one: (-self.cost(tune, one, *how), one))

    return but(choose=choose)


def within(tolerance: float) -> object:
    def choose(self: Parts, tune: Any, test: Any, *how: float) -> Any:
        costs = [(self.cost(tune, one, *how), one) for one in self.candidates(tune)]
        return min(one for cost, one in costs if cost <= min(costs)[0] + tolerance)

    return but(choose=choose)


@wrong("A rounding error decides between equal costs.", slip="rounding-decides")
def exact_ties() -> object:
    return within(0.0)


@wrong("Costs are equal within a thousandth.")
def wide_ties() -> object:
    return within(1e-3)


@wrong("Costs are equal within a billionth of a dollar.")
def nearly_equal() -> object:
    return within(1e-9)


@wrong("Only scores of grounded answers are candidates.")
def grounded_candidates() -> object:
    def candidates(self: Parts, tune: Any) -> list[float]:
        return [*sorted(s for s, good in zip(*tune, strict=True) if good), math.inf]

    return but(candidates=candidates)


@wrong("Candidates between the scores.")
def midpoints() -> object:
    def candidates(self: Parts, tune: Any) -> list[float]:
        scores = sorted(set(tune[0]))
        between = [(a + b) / 2 for a, b in pairwise(scores)]
        return [scores[0], *between, math.inf]

    return but(candidates=candidates)


@wrong("The threshold of the highest J, whatever mistakes cost.")
def youden() -> object:
    def choose(self: Parts, tune: Any, test: Any, *how: float) -> Any:
        return min(self.candidates(tune), key=lambda one: sum(self.shares(tune, one)))

    return but(choose=choose)


@wrong("Counts in the cost, and not shares.")
def counts_in_cost() -> object:
    def cost(self: Parts, part: Any, one: float, rate: float, missed: float, alarm: float) -> Any:
        m, a = self.counts(part, one)
        return rate * missed * m + (1 - rate) * alarm * a

    return but(cost=cost)


@wrong("Shares of the whole part.")
def shares_of_all() -> object:
    def shares(self: Parts, part: Any, threshold: float) -> tuple[float, float]:
        missed, alarms = self.counts(part, threshold)
        return missed / len(part[1]), alarms / len(part[1])

    return but(shares=shares)


@wrong("Shares instead of counts are returned.")
def shares_returned() -> object:
    def by_cost(tune: Any, test: Any, *how: float) -> Any:
        found = Parts()(tune, test, *how)
        m, a = Parts().shares(test, found["threshold"])
        return found | {"missed": m, "alarms": a}

    return by_cost


@wrong("The precision is 0 where nothing is flagged.")
def precision_of_nothing() -> object:
    def precision(self: Parts, test: Any, threshold: float, rate: float) -> Any:
        return Parts.precision(self, test, threshold, rate) or 0.0

    return but(precision=precision)


@wrong("It looks at no labels.")
def looks_at_nothing() -> object:
    return but(look=lambda self, tune, test: None)


@wrong("It looks at tune alone.")
def looks_at_tune() -> object:
    return but(look=lambda self, tune, test: Parts.look(self, tune, tune))


@wrong("One message for both parts.")
def names_both() -> object:
    def look(self: Parts, tune: Any, test: Any) -> None:
        if any(len(set(part[1])) < 2 for part in (tune, test)):
            raise ValueError("tune and test need both kinds of answers")

    return but(look=look)


@wrong("It sorts the scores that it was given.")
def sorts_in_place() -> object:
    def by_cost(tune: Any, test: Any, *how: float) -> Any:
        found = Parts()(tune, test, *how)
        tune[0].sort()
        return found

    return by_cost


@wrong("It is async.")
def is_async() -> object:
    async def by_cost(*arguments: Any) -> Any:
        return None

    return by_cost


@right("A loop over the candidates.")
def loop() -> object:
    return but()


@right("The lowest cost first, then the lowest threshold that costs as little.")
def lowest_first() -> object:
    return within(0.9e-12)


@right("Exact fractions.")
def fractions() -> object:
    def shares(self: Parts, part: Any, threshold: float) -> Any:
        missed, alarms = self.counts(part, threshold)
        return Fraction(missed, part[1].count(False)), Fraction(alarms, part[1].count(True))

    def rate(self: Parts, part: Any, rate: float) -> Any:
        return Fraction(rate)

    return but(shares=shares, rate=rate)


@right("NumPy's numbers, from a matrix of candidates and answers.")
def matrix() -> object:
    def figures(part: Any, thresholds: Any) -> Any:
        scores, good = np.array(part[0]), np.array(part[1])
        flagged = scores[None, :] < np.asarray(thresholds)[:, None]
        return (~flagged & ~good).sum(1), (flagged & good).sum(1), (~good).sum(), good.sum()

    def by_cost(tune: Any, test: Any, rate: float, missed: float, alarm: float) -> Any:
        Parts().look(tune, test)

        def costs(part: Any, thresholds: Any) -> Any:
            m, a, bad, good = figures(part, thresholds)
            return rate * missed * m / bad + (1 - rate) * alarm * a / good

        thresholds = np.append(np.unique(tune[0]), np.inf)
        on_tune = costs(tune, thresholds)
        chosen = thresholds[np.flatnonzero(on_tune < on_tune.min() + 1e-12)[0]]
        m, a, bad, good = (one for one in figures(test, [chosen]))
        caught, alarms = rate * (1 - m[0] / bad), (1 - rate) * a[0] / good
        return {
            "precision": caught / (caught + alarms) if caught + alarms else None,
            "threshold": chosen,
            "missed": m[0],
            "alarms": a[0],
            "cost": costs(test, [chosen])[0],
        }

    return by_cost


@right("roc_curve with ungrounded answers as the class to find, and its shortened curve.")
def other_class() -> object:
    def choose(self: Parts, tune: Any, test: Any, rate: float, missed: float, alarm: float) -> Any:
        found = roc_curve([not each for each in tune[1]], [-score for score in tune[0]])
        alarms, caught, _ = found
        costs = rate * missed * (1 - caught) + (1 - rate) * alarm * alarms
        place = int(np.flatnonzero(costs < costs.min() + 1e-12)[0])
        # It flags scores at a threshold, too: the candidate is the next higher score.
        ordered = sorted(set(tune[0]))
        last = -found[2][place]
        at = bisect_left(ordered, last) + 1 if place else 0
        return ordered[at] if at < len(ordered) else math.inf

    return but(choose=choose)


@right("Binary search in sorted lists.")
def bisected() -> object:
    def counts(self: Parts, part: Any, threshold: float) -> tuple[int, int]:
        good = sorted(score for score, label in zip(*part, strict=True) if label)
        bad = sorted(score for score, label in zip(*part, strict=True) if not label)
        return len(bad) - bisect_left(bad, threshold), bisect_left(good, threshold)

    return but(counts=counts)


_CURVE = (
    "passed_bad, passed_good, thresholds = roc_curve(grounded, scores, drop_intermediate=False)"
)
_DROPPED = "what it leaves out lies between two others, so it is never the first of the cheapest"
_COSTS = "costs = rate * missed * passed_bad + (1 - rate) * alarm * (1 - passed_good)"
_SAME = "it adds the same to the cost of each threshold"
EQUIVALENT = {
    f"line 16, keyword drop_intermediate dropped: {_CURVE}": _DROPPED,
    f"line 16, False -> True: {_CURVE}": _DROPPED,
    f"line 17, 1 -> 2: {_COSTS}": _SAME,
    f"line 17, 1 -> 0: {_COSTS}": _SAME,
    "line 18, Lt -> LtE: threshold = float(thresholds[costs < costs.min() + 1e-12].min())": (
        "no two costs differ by exactly 1e-12"
    ),
}
