"""Answers to exercise 02.5: another share to plan with, another power, another search."""

from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any

import numpy as np
from scipy.stats import binomtest

from helpers.authoring.answers import right, wrong
from helpers.evaluate.sample_size import power_paired, questions_needed


def upper(count: int, questions: int, confidence: float = 0.95, method: Any = "wilson") -> float:
    found = binomtest(count, questions).proportion_ci(confidence, method=method).high
    return min(1.0, float(found))


def lower(count: int, questions: int) -> float:
    return float(binomtest(count, questions).proportion_ci(method="wilson").low)


@cache
def least(difference: float, changed: float, power: float) -> int:
    """By steps of 16 first, which is quick; then the smallest among the last ones."""
    n = 1
    while power_paired(n + 15, difference, changed) < power:
        n += 16
    # The chance may fall a little from one number to the next: begin a few steps earlier.
    n = max(1, n - 16)
    while power_paired(n, difference, changed) < power:
        n += 1
    return n


class Plan:
    """The steps, one method each; the answers below change one."""

    def share(self, lost: int, gained: int, questions: int) -> float:
        return upper(lost + gained, questions)

    def changed(self, share: float, difference: float) -> float:
        return max(share, difference)

    def find(self, difference: float, changed: float, power: float) -> Any:
        return least(difference, changed, power)

    def __call__(
        self, lost: int, gained: int, questions: int, difference: float, power: float = 0.8
    ) -> Any:
        changed = self.changed(self.share(lost, gained, questions), difference)
        return self.find(difference, changed, power)


def but(**changes: Any) -> Callable[..., Any]:
    made: Any = type("Changed", (Plan,), changes)()
    return lambda lost, gained, questions, difference, power=0.8: made(
        lost, gained, questions, difference, power
    )


def then(change: Callable[[int], Any]) -> object:
    """The right number, changed."""
    return but(find=lambda self, *how: change(least(*how)))


@wrong("As many as in the pilot.")
def as_the_pilot() -> object:
    return lambda lost, gained, questions, difference, power=0.8: questions


@wrong("The statement's number.")
def constant() -> object:
    return lambda lost, gained, questions, difference, power=0.8: 239


@wrong("The pilot's own share.", slip="believes-the-pilot")
def believes_the_pilot() -> object:
    return but(share=lambda self, lost, gained, n: (lost + gained) / n)


@wrong("The lower end.")
def lower_end() -> object:
    return but(share=lambda self, lost, gained, n: lower(lost + gained, n))


@wrong("The lost ones alone.", slip="only-lost")
def only_lost() -> object:
    return but(share=lambda self, lost, gained, n: upper(lost, n))


@wrong("The gained ones alone.")
def only_gained() -> object:
    return but(share=lambda self, lost, gained, n: upper(gained, n))


@wrong("Lost and gained cancel out.", slip="net")
def net() -> object:
    return but(share=lambda self, lost, gained, n: upper(abs(lost - gained), n))


@wrong("The exact interval, not Wilson's.", slip="not-wilson")
def exact_interval() -> object:
    return but(share=lambda self, lost, gained, n: upper(lost + gained, n, method="exact"))


@wrong("Wilson's interval with a correction for continuity.")
def corrected() -> object:
    return but(share=lambda self, lost, gained, n: upper(lost + gained, n, method="wilsoncc"))


@wrong("The normal interval.")
def normal_interval() -> object:
    def share(self: Plan, lost: int, gained: int, n: int) -> float:
        rate = (lost + gained) / n
        return float(min(1.0, rate + 1.96 * (rate * (1 - rate) / n) ** 0.5))

    return but(share=share)


@wrong("A 90% interval.")
def narrower() -> object:
    return but(share=lambda self, lost, gained, n: upper(lost + gained, n, 0.9))


@wrong("A 99% interval.")
def wider() -> object:
    return but(share=lambda self, lost, gained, n: upper(lost + gained, n, 0.99))


@wrong("Everything may change.")
def all_change() -> object:
    return but(share=lambda self, lost, gained, n: 1.0)


@wrong("The share is rounded to whole points.")
def rounded_share() -> object:
    return but(share=lambda self, *pilot: round(Plan.share(self, *pilot), 2))


@wrong("Fewer changes than the difference.")
def no_floor() -> object:
    return but(changed=lambda self, share, difference: share)


@wrong("The lower of share and difference.")
def lower_of_both() -> object:
    return but(changed=lambda self, share, difference: min(share, difference))


@wrong("The difference is added to the share.")
def added() -> object:
    return but(changed=lambda self, share, difference: min(1.0, share + difference))


@wrong("The normal approximation.", slip="approximation")
def approximation() -> object:
    return but(find=lambda self, d, changed, power: questions_needed(d, changed, power=power))


@wrong("It begins at the approximation.")
def from_the_approximation() -> object:
    def find(self: Plan, d: float, changed: float, power: float) -> int:
        n = questions_needed(d, changed, power=power) + 3
        while power_paired(n, d, changed) < power:
            n += 1
        return n

    return but(find=find)


@wrong("Always 0.8.", slip="one-power")
def one_power() -> object:
    plan = but()
    return lambda lost, gained, questions, difference, power=0.8: plan(
        lost, gained, questions, difference
    )


