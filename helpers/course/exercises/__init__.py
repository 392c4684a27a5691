"""The exercises of every module, one file a module: `mNN.py`.

An exercise is written like this:

    from collections.abc import Callable, Iterator

    from helpers.course.exercises import Case, exercise

    @exercise(
        "01.2",
        title="Rank the documents",
        hints=["What does sorted() sort by?", "Pass key=score and reverse=True."],
    )
    def rank(submission: Callable[[list[str]], list[str]]) -> Iterator[Case]:
        yield Case(
            "the better one comes first",
            call=lambda: submission(["tent", "stove and tent"]),
            show="rank(['tent', 'stove and tent'])",
            expect=["stove and tent", "tent"],
            slips=[(["tent", "stove and tent"], "That is the order they came in.")],
        )

The function under `@exercise` gets what the learner handed to `check` and yields its cases. It
must not call the learner's object itself: that belongs into `call`, which runs contained, with the
case's own time limit. `call` may return an awaitable or an async generator; both are run on the
course's loop. Cases are independent, so that each says something of its own: *passed* is all of
them, *partly* some, *wrong* none.

What a case expects is a value (equal, where True is not 1), or one of these:

    approx(12.5, rel=0.01)                      a number, near enough; with text="..." the card
                                                says that, where the number would be the answer
    satisfies("three ids, best first", test)    test(got) is True, or False, or says what is wrong
    raises(ValueError, "seconds")               the call must raise this, with this in its message
    at_least(24, of=30, what="questions right") a count: the call returns 30 booleans
    at_most(1, of=30, what="attacks that succeed")

Order the cases so that a do-nothing answer passes none, and the first failure tells most. `slips`
name known wrong results and say what happened; hints go from gentle to explicit, one idea each.

Where the learner mends given code, `starter=` is that code (the same function or value as in the
lab): a submission that equals it is *not done yet*. Every other exercise has a `TODO` in the lab.

Each exercise needs at least three wrong answers in `tests/wrong/mNN.py`.
"""

from helpers.course.exercises.define import Case, Exercise, UnknownExercise, exercise, find, modules
from helpers.course.exercises.expect import (
    Expectation,
    approx,
    at_least,
    at_most,
    equal,
    raises,
    satisfies,
)

__all__ = [
    "Case",
    "Exercise",
    "Expectation",
    "UnknownExercise",
    "approx",
    "at_least",
    "at_most",
    "equal",
    "exercise",
    "find",
    "modules",
    "raises",
    "satisfies",
]
