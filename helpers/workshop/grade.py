"""Grade a folder of submissions: each learner's labs, with the course's own solution as control."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from helpers.course.card import printable
from helpers.paths import ROOT
from helpers.workshop.kept import Kept, course_digest, key
from helpers.workshop.labs import GradeError, Lab, labs
from helpers.workshop.matching import Matched
from helpers.workshop.platforms import plain
from helpers.workshop.progress import Task
from helpers.workshop.reviews import Reviewed, reviewed
from helpers.workshop.roster import Roster
from helpers.workshop.run import Grade, Limits
from helpers.workshop.runs import NOT_GRADED, Settled, run_all
from helpers.workshop.submitted import OTHER_LAB, UNREADABLE, Submission, handed_in

__all__ = ["NOT_GRADED", "Grade", "LearnerRow", "Limits", "Report", "grade"]

NOT_YET = "not graded yet"
_NOTHING = "nothing handed in"
_FEW = 5  # fewer than a fifth as many learners as for the most common lab: the lab is not counted
_MOST_NAMED = 4


@dataclass(frozen=True)
class LearnerRow:
    """One learner: exercise -> grade, and what else the instructor should know.

    An exercise has no grade where it does not count as missing: in a lab that few handed in, and
    where `only` left the learner out and nothing was graded before. `private` are notes for the
    instructor alone, since they may name other people. `handed_in` is False where nothing came from
    a learner of the roster. `seconds` is how long the learner's labs ran, even if that was on
    another day. `submission` says in a few words what became of the submission: "graded", "graded,
    late", "nothing handed in", "not readable", "another lab", "no exercise of a lab", "no notebook"
    or "not graded yet". `id` and `email` are the roster's, and `listed` is False where the learner
    is not on it. `uncounted` are the exercises that are not counted. `chosen` is False where `only`
    left the learner out.
    """

    learner: str
    grades: dict[str, Grade]
    notes: tuple[str, ...]
    handed_in: bool = True
    seconds: float = 0.0
    private: tuple[str, ...] = ()
    submission: str = "graded"
    id: str = ""
    email: str = ""
    listed: bool = True
    uncounted: frozenset[str] = frozenset()
    chosen: bool = True

    @property
    def passed(self) -> int:
        """How many of the exercises that count have passed."""
        return sum(
            grade.status == "passed"
            for exercise, grade in self.grades.items()
            if exercise not in self.uncounted
        )

    @property
    def total(self) -> int:
        """How many exercises count."""
        return len(self.grades.keys() - self.uncounted)

    @property
    def score(self) -> str:
        """Such as "3 of 5"; "" where nothing has been graded yet."""
        return f"{self.passed} of {self.total}" if self.total else ""

    def status(self, exercise: str) -> str:
        """Such as "passed" or "partly 7/8"; "" where there is no grade."""
        grade = self.grades.get(exercise)
        if grade is None:
            return ""
        some = f" {grade.passed}/{grade.total}" if grade.status == "partly" else ""
        return f"{grade.status}{some}"


@dataclass(frozen=True)
class Report:
    """Every learner, with the exercises of all.

    `faults` are the grader's and the course's own: the exercises concerned are not graded. `notes`
    are about files that belong to no learner. `titles` are the exercises'. `seconds` is how long
    the grading took, and `run` how many labs it ran. `roster` says whether there was one.
    """

    exercises: tuple[str, ...]
    learners: tuple[LearnerRow, ...]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    seconds: float = 0.0
    run: int = 0
    roster: bool = False

    @property
    def chosen(self) -> list[LearnerRow]:
        """The learners who were graded now: all, unless `only` left some out."""
        return [row for row in self.learners if row.chosen]


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

    Where an exercise does not pass, the course's own solution is run too, once for each lab. An
    exercise that this solution does not pass on this machine, within these limits, is not graded
    and is a fault. Equal submissions are run once.

    Of several labs, one that fewer than a fifth as many learners handed in as the most common one
    is not counted, and is missing for nobody: a stray notebook says nothing about a class.

    Args:
        folder: a sub-folder, a zip or a notebook for each learner; or one zip of all.
        course: the course whose labs and checks count.
        limits: what each submission may use.
        jobs: how many submissions run at once.
        say: gets one line for each submission, with how many are done and the time left.
        roster: the class.
        only: a pattern of the names, ids or addresses of the learners that are graded, such as
            "Ada*"; capitals and accents make no difference. The others have what `state` keeps.
        wanted: the labs that are graded, by number or name; where it is (), those handed in.
        state: a folder that keeps results, so that a second run grades what has changed.
        again: grade also what is kept there.

    Raises:
        GradeError: there is nothing to grade, or no lab to grade it with.
        KeyboardInterrupt: the instructor's Ctrl-C; what was graded is kept.
    """
    begun = time.monotonic()
    limits = limits or Limits()
    known = labs(course)
    asked = _wanted(known, wanted)
    handed = handed_in(folder, known, roster=roster, wanted=[lab.stem for lab in asked])
    read = {one.learner: reviewed(one.pages) for one in handed.submissions if one.pages}
    counts = {
        lab.stem: sum(
            lab.stem in one.labs or bool(_answers(lab, read.get(one.learner)))
            for one in handed.submissions
        )
        for lab in asked
    }
    chosen = [lab for lab in asked if wanted or counts[lab.stem]]
    few = (
        [] if wanted else [lab for lab in chosen if counts[lab.stem] * _FEW < max(counts.values())]
    )
    for lab in few:
        others = " ".join(f"--lab {one.module}" for one in chosen if one not in few)
        say(
            f"lab {lab.module}: {counts[lab.stem]} of {len(handed.submissions)} learners handed it "
            f"in. It is graded but not counted; {others} leaves it out"
        )
    named = _chosen(handed.submissions, only)
    version = course_digest(course)
    tasks = {
        (one.learner, lab.stem): Task(one.learner, lab, matched, key(lab, matched, version, limits))
        for one in handed.submissions
        for lab in chosen
        if (matched := one.labs.get(lab.stem)) is not None
        # An export carries its evidence, and is graded in the notebook's place.
        and not _answers(lab, read.get(one.learner))
    }
    settled, ran = run_all(
        [task for task in tasks.values() if task.learner in named],
        course=course,
        version=version,
        limits=limits,
        jobs=jobs,
        kept=Kept(state, say, again=again) if state else None,
        say=say,
    )
    before = Kept(state, say) if state else None  # of those whom `only` leaves out
    for task in tasks.values():
        if task.key not in settled and before and (result := before.get(task.key)):
            settled[task.key] = Settled(result)
    results = {name: settled.get(task.key) for name, task in tasks.items()}
    equal = _equal(list(tasks.values()))
    return Report(
        tuple(exercise for lab in chosen for exercise in lab.exercises),
        tuple(
            _row(
                one,
                chosen,
                few,
                read.get(one.learner, _NO_PAGES),
                results,
                equal.get(one.learner, ()),
                roster=roster is not None,
                chosen=one.learner in named,
            )
            for one in handed.submissions
        ),
        tuple(dict.fromkeys(printable(one) for each in settled.values() for one in each.faults)),
        tuple(map(printable, handed.notes)),
        tuple(lab.titles.get(exercise, "") for lab in chosen for exercise in lab.exercises),
        time.monotonic() - begun,
        ran,
        roster is not None,
    )


