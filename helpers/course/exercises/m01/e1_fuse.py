"""Exercise 01.1: two searches, one ranking."""

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises import (
    Case,
    Hint,
    Slip,
    example,
    exercise,
    generated,
    raises,
)

Scores = dict[str, float]
Fuse = Callable[[Scores, Scores], Any]

WORDS, MEANING = 0.25, 0.75
"""The weights. With them, sums of the scores on a grid below are exact, whichever way they are
added: what is equal is equal for everyone."""


def _scaled(scores: Scores) -> Scores:
    low, high = min(scores.values()), max(scores.values())
    return {name: (score - low) / (high - low or 1.0) for name, score in scores.items()}


def _order_is_clear(arguments: tuple[Scores, Scores]) -> bool:
    """Whether no rounding can change the order: fused scores are apart, or alike for certain."""
    words, meaning = arguments
    if not meaning or not set(words) <= set(meaning):
        return True
    every = {name: words.get(name, 0.0) for name in meaning}
    spans = [max(one.values()) - min(one.values()) for one in (every, meaning)]
    if any(0 < span < 1e-3 for span in spans):
        return False
    powers_of_two = all(math.frexp(span)[0] in (0.0, 0.5) for span in spans)
    lexical, semantic = _scaled(every), _scaled(meaning)
    fused = {name: WORDS * lexical[name] + MEANING * semantic[name] for name in meaning}
    ranked = sorted(fused, key=lambda name: fused[name])
    for worse, better in itertools.pairwise(ranked):
        apart = fused[better] - fused[worse]
        alike = (every[worse], meaning[worse]) == (every[better], meaning[better])
        if apart < 1e-6 and not alike and (apart or not powers_of_two):
            return False
    return True


_IDS = ["a", "b", "c", "B", "corrie-10", "corrie-2", "returns", "ridge-28"]
_STRAY = "stray"
_FEWEST = st.sampled_from([0, 2, 4, 6])
_ANYWHERE = st.floats(-20, 20, width=32)
_CLOSE = st.sampled_from([0.4, 0.40001, 0.4001, 0.403, 0.43, 0.5, 0.55, 0.7])


@st.composite
def _searches(draw: st.DrawFn) -> tuple[Scores, Scores]:
    """Scores of both searches: on a grid, where ties are many, or anywhere, close ones included."""
    ids = draw(st.lists(st.sampled_from(_IDS), unique=True, min_size=draw(_FEWEST), max_size=8))
    named = [name for name in draw(st.permutations(ids)) if draw(st.booleans())]
    found = []
    for part in (named, ids):
        low = draw(st.sampled_from([0.0, 0.5, -4.0, 6.0]))
        span = draw(st.sampled_from([1.0, 0.25, 16.0, 0.0]))
        grid = st.sampled_from([low + span * step / 8 for step in range(9)])
        score = draw(st.sampled_from([grid, grid, _ANYWHERE, _CLOSE]))
        found.append({name: draw(score) for name in part})
    words, meaning = found
    if draw(st.integers(0, 19)) == 19:
        words[_STRAY] = draw(st.sampled_from([1.0, 0.0, -1.0]))
    return words, meaning


