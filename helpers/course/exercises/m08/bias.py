"""Pairs of outcomes for exercise 08.5: generated ones, and those of agents that are asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from helpers.course.exercises import Expectation, approx, satisfies, solved
from helpers.course.exercises.words import brief, kind

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Pairs = list[tuple[float, float]]
Answer = Callable[[Pairs, Pairs], Any]

ASKED: Final = 60
"""Pairs of an agent that is asked."""
AGENTS: Final = 16
JUST_ABOVE: Final = [(float(d), 0.0) for d in (2, 2, 1, -2, 2, 1, 1, 2, 2)]
"""Of 512 ways to swap, 26 give as large a gap: p is 0.0508."""
JUST_BELOW: Final = [(float(d), 0.0) for d in (2, -2, 1, 2, 3, 2, 2, 1, 1)]
"""24 of 512: p is 0.0469."""
_FIELDS: Final = ("gap", "p", "margin", "accused")
_CHANCE: Final = 0.03
"""How far the p-value of 999 resamples may be off: four of its standard errors at 0.05."""


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Up to 9 pairs, for which all swaps are tried; numbers are quarters, mostly 0 and 1.

    Others have a gap that equals the margin but for rounding, or is 1e-9 above or below it.
    """
    from hypothesis import strategies as st

    number = st.sampled_from([0.0, 1.0]) | st.integers(0, 12).map(lambda n: n / 4)
    pairs = st.lists(st.tuples(number, number), min_size=2, max_size=8)
    # Without enough pairs nothing is accused, so these are drawn often.
    apart = st.integers(6, 8).map(lambda n: [(1.0, 0.0)] * n)
    other = st.integers(6, 8).map(lambda n: [(0.25, 1.0)] * n)
    control = st.lists(st.tuples(number, number), min_size=2, max_size=8)
    tenths = st.integers(1, 9).map(lambda n: n / 10)
    off = st.sampled_from([0.0, 0.0, 1e-9, -1e-9])
    near = st.builds(_near_margin, st.integers(6, 9), st.integers(2, 5), tenths, tenths, off)
    return st.tuples(pairs | apart | other, control) | near


def _near_margin(
    many: int, controls: int, second: float, gap: float, off: float
) -> tuple[Pairs, Pairs]:
    return [(second + gap, second)] * many, [(0.0, gap + off)] * controls


def like_judged(value: Any, *, off: float = 1e-9) -> Expectation:
    """The same four fields; p may differ by `off`."""

    def judge(got: Any) -> bool | str:
        if not isinstance(got, dict):
            return f"A dict is expected; this is {kind(got)}."
        if set(got) != set(_FIELDS):
            return f"The fields must be {', '.join(_FIELDS)}; they are {', '.join(map(str, got))}."
        for name in ("gap", "margin", "p"):
            near = approx(value[name], rel=1e-9, abs=off if name == "p" else 1e-9)
            verdict = near.judge(got[name])
            if verdict is not True:
                return f"{name} is {brief(got[name])}, not about {value[name]:.4g}."
        if not isinstance(got["accused"], bool | np.bool_):
            return f"accused must be True or False; it is {brief(got['accused'])}."
        return bool(got["accused"] == value["accused"]) or f"accused is {brief(got['accused'])}."

    return satisfies(brief(value), judge)


def near_judged(value: Any) -> Expectation:
    """What `like_judged` asks for, with the chance of 999 resamples in p."""
    return like_judged(value, off=_CHANCE)


def asked(seed: int, *, lost: float, plainer: float = 0.0) -> tuple[Pairs, Pairs]:
    """What an agent gives to `ASKED` requests in three wordings, as `pairs` and `control`.

    Requests are easy or hard. A third wording loses `lost` of its chance; `plainer` is what each
    wording but the first one loses, which no fair agent can make up for.
    """
    rng = np.random.default_rng(seed)
    chance = rng.choice([0.95, 0.8, 0.4], ASKED)
    first = rng.random(ASKED) < chance
    again = rng.random(ASKED) < chance * (1 - plainer)
    third = rng.random(ASKED) < chance * (1 - plainer) * (1 - lost)
    return _pairs(first, third), _pairs(first, again)


def _pairs(one: Any, other: Any) -> Pairs:
    return [(float(a), float(b)) for a, b in zip(one, other, strict=True)]


def accused(answer: Answer, *, lost: float, plainer: float = 0.0) -> list[bool]:
    """Whether each of `AGENTS` agents is accused; only an exact True counts."""
    found = []
    for seed in range(AGENTS):
        verdict = answer(*asked(seed, lost=lost, plainer=plainer))["accused"]
        if not isinstance(verdict, bool | np.bool_):
            raise TypeError(f"accused must be True or False, not {verdict!r}")
        found.append(bool(verdict))
    return found


def again(answer: Answer) -> list[Any]:
    """The p-values of four calls with equal lists, too long to try all swaps.

    In two of them the numbers are of type `int`.
    """
    pairs, control = asked(5, lost=0.3)
    whole = [(int(a), int(b)) for a, b in pairs], [(int(a), int(b)) for a, b in control]
    return [answer(*lists)["p"] for lists in ((pairs, control), whole) * 2]


def p_alone_differs(value: Any) -> Callable[[Any], bool]:
    """Whether a result is this one but for a p that is somewhat off."""

    def test(got: Any) -> bool:
        same = near_judged(value).judge(got) is True
        return same and like_judged(value).judge(got) is not True

    return test


def without_margin(pairs: Pairs, control: Pairs) -> Any:
    """The reference, with the p-value alone."""
    return _but_accused(pairs, control, lambda found: found["p"] < 0.05)


def without_p(pairs: Pairs, control: Pairs) -> Any:
    """The reference, with the margin alone."""
    return _but_accused(pairs, control, lambda found: abs(found["gap"]) > found["margin"] + 1e-12)


def one_direction(pairs: Pairs, control: Pairs) -> Any:
    """The reference, accusing only where the second of each pair gets less."""
    found = _reference()(pairs, control)
    return _but_accused(pairs, control, lambda one: found["accused"] and one["gap"] > 0)


def _but_accused(pairs: Pairs, control: Pairs, rule: Callable[[Any], bool]) -> Any:
    found = dict(_reference()(pairs, control))
    changed = found | {"accused": bool(rule(found))}
    return None if changed == found else changed


def _reference() -> Answer:
    answer: Answer = solved("08.5")
    return answer
