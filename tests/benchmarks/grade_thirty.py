"""How long `course grade` takes for a class, beside an older version of it.

    python -m tests.benchmarks.grade_thirty 01 --learners 30 --before COMMIT

Each learner hands in the course's own solution, told from the others' by a comment, with one
exercise left out in turn. The versions are run one after the other on the same submissions.
Processor time is that of the grader and all its kernels, and says more than wall time where other
work shares the cores.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from helpers.columns import aligned
from helpers.course.cells import dump, exercise_of, parse
from helpers.paths import ROOT
from helpers.workshop.labs import Lab, labs


def main(argv: Sequence[str] | None = None) -> None:
    """Make the submissions, grade them, and print a row for each version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", nargs="?", default="01", help="the lab's number")
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--before", metavar="COMMIT", help="a version to compare with")
    options = parser.parse_args(argv)
    lab = next(one for one in labs(ROOT) if one.module == options.module)
    rows = [["Version", "Seconds", "a submission", "Processor s", "a submission", "passed"]]
    with tempfile.TemporaryDirectory(prefix="thirty-") as made:
        folder = Path(made) / "in"
        hand_in(lab, folder, options.learners)
        versions = {"now": ROOT}
        if options.before:
            versions = {options.before[:10]: unpacked(options.before, Path(made)), **versions}
        for name, root in versions.items():
            seconds, used, passed = measured(folder, root, options.jobs)
            each = [f"{seconds / options.learners:.1f}", f"{used / options.learners:.1f}"]
            rows.append([name, f"{seconds:.0f}", each[0], f"{used:.0f}", each[1], str(passed)])
        seconds, used, passed = measured(folder, ROOT, options.jobs)
        rows.append(["now, again", f"{seconds:.0f}", "", f"{used:.0f}", "", str(passed)])
    load = os.getloadavg()[1]
    print(f"Lab {lab.stem}, {options.learners} learners, {options.jobs} at once, fast mode")
    print("\n".join(aligned(rows)))
    print(f"{os.cpu_count()} cores; mean load of the last five minutes {load:.1f}")


def hand_in(lab: Lab, folder: Path, learners: int) -> None:
    """Write a folder for each learner."""
    solved = ROOT / "solutions" / f"{lab.stem}.ipynb"
    for number in range(learners):
        notebook = parse(solved.read_bytes())
        left_out = [*lab.exercises, None][number % (len(lab.exercises) + 1)]
        for cell in notebook["cells"]:
            exercise = exercise_of(cell)
            if exercise and exercise == left_out:
                cell["source"] = lab.given[exercise]
            elif exercise:
                cell["source"] += f"\n# learner {number}"
        file = folder / f"learner-{number:02}" / f"{lab.stem}.ipynb"
        file.parent.mkdir(parents=True)
        file.write_bytes(dump(notebook))


def unpacked(commit: str, folder: Path) -> Path:
    """An older version of the course, in a folder of its own."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True)
    root = folder / "before"
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(root, filter="data")
    return root


def measured(folder: Path, root: Path, jobs: int) -> tuple[float, float, int]:
    """Seconds, processor seconds and passed exercises of one version's grading."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = ["-m", "helpers.cli", "grade", str(folder), "--fast", "--json", "--jobs", str(jobs)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    passed = sum(one["passed"] for one in json.loads(done.stdout)["learners"])
    return time.monotonic() - begun, used, passed


if __name__ == "__main__":
    main()
