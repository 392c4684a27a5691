"""The instructor's command: `course grade`."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def grade(argv: Sequence[str]) -> int:
    """Grade a folder of submissions: one row a learner, one column an exercise."""
    from helpers.workshop import report
    from helpers.workshop.grade import Limits
    from helpers.workshop.grade import grade as run
    from helpers.workshop.labs import GradeError

    parser = argparse.ArgumentParser(
        prog="course grade",
        description="Grade submitted labs: a sub-folder of notebooks, or one notebook, for each "
        "learner. The exercise cells, and those of the learner's own cells that they need, are put "
        "into a fresh lab; the report says why an exercise did not pass, and what was left out. "
        f"{report.WARNING}",
        epilog="On Linux the system itself limits each kernel's address space and file sizes. On "
        "macOS and Windows only the grader's own watch on time and memory does, ten times a second;"
        " on Windows a cell that runs too long is ended with its kernel, not interrupted, and "
        "the lab is run again without it. The exit status is 1 where the grader or the course "
        "failed, or the limits are too small for the course's own solution: what that concerns is "
        "not graded.",
    )
    parser.add_argument("folder", type=Path, help="the folder of submissions")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the report as JSON")
    form.add_argument("--csv", action="store_true", help="print the report as CSV")
    parser.add_argument(
        "--seconds", type=float, default=600, help="time limit of each cell (default 600)"
    )
    parser.add_argument(
        "--memory", type=int, default=3072, help="memory limit in MB (default 3072)"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, help="how many submissions run at once (default 1)"
    )
    parser.add_argument("--fast", action="store_true", help="small samples, as in the tests")
    options = parser.parse_args(argv)
    limits = Limits(options.seconds, options.memory, options.fast)
    try:
        found = run(options.folder, limits=limits, jobs=options.jobs, say=_say)
    except GradeError as error:
        print(f"course grade: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(report.as_json(found), indent=1))
    elif options.csv:
        print(report.as_csv(found), end="")
    else:
        print(report.as_text(found))
        print(f"\n{report.WARNING}")
    for fault in found.faults:
        print(f"course grade: {fault}", file=sys.stderr)
    if found.faults:
        print(
            "course grade: the exercises concerned are not graded. If a limit was reached, raise "
            "--seconds or --memory, or lower --jobs.",
            file=sys.stderr,
        )
    return 1 if found.faults else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"grade": grade}
