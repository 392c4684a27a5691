import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from helpers.authoring.answers import right, wrong

Given = Sequence[float]
Choose = Callable[[Given, Given, float], object]


def cost(threshold: float, answerable: Given, unanswerable: Given, price: float) -> float:
    refused = sum(score < threshold for score in answerable)
    return refused + price * sum(score >= threshold for score in unanswerable)


def among(candidates: Callable[[Given, Given], Sequence[float]]) -> Choose:
    """The cheapest of these candidates."""

    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> object:
        return min(
            candidates(answerable, unanswerable),
            key=lambda t: cost(t, answerable, unanswerable, price),
        )

    return choose_threshold


def by_cost(of: Callable[[float, Given, Given, float], float]) -> Choose:
    """The cheapest of all candidates by another cost."""
    return lambda yes, no, price: min([*yes, *no, math.inf], key=lambda t: of(t, yes, no, price))


@wrong("The body is empty.")
def nothing() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> None:
        pass

    return choose_threshold


@wrong("Never refuses.")
def never() -> object:
    return lambda answerable, unanswerable, price: 0.0


@wrong("Refuses everything.")
def always() -> object:
    return lambda answerable, unanswerable, price: math.inf


@wrong("A score equal to the threshold is answered.")
def highest_unanswerable() -> object:
    return lambda answerable, unanswerable, price: max(unanswerable, default=0.0)


@wrong("Never considers to refuse everything.")
def never_refuses_all() -> object:
    return among(lambda yes, no: [*yes, *no])


@wrong("Scores are not always below 1.")
def one_is_above_all() -> object:
    return among(lambda yes, no: [*yes, *no, 1.0])


@wrong("Scores are not always below 1, and 1.1 does not help.")
def a_little_above_one() -> object:
    return among(lambda yes, no: [*yes, *no, 1.1])


@wrong("Twice the highest is not above it where it is below 0.")
def twice_the_highest() -> object:
    return among(lambda yes, no: [*yes, *no, 2 * max([*yes, *no], default=0.0)])


@wrong("Steps of a hundredth from 0 to 1.")
def steps() -> object:
    return among(lambda yes, no: [*(step / 100 for step in range(101)), math.inf])


@wrong("Steps of a hundredth from the lowest to the highest.")
def steps_between() -> object:
    def candidates(yes: Given, no: Given) -> list[float]:
        both = [*yes, *no, 0.0]
        return [*np.linspace(min(both), max(both), 101).tolist(), math.inf]

    return among(candidates)


@wrong("Only answerable scores are tried.")
def answerable_alone() -> object:
    return lambda yes, no, price: min(yes, key=lambda t: cost(t, yes, no, price), default=math.inf)


@wrong("Only answerable scores are tried, and nothing above them.", slip="empty")
def needs_an_answerable() -> object:
    return lambda yes, no, price: min(yes, key=lambda t: cost(t, yes, no, price))


@wrong("Only unanswerable scores are tried.")
def unanswerable_alone() -> object:
    return among(lambda yes, no: [*no, math.inf])


@wrong("The highest score of nothing.", slip="empty")
def just_above_the_highest() -> object:
    return among(lambda yes, no: [*yes, *no, max([*yes, *no]) + 1])


@wrong("Steps over the highest unanswerable score, which may not exist.", slip="empty")
def above_the_highest_of_nothing() -> object:
    return lambda yes, no, price: max(no) + 1e-6


@wrong("Refuses whatever could be unanswerable.")
def above_all_unanswerable() -> object:
    return lambda yes, no, price: max(no, default=0.0) + 1e-6


@wrong("Answers whatever could be answerable.")
def lowest_answerable() -> object:
    return lambda yes, no, price: min(yes, default=math.inf)


@wrong("Counts mistakes of both kinds alike.")
def without_the_price() -> object:
    return by_cost(lambda t, yes, no, price: cost(t, yes, no, 1.0))


@wrong("The price is on needless refusals.")
def price_of_the_other() -> object:
    return by_cost(
        lambda t, yes, no, price: price * sum(s < t for s in yes) + sum(s >= t for s in no)
    )


