'''The exercises: one folder a module, one file an exercise, `mNN/eN_name.py`.

`course new-exercise 01.2 rank_the_documents` makes the three places of a new one: this file, its
right and wrong answers (`tests/exercises/m01/e2_rank_the_documents.py`) and the cells in the
module's source under `solutions/src/`, which hold statement, starter, solution and the why. A file
reads like this:

    from collections.abc import Iterator
    from typing import Any

    from hypothesis import strategies as st

    from helpers.course.exercises import Case, Hint, Slip, example, exercise, generated

    @exercise(
        "01.2",
        title="Rank the documents",
        hints=[
            "What does sorted() sort by?",
            "Pass key=score and reverse=True.",
            Hint("sorted() keeps the order of equal items. Does reverse=True?", "ties"),
        ],
    )
    def rank(answer: Any) -> Iterator[Case]:
        """Documents by falling score."""
        yield example(
            "the better one comes first",
            answer,
            ["tent", "stove and tent"],
            called="rank",
            expect=["stove and tent", "tent"],
            slips=[Slip.value("unsorted", ["tent", "stove and tent"], "That is the old order.")],
        )
        yield generated(
            "any documents",
            answer,
            exercise="01.2",
            inputs=st.tuples(st.lists(st.text(max_size=8), max_size=5)),
            called="rank",
            about="ties",
        )

The function under `@exercise` gets what the learner handed to `check` and yields its cases. It
must not call the learner's object itself: that belongs into `call`, which runs contained, with the
case's own time limit. `call` may return an awaitable or an async generator; both are run on the
course's loop. Cases are independent, so that each says something of its own: *passed* is all of
them, *partly* some, *wrong* none. Order them so that a do-nothing answer passes none, and the first
failure tells most; what starts a service or asks a model comes last.

`example` is a `Case` of one call of a function; a `Case` may do anything else.

**A check is as strong as the statement.** `generated` compares a function with the reference
solution on inputs that Hypothesis makes, and shows the smallest on which they differ; what the
statement leaves open, its `expect` leaves open. In a live case no argument has the same value
throughout, both sides of each boundary are tried, and every object is used more than once.
`course strength 01` measures it: at least nine of ten small faults in the solution must be
rejected.

What a case expects is a value (equal by `expect.equal`, where True is not 1), or one of these:

    approx(12.5, rel=0.01)                      a number, near enough; with text="..." the card
                                                says that, where the number would be the answer
    satisfies("three ids, best first", test)    test(got) is True, or False, or says what is wrong
    raises(ValueError, "seconds")               the call must raise this, with this in its message
    at_least(24, of=30, what="questions right") a count: the call returns 30 booleans
    at_most(1, of=30, what="attacks that succeed")

`slips` are known mistakes, by how they show: `Slip.value`, `Slip.raises`, `Slip.when`, `Slip.like`.
Hints go from gentle to explicit, one idea each; a `Hint` with words after its text fits the cases
that are `about` one of them, and is shown when such a case failed first.

Where the learner changes given code, `starter=` is that code (the same function or value as in the
lab): a submission that equals it is *not done yet*. Every other exercise has a `TODO` in the lab.
'''

from helpers.course.exercises.define import (
    Case,
    Exercise,
    Hint,
    UnknownExercise,
    exercise,
    find,
    modules,
)
from helpers.course.exercises.expect import (
    Expectation,
    approx,
    at_least,
    at_most,
    equal,
    raises,
    satisfies,
)
from helpers.course.exercises.oracle import example, generated, solved
from helpers.course.exercises.slips import Slip

__all__ = [
    "Case",
    "Exercise",
    "Expectation",
    "Hint",
    "Slip",
    "UnknownExercise",
    "approx",
    "at_least",
    "at_most",
    "equal",
    "example",
    "exercise",
    "find",
    "generated",
    "modules",
    "raises",
    "satisfies",
    "solved",
]
