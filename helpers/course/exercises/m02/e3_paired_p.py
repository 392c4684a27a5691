"""Exercise 02.3: a paired test for any figure."""

import copy
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    approx,
    equal,
    example,
    exercise,
    generated,
    satisfies,
)
from helpers.course.exercises.equality import is_number

PairedTest = Callable[[list[float], list[float]], float]

_EXACT = 1e-9
_DRAWN = 0.03
"""How far the p-value of random flips may be off: five standard errors of SciPy's at p = 0.2."""


@exercise(
    "02.3",
    title="A paired test for any figure",
    hints=[
        "Take the difference of each question, after minus before. If the two versions are alike,"
        " each difference could as well have the other sign.",
        Hint(
            "signs = np.array(list(itertools.product([1, -1], repeat=n))) are all ways for n"
            " questions, and signs @ differences are their sums.",
            "all ways",
        ),
        Hint(
            "At least as far: abs(sums) >= abs(seen) - hair, on both sides of 0. Without a hair"
            " rounding loses ties. Make it as small as rounding is: 1e-12 times the sum of all"
            " abs(differences).",
            "ties",
        ),
        Hint(
            "signs = np.random.default_rng(0).choice([1, -1], (10_000, n)) are random ways. p is"
            " (hits + 1) / (10_000 + 1), so it is never 0.",
            "many",
        ),
        "scipy.stats.permutation_test does all of this: with two samples, a statistic of both, and"
        ' permutation_type="samples". Read what its n_resamples means.',
    ],
)
def paired_p(answer: PairedTest) -> Iterator[Case]:
    """The p-value of a sign-flip test on differences, two-sided."""
    from hypothesis import strategies as st

    for name, about, before, after, slips in _few():
        p = _p_value(_on_paper(before, after))
        yield example(
            name,
            answer,
            before,
            after,
            called="paired_p",
            expect=approx(p, rel=0, abs=_EXACT),
            slips=[*slips, *_general(p, len(before))],
            about=about,
        )
    small = st.integers(-40, 40).map(lambda quarters: quarters / 4)
    figures = st.one_of(small, small, small.map(lambda figure: 1000 * figure))
    pairs = st.lists(st.tuples(figures, figures), min_size=2, max_size=7)
    yield generated(
        "any figures of two to seven questions",
        answer,
        exercise="02.3",
        inputs=pairs.map(lambda drawn: tuple(map(list, zip(*drawn, strict=True)))),
        called="paired_p",
        expect=lambda p: approx(p, rel=0, abs=_EXACT),
        about="all ways",
        budget=80,
    )
    yield _of_lists_that_change(answer)
    for place, differences in enumerate(_MANY):
        yield _of_many(answer, differences, reverse=place % 2 == 1)
    yield _drawn(
        "13 questions in tenths of a second",
        answer,
        [0.0] * 13,
        _TIES_OF_13,
        [Slip.when("rounding", lambda got: 0.08 < got < 0.145, _TIE)],
    )
    yield _of_15_that_stay(answer)
    yield _of_80_that_take_longer(answer)


_NEVER = Slip.value(
    "zero", 0.0, "A p-value is never 0: what you saw is itself one of the possible outcomes."
)


def _general(p: float, count: int) -> list[Slip]:
    """Mistakes that show in any case: what all ways would give, and what other counts would."""
    ways = 2**count
    return [
        _NEVER,
        Slip.value(
            "one-sided", approx(p / 2, rel=0, abs=_EXACT), "That is one-sided: count both tails."
        ),
        Slip.value(
            "twice",
            approx((p * ways + 1) / (ways + 1), rel=0, abs=_EXACT),
            "That counts what you saw twice: it is one of all the ways already.",
        ),
        Slip.value(
            "sampled",
            approx(p, rel=0, abs=0.02),
            "Near, but no more: with up to 12 questions count all ways, not some at random.",
        ),
    ]


