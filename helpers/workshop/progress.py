"""How far the grading has come, and about how long the rest takes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from helpers.workshop.labs import Lab
from helpers.workshop.matching import Matched
from helpers.workshop.run import LabResult


@dataclass(frozen=True)
class Task:
    """One lab of one learner; tasks of the same `key` have the same result."""

    learner: str
    lab: Lab
    matched: Matched
    key: str


class Progress:
    """Says how many of all are done, and about how long the rest takes."""

    def __init__(
        self,
        tasks: Sequence[Task],
        settled: Collection[str],
        waiting: Sequence[Task],
        jobs: int,
        say: Callable[[str], None],
    ) -> None:
        self._total, self._say, self._jobs = len(tasks), say, jobs
        self._left = len(waiting)
        self._weight = {task.key: 0 for task in tasks}
        for task in tasks:
            self._weight[task.key] += 1
        self._done = sum(self._weight[name] for name in settled)
        self._seconds: list[float] = []
        same = len(tasks) - len(self._weight)
        if tasks and (self._done or same):
            say(
                f"{len(tasks)} labs handed in: {self._done} graded before, {same} equal to "
                f"another one, {self._left} to run"
            )

    def still(self, tasks: Sequence[Task]) -> None:
        """Tell what has been running for a while."""
        names = ", ".join(sorted(f"{task.learner}, {task.lab.stem}" for task in tasks))
        if names:
            self._say(f"{self._done} of {self._total}; still running: {names}")

    def done(self, task: Task, result: LabResult) -> None:
        """Tell of one run."""
        self._done += self._weight[task.key]
        self._left -= 1
        self._seconds.append(result.seconds)
        grades = result.grades.values()
        passed = sum(grade.status == "passed" for grade in grades)
        mean = sum(self._seconds) / len(self._seconds)
        left = f"; {_about(mean * self._left / min(self._jobs, self._left))}" if self._left else ""
        self._say(
            f"{self._done} of {self._total}: {task.learner}, {task.lab.stem}: {passed} of "
            f"{len(grades)} passed ({result.seconds:.0f} s{left})"
        )


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"
