"""Measurements for exercise 07.3, and what counts as the same Deployment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Expectation, satisfies
from helpers.course.exercises.words import brief, kind
from helpers.deploy.rules.scaling import quantity
from helpers.testbed.measured import Measured

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_AMOUNTS = {"cpu", "memory"}


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
        per_pod = draw(st.integers(1, 150)) * 4
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
