"""The learner's commands: `course lab`, `test`, `reset`, `update` and `new`."""

import argparse
import importlib.util
import re
import shlex
import sys
from collections.abc import Callable, Sequence

from helpers.paths import StateFolderError


def lab(argv: Sequence[str]) -> int:
    """Open JupyterLab; what is not ours among the options is JupyterLab's."""
    from helpers.course.lab import run

    parser = argparse.ArgumentParser(
        prog="course lab",
        allow_abbrev=False,
        description="Check this machine and open the course in JupyterLab, on this machine only.",
        epilog="Other options go to JupyterLab, for instance --no-browser or --port 8890.",
    )
    _, extra = parser.parse_known_args(argv)
    return run(extra)


def test(argv: Sequence[str]) -> int:
    """Run the tests; what is not ours among the options is pytest's."""
    from helpers.course.suite import UnknownModuleError, run

    parser = argparse.ArgumentParser(
        prog="course test",
        allow_abbrev=False,
        description="Run the course's tests, with small samples and one thread a model. With a "
        "module's number, such as 05, what belongs to that module: its room, notebooks, lab, "
        "solution, exercises and quiz.",
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
    modules = [word for word in extra if re.fullmatch(r"\d\d?\w?", word)]
    others = [word for word in extra if word not in modules]
    if len(modules) > 1:
        print("course test: one module at a time, or none for the whole suite.", file=sys.stderr)
        return 2
    try:
        return run(others, fast=options.fast, module=modules[0].zfill(2) if modules else None)
    except UnknownModuleError as error:
        print(f"course test: {error}", file=sys.stderr)
        return 2


def reset(argv: Sequence[str]) -> int:
    """Restore a lab, keeping a dated copy."""
    from helpers.course.checkout import CheckoutError
    from helpers.course.reset import UnknownLab
    from helpers.course.reset import reset as restore
    from helpers.paths import ROOT

    parser = argparse.ArgumentParser(
        prog="course reset",
        description="Restore a lab as the course ships it, and keep a dated copy of yours. What "
        "`course status` shows stays, except that exercises given by `course catch-up` are open "
        "again.",
        epilog="Exit status: 0 done, 1 the lab cannot be restored, 2 bad use.",
    )
    parser.add_argument("module", help="the lab's number, such as 01")
    module = parser.parse_args(argv).module
    if not re.fullmatch("[0-9]{1,2}", module):
        parser.error(f"{module!r} is not a lab: give its number, such as 01")
    try:
        done = restore(module.zfill(2), root=ROOT)
    except (CheckoutError, UnknownLab, OSError) as error:
        return _failed("reset", error)
    for path in done.restored:
        print(f"{path} is as the course ships it.")
    if done.copies:
        print(f"Yours is kept in {done.copies}. To go back, copy it from there over the lab.")
    print(
        "If it is open in JupyterLab, close its tab without saving and open it again."
        if done.restored
        else "The lab is already as the course ships it."
    )
    return 0


def update(argv: Sequence[str]) -> int:
    """Fetch the newest version of the course and keep the learner's work."""
    from helpers.course.checkout import CheckoutError
    from helpers.course.update import update as move
    from helpers.paths import ROOT

    parser = argparse.ArgumentParser(
        prog="course update",
        description="Fetch the course's newest version. What you changed in labs and notebooks is "
        "copied to a dated folder first, and your cells are put back where the course has not "
        "changed them. Save and close your notebooks before.",
    )
    parser.parse_args(argv)
    try:
        move(root=ROOT)
    except (CheckoutError, OSError) as error:
        return _failed("update", error)
    except KeyboardInterrupt:
        print("\nInterrupted. Run `course update` again: it finishes what it began.")
        return 130
    return 0


def new(argv: Sequence[str]) -> int:
    """Write a project of the learner's own; 0 done, 1 the disk refused, 2 not in that folder."""
    from pathlib import Path

    from helpers.course.home.project import ProjectError, new_project

    parser = argparse.ArgumentParser(
        prog="course new",
        description="Write a project of your own: the programs that the walkthroughs build, a "
        "command line that takes any model, tests, and CI. It needs nothing of this course.",
    )
    parser.add_argument("folder", metavar="DIR", help="a folder that is new or empty, such as .")
    folder = parser.parse_args(argv).folder
    if not folder.strip():
        parser.error("DIR is empty: name a folder that is new or empty")
    try:
        files = new_project(Path(folder))
    except ProjectError as error:
        print(f"course new: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:  # a path that the system does not take
        reason = getattr(error, "strerror", None) or error
        print(f"course new: {folder} cannot be written: {reason}.", file=sys.stderr)
        return 1
    print(f"Wrote {len(files)} files: {', '.join(files)}.")
    where = "" if Path(folder).samefile(".") else f" in {shlex.quote(folder)}"
    print(f"Next: read README.md{where}. It says how to install, ask and test.")
    return 0


def _failed(command: str, error: Exception) -> int:
    said = str(error)
    if isinstance(error, OSError) and error.filename and not isinstance(error, StateFolderError):
        # A file in a folder's place, a folder in a file's, no right to write, a full disk.
        said = f"{error.filename}: {error.strerror}. Put that right, then run it again."
    print(f"course {command}: {said}", file=sys.stderr)
    return 1


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "lab": lab,
    "test": test,
    "reset": reset,
    "update": update,
    "new": new,
}
