"""Answers to exercise 07.4, right and wrong."""

import bisect
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy

from helpers.authoring.answers import right, wrong

Entry = tuple[int, list[int | None]]
Desired = Callable[[list[int | None], int], int]


def plain(pods: list[int | None], target: int) -> int:
    known = [number for number in pods if number is not None]
    if not known:
        return len(pods)
    grows = sum(known) > target * len(known)
    filled = [(0 if grows else target) if number is None else number for number in pods]
    ratio = sum(filled) / (target * len(pods))
    if 0.9 <= ratio <= 1.1 or (grows and ratio < 1):
        return len(pods)
    return math.ceil(sum(filled) / target)


def over_time(
    desired: Desired = plain, *, window: float = 300, capped: bool = True, first: bool = False
) -> object:
    """An autoscaler that may differ from the rules in one thing."""

    def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
        now, pods = history[-1]
        recent = [desired(then, target) for second, then in history if now - second < window]
        if first:
            recent = [max(least, min(one, most)) for one in recent]
        highest = min(max(recent), len(pods)) if capped else max(recent)
        asked = max(recent[-1], highest)
        return asked if first else max(least, min(asked, most))

    return recommend


def filled(pods: list[int | None], value: int) -> list[int | None]:
    return [value if number is None else number for number in pods]


@wrong("The cell was emptied.")
def nothing() -> object:
    return lambda history, target, least, most: None


@wrong("The number of pods stays.")
def stays() -> object:
    return lambda history, target, least, most: max(least, min(len(history[-1][1]), most))


@wrong("No tolerance.", slip="no-tolerance")
def no_tolerance() -> object:
    return lambda history, target, least, most: max(
        least, min(most, math.ceil(sum(n or 0 for n in history[-1][1]) / target))
    )


