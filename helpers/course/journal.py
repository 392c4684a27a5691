"""The learner's journal: what was recorded of each module, with dates, as data.

It holds what progress and evidence files hold, and the tables that end the learner's notebooks:
no code, no name.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.course import progress, questions
from helpers.course.gathered import Gathered, gathered
from helpers.course.given import GIVEN, counts
from helpers.course.measured import Measured, measured
from helpers.course.status import ModuleState
from helpers.course.status import status as read_status


@dataclass(frozen=True)
class Try:
    """One result of a check: `passed` of `total` parts, at a local time with its zone."""

    at: datetime
    status: str
    passed: int
    total: int


@dataclass(frozen=True)
class CheckLine:
    """One exercise: its first and its best result; both None where it was never tried."""

    id: str
    title: str
    status: str
    first: Try | None
    best: Try | None
    tries: int
    hints: int


@dataclass(frozen=True)
class QuizLine:
    """One question of a quiz.

    `first` is when it was answered first; `right` when rightly first, None where never.
    """

    question: str
    first: datetime
    right: datetime | None
    tries: int


@dataclass(frozen=True)
class ModuleJournal:
    """What was recorded of one module."""

    state: ModuleState
    checks: tuple[CheckLine, ...]
    quiz: tuple[QuizLine, ...]
    evidence: tuple[Gathered, ...]
    measured: tuple[Measured, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing was recorded."""
        tried = any(one.tries or one.hints or one.status == GIVEN for one in self.checks)
        return not (tried or self.quiz or self.evidence or self.measured)


@dataclass(frozen=True)
class Journal:
    """All modules, and evidence that belongs to none of them; `written` is when it was read."""

    written: datetime
    modules: tuple[ModuleJournal, ...]
    other: tuple[Gathered, ...]


def read(*, root: Path) -> Journal:
    """The journal as it is now; `root` is the course's folder."""
    evidence = gathered()
    tries, answers = _tries(), _answers()
    states = read_status(root=root)
    known = {state.module for state in states}
    return Journal(
        datetime.now().astimezone(),
        tuple(
            ModuleJournal(
                state,
                tuple(
                    CheckLine(
                        one.id,
                        one.title,
                        one.status,
                        *_first_and_best(tries.get(one.id, [])),
                        one.tries,
                        one.hints,
                    )
                    for one in state.exercises
                ),
                _quiz(state.module, answers),
                tuple(one for one in evidence if one.module == state.module),
                tuple(measured(state.module, root=root)),
            )
            for state in states
        ),
        tuple(one for one in evidence if one.module not in known),
    )


def _tries() -> dict[str, list[Try]]:
    """Exercise -> the learner's own tries, in order, without *not done yet*."""
    marks = progress.given_marks()
    found: dict[str, list[Try]] = {}
    for number, at, exercise, status, passed, total in progress.rows(
        "SELECT rowid, at, exercise, status, passed, total FROM checks ORDER BY rowid"
    ):
        if status != progress.STATUSES[0] and counts(number, marks.get(exercise, [])):
            one = Try(datetime.fromisoformat(at), status, passed, total)
            found.setdefault(exercise, []).append(one)
    return found


def _first_and_best(tries: list[Try]) -> tuple[Try | None, Try | None]:
    if not tries:
        return None, None
    # The earliest of the best: max keeps the first of equals.
    rank = progress.STATUSES.index
    return tries[0], max(tries, key=lambda one: (rank(one.status), one.passed))


def _answers() -> dict[tuple[str, str], list[tuple[datetime, bool]]]:
    found: dict[tuple[str, str], list[tuple[datetime, bool]]] = {}
    rows: list[tuple[Any, ...]] = progress.rows(
        "SELECT at, module, question, correct FROM answers ORDER BY rowid"
    )
    for at, module, question, correct in rows:
        found.setdefault((module, question), []).append((datetime.fromisoformat(at), bool(correct)))
    return found


def _quiz(
    module: str, answers: dict[tuple[str, str], list[tuple[datetime, bool]]]
) -> tuple[QuizLine, ...]:
    if module not in questions.modules():
        return ()
    return tuple(
        QuizLine(
            one.question,
            given[0][0],
            next((at for at, right in given if right), None),
            len(given),
        )
        for one in questions.load(module)
        if (given := answers.get((module, one.id)))
    )
