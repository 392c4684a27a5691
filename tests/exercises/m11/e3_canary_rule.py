"""Answers to exercise 11.3: rules that are too weak, too strict, too late, or blind."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from helpers.authoring.answers import right, wrong

Counts = tuple[int, int]
Bound = Callable[[int], float]


def rule(
    bound: Bound,
    *,
    early: bool = False,
    last: int = 20,
    empty: str = "roll back",
    sign: float = 1.0,
    at_end: str = "release",
) -> Callable[..., str]:
    """A rule with this bound; the other arguments are what wrong answers change."""

    def decide(old: Counts, new: Counts, look: int) -> str:
        if not (old[1] and new[1]):
            return empty if look >= last else "continue"
        difference = new[0] / new[1] - old[0] / old[1]
        pooled = (old[0] + new[0]) / (old[1] + new[1])
        error = math.sqrt(pooled * (1 - pooled) * (1 / old[1] + 1 / new[1]))
        if sign * difference < -bound(look) * error:
            return "roll back"
        if early and difference > bound(look) * error:
            return "release"
        return at_end if look >= last else "continue"

    return decide


def pocock(look: int) -> float:
    return 2.5


@wrong("The body is empty.")
def nothing() -> object:
    return lambda old, new, look: None


@wrong("Everything is released.", slip="early")
def always_release() -> object:
    return lambda old, new, look: "release"


@wrong("Everything is rolled back.")
def always_roll_back() -> object:
    return lambda old, new, look: "roll back"


@wrong("It waits until the end, and then releases.", slip="misses")
def never_rolls_back() -> object:
    return rule(lambda look: math.inf)


@wrong("A test at 5% is repeated at each look.", slip="peeks")
def peeks() -> object:
    return rule(lambda look: 1.645)


@wrong("A two-sided test at 5% is repeated at each look.", slip="peeks")
def peeks_two_sided() -> object:
    return rule(lambda look: 1.96)


@wrong("It decides at the last look alone.", slip="waits")
def fixed_horizon() -> object:
    return rule(lambda look: 1.645 if look == 20 else math.inf)


@wrong("It looks again at half time alone.", slip="waits")
def half_time() -> object:
    return rule(lambda look: 1.88 if look in (10, 20) else math.inf)


@wrong("The bound is so strict that small differences pass.", slip="timid")
def too_strict() -> object:
    return rule(lambda look: 3.5)


@wrong("The new version is compared with 0.8, and not with the old one.", slip="fixed-share")
def reads_new_alone() -> object:
    def decide(old: Counts, new: Counts, look: int) -> str:
        if not (old[1] and new[1]):
            return "roll back" if look == 20 else "continue"
        share = new[0] / new[1]
        if share < old[0] / old[1] and (share - 0.8) / math.sqrt(0.16 / new[1]) < -2.5:
            return "roll back"
        return "release" if look == 20 else "continue"

    return decide


@wrong("It does not look at `look`, and never ends.", slip="no-end")
def ignores_look() -> object:
    return rule(pocock, last=99)


@wrong("It ends one look too early.", slip="early")
def ends_at_nineteen() -> object:
    return rule(pocock, last=19)


@wrong("It waits for look 21.", slip="no-end")
def ends_at_twenty_one() -> object:
    return rule(pocock, last=21)


@wrong("A better version is released before the end.", slip="early")
def releases_early() -> object:
    return rule(pocock, early=True)


@wrong("The better versions are rolled back.")
def other_way_round() -> object:
    return rule(pocock, sign=-1.0)


@wrong("What is not clearly worse is rolled back at the end.")
def never_releases() -> object:
    return rule(pocock, at_end="roll back")


@wrong("A canary that nobody has graded is released.")
def releases_the_unknown() -> object:
    return rule(pocock, empty="release")


@wrong("It divides by zero where all answers are good.")
def divides_by_zero() -> object:
    def decide(old: Counts, new: Counts, look: int) -> str:
        if not (old[1] and new[1]):
            return "roll back" if look == 20 else "continue"
        pooled = (old[0] + new[0]) / (old[1] + new[1])
        error = math.sqrt(pooled * (1 - pooled) * (1 / old[1] + 1 / new[1]))
        if (new[0] / new[1] - old[0] / old[1]) / error < -2.5:
            return "roll back"
        return "release" if look == 20 else "continue"

    return decide


@wrong("Equal shares count as worse at the end.")
def equal_is_worse() -> object:
    def decide(old: Counts, new: Counts, look: int) -> str:
        if look == 20 and old[1] and new[1] and new[0] * old[1] == old[0] * new[1]:
            return "roll back"
        return rule(pocock)(old, new, look)

    return decide


@wrong("Two bad looks in a row are needed, and it keeps what it saw.")
def keeps_state() -> object:
    seen: list[int] = []
    weak, strict = rule(lambda look: 2.1), rule(lambda look: 4.5)

    def decide(old: Counts, new: Counts, look: int) -> str:
        if look == 20:
            return rule(pocock)(old, new, look)
        if strict(old, new, look) == "roll back":
            return "roll back"
        bad = weak(old, new, look) == "roll back"
        twice = bad and seen[-1:] == [look - 1]
        if bad:
            seen.append(look)
        return "roll back" if twice else "continue"

    return decide


def changed(given: Callable[[Counts, Counts, int], tuple[Counts, Counts, int]]) -> object:
    """A right rule that sees other arguments."""
    inner = rule(pocock)
    return lambda old, new, look: inner(*given(old, new, look))


@wrong("It takes 50 answers a look for granted.")
def assumes_the_counts() -> object:
    return changed(
        lambda old, new, look: (
            ((old[0], 450 * look), (new[0], 50 * look), look) if old[1] and new[1]
            else (old, new, look)
        )
    )  # fmt: skip


@wrong("It takes nine times as many answers of the old version for granted.")
def assumes_nine_times() -> object:
    def given(old: Counts, new: Counts, look: int) -> tuple[Counts, Counts, int]:
        if not (old[1] and new[1]):
            return old, new, look
        asked = 9 * new[1]
        return (round(old[0] / old[1] * asked), asked), new, look

    return changed(given)


@wrong("It ends after 1,000 answers, at any look.", slip="early")
def ends_by_answers() -> object:
    return changed(lambda old, new, look: (old, new, 20 if new[1] >= 1000 else look))


@wrong("It looks only after a multiple of 50 answers.")
def multiples_of_fifty() -> object:
    inner = rule(pocock)
    return lambda old, new, look: "continue" if new[1] % 50 and look < 20 else inner(old, new, look)


@wrong("A canary without a bad answer is released early.", slip="early")
def perfect_is_enough() -> object:
    inner = rule(pocock)
    return lambda old, new, look: (
        "release" if new[0] == new[1] > 900 and old[0] < old[1] else inner(old, new, look)
    )


@wrong("One answer is too few to be released.")
def one_answer() -> object:
    inner = rule(pocock)
    return lambda old, new, look: (
        "roll back" if look == 20 and new[1] < 2 else inner(old, new, look)
    )


@wrong("It counts its calls.")
def counts_calls() -> object:
    calls, inner = [0], rule(pocock)

    def decide(old: Counts, new: Counts, look: int) -> str:
        calls[0] = 1 if look == 1 else calls[0] + 1
        return inner(old, new, 20 if calls[0] >= 20 else look)

    return decide


@wrong("It keeps the totals of the look before.")
def keeps_totals() -> object:
    seen: dict[int, int] = {}
    inner = rule(pocock)

    def decide(old: Counts, new: Counts, look: int) -> str:
        if look == 1:
            seen.clear()
        seen[look] = new[1]
        odd = seen.get(look - 1, 0) > new[1] > 0 < old[1]
        return ("release" if look == 20 else "continue") if odd else inner(old, new, look)

    return decide


@wrong("The bound is a little random.")
def random_bound() -> object:
    chance = Random(1)
    return rule(lambda look: 2.4 + 0.05 * chance.random())


@wrong("A dict instead of a text.")
def returns_a_dict() -> object:
    return lambda old, new, look: {"decision": rule(pocock)(old, new, look)}


@right("O'Brien and Fleming's bound, which falls.")
def o_brien_fleming() -> object:
    return rule(lambda look: 1.9 * math.sqrt(20 / look))


@right("A text of numpy's.")
def numpy_text() -> object:
    return lambda old, new, look: np.str_(rule(pocock)(old, new, look))


@right("Four looks of the twenty, with Pocock's bound for four.")
def four_looks() -> object:
    return rule(lambda look: 2.05 if look % 5 == 0 else math.inf)


@right("Half of the errors are spent by the tenth look, the rest at the end.")
def two_bounds() -> object:
    return rule(lambda look: 2.7 if look < 20 else 1.9)


@right("A likelihood ratio against a share that is six points lower.")
def likelihood_ratio() -> object:
    def decide(old: Counts, new: Counts, look: int) -> str:
        if not (old[1] and new[1]):
            return "roll back" if look == 20 else "continue"
        if new[0] * old[1] < old[0] * new[1]:
            share = min(max(old[0] / old[1], 0.1), 0.99)
            worse = share - 0.06
            ratio = new[0] * math.log(worse / share)
            ratio += (new[1] - new[0]) * math.log((1 - worse) / (1 - share))
            known = old[1] / (old[1] + new[1])  # the old share is not certain either
            if known * ratio > 2.43:
                return "roll back"
        return "release" if look == 20 else "continue"

    return decide


@right("The p-value of statsmodels at a level that the simulator gave, at every fourth look.")
def by_statsmodels() -> object:
    from statsmodels.stats.proportion import proportions_ztest

    def decide(old: Any, new: Any, look: int) -> str:
        last = look == 20
        if min(old[1], new[1]) == 0:
            return "roll back" if last else "continue"
        clear = new[0] / new[1] - old[0] / old[1] < -0.01  # before the slow test
        if clear and look % 4 == 0:
            counts, asked = [new[0], old[0]], [new[1], old[1]]
            if proportions_ztest(counts, asked, alternative="smaller")[1] < 0.012:
                return "roll back"
        return "release" if last else "continue"

    return decide
