"""Exercise 02.5: how many questions show a difference, planned from a pilot."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from numbers import Integral
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    example,
    exercise,
    generated,
    satisfies,
    solved,
)
from helpers.course.exercises.equality import is_number
from helpers.course.exercises.words import kind

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

USUAL = 0.8
"""The power where a caller gives none."""

_LIMIT_S = 6.0
"""Seconds a case: it is sums alone, which a busy machine may take a while for."""

_SIZES = (0.4, 0.45, 0.525, 0.6, 0.75, 0.95, 1.0)
_POWERS = (0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


@exercise(
    "02.5",
    title="How many questions are enough",
    hints=[
        "Three steps: the upper end of an interval, the share to plan with, and a loop over n.",
        Hint(
            "proportion_confint(count, nobs, method='wilson') gives both ends. Count the questions"
            " that changed, lost or gained.",
            "upper",
        ),
        Hint(
            "A difference of d needs a share of at least d that change: max(upper, difference).",
            "share",
        ),
        Hint("Put the default in the signature, power: float = 0.8, and use it.", "power"),
        Hint(
            "The chance goes up and down from one number to the next, so halving a range misses the"
            " smallest one. Begin with needed = 1 and add 1 while power_paired(needed, difference,"
            " changed) is below power. The first one that is not below is the answer.",
            "upper",
            "share",
            "power",
            "fewest",
        ),
    ],
)
def enough(answer: Callable[..., Any]) -> Iterator[Case]:
    """The exact number for pilots of all sizes, with each power, given or left out."""
    from helpers.evaluate.sample_size import power_paired

    slips = [Slip.like(name, function, text) for name, (function, text) in faulty().items()]

    def named(name: str, about: str, *pilot: float) -> Case:
        return example(
            name,
            answer,
            *pilot,
            called="enough",
            expect=_number(_reference(*pilot)),
            slips=[*slips, _halving(*pilot)],
            about=about,
            limit=_LIMIT_S,
        )

    by_name = (0.9, 0.6, 0.99, 0.3)
    yield named("a pilot of 43", "upper", 4, 6, 43, 0.15, 0.8)
    yield named("the power is left out", "power", 6, 8, 80, 0.2)
    yield named("the same, with more power", "power", 6, 8, 80, 0.2, 0.95)
    yield Case(
        "the power is given by its name",
        call=lambda: [answer(6, 8, 80, 0.25, power=power) for power in by_name],
        expect=_numbers([_reference(6, 8, 80, 0.25, power) for power in by_name]),
        show="enough(6, 8, 80, 0.25, power=...) with 0.9, 0.6, 0.99 and 0.3",
        about="power",
        limit=_LIMIT_S,
    )
    yield named("much has changed", "upper", 15, 10, 40, 0.2, 0.9)
    yield named("hardly anything has changed", "share", 0, 1, 120, 0.155, 0.8)
    yield named("a pilot of one question", "upper", 1, 0, 1, 0.3, 0.7)
    yield named("ten points", "fewest", 10, 10, 100, 0.1)
    exactly = power_paired(25, 0.3, 0.3)  # so few change that the share is the difference itself
    yield named("the chance is exactly the power", "fewest", 0, 0, 100, 0.3, exactly)
    many = example(
        "one point, and nothing has changed",
        answer,
        *(0, 0, 2000, 0.01, 0.5),
        called="enough",
        expect=_number(_reference(0, 0, 2000, 0.01, 0.5)),
        about="fewest",
        limit=_LIMIT_S,
    )
    yield replace(many, after_all=True)  # as long as all others together
    drawn = generated(
        "any pilot",
        answer,
        exercise="02.5",
        inputs=_inputs(),
        called="enough",
        expect=_number,
        about="fewest",
        budget=20,
        limit=_LIMIT_S,
    )
    yield replace(drawn, after_all=True)  # a smaller example takes seconds


@cache
def _reference(*pilot: float) -> Any:
    return solved("02.5")(*pilot)


def _number(wanted: Any) -> Expectation:
    def judge(got: Any) -> bool | str:
        if not is_number(got) or not issubclass(type(got), Integral):
            return f"A whole number is expected; this is {kind(got)}."
        if got != wanted:
            few = "With these the chance falls short." if got < wanted else "Fewer are enough."
            return f"{few} The right number is {wanted}."
        return True

    return satisfies("the fewest questions that reach the power", judge)


def _halving(*pilot: float) -> Slip:
    """A number that reaches the power while the one before does not, and yet not the smallest."""
    from helpers.evaluate.sample_size import power_paired

    lost, gained, questions, difference, *power = pilot

    def crosses(got: Any) -> bool:
        needed = int(got)
        if needed != got or not _reference(*pilot) < needed < 100 * _reference(*pilot):
            return False
        changed = max(_upper(int(lost + gained), int(questions)), difference)
        before, there = (power_paired(n, difference, changed) for n in (needed - 1, needed))
        return before < (power[0] if power else USUAL) <= there

    return Slip.when(
        "halving",
        crosses,
        "This number reaches the power and the one before it does not, but a smaller one reaches it"
        " as well. Halving a range does not find the smallest: count from 1 on.",
    )


def _upper(count: int, questions: int) -> float:
    """The upper end of Wilson's 95% interval, without statsmodels, which loads for seconds."""
    from helpers.evaluate import Proportion

    ends = Proportion(count, questions).interval
    assert ends is not None
    return ends[1]


