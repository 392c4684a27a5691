"""Exercise 11.5: a runbook as code, in shifts with an incident and in one without."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.operate.testing.drill import Drilled


@exercise(
    "11.5",
    title="The gate: a drill ended within the time",
    gate=True,
    hints=[
        "Begin with the loop: `while await console.wait(1):`, and in it one branch for each kind of"
        " page. A branch diagnoses, acts and returns.",
        Hint(
            "Look at the console's pages each minute. Which alert fires while most answers fail,"
            " and which one while a canary question gets a wrong answer?",
            "time",
        ),
        Hint(
            "The answers tell which document is poisoned: take the `document` of those that"
            " have `addresses`. The last edit is often one of another document.",
            "poisoned",
        ),
        Hint(
            "Count `customer` in the last answers, without the empty one. In a cost spike, one"
            " customer has a large share of all answers.",
            "cost",
        ),
        Hint(
            "A page is no proof. Before you limit a customer, see whether one customer really has a"
            " large share; and go on watching until `wait` returns False.",
            "quiet",
        ),
    ],
)
def on_duty(answer: Any) -> Iterator[Case]:
    """Five shifts that the lab does not have; a shift is left out when one before it has failed."""
    from helpers.course.exercises.m11 import shifts

    tried = shifts.Tried(answer)

    def shift(kind: str, about: str) -> Case:
        return Case(
            f"a shift: {kind}" if kind != "none" else "a quiet shift",
            call=lambda: tried.found(kind),
            expect=Expectation(shifts.expected(kind), judge=shifts.judge, show=shifts.told),
            show="await operator(console)",
            slips=SLIPS,
            limit=120,
            about=about,
            live=True,
            after_all=True,
        )

    yield Case(
        "operator is async",
        call=tried.is_async,
        expect=True,
        show="inspect.iscoroutinefunction(operator)",
        about="function",
        slips=[Slip.value("sync", False, "Write `async def`: `console.wait` must be awaited.")],
    )
    yield shift("model down", "time")
    yield shift("bad release", "time")
    yield shift("poisoned document", "poisoned")
    yield shift("cost spike", "cost")
    yield shift("none", "quiet")


_OBJECTS = (
    "Pages and changes are objects, and answers and figures dicts: `page.alert`, `change.what`,"
    ' `one["document"]`, `console.figures()["failed"]`.'
)


def _acted_wrongly(found: "Drilled") -> bool:
    return bool(found.wrong_actions)


def _never_diagnosed(found: "Drilled") -> bool:
    return found.plan.begins is not None and found.ended is not None and found.diagnosed is None


def _left_early(found: "Drilled") -> bool:
    return found.plan.begins is None and not found.wrong_actions and not found.wrong_diagnoses


def _only_said(found: "Drilled") -> bool:
    return found.diagnosed is not None and not any(one.what == "acted" for one in found.events)


SLIPS = (
    Slip.raises("subscript", TypeError, _OBJECTS),
    Slip.raises("attribute", AttributeError, _OBJECTS),
    Slip.when(
        "wrong-action",
        _acted_wrongly,
        "An action was wrong: it changed a healthy part of the service.",
    ),
    Slip.when(
        "undiagnosed",
        _never_diagnosed,
        "The incident is over, but nobody said what it was: call console.diagnose.",
    ),
    Slip.when(
        "only-said",
        _only_said,
        "There is a diagnosis, but no action: call console.act.",
    ),
    Slip.when(
        "left-early",
        _left_early,
        "The function returned before the end of a shift: an incident may begin at any minute.",
    ),
)