@wrong("Rounds down.", slip="rounded-down")
def rounds_down() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        found = plain(pods, target)
        known = [number for number in pods if number is not None]
        return found if found == len(pods) else max(1, sum(known) // target)

    return over_time(desired)


@wrong("Rounds to the nearest.")
def rounds() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        found = plain(pods, target)
        return found if found == len(pods) or None in pods else round(sum(pods) / target)  # type: ignore[arg-type]

    return over_time(desired)


@wrong("The bounds of the tolerance are outside of it.")
def open_bounds() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        share = Fraction(sum(known), target * len(known)) if known else 1
        if share in (Fraction(9, 10), Fraction(11, 10)) and len(known) == len(pods):
            return math.ceil(sum(known) / target)
        return plain(pods, target)

    return over_time(desired)


@wrong("abs(ratio - 1) <= 0.1 in floating point.")
def rounding_error() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        if not known:
            return len(pods)
        grows = sum(known) > target * len(known)
        total = sum(number or 0 for number in filled(pods, 0 if grows else target))
        ratio = total / (target * len(pods))
        if abs(ratio - 1) <= 0.1 or (grows and ratio < 1):
            return len(pods)
        return math.ceil(total / target)

    return over_time(desired)


@wrong("A missing number is 0, always.")
def missing_is_zero() -> object:
    return over_time(lambda pods, target: plain(filled(pods, 0), target))


@wrong("A missing number is the target, always.", slip="counted-full")
def missing_is_target() -> object:
    return over_time(lambda pods, target: plain(filled(pods, target), target))


@wrong("Pods without a number are left out.", slip="left-out")
def left_out() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        if not known or 0.9 <= sum(known) / (target * len(known)) <= 1.1:
            return len(pods)
        return math.ceil(sum(known) / target)

    return over_time(desired)


@wrong("The ratio may turn round.", slip="turned-round")
def turns_round() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        if not known:
            return len(pods)
        grows = sum(known) > target * len(known)
        return plain(filled(pods, 0 if grows else target), target)

    return over_time(desired)


@wrong("Divides by nothing when no pod reports.", slip="nobody-reported")
def divides_by_nothing() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        return plain(pods, target) if sum(known) / len(known) >= 0 else 0

    return over_time(desired)


@wrong("No pod reports: one pod.", slip="silent-is-one")
def one_when_none() -> object:
    return over_time(
        lambda pods, target: 1 if all(one is None for one in pods) else plain(pods, target)
    )


@wrong("Scales down at once.", slip="at-once")
def at_once() -> object:
    return over_time(window=1)


@wrong("The highest number of the window, even when pods have gone since.", slip="old-entry-adds")
def adds_again() -> object:
    return over_time(capped=False)


@wrong("An entry of 300 seconds counts.", slip="one-more")
def window_too_long() -> object:
    return over_time(window=301)


@wrong("Looks at all entries.", slip="one-more")
def no_window() -> object:
    return over_time(window=math.inf)


@wrong("The last ten entries instead of 300 seconds.")
def ten_entries() -> object:
    inner: Any = over_time(window=math.inf)
    return lambda history, *others: inner(history[-2:], *others)


@wrong("No limits.")
def no_limits() -> object:
    inner: Any = over_time()
    return lambda history, target, least, most: inner(history, target, 1, 10**9)


@wrong("The lowest limit wins over the highest number.")
def never_fewer() -> object:
    inner: Any = over_time()
    return lambda history, target, least, most: max(
        len(history[-1][1]), inner(history, target, least, most)
    )


@wrong("Takes the history apart.")
def takes_apart() -> object:
    inner: Any = over_time()

    def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
        found: int = inner(history, target, least, most)
        history.pop()
        return found

    return recommend


@wrong("Remembers the histories of earlier calls.")
def remembers() -> object:
    inner: Any = over_time()
    seen: list[Entry] = []

    def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
        seen.extend(history)
        found: int = inner([*seen[-12:-1], history[-1]], target, least, most)
        return found

    return recommend


@wrong("Only the last two entries of the window.", slip="some-entries")
def last_two() -> object:
    inner: Any = over_time()
    return lambda history, *others: inner(history[-2:], *others)


@wrong("Only the last three entries of the window.")
def last_three() -> object:
    inner: Any = over_time()
    return lambda history, *others: inner(history[-3:], *others)


@wrong("Only the oldest entry of the window and the last one.", slip="some-entries")
def first_and_last() -> object:
    inner: Any = over_time()

    def recommend(history: list[Entry], *others: int) -> int:
        recent = [one for one in history if history[-1][0] - one[0] < 300]
        found: int = inner([recent[0], recent[-1]], *others)
        return found

    return recommend


@wrong("Older entries lose the pods that reported nothing.", slip="older-left-out")
def older_without_none() -> object:
    inner: Any = over_time()

    def known(pods: list[int | None]) -> list[int | None]:
        return [number for number in pods if number is not None] or pods

    return lambda history, *others: inner(
        [*((second, known(pods)) for second, pods in history[:-1]), history[-1]], *others
    )


@wrong("In older entries a missing number is 0.")
def older_are_zero() -> object:
    inner: Any = over_time()
    return lambda history, *others: inner(
        [*((second, filled(pods, 0)) for second, pods in history[:-1]), history[-1]], *others
    )


@wrong("A whole number is rounded up, too.", slip="one-too-many")
def floor_and_one() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        found = plain(pods, target)
        known = [number for number in pods if number is not None]
        total = sum(known) + (found < len(pods)) * target * (len(pods) - len(known))
        return found if found == len(pods) else total // target + 1

    return over_time(desired)


@wrong("The ratio may turn round, when pods have just started.", slip="turned-round")
def no_direction() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        if not known:
            return len(pods)
        grows = sum(known) > target * len(known)
        total = sum(known) + (0 if grows else target * (len(pods) - len(known)))
        same = 0.9 <= total / (target * len(pods)) <= 1.1
        return len(pods) if same else math.ceil(total / target)

    return over_time(desired)


@wrong("A float.")
def a_float() -> object:
    inner: Any = over_time()
    return lambda *arguments: float(inner(*arguments))


@wrong("A number of NumPy's.")
def of_numpy() -> object:
    inner: Any = over_time()
    return lambda *arguments: numpy.int64(inner(*arguments))


@wrong("An async function.")
def is_async() -> object:
    inner: Any = over_time()

    async def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
        found: int = inner(history, target, least, most)
        return found

    return recommend


@right("Fractions, and a loop.")
def fractions() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [Fraction(number) for number in pods if number is not None]
        missing = len(pods) - len(known)
        if not known:
            return len(pods)
        before = sum(known) / len(known) / target
        after = (sum(known) + (0 if before > 1 else missing * target)) / len(pods) / target
        if abs(after - 1) <= Fraction(1, 10) or (before > 1 > after):
            return len(pods)
        return math.ceil(len(pods) * after)

    def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
        now, pods = history[-1]
        wanted = desired(pods, target)
        if wanted <= len(pods):
            for second, then in history:
                if second > now - 300:
                    wanted = max(wanted, desired(then, target))
            wanted = min(wanted, len(pods))
        return min(max(wanted, least), most)

    return recommend


@right("Whole numbers only.")
def whole_numbers() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        size, known = len(pods), [number for number in pods if number is not None]
        grows = sum(known) > target * len(known)
        total = sum(known) + (0 if grows else target * (size - len(known)))
        whole = target * size
        same = 9 * whole <= 10 * total <= 11 * whole or (grows and total < whole)
        return size if same or not known else -(-total // target)

    return over_time(desired)


@right("Rounds its floating point to nine digits.")
def rounded_floats() -> object:
    def desired(pods: list[int | None], target: int) -> int:
        known = [number for number in pods if number is not None]
        if len(known) == 0:
            return len(pods)
        first = round(sum(known) / len(known) / target, 9)
        other = 0 if first > 1 else target
        numbers = [other if number is None else number for number in pods]
        ratio = round(sum(numbers) / len(numbers) / target, 9)
        if abs(round(ratio - 1, 9)) <= 0.1 or (first > 1 and ratio < 1):
            return len(pods)
        return math.ceil(round(len(pods) * ratio, 6))

    return over_time(desired)


@right("Finds the window by bisection.")
def by_bisection() -> object:
    def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
        now = history[-1][0]
        begin = bisect.bisect_right([second for second, _ in history], now - 300)
        wanted = [plain(pods, target) for _, pods in history[begin:]]
        current = len(history[-1][1])
        return sorted([least, sorted([wanted[-1], current, max(wanted)])[1], most])[1]

    return recommend


@right("The limits apply to the desired numbers, which comes to the same.")
def limits_first() -> object:
    return over_time(first=True)


EQUIVALENT = {
    "line 9, Gt -> GtE: grows = sum(known) > target * len(known)": (
        "at a ratio of exactly 1, both ways end in no change"
    ),
    "line 12, Lt -> LtE: if 0.9 <= ratio <= 1.1 or (grows and ratio < 1):": (
        "a ratio of 1 is within the tolerance"
    ),
}
