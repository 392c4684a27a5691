"""Measurements for exercise 07.3, and what counts as the same Deployment."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Expectation, raises, satisfies
from helpers.course.exercises.words import brief, kind
from helpers.deploy.rules.scaling import quantity
from helpers.testbed.measured import Measured

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MAY_BE_WRONG = ("memory", "cpu", "starts", "per_pod")
"""The fields of which the statement says what a wrong value is."""
GROUPS: dict[str, list[tuple[str, ...]]] = {
    "memory": [("resources", "requests", "memory"), ("resources", "limits")],
    "CPU": [("resources", "requests", "cpu")],
    "replicas": [("replicas",)],
    "seconds": [("startupProbe",), ("lifecycle",), ("terminationGracePeriodSeconds",)],
}
"""The places of the result, by what the hints are about."""
_AMOUNTS = {"cpu", "memory"}


class NotPlain(TypeError):  # noqa: N818 - it says what it is
    """The function gives something to wait for; the message says so."""


def measurements() -> "SearchStrategy[Measured]":
    """Measurements of which no more can go wrong than rounding; every boundary is among them.

    Seconds are eighths, so that no sum or product of the rules is rounded by the computer.
    """
    from hypothesis import strategies as st

    def seconds(least: int, most: int) -> "SearchStrategy[float]":
        return st.integers(least * 8, most * 8).map(lambda eighths: eighths / 8)

    @st.composite
    def carried(draw: st.DrawFn) -> tuple[int, int]:
        """A pod's rate, and a busiest minute: often exactly what some pods carry, or one more."""
        per_pod = draw(st.integers(1, 150).map(lambda n: 4 * n) | st.integers(1, 600))
        pods = draw(st.integers(0, 12))
        return per_pod, max(0, pods * per_pod * 3 // 4 + draw(st.integers(-2, 2)))

    free = st.tuples(st.integers(1, 600), st.integers(0, 5000))
    whole = st.integers(0, 90).map(float)
    return st.builds(
        lambda memory, cpu, starts, load, longest, last: Measured(
            memory, cpu, starts, load[0], load[1], longest, last
        ),
        st.lists(
            st.integers(1, 4000) | st.integers(1, 40).map(lambda n: 64 * n), min_size=1, max_size=12
        ),
        st.lists(
            st.integers(0, 4000) | st.integers(0, 50).map(lambda n: 40 * n), min_size=1, max_size=32
        ),
        st.lists(seconds(1, 200) | whole.map(lambda n: n + 1), min_size=1, max_size=6),
        carried() | free,
        seconds(0, 120) | whole,
        seconds(0, 20) | whole,
    )


def like_sized(value: Any) -> Expectation:
    """The same fields and whole numbers; quantities may be written otherwise (1000m, 1)."""
    return satisfies(brief(value), lambda got: _apart(got, value, "") or True)


def like_part(value: Any, *places: tuple[str, ...]) -> Expectation:
    """What `like_sized` asks for, of some places of the result alone."""

    def judge(got: Any) -> bool | str:
        for place in places:
            wanted, there, name = value, got, ""
            for key in place:
                if not isinstance(there, Mapping):
                    return f"{name or 'The result'} must be a dict; it is {kind(there)}."
                name = f"{name}.{key}".lstrip(".")
                if key not in there:
                    return f"{name} is missing."
                wanted, there = wanted[key], there[key]
            if why := _apart(there, wanted, name):
                return why
        return True

    def at(place: tuple[str, ...]) -> Any:
        wanted = value
        for key in place:
            wanted = wanted[key]
        return wanted

    text = ", ".join(f"{'.'.join(place)}: {brief(at(place))}" for place in places)
    return satisfies(text, judge)


def names_only(field: str) -> Expectation:
    """A `ValueError` whose message names this field, and no other one that may be wrong."""
    right = raises(ValueError, field)

    def judge(got: Any) -> bool | str:
        verdict = right.judge(got)
        others = [one for one in MAY_BE_WRONG if one != field and one in _words(str(got))]
        if verdict is True and others:
            return f"The message names {others[0]} as well, which has no fault."
        return verdict is True or str(verdict)

    return Expectation(f"{right.text}, and no other field", judge, error=ValueError)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def plain(answer: Callable[[Measured], Any]) -> Callable[[Measured], Any]:
    """The answer as it is called; a coroutine is an error that says what to change."""

    def call(measured: Measured) -> Any:
        got = answer(measured)
        if inspect.isawaitable(got):
            if inspect.iscoroutine(got):
                got.close()
            raise NotPlain("size must be a plain function; it gave something to wait for")
        return got

    return call


def _apart(got: Any, wanted: Any, place: str) -> str:
    """Where the two differ, as a sentence; empty where they do not."""
    name = place.rpartition(".")[2]
    if isinstance(wanted, dict):
        if not isinstance(got, Mapping):
            return f"{place or 'The result'} must be a dict; it is {kind(got)}."
        for key in [*wanted, *got]:
            inner = f"{place}.{key}".lstrip(".")
            if key not in got:
                return f"{inner} is missing."
            if key not in wanted:
                return f"{inner} is not asked for."
            if why := _apart(got[key], wanted[key], inner):
                return why
        return ""
    if name in _AMOUNTS:
        if isinstance(got, bool) or not isinstance(got, str | int) or quantity(got) is None:
            return f"{place} must be a quantity such as {wanted!r}; it is {brief(got)}."
        return "" if quantity(got) == quantity(wanted) else f"{place} is {got}, not {wanted}."
    if isinstance(got, bool) or not isinstance(got, int):
        return f"{place} must be a whole number; it is {brief(got)}, of type {type(got).__name__}."
    return "" if got == wanted else f"{place} is {got}, not {wanted}."
