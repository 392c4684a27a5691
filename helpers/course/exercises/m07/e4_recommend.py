"""Exercise 07.4: what a HorizontalPodAutoscaler asks for.

The rules are those of Kubernetes' documentation ("Horizontal Pod Autoscaling", section "Algorithm
details", https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/), with
the defaults: a tolerance of 0.1, 300 seconds of stabilisation downward and none upward. Where the
documentation leaves something open, they are those of the controller: the bounds of the tolerance
belong to it, and an entry that is 300 seconds old has left the window.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    equal,
    example,
    exercise,
    generated,
)
from helpers.course.exercises.words import kind

Entry = tuple[int, list[int | None]]
Recommend = Callable[[list[Entry], int, int, int], Any]


def _formula(history: list[Entry], target: int, least: int, most: int) -> int:
    """The documented formula alone, for what has no missing numbers."""
    pods = history[-1][1]
    return max(least, min(most, math.ceil(sum(number or 0 for number in pods) / target)))


def _left_out(history: list[Entry], target: int, least: int, most: int) -> int:
    """Pods without a number are no pods."""
    known = [number for number in history[-1][1] if number is not None]
    ratio = sum(known) / (target * len(known))
    wanted = len(history[-1][1]) if 0.9 <= ratio <= 1.1 else math.ceil(sum(known) / target)
    return max(least, min(most, wanted))


def _but(
    *,
    tolerance: bool = True,
    direction: bool = True,
    silent: int | None = None,
    up: Callable[[float], int] = math.ceil,
) -> Recommend:
    """The rules for one entry, with one of them left out or changed."""

    def faulty(history: list[Entry], target: int, least: int, most: int) -> int:
        pods = history[-1][1]
        known = [number for number in pods if number is not None]
        wanted = len(pods)
        if not known:
            wanted = wanted if silent is None else silent
        else:
            grows = sum(known) > target * len(known)
            total = sum(known) + (0 if grows else target * (len(pods) - len(known)))
            ratio = total / (target * len(pods))
            same = 0.9 <= ratio <= 1.1 if tolerance else ratio == 1
            if not same and not (direction and grows and ratio < 1):
                wanted = up(total / target)
        return max(least, min(most, wanted))

    return faulty


def _highest(history: list[Entry], target: int, least: int, most: int) -> int:
    """The highest number of the window, even where pods have gone since."""
    recent = [one for one in history if history[-1][0] - one[0] < 300]
    wanted: int = max(_but()([one], target, least, most) for one in recent)
    return wanted


_ROUNDING = "Round up: 4.5 pods are 5. A whole number stays as it is: 3.0 pods are 3."
_TURNED = "The first ratio was greater than 1: no pod is removed."
_TOLERANT = "From 0.9 to 1.1 nothing changes: otherwise pods come and go with every request."
_SILENT = "When no pod reported, there is no average: the number of pods stays."
_NO_TOLERANCE = Slip.like("no-tolerance", _formula, _TOLERANT)
_ALL_NONE = Slip.raises("nobody-reported", ZeroDivisionError, _SILENT)
_EVERY_ENTRY = "The highest desired number of all entries counts that are less than 300 s old."
_OF_ONE_ENTRY = (
    _ALL_NONE,
    Slip.like("silent-is-one", _but(silent=1), _SILENT),
    Slip.like("turned-round", _but(direction=False), _TURNED),
    Slip.like("one-too-many", _but(up=lambda number: math.floor(number) + 1), _ROUNDING),
    Slip.like("no-tolerance", _but(tolerance=False), _TOLERANT),
)


class _Coroutine:
    """Stands for what an async function returned."""

    def __repr__(self) -> str:
        return "a coroutine"


def _called_plainly(answer: Any) -> Recommend:
    """The answer as a function whose result nobody awaits: the autoscaler is a plain one."""

    def call(history: list[Entry], target: int, least: int, most: int) -> Any:
        found = answer(history, target, least, most)
        if not inspect.isawaitable(found):
            return found
        if inspect.iscoroutine(found):
            found.close()
        return _Coroutine()

    return call


def _whole(value: int) -> Expectation:
    """Exactly this `int`, as the statement says: no other type of number."""
    wanted = equal(value)

    def judge(got: Any) -> bool | str:
        if type(got) is _Coroutine:
            return "recommend is an async function: write def, without async."
        if not issubclass(type(got), int) or type(got) is bool:
            return f"An int is expected; this is {kind(got)}."
        return wanted.judge(got)

    return Expectation(wanted.text, judge)


# Around the target there are many ratios of just 0.9, 1 or 1.1.
_NUMBER = st.one_of(st.integers(0, 30), st.sampled_from([9, 10, 11, 18, 20, 22]))
_PODS = st.lists(st.one_of(_NUMBER, _NUMBER, _NUMBER, st.none()), min_size=1, max_size=7)
_TARGET = st.sampled_from([10, 20, 1, 3, 7, 8, 15])
_STEP = st.sampled_from([15, 1, 100, 150, 285, 299, 300, 301])
_LIMITS = st.sampled_from([(1, 50), (1, 3), (2, 6), (3, 3), (1, 1), (5, 40), (1, 1000)])


@st.composite
def _histories(draw: Any, most: int = 6) -> tuple[list[Entry], int, int, int]:
    second, history = draw(st.integers(0, 1000)), list[Entry]()
    for _ in range(draw(st.integers(1, most))):
        history.append((second, draw(_PODS)))
        second += draw(_STEP)
    return history, draw(_TARGET), *draw(_LIMITS)


@st.composite
def _waves(draw: Any) -> tuple[list[Entry], int, int, int]:
    """A load that comes and goes within 300 seconds: any of the entries may be the one to keep."""
    size, target = draw(st.integers(2, 9)), draw(st.sampled_from([8, 10, 3]))
    level = st.sampled_from([0, 1, 2, target - 1, target, 2 * target])
    pods = st.lists(st.one_of(level, level, level, st.none()), min_size=1, max_size=size)
    before = draw(st.lists(pods, min_size=2, max_size=7))
    history = [(45 * number, then) for number, then in enumerate([*before, [0] * size])]
    return history, target, 1, 30


@exercise(
    "07.4",
    title="What the autoscaler asks for",
    hints=[
        "Begin with one entry in which every pod reported: ceil(sum(pods) / target), and the number"
        " of pods where the ratio is from 0.9 to 1.1.",
        Hint(
            "ratio = total / (target * len(pods)), with one division. Then 0.9 <= ratio <= 1.1 has"
            " no rounding error at its ends.",
            "tolerance",
        ),
        Hint(
            "known = [n for n in pods if n is not None]. The first ratio says in which direction;"
            " then add target * (len(pods) - len(known)) to the sum, or nothing.",
            "missing",
        ),
        Hint(
            "Add pods at once. Remove pods only when no entry of the last 300 seconds wanted them."
            " An old entry can keep pods, and never adds one: min(highest, len(pods)).",
            "window",
        ),
        "asked = max(desired_now, min(highest_desired, pods_now)), and then the limits:"
        " max(least, min(asked, most)).",
    ],
)
def recommend(answer: Recommend) -> Iterator[Case]:
    """The number of pods for given histories."""
    plain = _called_plainly(answer)

    def case(
        name: str,
        history: Any,
        target: int,
        expect: int,
        *slips: Slip,
        limits: tuple[int, int] = (1, 100),
        about: str = "",
    ) -> Case:
        return example(
            name,
            plain,
            history,
            target,
            *limits,
            called="recommend",
            expect=_whole(expect),
            slips=slips,
            about=about,
        )

    def tried(name: str, inputs: Any, *slips: Slip, about: str = "") -> Case:
        return generated(
            name,
            answer,
            exercise="07.4",
            inputs=inputs,
            called="recommend",
            used=_called_plainly,
            expect=_whole,
            slips=slips,
            about=about,
        )

    yield case(
        "the example of the statement",
        [(0, [12, 15, 9])],
        8,
        5,
        Slip.value("rounded-down", 4, "4.5 pods are needed: round up."),
        limits=(1, 10),
    )
    yield case(
        "a minute later",
        [(0, [12, 15, 9]), (60, [4, 5, 3])],
        8,
        3,
        Slip.value("at-once", 2, "It scales down at once: look at the last 300 seconds."),
        Slip.value(
            "old-entry-adds", 5, "An older entry keeps pods that exist, and does not add one."
        ),
        limits=(1, 10),
        about="window",
    )
    yield case("a ratio of 1.1", [(7, [33, 33, 33])], 30, 3, _NO_TOLERANCE, about="tolerance")
    yield case("a ratio of 0.9", [(7, [9] * 10)], 10, 10, _NO_TOLERANCE, about="tolerance")
    yield case("a ratio just above 1.1", [(7, [34, 33, 33])], 30, 4, about="tolerance")
    yield case("a ratio just below 0.9", [(7, [9] * 9 + [8])], 10, 9, about="tolerance")
    yield case(
        "one of four has just started, and the load grows",
        [(0, [20, 20, 21, None])],
        10,
        7,
        Slip.value("counted-full", 8, "The new pod counts with 0 requests when the load grows."),
        about="missing",
    )
    yield case(
        "two of five report nothing, and the load falls",
        [(0, [2, 3, 4, None, None])],
        10,
        3,
        Slip.like(
            "left-out",
            _left_out,
            "Pods that report nothing count with target requests when the load falls: they may be"
            " the busy ones.",
        ),
        about="missing",
    )
    yield case(
        "it seems to grow, but there are new pods",
        [(0, [15, None, None, None])],
        10,
        4,
        Slip.value("turned-round", 2, _TURNED),
        about="missing",
    )
    yield case(
        "no pod reports",
        [(0, [None, None])],
        10,
        2,
        _ALL_NONE,
        Slip.value("silent-is-one", 1, _SILENT),
        about="missing",
    )
    yield case(
        "the wave is neither the first entry nor the last ones",
        [(0, [1] * 8), (60, [8] * 8), (120, [1] * 8), (180, [1] * 8)],
        8,
        8,
        Slip.value("some-entries", 1, _EVERY_ENTRY),
        limits=(1, 20),
        about="window",
    )
    yield case(
        "an older entry in which most pods report nothing",
        [(0, [8, None, None, None]), (15, [1, 1, 1, 1])],
        8,
        4,
        Slip.value(
            "older-left-out",
            1,
            "Older entries follow the same rules: their pods that report nothing count, too.",
        ),
        limits=(1, 20),
        about="window",
    )
    yield case(
        "300 seconds after the wave",
        [(100, [30, 30]), (400, [2, 2, 2, 2, 2, 2])],
        10,
        2,
        Slip.value("one-more", 6, "An entry that is 300 seconds old does not count any more."),
        about="window",
    )
    yield case(
        "299 seconds after the wave",
        [(100, [30, 30]), (399, [2, 2, 2, 2, 2, 2])],
        10,
        6,
        Slip.value("at-once", 2, "It scales down at once: look at the last 300 seconds."),
        about="window",
    )
    yield tried("one entry", _histories(1), *_OF_ONE_ENTRY)
    yield tried(
        "any history",
        _histories(),
        Slip.like("old-entry-adds", _highest, "An older entry keeps pods, and adds none."),
        _ALL_NONE,
        about="window",
    )
    yield tried("the load comes and goes", _waves(), _ALL_NONE, about="window")
