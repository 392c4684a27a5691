"""Run each submission's exercise cells in a fresh lab, and collect what the real checks find."""

import ast
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any

from helpers.paths import ROOT
from helpers.workshop.kernel import Kernel, KernelGone, KernelStartError, Reply, literal
from helpers.workshop.labs import GradeError, Lab, Step, Submission, copy_course, labs, submissions

# All that a submission's kernel gets of the instructor's environment: no keys, no other settings.
_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "NUMBER_OF_PROCESSORS",
    "COURSE_THREADS",
)
_STOPPED = "stopped"


@dataclass(frozen=True)
class Grade:
    """One exercise of one learner.

    `status` is one of the check's (passed, partly, wrong, not done yet), or what kept it from being
    checked: missing (no such cell was submitted), error (its cell or its check raised), crashed,
    time limit, memory limit. `passed` of `total` counts the cases of the check.
    """

    status: str
    passed: int = 0
    total: int = 0
    detail: str = ""


@dataclass(frozen=True)
class LearnerRow:
    """One learner: exercise -> grade, and what the instructor should know besides."""

    learner: str
    grades: dict[str, Grade]
    notes: tuple[str, ...]

    @property
    def passed(self) -> int:
        """How many exercises passed."""
        return sum(grade.status == "passed" for grade in self.grades.values())


