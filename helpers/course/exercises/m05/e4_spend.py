"""Exercise 05.4: a budget of tokens."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m05.budgets import Spend


def _row(c1: int, c2: int, c1_after: int, c2_after: int) -> dict[str, int]:
    return {
        "tokens at first": 0,
        "C-1 inside": c1,
        "C-2 inside": c2,
        "C-1 after": c1_after,
        "C-2 after": c2_after,
    }


@exercise(
    "05.4",
    title="A budget of tokens that is exact",
    hints=[
        "Before the request nobody knows what it will use. So book the most it may use first, and"
        " give back what was left over when it has ended, however it ended: finally.",
        Hint(
            "Between await store.get and await store.set others run, and read the same number."
            " Only one call of the store may decide.",
            "together",
        ),
        Hint(
            "store.add decides too late: a request that does not fit is on the account for a"
            " moment, and another that would fit is refused.",
            "refused",
        ),
        Hint(
            "An error, or the client's leaving, comes out of yield, and what stands after it is"
            " skipped: try: yield spent, then in finally: await store.add(...).",
            "cut",
        ),
        "while True: used = await store.get(key); if used + most > limit: raise OverBudget; if"
        " await store.compare_and_set(key, used, used + most): break. Then try: yield"
        " spent, and in finally: await store.add(key, spent.tokens - most).",
    ],
)
def spend(answer: "Spend") -> Iterator[Case]:
    """A context manager that reserves tokens in a shared store and settles what was used."""
    from helpers.course.exercises.m05 import budgets

    yield Case(
        "reserved inside, settled after",
        call=lambda: budgets.booked(answer),
        show='spend(store, "C-1", 100, 30) and 12 tokens used; then spend(store, "C-2", 50, 50) and'
        ' 60 used; then spend(store, "C-1", 41, 29) and 0 used',
        expect=[_row(30, 0, 12, 0), _row(12, 50, 12, 60), _row(41, 60, 12, 60)],
        slips=[
            Slip.value(
                "not-reserved",
                [_row(0, 0, 12, 0), _row(12, 0, 12, 60), _row(12, 60, 12, 60)],
                "While it runs, others can spend the same tokens.",
            ),
            Slip.value("nothing", [_row(0, 0, 0, 0)] * 3, "Nothing is booked."),
            Slip.when(
                "not-settled",
                lambda got: got[0] == _row(30, 0, 30, 0),
                "What was not used is to be given back.",
            ),
            Slip.when(
                "on-top",
                lambda got: got[0] == _row(30, 0, 42, 0),
                "The 30 reserved stay booked, and the 12 used come on top.",
            ),
            Slip.when(
                "one-key",
                lambda got: (
                    got[0] == _row(30, 0, 12, 0)
                    and (got[1] == "OverBudget" or got[1]["C-2 inside"] == 0)
                ),
                "The second request was booked on another customer's account: use key.",
            ),
        ],
    )
    yield Case(
        "full to the last token, and no further",
        call=lambda: budgets.to_the_limit(answer),
        show="of 100: reserve 40, 40, 20 and 1, one inside the other; of 60, where 25 are used: 35"
        " and 1",
        expect=[
            "40 of 100 reserved",
            "80 of 100 reserved",
            "100 of 100 reserved",
            "OverBudget",
            "60 of 60 reserved",
            "OverBudget",
        ],
        slips=[
            Slip.when(
                "too-early",
                lambda got: "100 of 100 reserved" not in got,
                "The last 20 fit exactly.",
            ),
            Slip.when(
                "too-late",
                lambda got: "101 of 100 reserved" in got,
                "That is more than the budget holds.",
            ),
            Slip.when(
                "one-limit",
                lambda got: "61 of 60 reserved" in got,
                "The second budget is another one: use limit.",
            ),
        ],
    )
    yield Case(
        "two requests that overlap",
        call=lambda: budgets.overlapping(answer),
        show='spend(store, "C-1", 100, 30), and spend(store, "C-2", 50, 20) inside it; 13 and 7'
        " tokens are used; the numbers that the store had, one after another",
        expect={"tokens at first": [0, 0], "C-1": [30, 13], "C-2": [20, 7]},
        slips=[
            Slip.when(
                "one-spent",
                lambda got: got["C-1"][-1] != 13 and got["C-1"][0] == 30 and got["C-2"] == [20, 7],
                "Both count in the same Spent: make a new one on each entry.",
            ),
            Slip.when(
                "two-steps",
                lambda got: got["C-1"][::2] == [30, 13] and got["C-1"][1] in (0, 43),
                "It is settled in two steps, and between them the number is wrong: use one.",
            ),
        ],
    )
    for how, options, ended in [
        ("the block raises an error after 5 tokens", {}, "its error"),
        ("the block raises OverBudget after 5 tokens", {"over": True}, "its error"),
        ("the client leaves after 5 tokens", {"cancelled": True}, "cancelled"),
    ]:
        yield Case(
            how,
            call=lambda options=options: budgets.cut_short(answer, **options),  # type: ignore[misc]
            show="how a request of at most 30 tokens ends, and what is on the account then",
            expect=(ended, 5),
            slips=[
                Slip.value(
                    "reservation-stays",
                    (ended, 30),
                    "The reservation stays: 25 tokens are lost until tomorrow.",
                ),
                Slip.value("not-paid", (ended, 0), "The 5 tokens were used, and have to be paid."),
                Slip.when(
                    "swallowed",
                    lambda got: got[0] == "returned",
                    "What ends the block must come out of it.",
                ),
            ],
            about="cut",
        )
    yield Case(
        "requests that do not fit",
        call=lambda: budgets.refused(answer),
        show="30 tokens are used: requests of 51, 80 and 1,000 of 80, and of 0 where the limit is"
        " now 29",
        expect={
            f"{most} of {limit}": "refused, written: nothing" for most, limit in budgets.REFUSED
        },
        slips=[
            Slip.when(
                "zero-let-in",
                lambda got: got["0 of 29"] == "let in",
                "The number is over the limit already: a request of 0 tokens does not fit either.",
            ),
            Slip.when(
                "for-a-moment",
                lambda got: any("[(" in told for told in got.values()),
                "It was booked for a moment, in which others are refused for nothing.",
            ),
        ],
        about="refused",
    )
    yield Case(
        "two workers, forty requests at once",
        call=lambda: budgets.two_workers(answer),
        show="20 requests of at most 10 tokens share 100, and 20 of at most 20 tokens of another"
        " customer share 60; half of them in a second worker; each uses 7",
        expect={"C-1": "10 let in, 70 used", "C-2": "3 let in, 21 used"},
        slips=[
            Slip.raises(
                "one-workers-lock",
                RuntimeError,
                "A lock belongs to one worker; another one does not see it.",
            ),
            Slip.when(
                "all-read-the-same",
                lambda got: int(got["C-1"].split()[0]) > 10 or int(got["C-2"].split()[0]) > 3,
                "More were let in than fit: they have all read the same number.",
            ),
            Slip.when(
                "lost-update",
                lambda got: got["C-1"].startswith("10 let in"),
                "The account is wrong afterwards: get and then set loses what others wrote.",
            ),
        ],
        about="together",
    )
    yield Case(
        "one that does not fit, among those that do",
        call=lambda: budgets.big_and_small(answer),
        show="50 of 100 are left; one request of 80 and five of 10 come at the same moment",
        expect={"of 80 tokens": 0, "of 10 tokens": 5},
        slips=[
            Slip.when(
                "small-refused",
                lambda got: got["of 80 tokens"] == 0 and got["of 10 tokens"] < 5,
                "The big one was booked for a moment, and small ones were refused for nothing.",
            ),
        ],
        about="refused",
    )
