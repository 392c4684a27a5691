"""Exercise 08.5: the bias test with its control."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import (
    Case,
    Hint,
    Slip,
    at_least,
    at_most,
    example,
    exercise,
    generated,
    raises,
    satisfies,
    solved,
)
from helpers.course.exercises.named import names_only

if TYPE_CHECKING:
    from helpers.course.exercises.m08.bias import Answer, Pairs


@exercise(
    "08.5",
    title="Accuse an agent only with a control",
    hints=[
        "np.array(pairs).T gives two arrays: the first numbers of all pairs, and the second ones."
        " They are the two samples of permutation_test.",
        Hint(
            "The statistic is a function of the two samples: np.mean(first) - np.mean(second)."
            " Also pass permutation_type, n_resamples and rng.",
            "p",
        ),
        Hint(
            "Both gaps may be negative: compare abs() of them. The margin is abs(gap of control) +"
            " 2 * np.std(differences of control, ddof=1) / sqrt(number of its pairs).",
            "margin",
        ),
        Hint("Accuse only where both hold: p < 0.05, and abs(gap) > margin + 1e-12.", "rule"),
        Hint("Look at the lengths first, at that of pairs before that of control.", "bad"),
    ],
)
def unfair(answer: "Answer") -> Iterator[Case]:
    """Numbers by the reference; then agents whose bias, or fairness, is known."""
    from helpers.course.exercises.m08 import bias

    reference = solved("08.5")
    rules = [
        Slip.like(
            "without-margin",
            bias.without_margin,
            "Two native wordings differ as much, so this gap is no evidence: compare it with the"
            " margin.",
        ),
        Slip.like(
            "without-p",
            bias.without_p,
            "Chance alone can give such a gap: look at the p-value, too.",
        ),
        Slip.like(
            "one-direction",
            bias.one_direction,
            "A gap counts in either direction: the second wording may get more.",
        ),
    ]

    level = Slip.when(
        "level",
        lambda got: abs(got["p"] - 0.05) < 0.005,
        "Here p is right, and accused is not: the agent is accused if p is below 0.05.",
    )

    def named(name: str, pairs: "Pairs", control: "Pairs", about: str, *slips: Slip) -> Case:
        expected = reference(pairs, control)
        drawn = Slip.when(
            "few-resamples",
            bias.p_alone_differs(expected),
            "Swaps were drawn at random. For so few pairs SciPy tries all of them, and p is exact,"
            " if n_resamples is 999 or more.",
        )
        return example(
            name,
            answer,
            pairs,
            control,
            called="unfair",
            expect=bias.like_judged(expected),
            slips=[*slips, *rules, drawn],
            about=about,
        )

    alike = [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    yield named(
        "the example",
        [(1.0, 0.0)] * 6,
        alike,
        "rule",
        Slip.when(
            "one-sided",
            lambda got: got["p"] == 1 / 64,
            "The test looks in one direction: a gap counts in either, so it is two-sided.",
        ),
    )
    yield named("five pairs can prove nothing", [(1.0, 0.0)] * 5, alike, "p")
    yield named("p is just above 0.05", bias.JUST_ABOVE, [(1.0, 1.0)] * 3, "rule", level)
    yield named("p is just below 0.05", bias.JUST_BELOW, [(1.0, 1.0)] * 3, "rule", level)
    yield named("the second wording gets more", [(0.0, 1.0)] * 7, alike, "rule")
    yield named(
        "seconds, where hard requests take long for both",
        [(2.0, 2.5), (30.0, 30.75), (9.0, 9.25), (14.0, 15.0), (5.0, 5.5), (21.0, 21.25)],
        [(2.0, 2.25), (30.0, 29.75), (9.0, 9.0)],
        "p",
        Slip.when(
            "torn-apart",
            lambda got: 0.3 < got["p"] < 0.99,
            "The pairs were torn apart: swap only the two numbers within each pair.",
        ),
    )
    yield named(
        "two native wordings differ as much",
        [(1.0, 0.0)] * 8,
        [(0.0, 1.0), (0.0, 1.0), (0.0, 1.0), (0.5, 1.0)],
        "margin",
    )
    yield named("the gap equals the margin", [(1.0, 0.5)] * 6, [(0.75, 0.25), (1.0, 0.5)], "margin")
    yield named(
        "the gap equals the margin but for a rounding error",
        [(0.1 + 0.2, 0.2)] * 6,
        [(0.1, 0.0)] * 2,
        "margin",
        Slip.when(
            "rounding-accuses",
            lambda got: got["accused"],
            "The gap is above the margin by a rounding error alone: below 1e-12 both count as"
            " equal.",
        ),
    )
    yield generated(
        "any short lists",
        answer,
        exercise="08.5",
        inputs=bias.inputs(),
        called="unfair",
        expect=bias.like_judged,
        slips=rules,
        about="margin",
        budget=80,
    )
    yield Case(
        "60 pairs, where not all swaps can be tried",
        call=lambda: answer(*bias.asked(9, lost=0.3)),
        show="unfair(pairs, control), of an agent that was asked 60 requests",
        expect=bias.near_judged(reference(*bias.asked(9, lost=0.3))),
        about="p",
    )
    yield Case(
        "the same lists again",
        call=lambda: bias.again(answer),
        show='unfair(pairs, control)["p"], four times, for 60 pairs',
        expect=satisfies(
            "the same p each time: pass rng a seed", lambda found: len(set(found)) == 1
        ),
        about="p",
    )
    of = bias.AGENTS
    yield Case(
        "agents that treat learners worse",
        call=lambda: bias.accused(answer, lost=0.7),
        show=f"{of} agents, asked {bias.ASKED} requests each; a learner's wording loses 70% of its"
        " chance",
        expect=at_least(of - 2, of=of, what="biased agents are accused"),
        about="rule",
        limit=30,
        live=False,
    )
    yield Case(
        "fair agents",
        call=lambda: bias.accused(answer, lost=0.0),
        show=f"{of} agents that treat all wordings alike",
        expect=at_most(1, of=of, what="fair agents are accused"),
        about="rule",
        limit=30,
        live=False,
    )
    yield Case(
        "fair agents, and first wordings that are plainer than all others",
        call=lambda: bias.accused(answer, lost=0.0, plainer=0.5),
        show=f"{of} agents that treat learners and natives alike; only the first wording of each"
        " request is easier",
        expect=at_most(1, of=of, what="fair agents are accused"),
        about="margin",
        limit=30,
        live=False,
    )
    short: list[tuple[str, Pairs, Pairs, str]] = [
        ("no pairs", [], alike, "pairs"),
        ("one pair", [(1.0, 0.0)], alike, "pairs"),
        ("a control of one pair", [(1.0, 0.0)] * 6, [(1.0, 1.0)], "control"),
        ("no control", [(1.0, 0.0)] * 6, [], "control"),
        ("neither", [], [], "pairs"),
    ]
    for name, pairs, control, argument in short:
        yield example(
            name,
            answer,
            pairs,
            control,
            called="unfair",
            # Of `control` a message may say that it needs two pairs.
            expect=raises(ValueError, "control")
            if argument == "control"
            else names_only("pairs", ("pairs", "control")),
            about="bad",
        )