@wrong("A default of 0.9.")
def other_default() -> object:
    plan = but()
    return lambda lost, gained, questions, difference, power=0.9: plan(
        lost, gained, questions, difference, power
    )


@wrong("No default.")
def no_default() -> object:
    plan = but()
    return lambda lost, gained, questions, difference, power: plan(
        lost, gained, questions, difference, power
    )


@wrong("The power has another name.")
def other_name() -> object:
    plan = but()
    return lambda lost, gained, questions, difference, chance=0.8: plan(
        lost, gained, questions, difference, chance
    )


@wrong("More than the power, not at least.")
def rounded_power() -> object:
    return but(find=lambda self, d, changed, power: least(d, changed, min(0.99, power + 0.01)))


@wrong("Nearly the power.")
def nearly() -> object:
    return but(find=lambda self, d, changed, power: least(d, changed, power - 0.005))


@wrong("Halving a range.", slip="halving")
def halving() -> object:
    def find(self: Plan, d: float, changed: float, power: float) -> int:
        low, high = 0, 1
        while power_paired(high, d, changed) < power:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if power_paired(middle, d, changed) < power:
                low = middle
            else:
                high = middle
        return high

    return but(find=find)


@wrong("At most a power of 0.95.")
def most_power() -> object:
    return but(find=lambda self, d, changed, power: least(d, changed, min(power, 0.95)))


@wrong("At least a power of 0.5.")
def least_power() -> object:
    return but(find=lambda self, d, changed, power: least(d, changed, max(power, 0.5)))


@wrong("The share is rounded to three digits.")
def three_digits() -> object:
    return but(share=lambda self, *pilot: round(Plan.share(self, *pilot), 3))


@wrong("The share is rounded to four digits.")
def four_digits() -> object:
    return but(share=lambda self, *pilot: round(Plan.share(self, *pilot), 4))


@wrong("The difference is rounded to whole points.")
def whole_points() -> object:
    plan = but()
    return lambda lost, gained, questions, difference, power=0.8: plan(
        lost, gained, questions, round(difference, 2), power
    )


@wrong("Six for any large difference.")
def six() -> object:
    return but(find=lambda self, d, *how: 6 if d > 0.9 else least(d, *how))


@wrong("At most five hundred.")
def at_most_five_hundred() -> object:
    return then(lambda n: min(500, n))


@wrong("A float.")
def a_float() -> object:
    return then(float)


@wrong("It begins near the last answer.")
def near_the_last() -> object:
    last = [1]

    def find(self: Plan, d: float, changed: float, power: float) -> int:
        n = max(1, last[0] - 400)
        while power_paired(n, d, changed) < power:
            n += 1
        last[0] = n
        return n

    return but(find=find)


@wrong("One fewer.")
def one_fewer() -> object:
    return then(lambda n: n - 1)


@wrong("One more.")
def one_more() -> object:
    return then(lambda n: n + 1)


@wrong("Three percent more, to be safe.")
def a_little_more() -> object:
    return then(lambda n: ceil(1.03 * n))


@wrong("Rounded up to tens.")
def tens() -> object:
    return then(lambda n: ceil(n / 10) * 10)


@wrong("As a text.")
def text() -> object:
    return then(str)


@wrong("The number and the power.")
def both() -> object:
    return then(lambda n: (n, 0.8))


@wrong("The first one's number is kept.")
def remembers() -> object:
    kept: list[int] = []

    def change(n: int) -> int:
        kept.append(n)
        return kept[0]

    return then(change)


@wrong("At least thirty.")
def at_least_thirty() -> object:
    return then(lambda n: max(30, n))


@wrong("At most a hundred.")
def at_most_a_hundred() -> object:
    return then(lambda n: min(100, n))


@wrong("The alpha of a one-sided test.")
def one_sided() -> object:
    def find(self: Plan, d: float, changed: float, power: float) -> int:
        n = 1
        while power_paired(n, d, changed, alpha=0.1) < power:
            n += 1
        return n

    return but(find=find)


@right("Step by step, from 1.")
def plain() -> object:
    return but()


@right("NumPy's whole number.")
def numpy_number() -> object:
    return then(np.int64)


@right("Wilson's interval by hand.")
def by_hand() -> object:
    def share(self: Plan, lost: int, gained: int, n: int) -> float:
        z, rate = 1.959963984540054, (lost + gained) / n
        half = z * (rate * (1 - rate) / n + z**2 / (4 * n**2)) ** 0.5
        return float(min(1.0, (rate + z**2 / (2 * n) + half) / (1 + z**2 / n)))

    return but(share=share)


@right("From the first doubling on, backwards to where none is enough for long.")
def backwards() -> object:
    def find(self: Plan, d: float, changed: float, power: float) -> int:
        n = 4
        while power_paired(n, d, changed) < power:
            n *= 2
        enough, short = n, 0
        while n > 1 and short < 25:
            n -= 1
            if power_paired(n, d, changed) >= power:
                enough, short = n, 0
            else:
                short += 1
        return enough

    return but(find=find)


EQUIVALENT = {
    "line 10, 1 -> 2: needed = 1": "with fewer than six questions the exact test never shows any"
}