@wrong("A score equal to the threshold counts as refused.")
def equal_is_refused() -> object:
    return by_cost(
        lambda t, yes, no, price: sum(s <= t for s in yes) + price * sum(s > t for s in no)
    )


@wrong("An unanswerable score equal to the threshold counts as refused.")
def equal_is_refused_where_it_helps() -> object:
    return by_cost(
        lambda t, yes, no, price: sum(s < t for s in yes) + price * sum(s > t for s in no)
    )


@wrong("Rates instead of counts.")
def rates() -> object:
    def of(t: float, yes: Given, no: Given, price: float) -> float:
        refused = sum(s < t for s in yes) / max(len(yes), 1)
        return refused + price * sum(s >= t for s in no) / max(len(no), 1)

    return by_cost(of)


@wrong("Each score counts once, however often it occurs.")
def without_repeats() -> object:
    return by_cost(lambda t, yes, no, price: cost(t, list(set(yes)), list(set(no)), price))


@wrong("The most expensive threshold.")
def the_most_expensive() -> object:
    return by_cost(lambda t, yes, no, price: -cost(t, yes, no, price))


@wrong("The cost in place of the threshold.")
def the_cost() -> object:
    return lambda yes, no, price: min(cost(t, yes, no, price) for t in [*yes, *no, math.inf])


@wrong("Half way between the two means.")
def between_the_means() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        groups = [group for group in (answerable, unanswerable) if group]
        return sum(sum(group) / len(group) for group in groups) / max(len(groups), 1)

    return choose_threshold


@wrong("Rounds to two digits.")
def rounds() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: round(choose(yes, no, price), 2)  # type: ignore[call-overload]


@wrong("Sorts the lists that it was given.")
def sorts_in_place() -> object:
    def choose_threshold(answerable: list[float], unanswerable: list[float], price: float) -> float:
        answerable.sort()
        unanswerable.sort()
        candidates = [*answerable, *unanswerable, math.inf]
        return min(candidates, key=lambda t: cost(t, answerable, unanswerable, price))

    return choose_threshold


@wrong("Adds infinity to the list that it was given.")
def appends() -> object:
    def choose_threshold(answerable: list[float], unanswerable: list[float], price: float) -> float:
        answerable.append(math.inf)
        candidates = [*answerable, *unanswerable]
        return min(candidates, key=lambda t: cost(t, answerable, unanswerable, price))

    return choose_threshold


@wrong("Keeps the first price.")
def keeps_the_price() -> object:
    first: list[float] = []

    def of(t: float, yes: Given, no: Given, price: float) -> float:
        first.append(price)
        return cost(t, yes, no, first[0])

    return by_cost(of)


@wrong("A list of all cheapest thresholds.")
def all_of_them() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: [choose(yes, no, price)]


@wrong("A threshold in words.")
def as_text() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: f"{choose(yes, no, price):.3f}"


@wrong("NaN where there is nothing to choose from.")
def not_a_number() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: choose(yes, no, price) if yes or no else math.nan


@wrong("None where there is nothing to choose from.")
def none_for_no_questions() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: choose(yes, no, price) if yes or no else None


@wrong("Swallows the error of an empty list.")
def swallows_the_error() -> object:
    choose = among(lambda yes, no: [*yes, *no, max([*yes, *no]) + 1, max(yes) + 1])

    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> object:
        try:
            return choose(answerable, unanswerable, price)
        except ValueError:
            return 0.0

    return choose_threshold


@wrong("The first ten questions are enough.")
def the_first_ten() -> object:
    return by_cost(lambda t, yes, no, price: cost(t, yes[:10], no[:10], price))


@wrong("Scores that are almost equal count as equal.")
def almost_equal() -> object:
    def of(t: float, yes: Given, no: Given, price: float) -> float:
        refused = sum(s < t - 1e-6 for s in yes)
        return refused + price * sum(s >= t - 1e-6 for s in no)

    return by_cost(of)


@wrong("Candidates are answerable scores and the highest score of all.")
def up_to_the_highest() -> object:
    def candidates(yes: Given, no: Given) -> list[float]:
        return [*yes, max([*yes, *no], default=0.0)]

    return among(candidates)


@wrong("A price above 1 counts as 1.")
def price_up_to_one() -> object:
    return by_cost(lambda t, yes, no, price: cost(t, yes, no, min(price, 1)))