_NO_PAGES = Reviewed({}, ())


def _answers(lab: Lab, pages: Reviewed | None) -> dict[str, Grade]:
    """The grades of a lab that come from exported answers."""
    found = pages.grades if pages else {}
    return {exercise: found[exercise] for exercise in lab.exercises if exercise in found}


def _wanted(known: Sequence[Lab], wanted: Sequence[str]) -> list[Lab]:
    for name in wanted:
        if not any(name in (lab.module, lab.stem) for lab in known):
            there = ", ".join(lab.module for lab in known)
            raise GradeError(f"There is no lab {name!r}; there are: {there}.")
    return [lab for lab in known if not wanted or {lab.module, lab.stem} & set(wanted)]


def _chosen(submissions: Sequence[Submission], only: str | None) -> set[str]:
    """The learners whom a pattern fits."""
    found = {
        one.learner
        for one in submissions
        if only is None
        or any(
            fnmatchcase(plain(name), plain(only))
            for name in (one.learner, *((one.person.id, one.person.email) if one.person else ()))
        )
    }
    if not found:
        names = ", ".join(one.learner for one in submissions)
        raise GradeError(f"No learner's name, id or address matches {only!r}; there are: {names}.")
    return found


def _equal(tasks: Sequence[Task]) -> dict[str, list[str]]:
    """Learner -> notes on labs whose answers are those of another learner; empty labs are not."""
    together: dict[str, list[Task]] = {}
    for task in tasks:
        given = task.lab.given
        if any(answer != given[name] for name, answer in task.matched.answers.items()):
            together.setdefault(task.key, []).append(task)
    notes: dict[str, list[str]] = {}
    for group in together.values():
        for task in group:
            if others := [one.learner for one in group if one is not task]:
                left = len(others) - _MOST_NAMED
                more = f" and {left} more" if left > 0 else ""
                notes.setdefault(task.learner, []).append(
                    f"{task.lab.stem}: the same answers as {', '.join(others[:_MOST_NAMED])}{more}"
                )
    return notes


