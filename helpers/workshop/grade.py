"""Grade a folder of submissions: each learner's labs, with the course's own solution as control."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.paths import ROOT
from helpers.workshop.kept import Kept, course_digest, key
from helpers.workshop.labs import GradeError, Lab, labs
from helpers.workshop.matching import Matched
from helpers.workshop.progress import Task
from helpers.workshop.reviews import Reviewed, reviewed
from helpers.workshop.roster import Roster
from helpers.workshop.run import Grade, Limits
from helpers.workshop.runs import NOT_GRADED, Settled, run_all
from helpers.workshop.submitted import Submission, handed_in

__all__ = ["NOT_GRADED", "Grade", "LearnerRow", "Limits", "Report", "grade"]


@dataclass(frozen=True)
class LearnerRow:
    """One learner: exercise -> grade, and what else the instructor should know.

    `handed_in` is False where nothing came from a learner of the roster. `seconds` is how long the
    learner's labs ran, also where that was on another day.
    """

    learner: str
    grades: dict[str, Grade]
    notes: tuple[str, ...]
    handed_in: bool = True
    seconds: float = 0.0

    @property
    def passed(self) -> int:
        """How many exercises passed."""
        return sum(grade.status == "passed" for grade in self.grades.values())


@dataclass(frozen=True)
class Report:
    """Every learner, with the same exercises for all.

    `faults` are the grader's and the course's own: what they concern is not graded. `notes` are
    about files that are no learner's. `titles` are the exercises'. `seconds` is how long the
    grading took, and `run` of how many labs it ran.
    """

    exercises: tuple[str, ...]
    learners: tuple[LearnerRow, ...]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    seconds: float = 0.0
    run: int = 0


def grade(
    folder: Path,
    *,
    course: Path = ROOT,
    limits: Limits | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda _: None,
    roster: Roster | None = None,
    only: str | None = None,
    wanted: Sequence[str] = (),
    state: Path | None = None,
    again: bool = False,
) -> Report:
    """Grade a folder of submissions; see `helpers.workshop` for what this is not.

    Where an exercise does not pass, the course's own solution is run too, once for each lab: what
    that does not pass on this machine and within these limits is not graded, and is a fault. Equal
    submissions are run once.

    Args:
        folder: a sub-folder, a zip or a notebook for each learner; or one zip of all.
        course: the course whose labs and checks count.
        limits: what each submission may use.
        jobs: how many submissions run at once.
        say: gets one line for each submission, with how many are done and the time left.
        roster: the class.
        only: a pattern of the names of the learners that are graded.
        wanted: the labs that are graded, by number or name; those that were handed in for ().
        state: a folder that keeps results, so that a second run grades what has changed.
        again: grade also what is kept there.

    Raises:
        GradeError: there is nothing to grade, or no lab to grade it with.
        KeyboardInterrupt: the instructor's Ctrl-C; what was graded is kept.
    """
    begun = time.monotonic()
    limits = limits or Limits()
    known = _wanted(labs(course), wanted)
    handed = handed_in(folder, known, roster=roster, only=only)
    read = {one.learner: reviewed(one.pages) for one in handed.submissions if one.pages}
    answered = {exercise for one in read.values() for exercise in one.grades}
    chosen = [
        lab
        for lab in known
        if wanted
        or any(lab.stem in one.labs for one in handed.submissions)
        or answered & set(lab.exercises)
    ]
    version = course_digest(course)
    tasks = {
        (one.learner, lab.stem): Task(one.learner, lab, matched, key(lab, matched, version, limits))
        for one in handed.submissions
        for lab in chosen
        if (matched := one.labs.get(lab.stem)) is not None
        # An export carries its evidence, and is graded in the notebook's place.
        and not read.get(one.learner, _NO_PAGES).grades.keys() & set(lab.exercises)
    }
    settled, ran = run_all(
        list(tasks.values()),
        course=course,
        version=version,
        limits=limits,
        jobs=jobs,
        kept=Kept(state, say, again=again) if state else None,
        say=say,
    )
    results = {name: settled[task.key] for name, task in tasks.items()}
    return Report(
        tuple(exercise for lab in chosen for exercise in lab.exercises),
        tuple(
            _row(one, chosen, read.get(one.learner, _NO_PAGES), results)
            for one in handed.submissions
        ),
        tuple(dict.fromkeys(fault for one in settled.values() for fault in one.faults)),
        handed.notes,
        tuple(lab.titles.get(exercise, "") for lab in chosen for exercise in lab.exercises),
        time.monotonic() - begun,
        ran,
    )


_NO_PAGES = Reviewed({}, ())


def _wanted(known: Sequence[Lab], wanted: Sequence[str]) -> list[Lab]:
    for name in wanted:
        if not any(name in (lab.module, lab.stem) for lab in known):
            there = ", ".join(lab.module for lab in known)
            raise GradeError(f"There is no lab {name!r}; there are: {there}.")
    return [lab for lab in known if not wanted or {lab.module, lab.stem} & set(wanted)]


def _row(
    one: Submission,
    chosen: Sequence[Lab],
    answers: Reviewed,
    results: dict[tuple[str, str], Settled],
) -> LearnerRow:
    grades: dict[str, Grade] = {}
    notes = [*one.notes, *answers.notes]
    seconds = 0.0
    for lab in chosen:
        grades |= dict.fromkeys(lab.exercises, Grade("missing"))
        if graded := {name: it for name, it in answers.grades.items() if name in lab.exercises}:
            grades |= graded
        elif found := results.get((one.learner, lab.stem)):
            grades |= found.result.grades
            seconds += found.result.seconds
            matched: Matched = one.labs[lab.stem]
            notes += [f"{lab.stem}: {note}" for note in (*matched.notes, *found.result.notes)]
    return LearnerRow(one.learner, grades, tuple(dict.fromkeys(notes)), one.handed_in, seconds)