def _few() -> Iterator[tuple[str, str, list[float], list[float], Sequence[Slip]]]:
    """Name, topic, before, after and known slips of cases with up to 12 questions."""
    yield (
        "each of five questions takes a second longer",
        "all ways",
        [2.0, 9.0, 4.0, 1.0, 6.0],
        [3.0, 10.0, 5.0, 2.0, 7.0],
        [
            Slip.value("one", 1.0, "All five went the same way."),
            Slip.when(
                "unpaired",
                lambda got: 0.2 < got < 1,
                "That compares two groups of numbers. Compare each question with itself.",
            ),
        ],
    )
    yield "nothing has changed", "ties", [3.0, 1.0, 2.0], [3.0, 1.0, 2.0], []
    ups = [5.0, 4.0, 3.0, -1.0, 2.0, -1.0]
    yield (
        "ups and downs",
        "all ways",
        [0.0] * 6,
        ups,
        [
            Slip.value(
                "signs",
                approx(44 / 64, rel=0, abs=_EXACT),
                "That counts the signs alone; here sizes matter, too.",
            ),
        ],
    )
    yield "the same the other way round", "all ways", ups, [0.0] * 6, []
    yield "the same sum, from equal steps", "all ways", [0.0] * 6, [2.0] * 6, []
    lost = [1.0] * 8 + [0.0] + [1.0] * 3
    now = [0.0] * 8 + [1.0] + [1.0] * 3
    yield "right and wrong answers: 8 lost, 1 gained, 3 as before", "all ways", lost, now, []
    yield (
        "twelve questions, one of them much faster",
        "all ways",
        [3.1, 2.7, 4.4, 5.2, 2.9, 3.3, 6.1, 2.2, 3.8, 4.7, 2.5, 9.4],
        [3.4, 2.9, 4.9, 5.9, 3.0, 3.7, 6.7, 2.4, 3.7, 5.2, 3.1, 7.3],
        [],
    )
    for name, before, after, without in _TIES:
        slip = Slip.value("rounding", approx(without, rel=0, abs=_EXACT), _TIE)
        yield name, "ties", before, after, [slip]
    # Differences between sums that are small next to a fixed tolerance, or to the largest figure.
    yield (
        "millionths of a dollar",
        "ties",
        [1.4e-6, 2.2e-6, 0.9e-6, 3.1e-6, 1.7e-6, 2.5e-6],
        [2.9e-6, 1.8e-6, 2.0e-6, 4.4e-6, 1.0e-6, 3.3e-6],
        [Slip.value("wide", 1.0, _WIDE)],
    )
    yield (
        "very different sizes",
        "ties",
        [0.0] * 8,
        [0.004, -0.001, 0.002, -0.006, 0.006, 0.003, 2000.0, -1500.0],
        [Slip.value("wide", 1.0, _WIDE)],
    )


def _on_paper(before: Sequence[float], after: Sequence[float]) -> list[int]:
    """The differences of the figures as they are written, in ten-millionths."""
    pairs = zip(before, after, strict=True)
    return [int((Decimal(str(a)) - Decimal(str(b))).scaleb(7)) for b, a in pairs]


_TIE = "Rounding loses a tie here: 0.1 + 0.2 is a little more than 0.3. Allow for a hair."
_WIDE = "That takes different sums for equal: what you allow for is too much for these figures."


# Name, before, after, and the share that a comparison of unrounded sums gives. SciPy keeps these
# ties; in the last one they differ by more than 1e-8.
_TIES = (
    ("tenths of a second, 1", [0.7, 0.2, 0.3, 1.5], [0.9, 0.9, 0.7, 1.3], 0.25),
    ("tenths of a second, 2", [0.0] * 6, [-0.3, -0.2, 0.9, -0.2, 0.6, 0.5], 0.3125),
    (
        "tenths of a second, 3",
        [1.8, 1.9, 1.9, 0.7, 0.6, 1.1],
        [2.0, 2.2, 1.6, 0.8, 0.9, 2.0],
        0.125,
    ),
    (
        "hundreds of millions",
        [0.0] * 6,
        [115716372.9, 190980778.8, -234989734.0, -519604717.4, 306697151.7, 754594451.4],
        0.59375,
    ),
)
# p is 0.18; a comparison of unrounded sums gives 0.12.
_TIES_OF_13 = [0.7, -0.1, 0.7, -0.1, 0.1, 0.1, 0.1, 0.1, -0.1, 0.7, 0.7, 0.1, -0.7]

# Differences in which a few are much larger than the rest. There the t-test (0.12, 0.17, 0.19,
# 0.16), Wilcoxon's test (0.45, 0.13, 0.19, 0.00) and the sign test (0.79, 0.01, 0.06, 0.00) are off
# by more than what random flips may be: the right values are 0.19, 0.05, 0.12 and 0.19.
_MANY: tuple[tuple[int, ...], ...] = (
    (-53, -29, -37, -1, 2, 3, 4, -4, 4, 4, -3, 1, -1, -3),
    (50, 3, 3, 4, 3, 1, 2, 1, 2, 3, -4, 2, 2, -4, 2, 2, -4, -3, 3, 3),
    (
        *(53, -3, 4, 2, -4, -3, -4, 2, -2, 2, 1, 1, -4, 1, -2, -3, 4, 2, 4, 1, 2),
        *(3, 3, 3, 2, -3, 2, 2, -1, -1, -1, 3, 1, -4, -3, 3, 1, 3, 2, 1, 4),
    ),
    (
        *(-24, 47, -43, 2, 1, 3, -3, 3, 4, 1, 2, 3, 4, -1, 3, 3, 2, 1, 3, 2, 2, 2, 4, -2, 1, 3, 4),
        *(3, -2, 2, 3, 3, 3, 3, 3, 4, 3, 4, -3, 1, 4, 1, 1, -2, 2, 1, 4, 1, -3, -4, -4, 4, 3, 1),
        *(-1, 2, 2, 4, 1, 1, 2, 1, 4, 1, -1, 4, -3, -4, 4, 4, -4, 2, 3, 2, -1, 3, 4, 4, 2, 4),
    ),
)