def _row(
    one: Submission,
    labs: Sequence[Lab],
    few: Collection[Lab],
    answers: Reviewed,
    results: Mapping[tuple[str, str], Settled | None],
    equal: Sequence[str],
    *,
    roster: bool,
    chosen: bool,
) -> LearnerRow:
    grades: dict[str, Grade] = {}
    notes = [*one.notes, *answers.notes]
    seconds = 0.0
    came: list[Lab] = []
    waiting = False
    for lab in labs:
        name = (one.learner, lab.stem)
        exported, found = _answers(lab, answers), results.get(name)
        if not exported and not found:
            if name in results:
                waiting = True  # `only` left the learner out
            elif lab not in few:
                grades |= dict.fromkeys(lab.exercises, Grade("missing"))
            continue
        came.append(lab)
        grades |= dict.fromkeys(lab.exercises, Grade("missing")) | exported
        if found:
            grades |= found.result.grades
            seconds += found.result.seconds
            matched: Matched = one.labs[lab.stem]
            notes += [f"{lab.stem}: {note}" for note in (*matched.notes, *found.result.notes)]
    if not one.handed_in:
        submission = _NOTHING
    elif waiting:
        submission = NOT_YET
    elif any(lab not in few for lab in came):
        submission = "graded, late" if any(lab.stem in one.late for lab in came) else "graded"
    elif came:
        submission = OTHER_LAB
    else:
        submission = UNREADABLE if answers.unreadable else one.instead
    # Names of files and what a learner's code raises may hold anything: an escape sequence for the
    # terminal, half of a character.
    return LearnerRow(
        printable(one.learner),
        {exercise: _printable(grade) for exercise, grade in grades.items()},
        tuple(dict.fromkeys(map(printable, notes))),
        one.handed_in,
        seconds,
        tuple(map(printable, (*one.private, *equal))),
        submission,
        one.person.id if one.person else "",
        one.person.email if one.person else "",
        one.person is not None or not roster,
        frozenset(exercise for lab in few for exercise in lab.exercises),
        chosen,
    )


def _printable(grade: Grade) -> Grade:
    failed = tuple((printable(name), printable(told)) for name, told in grade.failed)
    return replace(grade, detail=printable(grade.detail), failed=failed)
