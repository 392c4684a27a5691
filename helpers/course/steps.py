"""The next step of a learner: a walkthrough, an exercise of a lab, or a quiz."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from helpers.course.status import ModuleState


@dataclass(frozen=True)
class Step:
    """What to do next.

    Attributes:
        kind: what it is.
        module: its module, such as "05".
        what: a phrase for it, such as "exercise 05.2, Take the queue's place".
        file: the notebook that it is in, as a path below the course's folder; None without one.
    """

    kind: Literal["walkthrough", "exercise", "quiz"]
    module: str
    what: str
    file: str | None


def next_step(states: Sequence[ModuleState], last: str | None = None) -> Step | None:
    """The first thing that is not done, from module `last` on; None when all is done.

    After the last module come those before `last`. A module begins with its walkthrough. Once
    anything of it was tried, its first open exercise follows, and after the last one what is left
    of the quiz.

    Args:
        states: in the order of the modules.
        last: the module that the learner worked on last; None begins with the first one.
    """
    at = next((n for n, state in enumerate(states) if state.module == last), 0)
    for state in [*states[at:], *states[:at]]:
        step = _of_module(state)
        if step is not None:
            return step
    return None


def _of_module(state: ModuleState) -> Step | None:
    if not state.begun and state.walkthrough and (state.exercises or state.quiz_total):
        title = f"the walkthrough of module {state.module}, {state.title}"
        return Step("walkthrough", state.module, title, state.walkthrough)
    for exercise in state.exercises:
        if not exercise.closed:
            what = f"exercise {exercise.id}, {exercise.title}"
            return Step("exercise", state.module, what, state.lab)
    if state.quiz_right < state.quiz_total:
        what = f"the quiz that ends the walkthrough of module {state.module}"
        return Step("quiz", state.module, what, state.walkthrough)
    return None