def listed(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; where it gives a tuple, an array or a generator, a list of the items."""

    def call(*arguments: Any) -> Any:
        value = answer(*arguments)
        return _later(value) if inspect.isawaitable(value) else _as_list(value)

    return call


REORDERED = "an argument whose ids are in another order"


def _watched(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; an argument that equals itself in another order was changed, too."""

    def call(*arguments: Any) -> Any:
        before = [list(one) for one in arguments]
        value = answer(*arguments)
        reordered = [list(one) for one in arguments] != before
        same_ids = [{*one} for one in arguments] == [{*one} for one in before]
        return REORDERED if reordered and same_ids else value

    return call


async def _later(value: Any) -> Any:
    return _as_list(await value)


def _as_list(value: Any) -> Any:
    if isinstance(value, tuple | Iterator):
        return list(value)
    if hasattr(type(value), "tolist"):  # an array of NumPy, an index of pandas
        return value.tolist()
    return value


def _by(
    score: Callable[[str, Scores, Scores], float], ties: Callable[[list[str]], list[str]] = sorted
) -> Fuse:
    """A ranking by another score, or with another order of ties."""

    def fuse(words: Scores, meaning: Scores) -> list[str]:
        every = {name: words.get(name, 0.0) for name in meaning}
        return sorted(ties(list(meaning)), key=lambda name: -score(name, every, meaning))

    return fuse


def _right(name: str, words: Scores, meaning: Scores) -> float:
    return WORDS * _scaled(words)[name] + MEANING * _scaled(meaning)[name]


FORMULAS = [
    Slip.like(
        "worst-first",
        lambda words, meaning: _by(lambda *one: -_right(*one))(words, meaning),
        "That is the worst first.",
    ),
    Slip.like(
        "as-they-came",
        lambda words, meaning: list(meaning),
        "That is the order in which they came.",
    ),
    Slip.like(
        "meaning-alone",
        _by(lambda name, words, meaning: meaning[name]),
        "That ranks by meaning alone.",
    ),
    Slip.like(
        "words-alone",
        _by(lambda name, words, meaning: words[name]),
        "That ranks by words alone.",
    ),
    Slip.like(
        "plain-sum",
        _by(lambda name, words, meaning: words[name] + meaning[name]),
        "That adds the scores as they are: the search with the larger numbers decides alone.",
    ),
    Slip.like(
        "not-scaled",
        _by(lambda name, words, meaning: WORDS * words[name] + MEANING * meaning[name]),
        "That weights the scores as they are: bring both onto 0 to 1 first.",
    ),
    Slip.like(
        "weights-swapped",
        _by(
            lambda name, words, meaning: (
                MEANING * _scaled(words)[name] + WORDS * _scaled(meaning)[name]
            )
        ),
        "The weights are swapped: words have 0.25 and meaning 0.75.",
    ),
    Slip.like(
        "common-only",
        lambda words, meaning: [name for name in _by(_right)(words, meaning) if name in words],
        "Every id of meaning is ranked, also where words does not have it.",
    ),
]
TIES = [
    Slip.like(
        "ties-by-place",
        _by(_right, ties=lambda names: names),
        "Ties are in the order of the dictionary: put equal ones in the order of their ids.",
    ),
    Slip.like(
        "ties-backwards",
        _by(_right, ties=lambda names: sorted(names, reverse=True)),
        "Ties are in the order z to a: reverse=True turns the ids round too.",
    ),
]
NO_DISTANCE = Slip.raises(
    "no-distance",
    ZeroDivisionError,
    "The highest and the lowest score are equal, so there is nothing to divide by.",
)
IN_ANOTHER_ORDER = Slip.value(
    "reorders",
    REORDERED,
    "Do not change the arguments: the ids in one of them have changed places.",
)
NOTHING = Slip.raises(
    "nothing-to-look-at",
    ValueError,
    "A dictionary may be empty: max() and min() need something to look at.",
)


@exercise(
    "01.1",
    title="Fuse two searches into one ranking",
    hints=[
        "BM25 goes up to about 20, a cosine to 1. What does a plain sum of the two listen to?",
        "Bring both onto one scale first: subtract the lowest score of a search, divide by the"
        " distance from its lowest to its highest. A document that words does not have counts as"
        " 0, before you look for the lowest.",
        Hint(
            "When all scores of a search are equal, that distance is 0. Which value do they scale"
            " to?",
            "equal",
        ),
        Hint("Without documents there is nothing to rank: return an empty list first.", "empty"),
        Hint(
            "sorted() compares tuples item by item: key=lambda name: (-score[name], name) puts"
            " higher scores first, and equal ones in the order of the alphabet.",
            "ties",
            "any",
        ),
        Hint(
            "Look for ids of words that are not in meaning before you do anything else, and raise"
            " ValueError with the id.",
            "stray",
        ),
    ],
)
def fuse(answer: Fuse) -> Iterator[Case]:
    """A ranking from the scores of two searches."""

    def case(
        name: str,
        words: Scores,
        meaning: Scores,
        expect: Any,
        slips: Sequence[Slip] = (),
        about: str = "",
    ) -> Case:
        return example(
            name,
            _watched(listed(answer)),
            words,
            meaning,
            called="fuse",
            expect=expect,
            slips=[*slips, IN_ANOTHER_ORDER],
            about=about,
        )

    yield case(
        "the example of the statement",
        {"boots": 9.0, "tent": 8.0},
        {"stove": 0.2, "tent": 0.7, "boots": 0.1},
        ["tent", "boots", "stove"],
    )
    yield case(  # each known mistake gives another ranking of these
        "six documents, of which words has four",
        {"returns": 8.5, "payment": 9.2, "warranty": 8.8, "ridge-45": 4.3},
        {
            "delivery": 0.64,
            "ridge-45": 0.63,
            "returns": 0.53,
            "warranty": 0.61,
            "ridge-28": 0.66,
            "payment": 0.47,
        },
        ["warranty", "ridge-28", "ridge-45", "delivery", "returns", "payment"],
        FORMULAS,
    )
    yield case(
        "ties",
        {"mat": 2.0, "tent": 2.0, "axe": 2.0},
        {"mat": 0.5, "tent": 0.5, "axe": 0.5, "pump": 0.75, "stove": 0.25, "lamp": 0.75},
        ["lamp", "pump", "axe", "mat", "tent", "stove"],
        TIES,
        "ties",
    )
    yield case(
        "no document shares a word with the question",
        {},
        {"delivery": 0.5, "returns": 0.1, "payment": 0.6},
        ["payment", "delivery", "returns"],
        [NO_DISTANCE, NOTHING],
        "equal",
    )
    yield case(
        "all alike by meaning",
        {"tent": 3e-10, "mat": 9e-10},
        {"stove": 0.5, "tent": 0.5, "mat": 0.5},
        ["mat", "tent", "stove"],
        [NO_DISTANCE],
        "equal",
    )
    yield case(
        "close scores, and one far above the others",
        {"tent": 20.0},
        {"axe": 1.0, "mat": 0.8, "tent": 0.48, "pump": 0.200000001, "map": 0.2, "bag": 0.0},
        ["axe", "tent", "mat", "pump", "map", "bag"],
    )
    # A tiny distance is none of 0: whatever is added to it, or taken for 0, gives another order.
    shelf = {f"doc-{number:02}": number % 7 / 8 * 2.0**-31 for number in range(40)}
    named = {"doc-06": 2.0, "doc-09": 0.8}
    yield case(
        "forty documents",
        named,
        shelf,
        _by(_right)(named, shelf),
        [NO_DISTANCE, NOTHING],
    )
    yield case("no documents", {}, {}, [], [NO_DISTANCE, NOTHING], "empty")
    yield case(
        "an id that only words has",
        {"tent": 3.0, _STRAY: 2.0},
        {"tent": 0.4, "mat": 0.2},
        raises(ValueError, _STRAY),
        about="stray",
    )
    yield case(
        "an id of words, and no documents",
        {_STRAY: 0.0},
        {},
        raises(ValueError, _STRAY),
        about="stray",
    )
    yield generated(
        "any scores",
        _watched(listed(answer)),
        exercise="01.1",
        inputs=_searches().filter(_order_is_clear),
        called="fuse",
        errors_name=_STRAY,
        slips=[*TIES, NO_DISTANCE, IN_ANOTHER_ORDER],
        about="any",
    )
