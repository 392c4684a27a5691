"""Exercise 01.3: when to refuse."""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    example,
    exercise,
    generated,
    satisfies,
)
from helpers.course.exercises.equality import is_number
from helpers.course.exercises.words import brief, kind

Choose = Callable[[list[float], list[float], float], Any]
_NEAR = 1e-9  # costs this close are one cost, added up in another order


@dataclass(frozen=True, repr=False)
class Chosen:
    """A threshold, and the scores and the price that it was chosen for.

    Different thresholds may have the same cost, so costs are compared and not thresholds.
    """

    threshold: Any
    answerable: Sequence[float]
    unanswerable: Sequence[float]
    price: float

    def __repr__(self) -> str:
        return brief(self.threshold)

    def counts(self, threshold: Any) -> tuple[int, int]:
        """How many answerable questions a threshold refuses, and unanswerable ones it answers."""
        refused = sum(bool(score < threshold) for score in self.answerable)
        return refused, sum(bool(score >= threshold) for score in self.unanswerable)

    def cost(self, threshold: Any) -> float:
        """What that costs."""
        refused, answered = self.counts(threshold)
        return refused + self.price * answered

    def judged(self) -> bool | str:
        """True where no threshold costs less; otherwise what this one does, in words."""
        if not is_number(self.threshold):
            return f"A number is expected; this is {kind(self.threshold)}."
        if math.isnan(self.threshold):
            return "NaN is no threshold: no score is below it, and none is at or above it."
        every = [*self.answerable, *self.unanswerable, math.inf]
        least = min(map(self.cost, every))
        if self.cost(self.threshold) <= least + _NEAR:
            return True
        refused, answered = self.counts(self.threshold)
        equal = " A score equal to the threshold is answered."
        return (
            f"It refuses {refused} of {len(self.answerable)} answerable questions and answers"
            f" {answered} of {len(self.unanswerable)} unanswerable ones, which costs"
            f" {self.cost(self.threshold):g}. The lowest cost is {least:g}."
            + equal
            * (self.threshold in self.unanswerable)
        )


def _with_arguments(choose: Choose) -> Choose:
    """The same function; its threshold comes with what it was chosen for."""

    def call(answerable: list[float], unanswerable: list[float], price: float) -> Any:
        given = (tuple(answerable), tuple(unanswerable), price)
        threshold = choose(answerable, unanswerable, price)
        if inspect.isawaitable(threshold):
            return _later(threshold, given)
        return Chosen(threshold, *given)

    return call


async def _later(threshold: Any, given: tuple[Sequence[float], Sequence[float], float]) -> Chosen:
    return Chosen(await threshold, *given)


CHEAPEST: Expectation = satisfies("a threshold of the lowest cost", lambda got: got.judged())

# Scores with many ties, some of them close to each other, below 0 and above 1; or any.
_SCORE = st.one_of(
    st.sampled_from(
        [
            0.5,
            0.4,
            0.6,
            0.0,
            0.612,
            0.61200000005,
            0.6120001,
            0.613,
            0.9,
            1.0,
            1.5,
            -0.2,
            -3.0,
            20.0,
            1e6,
        ]
    ),
    st.integers(-3000, 3000).map(lambda number: number / 1000),
)
_SCORES = st.lists(_SCORE, max_size=8)
_PRICE = st.sampled_from([1, 2, 0.5, 3, 0.25, 1.37, 1.5, 16, 50, 100, 0.1, 0.05, 0])


EMPTY = Slip.raises(
    "empty",
    ValueError,
    "A list may be empty: max() and min() need something to look at.",
)


@exercise(
    "01.3",
    title="Choose when to refuse",
    hints=[
        "For one threshold, what does it cost? Count the answerable questions below it, and the"
        " unanswerable ones that are not below it.",
        "The cost only changes where the threshold passes a score. So it is enough to try every"
        " score of both lists, and one threshold above them all, which refuses everything.",
        Hint(
            "A number such as 1 may not be above all scores. math.inf always is.",
            "refuse-all",
            "any",
        ),
        Hint(
            "With both lists empty every threshold costs 0. Does yours return one?",
            "empty",
        ),
        "min(candidates, key=cost), where cost(t) is sum(s < t for s in answerable) plus price *"
        " sum(s >= t for s in unanswerable), and candidates are all scores and math.inf.",
    ],
)
def choose_threshold(answer: Choose) -> Iterator[Case]:
    """The threshold of lowest cost on given scores."""

    def case(
        name: str,
        answerable: list[float],
        unanswerable: list[float],
        price: float,
        about: str = "",
    ) -> Case:
        return example(
            name,
            _with_arguments(answer),
            answerable,
            unanswerable,
            price,
            called="choose_threshold",
            expect=CHEAPEST,
            slips=[EMPTY],
            about=about,
        )

    yield case("the example of the statement", [0.6, 0.8], [0.7, 0.3], 3)
    # Prices that are cut or rounded choose another threshold here.
    yield case("an invented answer is expensive", [0.9, *[0.5] * 40], [0.7, 0.3, 0.2], 50)
    yield case("an invented answer is cheap", [0.5, 0.8, 0.85], [0.3, *[0.55] * 15], 0.05)
    yield case("the same score on both sides", [0.5, 0.9], [0.5, 0.1], 4)
    yield case("scores close to each other", [0.61200000005, 0.9], [0.612, 0.3], 3)
    yield case("every answer would be wrong", [0.2], [0.9, 0.6], 2, "refuse-all")
    yield case("scores above 1", [3.0] * 9, [12.5, 7.0] * 4, 1.14, "refuse-all")
    yield case("scores below 0", [-0.4, -0.4, -0.1], [-0.5, *[-0.2] * 9], 0.25)
    yield case(
        "a hundred questions",
        [number * 37 % 100 / 100 for number in range(60)],
        [(number * 53 % 100 - 15) / 100 for number in range(40)],
        1.5,
    )
    yield case("nothing is unanswerable", [0.6, 0.3], [], 5, "empty")
    yield case("nothing is answerable", [], [0.6, 0.3], 5, "empty")
    yield case("no questions at all", [], [], 5, "empty")
    yield generated(
        "any scores",
        _with_arguments(answer),
        exercise="01.3",
        inputs=st.tuples(_SCORES, _SCORES, _PRICE),
        called="choose_threshold",
        expect=lambda _: CHEAPEST,
        slips=[EMPTY],
        about="any",
    )
