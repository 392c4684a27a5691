"""Grade a folder of submissions: each learner's labs, with the course's own solution as control."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from helpers.paths import ROOT
from helpers.workshop.labs import Lab, Submission, labs, solution, submissions
from helpers.workshop.matching import Matched
from helpers.workshop.reviews import Reviewed, reviewed
from helpers.workshop.run import Grade, LabResult, Limits, run_lab

__all__ = ["Grade", "LearnerRow", "Limits", "Report", "grade"]

_NOT_GRADED = "not graded"


@dataclass(frozen=True)
class LearnerRow:
    """One learner: exercise -> grade, and what else the instructor should know."""

    learner: str
    grades: dict[str, Grade]
    notes: tuple[str, ...]

    @property
    def passed(self) -> int:
        """How many exercises passed."""
        return sum(grade.status == "passed" for grade in self.grades.values())


@dataclass(frozen=True)
class Report:
    """Every learner, with the same exercises for all.

    `faults` are the grader's and the course's own: what they concern is not graded.
    """

    exercises: tuple[str, ...]
    learners: tuple[LearnerRow, ...]
    faults: tuple[str, ...] = ()


def grade(
    folder: Path,
    *,
    course: Path = ROOT,
    limits: Limits | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Grade a folder of submissions; see `helpers.workshop` for what this is not.

    Where an exercise does not pass, the course's own solution is run too, once for each lab: what
    that does not pass on this machine and within these limits is not graded, and is a fault.

    Args:
        folder: a sub-folder of notebooks and exported answers, or one of them, for each learner.
        course: the course whose labs and checks count.
        limits: what each submission may use.
        jobs: how many submissions run at once.
        say: gets one line for each submission.

    Raises:
        GradeError: there is nothing to grade, or no lab to grade it with.
    """
    limits = limits or Limits()
    known = labs(course)
    handed_in = submissions(folder, known)
    read = {one.learner: reviewed(one.pages) for one in handed_in if one.pages}
    answered = {exercise for one in read.values() for exercise in one.grades}
    chosen = [
        lab
        for lab in known
        if any(lab.stem in one.labs for one in handed_in) or answered & set(lab.exercises)
    ]
    controls = {lab.stem: _Control(lab, course, limits, say) for lab in chosen}
    faults: dict[str, None] = {}  # in order, each once

    def row(submission: Submission) -> LearnerRow:
        grades: dict[str, Grade] = {}
        answers = read.get(submission.learner, Reviewed({}, ()))
        notes = [*submission.notes, *answers.notes]
        for lab in chosen:
            if answers.grades.keys() & set(lab.exercises):  # an export carries its evidence
                missing = dict.fromkeys(lab.exercises, Grade("missing"))
                grades |= missing | answers.grades
                continue
            matched = submission.labs.get(lab.stem)
            if matched is None:
                grades |= dict.fromkeys(lab.exercises, Grade("missing"))
                continue
            found = run_lab(lab, matched, course, limits)
            settled, new = _settled(found, controls[lab.stem])
            grades |= settled
            faults.update(dict.fromkeys(f"{lab.stem}: {fault}" for fault in new))
            notes += [f"{lab.stem}: {note}" for note in (*matched.notes, *found.notes)]
        graded = LearnerRow(submission.learner, grades, tuple(dict.fromkeys(notes)))
        say(f"{submission.learner}: {graded.passed} of {len(grades)} passed")
        return graded

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        learners = tuple(pool.map(row, handed_in))
    exercises = tuple(exercise for lab in chosen for exercise in lab.exercises)
    return Report(exercises, learners, tuple(faults))


class _Control:
    """What comes of a lab on this machine with the course's own answers, found out at most once."""

    def __init__(self, lab: Lab, course: Path, limits: Limits, say: Callable[[str], None]) -> None:
        self._lab, self._course, self._limits, self._say = lab, course, limits, say
        self._lock = threading.Lock()
        self._result: LabResult | None = None
        self.solved = True

    def result(self) -> LabResult:
        """The result of the solution; of the untouched lab where the course has no solutions."""
        with self._lock:
            if self._result is None:
                answers = solution(self._course, self._lab)
                self.solved = answers is not None
                what = "the course's own solution" if self.solved else "the untouched lab"
                self._say(f"{self._lab.stem}: running {what} to compare")
                self._result = run_lab(self._lab, answers or Matched(), self._course, self._limits)
            return self._result


def _settled(found: LabResult, control: _Control) -> tuple[dict[str, Grade], list[str]]:
    """The grades, without those that are not the learner's doing, and the faults that led to it."""
    if found.fault:
        return dict.fromkeys(found.grades, Grade(_NOT_GRADED, detail=found.fault)), [found.fault]
    if not found.doubtful and not found.broken:
        return found.grades, []
    real = control.result()
    hit: Collection[str]
    if real.fault:
        hit, faults = found.doubtful, [real.fault]
    else:
        both = [name for name in found.broken if name in real.broken]
        faults = [f"{name} fails on this machine: {real.broken[name]}" for name in both]
        if control.solved:
            hit = {name for name in found.doubtful if real.grades[name].status != "passed"}
        else:
            hit = found.doubtful if both else frozenset()
    grades = dict(found.grades)
    for exercise in sorted(hit):
        why = faults[0] if faults else ""
        if control.solved and not real.fault:
            own = real.grades[exercise]
            why = f"the course's own solution of {exercise} does not pass here: {_told(own)}"
            faults.append(why)
        grades[exercise] = Grade(
            _NOT_GRADED, detail=f"{why} (the learner's: {_told(found.grades[exercise])})"
        )
    return grades, faults


def _told(grade: Grade) -> str:
    return f"{grade.status}: {grade.detail}" if grade.detail else grade.status
