"""Exercise 10.5: what five causes cost in a day of paid calls."""

from collections.abc import Iterator
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, example, exercise, generated, solved


@exercise(
    "10.5",
    title="Find what costs out of proportion",
    hints=[
        "Make one boolean Series for each cause, and only then decide which of them counts.",
        Hint(
            "np.select takes a list of conditions and a list of names, and gives each row the name"
            " of the first condition that is true.",
            "several",
        ),
        Hint(
            "Sort by time first. Then (status == 'ok').groupby(calls['request']).cumsum() numbers"
            " the calls of each request that did not fail.",
            "loop",
        ),
        Hint(
            "drop_duplicates('request') keeps the first call of each request. Within a conversation"
            " and a text, shift(2) is the moment of the request before the previous one.",
            "repeat",
        ),
        Hint("The limit itself does not count: write > 700, and look at every row.", "pasted"),
        Hint("Both have to be true: the intent and the model. Combine them with &.", "oversized"),
        Hint("agg takes 'sum' for the money and 'nunique' for the requests.", "failed"),
        Hint(
            "Does it work on a frame whose index repeats, whose rows are in any order, or which"
            " has no rows?",
            "any",
        ),
    ],
)
def causes(answer: Any) -> Iterator[Case]:
    """Each cause by itself with both sides of its limit, all of them together, and any frame."""
    from helpers.course.exercises.m10 import paid_frames as given
    from helpers.testbed.paid_calls import paid_calls

    calls, frame = given.calls, given.frame
    reference = solved("10.5")
    slips = [
        Slip.like(
            "by-customer",
            lambda calls: reference(calls.assign(conversation=calls["customer"])),
            "The repeats were looked for by customer. Guests have none, and groupby leaves them"
            " out: it has to be by conversation.",
        )
    ]

    def named(name: str, table: Any, about: str, *more: Slip) -> Case:
        return example(
            name,
            answer,
            table,
            called="causes",
            expect=given.like_table(reference(table)),
            slips=[*more, *slips],
            about=about,
        )

    yield named(
        "failed calls",
        frame(
            calls("T-1", 0, [5, 6, 7], failed=[0, 1]),
            calls("T-2", 60, [9, 2], failed=[0], conversation="S-2"),
            calls("T-3", 90, [4], conversation="S-3"),
        ),
        "failed",
        Slip.when(
            "counts-calls",
            lambda got: got["requests"].tolist() == [3],
            "Your `requests` counts calls: two failed calls of one request are one request.",
        ),
        Slip.when(
            "all-of-the-request",
            lambda got: got["micro_usd"].tolist() == [29],
            "Only the failed calls themselves count here, and not all calls of their requests.",
        ),
    )
    yield named(
        "requests of four calls and of six, with a failed one",
        frame(
            calls("T-1", 0, [1, 2, 3, 4]),
            calls("T-2", 60, [10, 20, 30, 40, 50, 60], failed=[1], text="Where?"),
            calls("T-3", 90, [10, 20, 30, 40, 50, 61], text="Which?"),
        ),
        "loop",
        Slip.when(
            "counts-failed",
            lambda got: 110 + 111 in got["micro_usd"].tolist(),
            "The failed call was counted among the four that a request may make.",
        ),
    )
    again = [calls(f"T-{n}", at, [n, n + 10], customer=None) for n, at in
             enumerate((0, 300, 600, 901, 1200), 1)]  # fmt: skip
    customers = [calls(f"T-{n}", at, [n], conversation="S-2") for n, at in
                 ((6, 2000), (7, 2300), (8, 2600))]  # fmt: skip
    yield named(
        "a guest sends the same text again, in ten minutes and a little more",
        frame(*again, *customers),
        "repeat",
        Slip.when(
            "second-time",
            lambda got: got["requests"].tolist() == [6],
            "You count from the second time; count from the third in ten minutes.",
        ),
    )
    yield named(
        "the same words, written otherwise, in two conversations",
        frame(
            calls("T-1", 0, [1], text="May I?"),
            calls("T-2", 20, [2], text=" may i? "),
            calls("T-3", 30, [4], text="May I?", conversation="S-2"),
            calls("T-4", 40, [8], text="MAY I?"),
            calls("T-5", 50, [16], text="May  I?"),
        ),
        "repeat",
    )
    yield named(
        "texts of 700 and of 701 characters",
        frame(calls("T-1", 0, [3, 4], text="a" * 700), calls("T-2", 60, [5, 6], text="b" * 701)),
        "pasted",
    )
    yield named(
        "greetings, and other things, for two models",
        frame(
            calls("T-1", 0, [3, 40], intent="small talk", text="Hi", models=["small", "large"]),
            calls("T-2", 60, [50], text="Where?", models=["large"]),
            calls("T-3", 90, [7], intent="small talk", text="Bye"),
        ),
        "oversized",
    )
    mixed = [
        calls(
            f"T-{n}",
            30 * n,
            [100, 1, 2, 3, 4, 200],
            intent="small talk",
            text="c" * 900,
            models=["large"] * 6,
            failed=[1],
        )
        for n in range(4)
    ]
    yield named(
        "calls to which several causes apply",
        frame(*mixed),
        "several",
        Slip.when(
            "counted-twice",
            lambda got: int(got["micro_usd"].sum()) > 4 * 310,
            "The causes cost more than all calls together: a call was counted more than once.",
        ),
        Slip.when(
            "cheapest-first",
            lambda got: got["micro_usd"].is_monotonic_increasing and len(got) > 1,
            "The cheapest cause is first; it should be last.",
        ),
    )
    yield named("a part of a day", paid_calls(150, seed=7), "any")
    yield named("many calls, in any order, in a repeating index", given.mixed(150, seed=1), "any")
    yield named("no calls", frame(), "any")
    yield generated(
        "any calls",
        answer,
        exercise="10.5",
        inputs=given.inputs(),
        called=given.show,
        expect=given.like_table,
        slips=slips,
        about="any",
        budget=12,
    )
