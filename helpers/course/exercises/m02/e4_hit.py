"""Exercise 02.4: a rule for the questions that a change has broken, seen or unseen."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from helpers.course.exercises import (
    Case,
    Expectation,
    Hint,
    Slip,
    exercise,
    generated,
    solved,
)
from helpers.course.exercises.equality import same

Rows = Sequence[dict[str, Any]]


@exercise(
    "02.4",
    title="Find the regression that the average hides",
    hints=[
        "Mark the lost questions: seen['before'] & ~seen['after']. Then look at one column after"
        " another with groupby. Which of the groups has lost more than it has gained?",
        "In the group that you are looking for, the new search finds nothing at all. So look for a"
        " group of some size in which the sum of after is 0, not just low.",
        "seen.sort_values(column)[[column, 'before', 'after']] shows one column with both verdicts."
        " Read the column after from top to bottom, sorted by each column in turn. Sorted by one of"
        " them, it is False from some row on.",
        Hint(
            "Your rule has to hold for questions and documents that do not exist yet. Do not test"
            " for an id, a title or any other single value.",
            "new",
        ),
        Hint(
            "Where does the group begin? Sort seen by the column that decides. The limit of your"
            " rule belongs between the last row that the new search finds and the first row that it"
            " has lost, that is, found before and not after.",
            "new",
        ),
        Hint(
            "A question that no document answers has None or pd.NaT in each column about the"
            " document. pd.NaT compared with anything is False.",
            "none",
        ),
        "Sort by updated: a search finds what was in its index when the index was built. Return"
        " question['updated'] > pd.Timestamp(...), with a day between the newest document that is"
        " found and the oldest one that is lost.",
    ],
)
def hit(answer: Callable[[dict[str, Any]], Any]) -> Iterator[Case]:
    """The group among the lab part's questions, those about no document, and invented ones."""
    from helpers.course.exercises.m02 import invented_questions as given

    reference = solved("02.4")
    slips = [
        Slip.when(
            "none-at-all",
            lambda got: not any(map(bool, got)),
            "It is False for every question. A list of the ids or documents that you have seen does"
            " not fit others.",
        ),
        Slip.when("all", lambda got: all(map(bool, got)), "It is True for every question."),
    ]

    def asked(name: str, rows: Rows, what: str, about: str, *more: Slip) -> Case:
        given: list[dict[str, Any]] = []

        def call() -> list[Any]:
            given[:] = deepcopy(list(rows))
            return [answer(row) for row in given]

        return Case(
            name,
            call=call,
            expect=_apart(rows, given, [bool(reference(row)) for row in rows]),
            show=f"hit(question) for {len(rows)} {what}",
            slips=[*more, _another_limit(rows)],
            about=about,
        )

    yield asked(
        "questions of the lab part", given.unseen(), "questions of the lab part", "new", *slips
    )
    yield asked(
        "questions about invented documents, and of invented days",
        [*given.both_sides(), *given.rewritten()],
        "questions about documents that do not exist, or that were changed on other days",
        "new",
        *slips,
    )
    drawn = generated(
        "any question and document",
        answer,
        exercise="02.4",
        inputs=given.inputs(),
        called="hit",
        about="new",
        budget=120,
    )
    yield replace(drawn, after_all=True)  # a smaller example takes seconds
    yield asked(
        "questions that no document answers, among others",
        [*given.without_document(), *given.unseen()[:20]],
        "questions, most of which no document answers",
        "none",
        Slip.raises(
            "no-document",
            Exception,
            "For a question that no document answers, the columns about the document are None, and"
            " updated is pd.NaT.",
        ),
    )


def _another_limit(rows: Rows) -> Slip:
    """The column that decides, with the group's beginning elsewhere."""

    def follows_the_days(got: Any) -> bool:
        days = [row["updated"] for row in rows]
        told = list(zip(days, map(bool, got), strict=True))
        hit, other = [d for d, one in told if one], [d for d, one in told if not one and d == d]
        return bool(hit) and bool(other) and min(hit) > max(other)

    return Slip.when(
        "another-limit",
        follows_the_days,
        "Your rule looks at the right column. Where does the group begin? Compare your limit with"
        " the rows of seen, sorted by that column.",
    )


def _apart(rows: Rows, given: Rows, wanted: Sequence[bool]) -> Expectation:
    """True and False as wanted; a sentence names the first question for which it is not.

    `given` are the dicts that the answer got, which it may not change.
    """

    def judge(got: Any) -> bool | str:
        for row, after, mine, right in zip(rows, given, got, wanted, strict=True):
            verdict = same(mine, right)
            if isinstance(verdict, str):
                return f"For {row['id']}: {verdict}"
            if not verdict:
                what = "is in the group" if right else "is not in the group"
                # Whole: a card would cut the columns at the end, and these decide.
                return f"It is {mine} for this question, which {what}: {row}"
            if same(_comparable(after), _comparable(row)) is not True:
                return f"For {row['id']} the dict is another one after the call. Do not change it."
        return True

    def show(got: Any) -> str:
        return f"True for {sum(bool(one) for one in got)} of them"

    return Expectation(f"True for the {sum(wanted)} questions of the group", judge, show=show)


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """The row with texts for what does not equal itself: NaT, and NaN."""
    return {name: value if value == value else repr(value) for name, value in row.items()}
