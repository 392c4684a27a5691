"""Run one lab of one learner in fresh kernels, and collect what the real checks find."""

import ast
import errno
import secrets
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any

from helpers.workshop.desks import Desk, Desks
from helpers.workshop.kernel import Kernel, KernelGone, KernelStartError, Reply, literal
from helpers.workshop.labs import Lab, Step
from helpers.workshop.matching import Matched
from helpers.workshop.names import names_in
from helpers.workshop.needed import needed

_MOST_CASES_KEPT = 20
_LONGEST_TOLD = 600  # characters of one case, for the learner
_MOST_CASES_NAMED = 5
_LONGEST_DETAIL = 160


@dataclass(frozen=True)
class Grade:
    """One exercise of one learner.

    `status` is one of the check's (passed, partly, wrong, not done yet), or what kept it from being
    checked: missing (no such cell was submitted), error (its cell or its check raised), crashed,
    time limit, memory limit; or not graded, where the grader or the course failed and not the
    learner. `passed` of `total` counts the cases of the check; `detail` says why it did not pass;
    `failed` are the cases that failed, each with what was called, got and expected.
    """

    status: str
    passed: int = 0
    total: int = 0
    detail: str = ""
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for each cell, megabytes of memory; and how to run it.

    `whole` also runs the lab's own cells that no check needs: see `needed`.
    """

    seconds: float = 600.0
    megabytes: int = 3072
    fast: bool = False
    whole: bool = False


@dataclass(frozen=True)
class LabResult:
    """What came of one lab.

    `broken` are the lab's own cells that failed, with the reason. `doubtful` are the exercises that
    did not pass for a reason that may lie outside the learner's cells. `fault` says what kept the
    lab from running with nothing of the learner's in it. `seconds` is how long the run took.
    """

    grades: dict[str, Grade]
    broken: dict[str, str]
    notes: tuple[str, ...]
    doubtful: frozenset[str]
    fault: str = ""
    seconds: float = 0.0


def run_lab(
    lab: Lab,
    matched: Matched,
    course: Path,
    limits: Limits,
    *,
    desks: Desks | None = None,
    stop: threading.Event | None = None,
) -> LabResult:
    """Run a lab with these answers, in as many kernels as it takes to try every exercise.

    Args:
        lab: the lab as the course ships it.
        matched: the answers, and what they need of the learner's own cells.
        course: the course whose package and files are used.
        limits: what the kernels may use.
        desks: where copies of the course are kept from one run to the next.
        stop: ends the run when it is set, with `Stopped`.

    Raises:
        OSError: there is no room for a copy of the course.
    """
    if desks is not None:
        return _Run(lab, matched, desks, limits, stop or threading.Event()).result()
    with Desks(course) as own:
        return _Run(lab, matched, own, limits, stop or threading.Event()).result()


@dataclass
class _Run:
    lab: Lab
    matched: Matched
    desks: Desks
    limits: Limits
    stop: threading.Event
    notes: list[str] = field(default_factory=list)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)  # status, detail
    broken: dict[str, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    fault: str = ""

    def result(self) -> LabResult:
        begun = time.monotonic()
        ended: dict[str, Grade] = {}
        # An exercise that ends the kernel is left out of the next round, so that it costs the
        # learner itself alone.
        while gone := self._round(skipped=ended):
            exercise, grade = gone
            ended[exercise] = grade
        grades = {exercise: self._grade(exercise, ended) for exercise in self.lab.exercises}
        return LabResult(
            grades,
            dict(self.broken),
            (*self.notes, *(f"{name} failed: {why}" for name, why in self.broken.items())),
            frozenset(self.doubtful),
            self.fault,
            time.monotonic() - begun,
        )

    def _grade(self, exercise: str, ended: Mapping[str, Grade]) -> Grade:
        if exercise in ended:
            return ended[exercise]
        if exercise not in self.matched.answers:
            return Grade("missing")
        status, error = self.errors.get(exercise, ("error", ""))
        result = self.found.get(exercise)
        if result is None:
            return Grade(status, detail=error or "its check did not run")
        if result["status"] == "passed":
            return Grade("passed", result["passed"], result["total"], error)
        if result["status"] != "not done yet":
            self.doubtful.add(exercise)
        elif self.matched.answers[exercise] == self.lab.given[exercise]:
            return Grade(result["status"])  # untouched: there is no more to say
        reasons = [error, *self._broken_before(exercise), _why(result)]
        detail = "; ".join(filter(None, reasons))
        return Grade(result["status"], result["passed"], result["total"], detail, _cases(result))

    def _broken_before(self, exercise: str) -> list[str]:
        """The lab's own cells that failed and should have made what this exercise uses."""
        steps = self.lab.steps(self.matched.answers)
        users = [step for step in steps if exercise in (step.exercise, step.checks)]
        used = frozenset().union(*(names_in(step.source).used for step in users))
        return [
            f"{step.name} failed: {self.broken[step.name]}"
            for step in steps
            if step.name in self.broken and names_in(step.source).defined & used
        ]

    def _round(self, skipped: Collection[str]) -> tuple[str, Grade] | None:
        """Run the whole lab once; the exercise that ended its kernel, if one did."""
        self.errors.clear()
        self.found.clear()
        self.broken.clear()
        given = {name: text for name, text in self.matched.answers.items() if name not in skipped}
        own = [left for one in self.matched.own if (left := one.without(skipped))]
        last, step, begun = self.lab.exercises[0], None, False
        steps = self.lab.steps(given, own)
        # ignore_cleanup_errors: a submission may leave what cannot be deleted.
        with (
            tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True) as place,
            self.desks.desk(self.lab.stem, Path(place)) as desk,
        ):
            try:
                with Kernel(
                    desk.work,
                    runtime=Path(place),
                    environment=desk.environment(fast=self.limits.fast),
                    seconds=self.limits.seconds,
                    megabytes=self.limits.megabytes,
                    stop=self.stop,
                ) as kernel:
                    desk.enter(kernel, self.lab.module)
                    for step in steps if self.limits.whole else needed(steps):
                        last = self._blamed(step, last, skipped)
                        begun = begun or self._is_the_learners(step, skipped)
                        self._step(kernel, desk, step)
            except KernelGone as gone:
                why = f"{gone.detail}, in {step.name if step else 'its start'}"
                if not begun:  # nothing of the learner's has run
                    self.fault = f"the lab could not be run: {why}"
                    return None
                if step is None or step.exercise is None:
                    self.doubtful.add(last)
                return last, Grade(gone.why, detail=why)
            except KernelStartError as error:
                self.fault = str(error)
        return None

    def _is_the_learners(self, step: Step, skipped: Collection[str]) -> bool:
        """Whether this cell holds anything that the lab does not give."""
        if step.exercise is None or step.exercise in skipped:
            return False
        return step.source != self.lab.given[step.exercise]

    def _blamed(self, step: Step, last: str, skipped: Collection[str]) -> str:
        """Whose doing it is when the kernel ends now: this exercise's, or the last one's."""
        exercise = step.exercise or step.checks
        return exercise if exercise and exercise not in skipped else last

    def _step(self, kernel: Kernel, desk: Desk, step: Step) -> None:
        try:
            for note in desk.repair():
                self._note(note)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise KernelGone("crashed", "the course's folder was made unusable") from None
        if step.exercise:
            kernel.ask(f"{desk.guard}.look()")
        else:
            imports = {variable: list(origin) for variable, origin in step.imports.items()}
            kernel.ask(f"{desk.guard}.before({literal(imports)}, {literal(step.checks or '')})")
        self._told(step, kernel.run(step.source))
        if step.checks:
            self._collect(kernel, desk)

    def _told(self, step: Step, reply: Reply) -> None:
        if not reply.error and not reply.stopped:
            return
        status, text = "error", reply.error
        if reply.stopped:
            status, text = "time limit", f"stopped after {self.limits.seconds:g} s in {step.name}"
        elif reply.error.startswith("MemoryError"):
            status = "memory limit"
        exercise = step.exercise or step.checks
        if exercise is None:
            self.broken[step.name] = _shortened(text)
        elif exercise not in self.errors:  # the first error is the one that led to the others
            self.errors[exercise] = (status, _shortened(text))
            if step.checks:
                self.doubtful.add(exercise)

    def _collect(self, kernel: Kernel, desk: Desk) -> None:
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
            self._note(f"{note}; the real one was used")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _why(result: Mapping[str, Any]) -> str:
    """Which cases failed, the first of them in full; of an exercise that is not done, where."""
    failed = result["failed"]
    if not failed:
        return _shortened(result["summary"])
    name, rows = failed[0]
    told = "; ".join(
        f"{label.lower()}: {_shortened(rows[label])}"
        for label in ("Called", "Got", "Expected", "Why")
        if label in rows
    )
    others = [name for name, _ in failed[1:_MOST_CASES_NAMED]]
    more = len(failed) - 1 - len(others)
    also = "".join(f"; {name}" for name in others) + (f"; and {more} more" if more else "")
    return f"failed: {name}{f' ({told})' if told else ''}{also}"


def _cases(result: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The cases that failed, for the learner: name, and what was called, got and expected."""
    return tuple(
        (
            _shortened(name),
            "\n".join(
                f"{label}: {_shortened(str(text), _LONGEST_TOLD)}" for label, text in rows.items()
            ),
        )
        for name, rows in result["failed"][:_MOST_CASES_KEPT]
    )


def _shortened(text: str, longest: int = _LONGEST_DETAIL) -> str:
    line = " ".join(text.split())
    return f"{line[:longest]}..." if len(line) > longest else line


def _unquoted(text: str) -> str:
    value = ast.literal_eval(text)
    if not isinstance(value, str):
        raise ValueError("not a string")
    return value
