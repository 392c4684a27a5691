"""The cases of a review question's exercise: one for each aspect that the judge looks at."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from helpers.course.exercises import Case, Expectation, Hint
from helpers.review.judge import ASPECTS, Finding, aspects, judge
from helpers.review.questions import question

_MOST = 3  # findings of one aspect that a card tells


def cases(question_id: str, answer: Any) -> Iterator[Case]:
    """One case an aspect: what it finds must be nothing."""
    asked = question(question_id)

    @cache
    def found() -> tuple[Finding, ...]:
        return tuple(judge(asked, answer))

    def of_aspect(aspect: str) -> list[str]:
        return [one.text for one in found() if one.aspect == aspect]

    for aspect in aspects(asked):
        yield Case(
            ASPECTS[aspect],
            call=partial(of_aspect, aspect),
            expect=Expectation("nothing to change", judge=_nothing, show=_count),
            show=f'review("{asked.id}", your_answer)',
            about=aspect,
        )


def hints(*, parts: str, counter: str) -> list[str | Hint]:
    """The hints of one of these exercises: its own two, and those that all five have."""
    return [
        "Begin with the evidence: read its figures, decide what they let you claim, and write the "
        "claim last.",
        Hint(parts, "parts", "names", "enough"),
        Hint(
            'The cell below "Which figures are there?" prints the figures of the stored evidence, '
            "and `course ship-check` those of your own. The file's name without .json is ITEM, and "
            "FIGURE is the name before the value.",
            "sources",
            "current",
        ),
        Hint(
            "Put the source right after its number: 68% [functional_quality: refused, "
            "unanswerable]. Round the file's figure to the digits that you write, and write N of M "
            "with the file's count as M.",
            "figures",
            "uncited",
        ),
        Hint(counter, "counter"),
    ]


def _nothing(found: list[str]) -> bool | str:
    if not found:
        return True
    more = f" And {len(found) - _MOST} more like these." if len(found) > _MOST else ""
    return " ".join(found[:_MOST]) + more


def _count(found: list[str]) -> str:
    return "nothing to change" if not found else f"{len(found)} to change"