def _numbers(wanted: list[int]) -> Expectation:
    def judge(got: Any) -> bool | str:
        for mine, right in zip(got, wanted, strict=True):
            verdict = _number(right).judge(mine)
            if verdict is not True:
                return verdict
        return True

    return satisfies("the fewest questions that reach each power", judge)


def _inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Pilots of up to 200 questions, and differences large enough to be quick."""
    from hypothesis import strategies as st

    @st.composite
    def some(draw: st.DrawFn) -> tuple[Any, ...]:
        questions = draw(st.one_of(st.integers(1, 12), st.integers(20, 200)))
        changed = draw(st.one_of(st.sampled_from([0, questions]), st.integers(0, questions)))
        lost = draw(st.integers(0, changed))
        pilot = (lost, changed - lost, questions, draw(st.sampled_from(_SIZES)))
        return (*pilot, draw(st.sampled_from(_POWERS))) if draw(st.booleans()) else pilot

    return some()


@cache
def faulty() -> dict[str, tuple[Callable[..., Any], str]]:
    """Known mistakes by their ids: a function that makes it, and what a card says."""
    from scipy.stats import binomtest

    from helpers.evaluate.sample_size import power_paired, questions_needed

    def exact_upper(lost: int, gained: int, questions: int) -> float:
        return float(binomtest(lost + gained, questions).proportion_ci(method="exact").high)

    @cache
    def least(difference: float, changed: float, power: float) -> int:
        needed = 1
        while power_paired(needed, difference, min(1.0, changed)) < power:
            needed += 1
        return needed

    def of(
        share: Callable[[int, int, int], float], lost: int, gained: int, questions: int,
        difference: float, power: float = USUAL,
    ) -> int:  # fmt: skip
        return least(difference, max(share(lost, gained, questions), difference), power)

    def approximately(
        lost: int, gained: int, questions: int, difference: float, power: float = USUAL
    ) -> int:
        changed = max(_upper(lost + gained, questions), difference)
        return questions_needed(difference, changed, power=power)

    def one_power(
        lost: int, gained: int, questions: int, difference: float, power: float = USUAL
    ) -> int:
        return of(lambda a, b, n: _upper(a + b, n), lost, gained, questions, difference)

    return {
        "one-power": (
            one_power,
            "This is the number for a power of 0.8. Your function does not use its argument power.",
        ),
        "believes-the-pilot": (
            partial(of, lambda lost, gained, n: (lost + gained) / n),
            "This plans with the pilot's own share. Half of all pilots see fewer changes than there"
            " are: plan with the upper end of the interval.",
        ),
        "only-lost": (
            partial(of, lambda lost, gained, n: _upper(lost, n)),
            "Gained questions have changed, too: count lost + gained.",
        ),
        "net": (
            partial(of, lambda lost, gained, n: _upper(abs(lost - gained), n)),
            "Lost and gained questions do not cancel out: both have changed.",
        ),
        "not-wilson": (
            partial(of, exact_upper),
            'That is the Clopper-Pearson interval; take Wilson\'s: method="wilson".',
        ),
        "approximation": (
            approximately,
            "That is the normal approximation. Ask power_paired, which is exact.",
        ),
    }
