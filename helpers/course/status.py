"""`course status`: what is done, module by module."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helpers.course import progress, questions


@dataclass(frozen=True)
class ExerciseState:
    """How one exercise stands; see `progress.CheckRecord`."""

    id: str
    title: str
    status: str
    passed: int
    total: int
    tries: int
    hints: int


@dataclass(frozen=True)
class ModuleState:
    """How one module stands.

    `quiz_right` of `quiz_total` questions were answered rightly at some time.
    """

    module: str
    title: str
    lab: str | None
    exercises: tuple[ExerciseState, ...]
    quiz_right: int
    quiz_total: int

    @property
    def checks_passed(self) -> int:
        """How many exercises are passed."""
        return sum(exercise.status == "passed" for exercise in self.exercises)


def status(*, root: Path) -> list[ModuleState]:
    """Every module that has exercises or a quiz, with what was recorded of it."""
    recorded = progress.report()
    exercises = _exercises()
    modules = sorted({*exercises, *questions.modules()})
    return [
        _state(module, exercises.get(module, []), recorded.get(module), root) for module in modules
    ]


def as_json(states: Sequence[ModuleState]) -> dict[str, Any]:
    """The report as data."""
    return {
        "modules": [
            {
                "module": state.module,
                "title": state.title,
                "lab": state.lab,
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


def as_text(states: Sequence[ModuleState]) -> str:
    """The report as a table, and where to go on."""
    if not states:
        return "This folder has no modules yet."
    rows = [("Module", "Checks passed", "Quiz answered")]
    rows += [(f"{one.module} {one.title}", _checks(one), _quiz(one)) for one in states]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows]
    return "\n".join([*lines, "", _next(states)])


def _checks(state: ModuleState) -> str:
    if not state.exercises:
        return "-"
    text = f"{state.checks_passed} of {len(state.exercises)}"
    open_ones = [
        f"{exercise.id} {exercise.status}"
        for exercise in state.exercises
        if exercise.status in ("partly", "wrong")
    ]
    return f"{text} ({', '.join(open_ones)})" if open_ones else text


def _quiz(state: ModuleState) -> str:
    return f"{state.quiz_right} of {state.quiz_total}" if state.quiz_total else "-"


def _next(states: Sequence[ModuleState]) -> str:
    for state in states:
        for exercise in state.exercises:
            if exercise.status != "passed":
                place = f" in {state.lab}" if state.lab else ""
                return f"Next: exercise {exercise.id}, {exercise.title}{place}."
        if state.quiz_right < state.quiz_total:
            return f"Next: the quiz that ends the walkthrough of module {state.module}."
    return "Every check has passed, and every quiz is answered."


def _state(
    module: str,
    exercises: Sequence[tuple[str, str]],
    recorded: progress.ModuleProgress | None,
    root: Path,
) -> ModuleState:
    checks = {one.exercise: one for one in recorded.checks} if recorded else {}
    right = {one.question for one in recorded.quiz if one.right} if recorded else set()
    asked = {one.id for one in questions.load(module)} if module in questions.modules() else set()
    lab = next((root / "labs").glob(f"{module}_*.ipynb"), None)
    return ModuleState(
        module=module,
        title=_title(module, root),
        lab=lab.relative_to(root).as_posix() if lab else None,
        exercises=tuple(
            _exercise(exercise, title, checks.get(exercise)) for exercise, title in exercises
        ),
        quiz_right=len(right & asked),
        quiz_total=len(asked),
    )


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
