"""Exercise 08.4: a groundedness threshold by cost, chosen on one part and judged on another."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, equal, example, exercise, generated, solved
from helpers.course.exercises.named import names_only

if TYPE_CHECKING:
    from helpers.course.exercises.m08.thresholds import Answer


@exercise(
    "08.4",
    title="Choose a threshold by what mistakes cost",
    hints=[
        "Write a function that gives the two shares, m and a, for a threshold and a part. The rest"
        " follows from it.",
        Hint(
            "Work out the cost of each candidate first: all scores of tune, and math.inf. Then take"
            " the lowest candidate whose cost is below the lowest cost plus 1e-12.",
            "choice",
        ),
        Hint(
            "rate comes from live traffic. No formula contains the part's own share of ungrounded"
            " answers.",
            "rate",
        ),
        Hint(
            "Of 1 live answer, rate * (1 - m) is flagged and not grounded, and (1 - rate) * a is"
            " flagged and grounded. The precision is the first, divided by the sum of both.",
            "precision",
        ),
        Hint(
            "Look at the labels of each part first: set(grounded) has to have two members.", "bad"
        ),
    ],
)
def by_cost(answer: "Answer") -> Iterator[Case]:
    """The cheapest threshold, with every boundary, and what it is worth elsewhere."""
    from helpers.course.exercises.m08 import thresholds as given

    reference = solved("08.4")
    faulty = [
        Slip.like(
            "own-rate",
            given.part_s_own_rate,
            "The cost uses the share of ungrounded answers in the part: rate is the live one.",
        ),
        Slip.like(
            "chosen-on-test",
            given.chosen_on_test,
            "The threshold was chosen on test: that is where it has to be judged.",
        ),
        Slip.like(
            "judged-on-tune",
            given.judged_on_tune,
            "The figures are those of tune, where the threshold was made to look good.",
        ),
        Slip.like(
            "costs-swapped",
            given.costs_swapped,
            "missed is for ungrounded answers that are not flagged, alarm for flagged grounded"
            " ones.",
        ),
        Slip.like(
            "precision-in-part",
            given.precision_in_part,
            "The precision is that of the labelled part. In live traffic, another share of the"
            " answers is grounded: work it out from rate.",
        ),
        Slip.like(
            "highest-of-equal",
            given.highest_of_equal,
            "Several thresholds cost the same: choose the lowest of them.",
        ),
        Slip.like(
            "rounding-decides",
            given.rounding_decides,
            "These costs differ by a rounding error alone. Below 1e-12 they count as equal, so the"
            " lowest threshold is to be chosen.",
        ),
    ]

    def named(
        name: str, *arguments: Any, about: str = "choice", slips: tuple[Slip, ...] = ()
    ) -> Case:
        return example(
            name,
            answer,
            *arguments,
            called="by_cost",
            expect=equal(reference(*arguments), rel=1e-9),
            slips=[*slips, *faulty],
            about=about,
        )

    yield named(
        "the example",
        given.TUNE,
        given.TEST,
        0.25,
        8.0,
        1.0,
        slips=(
            Slip.when(
                "flags-equal",
                given.flags_equal,
                "0.6 flags only the answers of tune below it: one that equals the threshold is"
                " not flagged.",
            ),
        ),
    )
    yield named("costs that are equal", given.TUNE, given.TEST, 0.5, 2.0, 2.0)
    yield named(
        "costs that are equal but for a rounding error",
        ([0.4, 0.3, 0.5, 0.1], [True, False, False, True]),
        given.TEST,
        0.3,
        7.0,
        3.0,
    )
    yield named("costs that are low, but not equal", given.TUNE, given.TEST, 1e-9, 1.0, 1.0)
    yield named("a larger part, with ties", given.LARGER, given.TEST, 0.3, 5.0, 2.0)
    yield named(
        "what is chosen on one is judged on the other",
        given.TEST,
        given.LARGER,
        0.02,
        20.0,
        1.0,
        about="precision",
    )
    yield named("invention is rare", given.LARGER, given.TUNE, 0.02, 3.0, 1.0, about="rate")
    yield named(
        "everything is flagged: false alarms cost nothing, and an ungrounded answer scores best",
        ([0.5, 0.75], [True, False]),
        given.TEST,
        0.5,
        2.0,
        0.0,
        slips=(
            Slip.when(
                "never-infinite",
                given.never_infinite,
                "No score of tune flags its best answer: math.inf is a candidate too.",
            ),
        ),
    )
    yield named("nothing is flagged", given.TUNE, given.TEST, 0.0, 8.0, 1.0, about="precision")
    yield generated(
        "any parts, rates and costs",
        answer,
        exercise="08.4",
        inputs=given.inputs(),
        called="by_cost",
        slips=faulty,
        about="choice",
        budget=250,
    )
    only_good = ([0.5, 0.7], [True, True])
    only_bad = ([0.5, 0.7], [False, False])
    for name, tune, test, field in (
        ("tune has no ungrounded answer", only_good, given.TEST, "tune"),
        ("tune has no grounded answer", only_bad, given.TEST, "tune"),
        ("test has no ungrounded answer", given.TUNE, only_good, "test"),
        ("test is empty", given.TUNE, ([], []), "test"),
        ("neither has a grounded answer", only_bad, only_bad, "tune"),
    ):
        yield example(
            name,
            answer,
            tune,
            test,
            0.5,
            2.0,
            1.0,
            called="by_cost",
            expect=names_only(field, ("tune", "test")),
            about="bad",
        )
