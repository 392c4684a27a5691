"""Exercise 11.4: what went wrong, from an hour's metrics and runs and those of the hour before."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, exercise


@exercise(
    "11.4",
    title="A diagnosis from metrics and traces",
    hints=[
        "Begin with four frames: the sums of the metrics before and now, and the runs before and"
        " now. Then each cause is an if of its own, in the list's order.",
        Hint(
            "metrics[:60].sum() and metrics[60:].sum() are the two hours. The runs of now are those"
            " with start_time >= metrics.index[60].",
            "any",
        ),
        Hint(
            "The metrics alone do not say why requests failed: look at the errors of the llm runs,"
            ' by model. (calls["error"] != "").groupby(calls["model"]).mean() gives the shares.',
            "down",
        ),
        Hint("A mean is first_token_s divided by answers, in each hour. Are there any?", "slow"),
        Hint(
            "Group the tokens of the chain runs in now by customer. Guests' tokens count in the"
            " sum, but guests are not a customer.",
            "cost",
        ),
        Hint(
            "Collect the addresses in before's answers in a set. Count an address once for each"
            " answer. The documents are in the runs whose parent_run_id is the id of that answer's"
            " chain run.",
            "poison",
        ),
        Hint("Sort the chain runs by start_time, and compare the first with the last.", "release"),
        Hint(
            "For each tool, divide its errors in now by its runs in now, and subtract the same"
            " share of before. Leave out the tools with fewer than 3 errors in now.",
            "tool",
        ),
    ],
)
def diagnose(answer: Any) -> Iterator[Case]:
    """Each condition at its limit and just below, other incidents, and any two hours."""
    from helpers.course.exercises.m11 import diagnosed as given
    from helpers.course.exercises.m11.diagnosed_hours import everything, planned

    of_replayed = {
        "cost spike by one customer": Slip.when(
            "refused",
            lambda got: got[0] == "model down",
            "These requests failed because a customer's budget was spent. The model answered.",
        ),
        "none": Slip.when(
            "busy-day",
            lambda got: got[0] == "cost spike by one customer",
            "Twice the dollars, but from many customers: a busy day is no incident.",
        ),
        "failing tool": Slip.when(
            "most-errors",
            lambda got: got[1] == "issue_refund",
            "That tool refuses as often as before. What counts is the rise.",
        ),
    }
    guests = Slip.when(
        "guests",
        lambda got: got == ("cost spike by one customer", ""),
        "Guests are many people, not one customer.",
    )
    for one in planned():
        found = of_replayed.get(one.cause) if one.replayed else guests
        yield Case(
            one.name,
            call=partial(given.called, answer, one.hours),
            expect=given.like(one.cause, one.subject),
            show=partial(given.show, *one.hours),
            slips=[found] if found else [],
            about=one.about,
        )
    yield Case(
        "the frames are as before",
        call=lambda: given.unchanged(answer, everything()),
        expect="the frames are equal",
        show="diagnose, and then the frames that it got are compared with copies",
        about="any",
    )
