"""What is done and what is left, module by module: the data of `course status`."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helpers import programs
from helpers.course import gathered, progress, questions
from helpers.course.given import GIVEN
from helpers.course.minutes import Minutes, MinutesError, before, of_module


@dataclass(frozen=True)
class ExerciseState:
    """How one exercise stands; see `progress.CheckRecord`. `status` may be *given*."""

    id: str
    title: str
    status: str
    passed: int
    total: int
    tries: int
    hints: int

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do: it is passed, or its solution was given."""
        return self.status in (progress.STATUSES[-1], GIVEN)


@dataclass(frozen=True)
class ModuleState:
    """How one module stands.

    Attributes:
        walkthrough: its notebook's path below the course's folder, as `lab` is; None without one.
        quiz_right: questions of `quiz_total` that were answered rightly at some time.
        quiz_tried: whether any question was answered at all.
        needs: the modules that come before it.
        programs: what it uses that does not come with the course; `missing` is not on this machine.
        minutes: as its notebooks state them; None where one cannot be read.
        evidence: the names of the evidence files that were gathered with its commands.
        problem: why minutes cannot be read: a sentence that names the notebook; "" mostly.
    """

    module: str
    title: str
    walkthrough: str | None
    lab: str | None
    exercises: tuple[ExerciseState, ...]
    quiz_right: int
    quiz_total: int
    quiz_tried: bool
    needs: tuple[str, ...]
    programs: tuple[str, ...]
    missing: tuple[str, ...]
    minutes: Minutes | None
    evidence: tuple[str, ...]
    problem: str = ""

    @property
    def checks_passed(self) -> int:
        """How many exercises are passed."""
        return sum(exercise.status == "passed" for exercise in self.exercises)

    @property
    def hints(self) -> int:
        """How many hints were shown."""
        return sum(exercise.hints for exercise in self.exercises)

    @property
    def begun(self) -> bool:
        """Whether anything of it was tried: a question of the quiz, a check, a hint."""
        return self.quiz_tried or any(
            one.closed or one.tries or one.hints for one in self.exercises
        )

    @property
    def minutes_left(self) -> int | None:
        """Minutes of the walkthrough, until its quiz or the lab shows it read, and of the lab.

        The lab's minutes are shared out evenly among its exercises.
        """
        if self.minutes is None:
            return None
        closed = sum(exercise.closed for exercise in self.exercises)
        read = closed or (self.quiz_total and self.quiz_right == self.quiz_total)
        total = len(self.exercises)
        lab = math.ceil(self.minutes.lab * (total - closed) / total) if total else 0
        return (0 if read else self.minutes.walkthrough) + lab


def status(*, root: Path) -> list[ModuleState]:
    """Every module that has exercises or a quiz, with what was recorded of it."""
    recorded = progress.report()
    exercises = _exercises()
    evidence = gathered.names()
    modules = sorted({*exercises, *questions.modules()})
    return [
        _state(
            module,
            exercises.get(module, []),
            recorded.get(module),
            tuple(evidence.get(module, ())),
            root,
        )
        for module in modules
    ]


def as_json(states: Sequence[ModuleState]) -> dict[str, Any]:
    """The report as data."""
    return {
        "modules": [
            {
                "module": state.module,
                "title": state.title,
                "walkthrough": state.walkthrough,
                "lab": state.lab,
                "needs": {
                    "modules": list(state.needs),
                    "programs": list(state.programs),
                    "missing": list(state.missing),
                },
                "minutes": {**state.minutes._asdict(), "left": state.minutes_left}
                if state.minutes
                else None,
                "evidence": list(state.evidence),
                "checks": {
                    "passed": state.checks_passed,
                    "total": len(state.exercises),
                    "exercises": [asdict(exercise) for exercise in state.exercises],
                },
                "quiz": {"right": state.quiz_right, "total": state.quiz_total},
            }
            for state in states
        ]
    }


def _state(
    module: str,
    exercises: Sequence[tuple[str, str]],
    recorded: progress.ModuleProgress | None,
    evidence: tuple[str, ...],
    root: Path,
) -> ModuleState:
    checks = {one.exercise: one for one in recorded.checks} if recorded else {}
    right = {one.question for one in recorded.quiz if one.right} if recorded else set()
    asked = {one.id for one in questions.load(module)} if module in questions.modules() else set()
    minutes, needs, problem = _line(module, root)
    return ModuleState(
        module=module,
        title=_title(module, root),
        walkthrough=_notebook("notebooks", module, root),
        lab=_notebook("labs", module, root),
        exercises=tuple(
            _exercise(exercise, title, checks.get(exercise)) for exercise, title in exercises
        ),
        quiz_right=len(right & asked),
        quiz_total=len(asked),
        quiz_tried=bool(recorded and recorded.quiz),
        needs=needs,
        programs=programs.used(module),
        missing=programs.missing(module),
        minutes=minutes,
        evidence=evidence,
        problem=problem,
    )


def _notebook(folder: str, module: str, root: Path) -> str | None:
    found = sorted((root / folder).glob(f"{module}_*.ipynb"))
    return found[0].relative_to(root).as_posix() if found else None


def _line(module: str, root: Path) -> tuple[Minutes | None, tuple[str, ...], str]:
    """Minutes and needs, as far as the notebooks can be read: a learner may have damaged one."""
    try:
        return of_module(module, root=root), before(module, root=root), ""
    except MinutesError as error:
        return None, (), str(error)


def _exercise(exercise: str, title: str, record: progress.CheckRecord | None) -> ExerciseState:
    if record is None:
        return ExerciseState(exercise, title, progress.STATUSES[0], 0, 0, 0, 0)
    return ExerciseState(
        exercise, title, record.status, record.passed, record.total, record.tries, record.hints
    )


def _title(module: str, root: Path) -> str:
    names = sorted((root / "notebooks").glob(f"{module}_*.ipynb")) or sorted(
        (root / "labs").glob(f"{module}_*.ipynb")
    )
    return names[0].stem[3:].replace("_", " ") if names else ""


def _exercises() -> dict[str, list[tuple[str, str]]]:
    """Module -> its exercises, each with its title."""
    from helpers.course.exercises.define import modules, of_module

    return {module: [(one.id, one.title) for one in of_module(module)] for module in modules()}
