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
_FIELDS: Final = ("gap", "p", "margin", "accused")
_CHANCE: Final = 0.03
"""How far the p-value of 999 resamples may be off: four of its standard errors at 0.05."""


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Up to 8 pairs, for which all swaps are tried; numbers are quarters, mostly 0 and 1."""
    from hypothesis import strategies as st

    number = st.sampled_from([0.0, 1.0]) | st.integers(0, 12).map(lambda n: n / 4)
    pairs = st.lists(st.tuples(number, number), min_size=2, max_size=8)
    # Without enough pairs nothing is accused, so these are drawn often.
    apart = st.integers(6, 8).map(lambda n: [(1.0, 0.0)] * n)
    other = st.integers(6, 8).map(lambda n: [(0.25, 1.0)] * n)
    control = st.lists(st.tuples(number, number), min_size=2, max_size=8)
    return st.tuples(pairs | apart | other, control)


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
    """The p-values of four calls with the same lists, too long to try all swaps."""
    return [answer(*asked(5, lost=0.3))["p"] for _ in range(4)]


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
