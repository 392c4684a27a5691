"""Scored answers for exercise 08.4, and faulty ways to choose among their thresholds."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import solved

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Scored = tuple[list[float], list[bool]]
Answer = Callable[[Scored, Scored, float, float, float], Any]

TUNE: Scored = ([0.2, 0.4, 0.6, 0.8], [False, True, False, True])
TEST: Scored = ([0.1, 0.5, 0.7, 0.9], [False, True, False, True])
"""The statement's example."""
LARGER: Scored = (
    [0.9, 0.35, 0.7, 0.7, 0.1, 0.55, 0.8, 0.62, 0.95, 0.3, 0.7],
    [True, False, True, False, False, True, True, False, True, False, True],
)
"""Six grounded answers and five others, with ties of both kinds."""


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Parts, rates and costs whose results on `tune` are either equal or clearly apart.

    Of two costs that are not equal in exact arithmetic, one is at least 1e-11 higher. Some equal
    ones are apart by a rounding error, and some are equal in floating point too: that depends on
    the rate, and on how many answers each class has. Scores are few, so that ties are many.
    """
    from hypothesis import strategies as st

    @st.composite
    def part(draw: st.DrawFn) -> Scored:
        labels = [True] * draw(st.integers(1, 8))
        labels += [False] * draw(st.integers(1, 8))
        labels = draw(st.permutations(labels))
        score = st.integers(0, 8).map(lambda n: n / 8)
        scores = draw(st.lists(score, min_size=len(labels), max_size=len(labels)))
        return scores, list(labels)

    eighths, tenths = (
        st.integers(0, 8).map(lambda n: n / 8),
        st.integers(1, 9).map(lambda n: n / 10),
    )
    rate = eighths | tenths | st.sampled_from([1e-3, 1e-6, 1e-9])
    cost = st.integers(0, 20).map(float)
    return st.tuples(part(), part(), rate, cost, cost)


def part_s_own_rate(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference with the share of the part instead of the live one."""
    own = tune[1].count(False) / len(tune[1])
    found = dict(_reference()(tune, test, own, missed, alarm))
    return found if rate != own else None


def chosen_on_test(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference, choosing and judging on the same part."""
    return _reference()(test, test, rate, missed, alarm)


def judged_on_tune(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference, which never looks at `test`."""
    return _reference()(tune, tune, rate, missed, alarm)


def costs_swapped(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference with the two costs exchanged."""
    return _reference()(tune, test, rate, alarm, missed)


def precision_in_part(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference with the precision of the part, where the live one is asked for."""
    found = dict(_reference()(tune, test, rate, missed, alarm))
    caught = test[1].count(False) - found["missed"]
    flagged = caught + found["alarms"]
    return found | {"precision": caught / flagged if flagged else None}


def highest_of_equal(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference with the highest of the cheapest thresholds."""
    costs = _costs(tune, rate, missed, alarm)
    lowest = min(costs.values())
    chosen = max(one for one, cost in costs.items() if cost < lowest + 1e-12)
    return _with(chosen, test, rate, missed, alarm)


def rounding_decides(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> Any:
    """The reference with the cheapest threshold of all, be it by a rounding error."""
    costs = _costs(tune, rate, missed, alarm)
    return _with(min(costs, key=lambda one: (costs[one], one)), test, rate, missed, alarm)


def _costs(part: Scored, rate: float, missed: float, alarm: float) -> dict[float, float]:
    thresholds = [*part[0], math.inf]
    return {one: _with(one, part, rate, missed, alarm)["cost"] for one in thresholds}


def _with(threshold: float, part: Scored, rate: float, missed: float, alarm: float) -> Any:
    passed = [good for score, good in zip(*part, strict=True) if score >= threshold]
    misses, alarms = passed.count(False), part[1].count(True) - passed.count(True)
    m, a = misses / part[1].count(False), alarms / part[1].count(True)
    right, wrong = rate * (1 - m), (1 - rate) * a
    return {
        "threshold": threshold,
        "missed": misses,
        "alarms": alarms,
        "cost": rate * missed * m + (1 - rate) * alarm * a,
        "precision": right / (right + wrong) if right + wrong else None,
    }


def flags_equal(got: Any) -> bool:
    """Whether the statement's example was judged as if the threshold itself was flagged."""
    return bool(got["threshold"] == 0.6)


def never_infinite(got: Any) -> bool:
    """Whether a finite threshold came where only `math.inf` flags everything."""
    return not math.isinf(got["threshold"])


def _reference() -> Answer:
    answer: Answer = solved("08.4")
    return answer
