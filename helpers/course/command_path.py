"""The learner's way: `course status`, `next`, `catch-up` and `journal`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def status(argv: Sequence[str]) -> int:
    """Show the path: needs, minutes left, checks, quizzes and evidence, module by module."""
    import json

    from helpers.course.status import as_json
    from helpers.course.status import status as read
    from helpers.course.status_text import as_text
    from helpers.paths import ROOT

    parser = argparse.ArgumentParser(
        prog="course status",
        description="Show your path, module by module: the modules that it needs, the minutes left "
        "of its walkthrough and lab, checks passed, hints shown (including those that a check "
        "shows by itself), quiz questions answered correctly, and the evidence that you gathered. "
        "The minutes are a competent newcomer's, the upper figure of a range. Running a "
        "walkthrough leaves no trace: it counts as read when its whole quiz is answered "
        "correctly, or an exercise of its lab is passed or given. The exit status is 0.",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(argv)
    states = read(root=ROOT)
    print(json.dumps(as_json(states), indent=1) if options.json else as_text(states))
    return 0


def next_(argv: Sequence[str]) -> int:
    """Say what is next, and how to open it; 0, also when all is done."""
    from helpers.course import progress
    from helpers.course.running import address
    from helpers.course.status import status as read
    from helpers.course.status_text import all_done
    from helpers.course.steps import next_step
    from helpers.paths import ROOT

    parser = argparse.ArgumentParser(
        prog="course next",
        description="Say what is next for you: a walkthrough, an exercise or a quiz. It begins "
        "with the module that you worked on last, goes on along the path, and comes back to what "
        "you left out. It prints the address that opens the notebook in the running JupyterLab, or "
        "the command that starts JupyterLab with it. The exit status is 0, even when all is done.",
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help="also open it: in your browser where JupyterLab runs, otherwise with `course lab`",
    )
    options = parser.parse_args(argv)
    states = read(root=ROOT)
    step = next_step(states, progress.last_module())
    if step is None:
        print(all_done(states))
        print("Your answers are in lab 12; `course new DIR` starts a project of your own.")
        return 0
    print(f"Next: {step.what}.")
    if step.file is None:
        print("Its notebook is missing: `course update` fetches it.")
        return 0
    running = address(step.file, root=ROOT)
    print(f"It is in {step.file}.")
    print(f"Open it: {running}" if running else f"Open it: course lab {step.file}", flush=True)
    if not options.open:
        return 0
    if running:
        import webbrowser

        if not webbrowser.open(running):
            print("No browser could be opened: copy the address into yours.")
        return 0
    from helpers.course.lab import run

    return run([step.file])


def catch_up(argv: Sequence[str]) -> int:
    """Put solutions into a lab; 0 done, 1 a file cannot be read or written, 2 no such lab."""
    from helpers.course.catch_up import CatchUpError, DamagedError
    from helpers.course.catch_up import catch_up as give
    from helpers.paths import ROOT

    parser = argparse.ArgumentParser(
        prog="course catch-up",
        description="Join late: put the course's solutions, with their stored outputs, into your "
        "lab. `05.4` gives the solutions of the exercises before 05.4, so that you start where the "
        "room is. `05` gives only solutions of earlier labs that lab 05 uses; the labs of this "
        "version use none. Exercises that you passed stay as they are, and a dated copy of a "
        "changed lab is kept. `course status` lists these exercises as given, not as passed, until "
        "the check passes on code of your own. Save your notebooks first.",
        epilog="Exit status: 0 done, 1 a file cannot be read or written, 2 no such lab or "
        "exercise.",
    )
    parser.add_argument("where", metavar="NN[.N]", help="a lab such as 05, or an exercise: 05.4")
    target = parser.parse_args(argv).where
    try:
        lab, done = give(target, root=ROOT)
    except CatchUpError as error:
        print(f"course catch-up: {error}", file=sys.stderr)
        return 1 if isinstance(error, DamagedError) else 2
    except OSError as error:
        return _refused("catch-up", error)
    if not done:
        print(f"{lab} uses nothing of earlier labs: open it and begin.")
        print(
            "To start at a later exercise, give its number, as in "
            f"`course catch-up {Path(lab).name[:2]}.2`."
        )
        return 0
    for one in done:
        _tell(one.lab, "given, with their stored outputs", one.exercises)
        _tell(one.lab, "your own code there was replaced", one.replaced)
        _tell(one.lab, "given before", one.already)
        _tell(one.lab, "passed by you, left as they are", one.passed)
        _tell(one.lab, "not given, because your lab no longer has a cell for them", one.missing)
        if one.copies:
            kept = one.copies.relative_to(ROOT) / one.lab
            print(
                f"Your earlier lab is kept in {kept.as_posix()}. To go back, copy it over the lab."
            )
    if any(one.exercises for one in done):
        print("If it is open in JupyterLab, close its tab without saving and open it again.")
        print("You see the stored outputs; to use the solutions, run the cells from the top.")
    number = target.strip().partition(".")[2]
    at = f" at exercise {Path(lab).name[:2]}.{int(number)}" if number else ""
    print(f"Go on{at}: course lab {lab}")
    return 0


def journal(argv: Sequence[str]) -> int:
    """Write the journal; 0 done, 1 the file cannot be written."""
    from helpers import outfile
    from helpers.course.journal import read
    from helpers.course.journal_page import MARK, page
    from helpers.paths import ROOT, course_dir

    parser = argparse.ArgumentParser(
        prog="course journal",
        description="Write your own figures as one page, module by module: what you measured (the "
        "tables that end walkthroughs and labs, as your saved notebooks have them), the first and "
        "the best result of each check, your quiz answers, and the evidence that you gathered, "
        "with dates. The page needs no network. Exit status: 0 done, 1 the file cannot be written.",
    )
    parser.add_argument(
        "--out",
        type=outfile.named(".html"),
        metavar="FILE",
        help="the file to write, in .html (default: journal.html in your .course folder); it may "
        "replace an earlier journal, but no other file",
    )
    out: Path | None = parser.parse_args(argv).out
    file = out or course_dir() / "journal.html"
    try:
        # In the course's own folder, whatever has that name is a journal.
        content = page(read(root=ROOT)).encode()
        outfile.save(file, content, lambda old: out is None or MARK.encode() in old)
    except outfile.OutError as error:
        print(f"course journal: {error}", file=sys.stderr)
        return 1
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    print(f"Wrote {shown}. Open it in a browser; it prints well.")
    return 0


def _tell(lab: str, what: str, exercises: Sequence[str]) -> None:
    if exercises:
        print(f"{lab}, {what}: {', '.join(exercises)}.")


def _refused(command: str, error: Exception) -> int:
    """One sentence on a file that could not be written."""
    name = getattr(error, "filename", None)
    reason = getattr(error, "strerror", None) or error
    # A draft `.x.html.new` is the writing of x.html: the reader knows that name.
    shown = Path(name).name if name else "a file"
    if shown.startswith(".") and shown.endswith(".new"):
        shown = shown[1 : -len(".new")]
    what = f"{shown} cannot be written"
    print(
        f"course {command}: {what}: {reason}. No file was left half-written. Check that you may "
        "write to its folder and that the disk is not full, then run it again.",
        file=sys.stderr,
    )
    return 1


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "status": status,
    "next": next_,
    "catch-up": catch_up,
    "journal": journal,
}