@dataclass(frozen=True)
class Report:
    """Every learner, with the same exercises for all."""

    exercises: tuple[str, ...]
    learners: tuple[LearnerRow, ...]


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for each cell, megabytes of memory; and how to run it."""

    seconds: float = 180.0
    megabytes: int = 3072
    fast: bool = False


def grade(
    folder: Path,
    *,
    course: Path = ROOT,
    limits: Limits | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Grade a folder of submissions; see `helpers.workshop` for what this is not.

    Args:
        folder: a sub-folder of notebooks, or one notebook, for each learner.
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
    chosen = [lab for lab in known if any(lab.stem in one.answers for one in handed_in)]

    def row(submission: Submission) -> LearnerRow:
        graded = _learner(submission, chosen, course, limits)
        say(f"{submission.learner}: {graded.passed} of {len(graded.grades)} passed")
        return graded

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        learners = tuple(pool.map(row, handed_in))
    exercises = tuple(exercise for lab in chosen for exercise in lab.exercises)
    return Report(exercises, learners)


def _learner(
    submission: Submission, chosen: Sequence[Lab], course: Path, limits: Limits
) -> LearnerRow:
    grades: dict[str, Grade] = {}
    notes = list(submission.notes)
    for lab in chosen:
        answers = submission.answers.get(lab.stem)
        if answers is None:
            grades |= dict.fromkeys(lab.exercises, Grade("missing"))
            continue
        run = _Run(lab, answers, course, limits)
        grades |= run.grades()
        notes += run.notes
    return LearnerRow(submission.learner, grades, tuple(dict.fromkeys(notes)))


@dataclass
class _Run:
    """One lab of one learner: as many kernels as it takes to give every exercise its turn."""

    lab: Lab
    answers: dict[str, str]
    course: Path
    limits: Limits
    notes: list[str] = field(default_factory=list)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def grades(self) -> dict[str, Grade]:
        """Exercise -> grade."""
        ended: dict[str, Grade] = {}
        # An exercise that ends the kernel is left out of the next round, so that it costs the
        # learner itself alone.
        while True:
            gone = self._round(skipped=ended)
            if gone is None:
                break
            exercise, grade = gone
            if exercise in ended:  # it ends without anything of the learner's
                self._note(f"{self.lab.stem}: the rest could not be run: {grade.detail}")
                break
            ended[exercise] = grade
        return {exercise: self._grade(exercise, ended) for exercise in self.lab.exercises}

    def _grade(self, exercise: str, ended: dict[str, Grade]) -> Grade:
        if exercise in ended:
            return ended[exercise]
        if exercise not in self.answers:
            return Grade("missing")
        error = self.errors.get(exercise, "")
        if result := self.found.get(exercise):
            return Grade(result["status"], result["passed"], result["total"], error)
        if error.startswith("MemoryError"):
            return Grade("memory limit", detail=error)
        return Grade("time limit" if error.startswith(_STOPPED) else "error", detail=error)

    def _round(self, skipped: Iterable[str]) -> tuple[str, Grade] | None:
        """Run the whole lab once; the exercise that ended its kernel, if one did."""
        self.errors.clear()
        self.found.clear()
        given = {name: text for name, text in self.answers.items() if name not in skipped}
        last = self.lab.exercises[0]
        # ignore_cleanup_errors: a submission may leave what cannot be deleted.
        with tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True) as place:
            desk = _Desk(Path(place), self.lab, self.course)
            environment = desk.environment(fast=self.limits.fast)
            try:
                with Kernel(
                    desk.work,
                    runtime=Path(place),
                    environment=environment,
                    seconds=self.limits.seconds,
                    megabytes=self.limits.megabytes,
                ) as kernel:
                    desk.enter(kernel, self.lab.module, self.course)
                    for step in self.lab.steps(given):
                        last = self._blamed(step, last, skipped)
                        self._step(kernel, desk, step)
            except KernelGone as gone:
                return last, Grade(gone.why, detail=gone.detail)
            except KernelStartError as error:
                raise GradeError(str(error)) from None
        return None

    def _blamed(self, step: Step, last: str, skipped: Iterable[str]) -> str:
        """Whose doing it is when the kernel ends now: this exercise's, or the last one's."""
        exercise = step.exercise or step.checks
        return exercise if exercise and exercise not in skipped else last

    def _step(self, kernel: Kernel, desk: "_Desk", step: Step) -> None:
        for note in desk.repair():
            self._note(note)
        if step.exercise:
            kernel.ask(f"{desk.guard}.look()")
            reply = kernel.run(step.source)
            self._told(step.exercise, reply, "its cell")
            return
        imports = {variable: list(origin) for variable, origin in step.imports.items()}
        kernel.ask(f"{desk.guard}.before({literal(imports)}, {literal(step.checks or '')})")
        reply = kernel.run(step.source)
        if step.checks:
            self._told(step.checks, reply, "its check")
            self._collect(kernel, desk)

    def _told(self, exercise: str, reply: Reply, what: str) -> None:
        # The first error is the one that led to the others.
        if reply.stopped:
            told = f"{_STOPPED} after {self.limits.seconds:g} s in {what}"
            self.errors.setdefault(exercise, told)
        elif reply.error:
            self.errors.setdefault(exercise, reply.error)

    def _collect(self, kernel: Kernel, desk: "_Desk") -> None:
        token = secrets.token_hex(16)
        text = kernel.ask("pass", f"{desk.guard}.report({token!r})")
        try:
            # The text is a string's repr; what is in it comes from the guard, or from a forger.
            report = loads(_unquoted(text))
            known = report["token"] == token
        except (ValueError, LookupError, TypeError):
            known = False
        if not known:
            raise KernelGone("crashed", "the grader's guard was replaced")
        for exercise, result in report["results"].items():
            self.found[exercise] = result
        for note in report["notes"]:
            self._note(f"{self.lab.stem}: {note}; the real one was used")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class _Desk:
    """The folder in which one kernel works: a copy of the course without its solutions."""

    def __init__(self, place: Path, lab: Lab, course: Path) -> None:
        self._course, self._lab = course, lab
        self._root = place / "course"
        self._home = place / "home"
        self.work = self._root / "labs"
        # The guard goes by a name that no submission can know beforehand.
        self.guard = f"__import__('sys').modules['_{secrets.token_hex(16)}']"
        self._home.mkdir()
        copy_course(course, self._root, lab.stem)
        self._digest = _digest(self._root / "helpers")

    def environment(self, *, fast: bool) -> dict[str, str]:
        """The kernel's whole environment."""
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        home = str(self._home)
        return {
            **kept,
            "HOME": home,
            "USERPROFILE": home,
            "APPDATA": home,
            "TMPDIR": home,
            "TEMP": home,
            "TMP": home,
            "IPYTHONDIR": str(self._home / "ipython"),
            "MPLCONFIGDIR": str(self._home / "matplotlib"),
            "COURSE_HOME": str(self._home / "course"),
            "COURSE_FAST": "1" if fast else "",
            "PYTHONPATH": str(self._root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def enter(self, kernel: Kernel, module: str, course: Path) -> None:
        """Put the guard into a fresh kernel."""
        source = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
        hidden = [str(course.resolve()), str(ROOT)]
        kernel.ask(
            f"_guard = {{}}\nexec({literal(source)}, _guard)\n{self.guard} = _guard['Guard']("
            f"globals(), {module!r}, {str(self.work)!r}, {hidden!r})\ndel _guard"
        )

    def repair(self) -> list[str]:
        """Make files that the submission changed or deleted as they were; what it did, in words."""
        self.work.mkdir(parents=True, exist_ok=True)
        if _digest(self._root / "helpers") == self._digest:
            return []
        shutil.rmtree(self._root, ignore_errors=True)
        copy_course(self._course, self._root, self._lab.stem)
        return [f"{self._lab.stem}: changed the course's files; they were restored"]


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file() and "__pycache__" not in file.parts:
            found.update(str(file.relative_to(folder)).encode() + b"\0")
            found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _unquoted(text: str) -> str:
    value = ast.literal_eval(text)
    if not isinstance(value, str):
        raise ValueError("not a string")
    return value