def _of_many(answer: PairedTest, differences: Sequence[int], *, reverse: bool) -> Case:
    """Too many questions for all ways, in either direction."""
    base = [20.0 + place % 7 for place in range(len(differences))]
    moved = [value + change for value, change in zip(base, differences, strict=True)]
    before, after = (moved, base) if reverse else (base, moved)
    p = _p_value(differences)
    return _drawn(
        f"{len(differences)} questions, a few of which change much",
        answer,
        before,
        after,
        [Slip.value("half", _near(p / 2), "That is one-sided: count both tails.")],
    )


def _drawn(
    name: str,
    answer: PairedTest,
    before: list[float],
    after: list[float],
    slips: Sequence[Slip],
) -> Case:
    """A case whose p-value may be a little off; the lists have to stay as they are."""
    lists = (before, after)
    differences = _on_paper(before, after)

    def call() -> Any:
        given = copy.deepcopy(lists)
        found = answer(*given)
        return found if given == lists else f"the lists were changed to {given}"

    shown = [f"{difference / 10**7:g}" for difference in differences]
    return Case(
        name,
        call=call,
        show=f"paired_p(before, after) on {len(shown)} questions, whose differences are"
        f" {', '.join(shown[:14])}{', ...' if len(shown) > 14 else ''}",
        expect=_near(_p_value(differences)),
        slips=[_NEVER, *slips],
        about="many",
    )


def _of_lists_that_change(answer: PairedTest) -> Case:
    """The same lists twice, the second time with other figures."""
    firsts, seconds = [2.0, 1.0, 1.0, 3.0], [2.0, -1.0, 1.0, 3.0]

    def call() -> list[Any]:
        before, after = [0.0] * 4, list(firsts)
        found = answer(before, after)
        after[:] = seconds
        return [found, answer(before, after)]

    return Case(
        "the same lists, with other figures the second time",
        call=call,
        show=f"paired_p(before, after), where before is {[0.0] * 4} and after is first {firsts},"
        f" then {seconds}",
        expect=equal(
            [_p_value(_on_paper([0.0] * 4, figures)) for figures in (firsts, seconds)],
            rel=_EXACT,
        ),
        about="all ways",
    )


def _of_15_that_stay(answer: PairedTest) -> Case:
    figures = [1.0 + place % 4 for place in range(15)]
    return Case(
        "15 questions, none of which changes",
        call=lambda: answer(list(figures), list(figures)),
        show="paired_p(before, after) on 15 questions whose figures are all as before",
        expect=satisfies(
            "1, or a little less", lambda got: is_number(got) and 1 - _DRAWN <= got <= 1
        ),
        slips=[_NEVER],
        about="many",
    )


def _near(p: float) -> Expectation:
    return approx(p, rel=0, abs=_DRAWN, text=f"between {p - _DRAWN:.2f} and {p + _DRAWN:.2f}")


def _of_80_that_take_longer(answer: PairedTest) -> Case:
    after = [1.0 + place % 9 for place in range(80)]
    return Case(
        "80 questions that all take longer",
        call=lambda: answer([0.0] * 80, list(after)),
        show="paired_p(before, after) on 80 questions, each of which takes longer",
        expect=satisfies(
            "a p-value below 0.001, and above 0", lambda got: is_number(got) and 0 < got < 0.001
        ),
        slips=[_NEVER],
        about="many",
    )


def _p_value(differences: Sequence[int]) -> float:
    """The exact share of sign flips whose sum is at least as far from 0, for whole numbers.

    Counts how many ways lead to each sum, one difference after another.
    """
    ways = {0: 1}
    for difference in differences:
        longer: dict[int, int] = {}
        for (reached, count), sign in product(ways.items(), (1, -1)):
            there = reached + sign * difference
            longer[there] = longer.get(there, 0) + count
        ways = longer
    seen = abs(sum(differences))
    return sum(count for reached, count in ways.items() if abs(reached) >= seen) / sum(
        ways.values()
    )