@wrong("The price as a whole number.")
def whole_price() -> object:
    return by_cost(lambda t, yes, no, price: cost(t, yes, no, int(price)))


@wrong("Scores below 0 are left out.")
def above_zero() -> object:
    def of(t: float, yes: Given, no: Given, price: float) -> float:
        return cost(t, [s for s in yes if s >= 0], [s for s in no if s >= 0], price)

    return by_cost(of)


@wrong("Where the two lists are empty, an error.")
def refuses_no_questions() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])

    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> object:
        if not answerable and not unanswerable:
            raise LookupError("no questions")
        return choose(answerable, unanswerable, price)

    return choose_threshold


@wrong("Between 0 and 1 only.")
def clipped() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: min(max(choose(yes, no, price), 0.0), 1.0)  # type: ignore[call-overload]


@right("Every score in NumPy, and infinity.")
def numpy() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> object:
        yes, no = np.array(answerable, dtype=float), np.array(unanswerable, dtype=float)
        candidates = np.concatenate([yes, no, [np.inf]])[:, None]
        costs = (yes < candidates).sum(axis=1) + price * (no >= candidates).sum(axis=1)
        return candidates[np.argmin(costs), 0]

    return choose_threshold


@right("Half way between neighbours, with both infinities.")
def half_way() -> object:
    def candidates(yes: Given, no: Given) -> list[float]:
        scores = sorted({*yes, *no})
        between = [(low + high) / 2 for low, high in itertools.pairwise(scores)]
        return [-math.inf, *between, math.inf]

    return among(candidates)


@right("Just above each unanswerable score.")
def just_above() -> object:
    return among(lambda yes, no: [-math.inf, *(math.nextafter(score, math.inf) for score in no)])


@right("Only answerable scores need to be tried, and infinity.")
def answerable_and_infinity() -> object:
    return among(lambda yes, no: [math.inf, *yes])


@right("One more than the highest, where there is one.")
def one_more() -> object:
    return among(lambda yes, no: [*yes, *no, max([*yes, *no], default=0.0) + 1])


@right("Counts by bisection in sorted copies.")
def bisection() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        yes, no = sorted(answerable), sorted(unanswerable)

        def of(threshold: float) -> float:
            answered = len(no) - bisect.bisect_left(no, threshold)
            return bisect.bisect_left(yes, threshold) + price * answered

        return min({*yes, *no, math.inf}, key=of)

    return choose_threshold


@right("Decimal.")
def decimals() -> object:
    choose = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: Decimal(choose(yes, no, price))  # type: ignore[arg-type]


@right("Fractions, or an integer where everything is refused.")
def fractions() -> object:
    choose = among(lambda yes, no: [*yes, *no, 10**9])
    return lambda yes, no, price: Fraction(choose(yes, no, price))  # type: ignore[arg-type]


def priced(change: Callable[[float], float]) -> Choose:
    """The cheapest by a price that was changed."""
    return by_cost(lambda t, yes, no, price: cost(t, yes, no, change(price)))


@wrong("A price of 5 at most.")
def capped_at_5() -> object:
    return priced(lambda price: min(price, 5))


@wrong("A price of 20 at most.")
def capped_at_20() -> object:
    return priced(lambda price: min(price, 20))


@wrong("A price of at least a tenth.")
def at_least_a_tenth() -> object:
    return priced(lambda price: max(price, 0.1))


@wrong("A price without its fraction.")
def floored() -> object:
    return priced(math.floor)


@wrong("A price with one digit.")
def one_digit() -> object:
    return priced(lambda price: round(price, 1))


@wrong("A price of whole numbers from 1.")
def whole_numbers_from_1() -> object:
    return priced(lambda price: max(1, round(price)))


@wrong("A little above each score.")
def a_little_above() -> object:
    return among(lambda yes, no: [*(score + 1e-9 for score in [*yes, *no]), -math.inf, math.inf])


@wrong("Rounds to nine digits.")
def nine_digits() -> object:
    choose: Any = among(lambda yes, no: [*yes, *no, math.inf])
    return lambda yes, no, price: round(choose(yes, no, price), 9)
