"""Exercise 05.3: a watch on the connection."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m05.guards import Guard

LEFT, STAYED = "work for the one who left", "the one who stayed"


@exercise(
    "05.3",
    title="Stop the model when the client has left",
    hints=[
        "Two things are waited for: the work, and the client's leaving. asyncio.wait with"
        " return_when=asyncio.FIRST_COMPLETED waits for the first of two tasks.",
        Hint(
            "await request.is_disconnected() says whether the client has gone; a small loop with"
            " asyncio.sleep around it ends when it has.",
            "leaves",
        ),
        Hint(
            "task.cancel() only asks. The work has ended when you have awaited the task: await"
            " asyncio.gather(*tasks, return_exceptions=True).",
            "end",
        ),
        "In try: await asyncio.wait(...); if not working.done(): raise ClientDisconnect; return"
        " working.result(). In finally cancel both tasks and gather them, whatever happened.",
    ],
)
def while_connected(answer: "Guard") -> Iterator[Case]:
    """The result of a coroutine, which is cancelled when the client leaves before it ends."""
    from helpers.course.exercises.m05 import guards

    goes_on = Slip.when(
        "goes-on",
        lambda got: got[LEFT] == "goes on",
        "The model went on writing for a client who had left.",
    )
    yield Case(
        "one leaves, one stays",
        call=lambda: guards.one_leaves(answer, "stove"),
        show="two clients POST /chat; the first closes its connection; the model writes on",
        expect={LEFT: "stopped", STAYED: "200 'stove it is'"},
        slips=[
            goes_on,
            Slip.when(
                "no-return",
                lambda got: got[STAYED] == "200 None",
                "The client who stayed got None: return the work's result.",
            ),
            Slip.when(
                "stayer-refused",
                lambda got: got[STAYED].startswith("499"),
                "The client who stayed must get the answer, and is told that it has left.",
            ),
        ],
        about="leaves",
    )
    yield Case(
        "the work fails for the one who stays",
        call=lambda: guards.one_leaves(answer, "break"),
        show="the same; the second client's work raises an error",
        expect={LEFT: "stopped", STAYED: """502 "the work's error\""""},
        slips=[
            goes_on,
            Slip.when(
                "other-error",
                lambda got: not got[STAYED].startswith("502"),
                "What the work raises must come out of while_connected as it is.",
            ),
        ],
        about="leaves",
    )
    yield Case(
        "the work raises TimeoutError for the one who stays",
        call=lambda: guards.one_leaves(answer, "late"),
        show="the same; the second client's work raises TimeoutError, and so does the app say",
        expect={LEFT: "stopped", STAYED: "504 'too late'"},
        slips=[
            goes_on,
            Slip.when(
                "own-timeout",
                lambda got: not got[STAYED].startswith("504"),
                "A TimeoutError of the work is its result, like any other error: let it out.",
            ),
        ],
        about="leaves",
    )
    yield Case(
        "it looks while it waits",
        call=lambda: guards.looking(answer),
        show="a client waits for half a second; the longest time in which nobody looked",
        expect="often enough",
        slips=[
            Slip.when(
                "too-seldom",
                lambda got: got.startswith("once in"),
                "Look at least five times a second whether the client is still there.",
            ),
        ],
        about="leaves",
    )
    yield Case(
        "four answers at the same time, one of them empty",
        call=lambda: guards.answers(answer),
        show="four clients POST /chat, and all stay",
        expect=["200 'boots it is'", "200 ''", "200 'stove it is'", "200 'tent it is'"],
        slips=[
            Slip.when(
                "empty-lost",
                lambda got: got[1] != "200 ''" and got[3] == "200 'tent it is'",
                "An empty text is a result too.",
            ),
            Slip.when(
                "one-by-one",
                lambda got: "of 4 works" in got[0],
                "Many requests run at the same time: one must not wait for another.",
            ),
        ],
    )
    yield Case(
        "when it raises, the work has ended",
        call=lambda: guards.in_order(answer, clear_s=0.3),
        show="the client leaves; the work takes 0.3 s to clear up",
        expect="ClientDisconnect, 0 not ended",
        slips=[
            Slip.value(
                "not-awaited",
                "ClientDisconnect, 1 not ended",
                "cancel() asks the task to end; it still clears up. Wait for it.",
            ),
            Slip.value(
                "no-disconnect",
                "no ClientDisconnect",
                "ClientDisconnect should be raised within half a second after the client left.",
            ),
        ],
        about="end",
    )
    yield Case(
        "clearing up raises an error",
        call=lambda: guards.in_order(answer, fails=True),
        show="the same, and the work raises an error while it clears up",
        expect="ClientDisconnect, 0 not ended",
        slips=[
            Slip.value(
                "its-error",
                "no ClientDisconnect",
                "What cancelled work raises does not matter any more: raise ClientDisconnect.",
            ),
        ],
        about="end",
    )
    yield Case(
        "clearing up returns a text",
        call=lambda: guards.in_order(answer, returns=True),
        show="the same, and the work that is cancelled clears up and returns a text",
        expect="ClientDisconnect, 0 not ended",
        slips=[
            Slip.value(
                "its-text",
                "no ClientDisconnect",
                "What cancelled work returns does not matter any more: raise ClientDisconnect.",
            ),
        ],
        about="end",
    )
    yield Case(
        "a deadline around it",
        call=lambda: guards.deadline(answer),
        show="async with asyncio.timeout(0.15): await while_connected(...)",
        expect="504 'too late', 0 not ended",
        slips=[
            Slip.when(
                "outlives",
                lambda got: got.endswith(", 1 not ended"),
                "When while_connected itself is cancelled, the work must be cancelled too, and"
                " awaited: do both in finally.",
            ),
            Slip.when(
                "busy",
                lambda got: "looked" in got,
                "It looks all the time, and takes the processor from all others: sleep between"
                " two looks.",
            ),
        ],
        about="end",
    )
    yield Case(
        "nothing is left behind",
        call=lambda: guards.left_behind(answer),
        show="tasks that are still there after two answers, two errors and two who left",
        expect=0,
        slips=[
            Slip.when(
                "behind",
                lambda got: got > 0,
                "A task that watches a connection, or works for nobody, is still there: end both.",
            )
        ],
        about="end",
    )
