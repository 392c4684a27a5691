"""Exercise 10.4: a cascade's thresholds by expected cost, chosen on one part, judged on another."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    equal,
    example,
    exercise,
    generated,
    solved,
)
from helpers.course.exercises.named import names_only

if TYPE_CHECKING:
    from helpers.course.exercises.m10.cascades import Answer


@exercise(
    "10.4",
    title="Hand up by expected cost",
    hints=[
        "Write a function that gives the counts and the cost for a part and one combination of"
        " thresholds. The choice is a loop over combinations, and the result one more call.",
        Hint(
            "itertools.product(*candidates) gives all combinations, with candidates a list of one"
            " set for each tier: its confidences in tune, and math.inf.",
            "choice",
        ),
        Hint(
            "Tuples compare from the left, so min(combinations, key=lambda each: (cost(each),"
            " each)) takes the lowest cost, and then the lowest thresholds.",
            "ties",
        ),
        Hint(
            "Go through the tiers of a question: skip each one whose threshold is math.inf; add the"
            " price of any other; stop if the confidence is at least the threshold. If no tier"
            " serves the question, a person gets it.",
            "paid",
        ),
        Hint("Stay with Decimal for money, from Decimal(0) on: sum(...) begins at 0.", "paid"),
        Hint("Look at tune first, then at test: `if not part: raise ValueError(...)`.", "bad"),
    ],
)
def plan(answer: "Answer") -> Iterator[Case]:
    """The cheapest combination, with every tie and boundary, and what it is worth elsewhere."""
    from helpers.course.exercises.m10 import cascades as given

    reference, answer = solved("10.4"), given.plain(answer)
    faulty = [
        Slip.like(name, lambda *how, function=function: _like(function(*how)), text)
        for name, (function, text) in given.FAULTY.items()
    ]

    def named(name: str, tune: Any, test: Any, prices: Any, about: str, *costs: str | int) -> Case:
        arguments = (tune, test, given.dollars(*prices), *given.dollars(*(costs or (5, 2))))
        return example(
            name,
            answer,
            *arguments,
            called="plan",
            expect=_like(reference(*arguments)),
            slips=faulty,
            about=about,
        )

    yield named("the example", given.TUNE, given.TEST, ["0.1"], "choice")
    yield named("two tiers, chosen together", given.TWO, given.OTHER, ["0.01", "0.3"], "choice")
    yield named("the same, judged on the first", given.OTHER, given.TWO, ["0.2", "0.5"], "choice")
    yield named("a tier that serves nothing", given.USELESS, given.TWO, ["0.25", "0.5"], "paid")
    yield named("a tier costs more than a person", given.TWO, given.OTHER, ["0.1", "3"], "paid")
    yield named("people cost nothing", given.TWO, given.OTHER, ["0", "0"], "ties", 5, 0)
    for name, tune, prices in (
        ("of equal costs the lowest first threshold", given.LAST_TIED, ["0", "0"]),
        ("the same, though it takes more people", given.PEOPLE_TIED, ["0", "1"]),
    ):
        yield named(name, tune, given.TWO, prices, "ties", 3, 2)
    yield named("nothing costs anything", given.OTHER, given.TWO, ["0", "0"], "ties", 0, 0)
    yield named(
        "costs that hardly differ",
        *(given.CLOSE, given.CLOSE_TEST, ["0.000000000000000001"], "choice"),
        *("2.000000000000000001", 2),
    )
    yield named("none is right", given.TUNE, given.ALL_WRONG, ["0.1"], "choice")
    yield named("no tier: a person gets all", [[], []], [[], [], []], [], "choice")
    yield named("three tiers", given.THREE, given.THREE[::-1][:4], ["0.1", "0.2", "0.4"], "choice")
    yield generated(
        "any questions, prices and costs",
        answer,
        exercise="10.4",
        inputs=given.inputs(),
        called="plan",
        expect=_like,
        slips=faulty,
        about="ties",
        budget=120,
    )
    for name, tune, test, field in (
        ("tune is empty", [], given.TEST, "tune"),
        ("test is empty", given.TUNE, [], "test"),
        ("both are empty", [], [], "tune"),
    ):
        yield example(
            name,
            answer,
            tune,
            test,
            *(given.dollars("0.1"), *given.dollars(5, 2)),
            called="plan",
            expect=names_only(field, ("tune", "test")),
            about="bad",
        )


def _like(found: Any) -> Expectation:
    """What was found: exact, but for the rounding of a quotient; thresholds as list or tuple."""
    per_right = found["per_right"]
    wanted = equal(
        found
        | {
            "thresholds": list(found["thresholds"]),
            "per_right": per_right if per_right is None else float(per_right),
        },
        rel=1e-9,
    )

    def judge(got: Any) -> bool | str:
        if type(got) is dict and type(got.get("thresholds")) is tuple:
            got = got | {"thresholds": list(got["thresholds"])}
        return wanted.judge(got)

    return replace(wanted, judge=judge)
