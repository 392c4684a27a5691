"""Exercise 01.3: when to refuse."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from helpers.course.exercises import Case, Expectation, exercise, satisfies

Choose = Callable[[list[float], list[float], float], float]


@exercise(
    "01.3",
    title="Choose when to refuse",
    hints=[
        "For one threshold, what does it cost? Count the answerable questions below it, and the"
        " unanswerable ones that are not below it.",
        "The cost only changes where the threshold passes a score. So it is enough to try every"
        " score of both lists.",
        "One candidate is missing then: a threshold above all scores, which refuses everything.",
        "min(candidates, key=cost), where cost(t) is sum(s < t for s in answerable) plus price *"
        " sum(s >= t for s in unanswerable), and candidates are all scores and math.inf.",
    ],
)
def choose_threshold(submission: Choose) -> Iterator[Case]:
    """The threshold of lowest cost on given scores; then on the shop's own questions."""
    from helpers.course.exercises.m01.scores import best_scores

    def case(
        name: str,
        answerable: list[float],
        unanswerable: list[float],
        price: float,
        slips: Sequence[tuple[Any, str]] = (),
    ) -> Case:
        return Case(
            name,
            call=lambda: submission(list(answerable), list(unanswerable), price),
            show=f"choose_threshold({answerable}, {unanswerable}, {price})",
            expect=_cheapest(answerable, unanswerable, price),
            slips=slips,
        )

    yield case("two groups that do not overlap", [0.7, 0.5, 0.8], [0.3, 0.2], 3)
    yield case("they overlap, and a wrong answer is dear", [0.8, 0.4, 0.6], [0.5, 0.3], 3)
    yield case("they overlap, and a wrong answer is cheap", [0.4, 0.8, 0.45], [0.3, 0.5], 1)
    yield case("the same score on both sides", [0.5, 0.9], [0.5, 0.1], 4)
    yield case("every answer would be wrong", [0.2], [0.9, 0.6], 2)
    yield case(
        "nothing is unanswerable",
        [0.6, 0.3],
        [],
        5,
        [(ValueError, "A list may be empty: max() and min() need something to look at.")],
    )
    dev, lab = best_scores("dev"), best_scores("lab")
    yield Case(
        "chosen on the dev part",
        call=lambda: submission(list(dev[0]), list(dev[1]), PRICE),
        show=f"choose_threshold(dev_answerable, dev_unanswerable, {PRICE})",
        expect=_cheapest(*dev, PRICE),
    )
    bounds = {"never refusing": -1.0, "always refusing": 2.0}
    costs = {name: _cost(bound, *lab, PRICE) for name, bound in bounds.items()}
    least = " and ".join(f"{name} ({cost:g})" for name, cost in costs.items())
    yield Case(
        "the same threshold on the lab part",
        call=lambda: submission(list(dev[0]), list(dev[1]), PRICE),
        show=f"choose_threshold(dev_answerable, dev_unanswerable, {PRICE})",
        expect=satisfies(
            f"a threshold that costs less on the lab part than {least}",
            lambda got: _cost(got, *lab, PRICE) < min(costs.values()) or _account(got, *lab, PRICE),
        ),
    )


PRICE = 2
"""What an invented answer costs the shop, in needless refusals."""


def _cost(
    threshold: float, answerable: Sequence[float], unanswerable: Sequence[float], price: float
) -> float:
    refused = sum(score < threshold for score in answerable)
    return refused + price * sum(score >= threshold for score in unanswerable)


def _account(
    threshold: float, answerable: Sequence[float], unanswerable: Sequence[float], price: float
) -> str:
    """What a threshold costs, in words."""
    refused = sum(score < threshold for score in answerable)
    wrong = sum(score >= threshold for score in unanswerable)
    equal = " A score equal to the threshold is answered." * (threshold in unanswerable)
    return (
        f"It refuses {refused} of {len(answerable)} answerable questions and answers {wrong} of"
        f" {len(unanswerable)} unanswerable ones: a cost of {refused + price * wrong:g}.{equal}"
    )


def _cheapest(
    answerable: Sequence[float], unanswerable: Sequence[float], price: float
) -> Expectation:
    costs = [
        _cost(bound, answerable, unanswerable, price)
        for bound in (*answerable, *unanswerable, math.inf)
    ]

    def test(got: Any) -> bool | str:
        if isinstance(got, bool) or not isinstance(got, int | float):
            return f"A number is expected, and this is of type {type(got).__name__}."
        cost = _cost(got, answerable, unanswerable, price)
        return cost <= min(costs) or _account(got, answerable, unanswerable, price)

    return satisfies(f"a threshold that costs {min(costs):g}", test)
