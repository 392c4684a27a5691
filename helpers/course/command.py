"""The learner's commands: `course lab` and `course test`."""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence


def lab(argv: Sequence[str]) -> int:
    """Open JupyterLab; what is not ours among the options is JupyterLab's."""
    from helpers.course.lab import run

    parser = argparse.ArgumentParser(
        prog="course lab",
        description="Check this machine and open the course in JupyterLab, on this machine only.",
        epilog="Other options go to JupyterLab, for instance --no-browser or --port 8890.",
    )
    _, extra = parser.parse_known_args(argv)
    return run(extra)


def test(argv: Sequence[str]) -> int:
    """Run the tests; what is not ours among the options is pytest's."""
    from helpers.course.suite import run

    parser = argparse.ArgumentParser(
        prog="course test",
        description="Run the course's tests, with small samples and one thread a model.",
        epilog="Other options and paths go to pytest, for instance -k refund or tests/shop.",
    )
    parser.add_argument("--fast", action="store_true", help="leave out the tests marked slow")
    options, extra = parser.parse_known_args(argv)
    if not importlib.util.find_spec("pytest"):
        print(
            "The tests need requirements-dev.lock: leave this environment (deactivate) and run "
            "`python3 -m helpers test`, which installs it.",
            file=sys.stderr,
        )
        return 1
    return run(extra, fast=options.fast)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"lab": lab, "test": test}
