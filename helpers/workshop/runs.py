"""Run all submissions: each of its kind once, several at a time, with what was graded before."""

import errno
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.workshop.desks import Desks
from helpers.workshop.kept import Kept, key
from helpers.workshop.labs import Lab, solution
from helpers.workshop.matching import Matched
from helpers.workshop.progress import Progress, Task
from helpers.workshop.run import Grade, LabResult, Limits, run_lab

NOT_GRADED = "not graded"
"""The status of an exercise where the grader or the course failed, and not the learner."""

_PATIENCE_S = 60.0  # without a result, before it says which submissions still run


@dataclass(frozen=True)
class Settled:
    """A result without what is not the learner's doing, and the faults that led to that."""

    result: LabResult
    faults: tuple[str, ...] = ()


def run_all(
    tasks: Sequence[Task],
    *,
    course: Path,
    version: str,
    limits: Limits,
    jobs: int,
    kept: Kept | None,
    say: Callable[[str], None],
) -> tuple[dict[str, Settled], int]:
    """Each key's result, and how many labs were run for them.

    Args:
        tasks: in the order in which they are run.
        course: the course whose labs and checks count.
        version: of `course_digest`.
        limits: what each submission may use.
        jobs: how many run at once.
        kept: the results of other days, and where these go; None keeps nothing.
        say: gets one line for each run.

    Raises:
        KeyboardInterrupt: the instructor's Ctrl-C. Kernels are ended; finished results are kept.
    """
    first = {task.key: task for task in reversed(tasks)}
    unique = [task for task in tasks if first[task.key] is task]
    found = {task.key: result for task in unique if kept and (result := kept.get(task.key))}
    settled = {name: Settled(result) for name, result in found.items()}
    waiting = [task for task in unique if task.key not in settled]
    progress = Progress(tasks, settled, waiting, max(1, jobs), say)
    if not waiting:
        return settled, 0
    stop = threading.Event()
    with Desks(course) as desks:
        runs = _Runs(course, version, limits, desks, kept, stop, say)
        pool = ThreadPoolExecutor(max_workers=max(1, jobs))
        try:
            futures: dict[Future[Settled], Task] = {
                pool.submit(runs.settled, task): task for task in waiting
            }
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=_PATIENCE_S, return_when=FIRST_COMPLETED)
                if not done:  # perhaps an endless loop: say so, so that nobody wonders
                    progress.still([futures[one] for one in pending if one.running()])
                for future in (one for one in futures if one in done):
                    task = futures[future]
                    settled[task.key] = future.result()
                    progress.done(task, settled[task.key].result)
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            if kept:
                without = " without --again" if kept.again else ""
                say(f"stopped. Finished results are kept: run the same command{without} to go on.")
            raise
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
    return settled, len(waiting)


class _Runs:
    def __init__(
        self,
        course: Path,
        version: str,
        limits: Limits,
        desks: Desks,
        kept: Kept | None,
        stop: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self._course, self._version, self._limits = course, version, limits
        self._desks, self._kept, self._stop, self._say = desks, kept, stop, say
        self._lock = threading.Lock()
        self._controls: dict[str, _Control] = {}

    def run(self, lab: Lab, matched: Matched, limits: Limits) -> LabResult:
        """Run a lab; a failure of this machine is its fault, and ends no other run."""
        try:
            return run_lab(lab, matched, self._course, limits, desks=self._desks, stop=self._stop)
        except OSError as error:
            why = f"{error.strerror or error}"
            if error.errno == errno.ENOSPC:
                why = "the disk with the temporary folder is full: free some space there"
        except Exception as error:  # the grader's own, which must not cost the whole class
            why = f"the grader failed with {type(error).__name__}: {error}"
        grades = dict.fromkeys(lab.exercises, Grade(NOT_GRADED))
        return LabResult(grades, {}, (), frozenset(), f"the lab could not be run: {why}")

    def control(self, lab: Lab) -> "_Control":
        with self._lock:
            if lab.stem not in self._controls:
                self._controls[lab.stem] = _Control(lab, self, self._limits)
            return self._controls[lab.stem]

    def control_result(self, lab: Lab, matched: Matched, limits: Limits, what: str) -> LabResult:
        """The same for the course's own answers: kept where they pass."""
        name = key(lab, matched, self._version, limits)
        if self._kept and (found := self._kept.get(name)):
            return found
        self._say(f"{lab.stem}: running {what} to compare")
        result = self.run(lab, matched, limits)
        if self._kept and not result.fault and not result.broken and _passes(result):
            self._kept.put(name, result)
        return result

    def solution(self, lab: Lab) -> Matched | None:
        return solution(self._course, lab)

    def settled(self, task: Task) -> Settled:
        """Run one task, and keep its result where no fault is in it."""
        control = self.control(task.lab)
        limits = replace(self._limits, whole=control.whole)
        made = _settled(task.lab, self.run(task.lab, task.matched, limits), control)
        if control.whole and not limits.whole:
            # The course's own solution needs what was left out, as was found out meanwhile.
            whole = replace(limits, whole=True)
            made = _settled(task.lab, self.run(task.lab, task.matched, whole), control)
        if self._kept and not made.faults:
            self._kept.put(task.key, made.result)
        return made


class _Control:
    """What comes of a lab on this machine with the course's own answers, found out at most once.

    `solved` is False where the course has no solutions: then it is the untouched lab. `whole` is
    True where the solution needs cells that no check seems to need.
    """

    def __init__(self, lab: Lab, runs: _Runs, limits: Limits) -> None:
        self._lab, self._runs, self._limits = lab, runs, limits
        self._lock = threading.Lock()
        self._results: dict[bool, LabResult] = {}
        self.solved = True
        self.whole = limits.whole

    def result(self, *, whole: bool) -> LabResult:
        """The result, of the whole lab or of what the checks need of it."""
        with self._lock:
            if not (whole or self.whole) and self.solved and not self._of(whole=False).fault:
                short = self._of(whole=False)
                if _passes(short) or _count(self._of(whole=True)) <= _count(short):
                    return short
                self.whole = True
            return self._of(whole=whole or self.whole)

    def _of(self, *, whole: bool) -> LabResult:
        if whole not in self._results:
            answers = self._runs.solution(self._lab)
            self.solved = answers is not None
            what = "the course's own solution" if self.solved else "the untouched lab"
            limits = replace(self._limits, whole=whole)
            self._results[whole] = self._runs.control_result(
                self._lab, answers or Matched(), limits, what
            )
        return self._results[whole]


def _passes(result: LabResult) -> bool:
    return _count(result) == len(result.grades)


def _count(result: LabResult) -> int:
    return sum(grade.status == "passed" for grade in result.grades.values())


def _settled(lab: Lab, found: LabResult, control: _Control) -> Settled:
    """A result without what is not the learner's doing."""
    if found.fault:
        grades = dict.fromkeys(found.grades, Grade(NOT_GRADED, detail=found.fault))
        return Settled(replace(found, grades=grades), (f"{lab.stem}: {found.fault}",))
    if not found.doubtful and not found.broken:
        return Settled(found)
    # A cell of the lab that failed for the learner may be one that the solution does without.
    real = control.result(whole=bool(found.broken))
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
            NOT_GRADED, detail=f"{why} (the learner's: {_told(found.grades[exercise])})"
        )
    return Settled(replace(found, grades=grades), tuple(f"{lab.stem}: {one}" for one in faults))


def _told(grade: Grade) -> str:
    return f"{grade.status}: {grade.detail}" if grade.detail else grade.status
