"""Exercise 01.1: two searches, one ranking."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from helpers.course.exercises import Case, Expectation, at_least, exercise, satisfies
from helpers.course.exercises.m01.searches import by_meaning, by_words
from helpers.shop import questions

Fuse = Callable[[dict[str, float], dict[str, float]], list[str]]

RIGHT_FIRST = 32
"""Of the lab part's 42 questions that one document answers. The words alone put the right one
first 28 times, the meaning alone 31 times, their plain sum 29 times; every usual fusion 33 to 37.
"""


@exercise(
    "01.1",
    title="Fuse two searches into one ranking",
    hints=[
        "BM25 goes up to about 20, a cosine to 1. What does a plain sum of the two listen to?",
        "Bring both onto one scale first: subtract the lowest score of a search, divide by the"
        " distance from its lowest to its highest. A document that words does not name has 0.",
        "When all scores of a search are equal, that distance is 0: then the search says nothing,"
        " so let it add 0 for every document.",
        "sorted(meaning, key=lambda name: 0.3 * w[name] + 0.7 * m[name], reverse=True), where w and"
        " m are the scaled scores. By rank instead of score works too: add up 1 / (10 + rank).",
    ],
)
def fuse(submission: Fuse) -> Iterator[Case]:
    """A ranking from the scores of two searches."""

    def case(
        name: str,
        words: dict[str, float],
        meaning: dict[str, float],
        expect: object,
        slips: Sequence[tuple[Any, str]] = (),
    ) -> Case:
        return Case(
            name,
            call=lambda: submission(dict(words), dict(meaning)),
            show=f"fuse({words}, {meaning})",
            expect=expect,
            slips=slips,
        )

    yield case(
        "both searches agree",
        {"stove": 2.0, "tent": 9.0, "mat": 4.0},
        {"stove": 0.2, "tent": 0.7, "mat": 0.4},
        ["tent", "mat", "stove"],
        [
            (["stove", "mat", "tent"], "That is the worst first."),
            (["stove", "tent", "mat"], "That is the order in which they came."),
            (lambda got: isinstance(got, dict), "Only the ids are asked for, best first."),
        ],
    )
    yield case(
        "one is much better by meaning, the other a little by words",
        {"returns": 12.0, "refunds": 11.0, "rental": 2.0},
        {"returns": 0.30, "refunds": 0.80, "rental": 0.50, "delivery": 0.45},
        _first("refunds", of=4),
        [(_starts("returns"), "That listens to the words alone: 12 and 11 drown 0.30 and 0.80.")],
    )
    yield case(
        "almost alike by meaning, and the words decide",
        {"ridge-28": 9.0, "corrie-1": 3.0, "returns": 2.0},
        {"ridge-45": 0.52, "ridge-28": 0.51, "corrie-1": 0.40, "returns": 0.30},
        _first("ridge-28", of=4),
        [(_starts("ridge-45"), "That does not listen to the words: only ridge-28 has them.")],
    )
    yield case(
        "no document shares a word with the question",
        {},
        {"delivery": 0.5, "returns": 0.1, "payment": 0.6},
        ["payment", "delivery", "returns"],
        [
            ([], "Every id of meaning is to be ranked, also where words names none."),
            (ZeroDivisionError, "Without any word score, highest and lowest are equal."),
            (ValueError, "words may be empty: max() and min() need something to look at."),
        ],
    )
    yield case(
        "a single document",
        {"privacy": 3.0},
        {"privacy": 0.4},
        ["privacy"],
        [(ZeroDivisionError, "With one document, highest and lowest are equal.")],
    )
    asked = [question for question in questions("lab") if question.document]
    yield Case(
        "the right document first, on the lab part",
        call=lambda: [
            submission(by_words(one.question), by_meaning(one.question))[0] == one.document
            for one in asked
        ],
        show="fuse(by_words(question), by_meaning(question))[0], for each question",
        expect=at_least(RIGHT_FIRST, of=len(asked), what="questions with the right document first"),
    )


def _starts(name: str) -> Callable[[Any], bool]:
    return lambda got: bool(got) and isinstance(got, list) and got[0] == name


def _first(name: str, *, of: int) -> Expectation:
    def test(got: Any) -> bool | str:
        if not isinstance(got, list) or len(set(got)) != of or len(got) != of:
            return f"A list of all {of} ids of meaning is expected, each once."
        return bool(got[0] == name)

    return satisfies(f"{name} first, then the other {of - 1}", test)
