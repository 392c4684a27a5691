"""The instructor's command `course grade`."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.outfile import OutError, check, named, save

if TYPE_CHECKING:
    from helpers.workshop.grade import Report

_SLOW_S, _FAST_S = 600.0, 180.0  # many times what the slowest cell of the course takes

_DESCRIPTION = """
Grade submitted labs: for each learner a sub-folder of notebooks, a zip, or one notebook. The
grader puts the exercise cells, and the learner's own cells that these need, into a fresh lab and
runs it. The report says why an exercise did not pass, and what was left out.
"""
_EPILOG = """
The submissions may be a folder or zip for each learner, a folder for each lab, one zip of all, or
files as Moodle and Canvas name them. Of several versions of a lab the newest counts. Files that are
not read are listed. Without --lab, a lab that fewer than a fifth as many learners handed in as the
most common one is graded but not counted, and counts as missing for nobody; the first lines name
it. Results are kept in FOLDER/.course-grade (for a zip or a single notebook, beside it). A second
run, also one after Ctrl-C, runs only what has changed. With --only, --table and --report still have
every learner; the others keep their earlier grades. The grader checks time and memory ten times a
second; on Linux the system also limits the address space and file sizes of each kernel. On Windows
a cell that runs too long is not interrupted: its kernel is ended, and the lab runs again without
that cell. Exit status: 0 done; 1 nothing could be graded, the grader or the course failed, the
limits are too small for the course's own solution (the exercises concerned are not graded), or a
file could not be written; 2 bad use.
"""


def grade(argv: Sequence[str]) -> int:
    """Grade a folder of submissions: one row a learner, one column an exercise."""
    from helpers.workshop import report
    from helpers.workshop.grade import Limits
    from helpers.workshop.grade import grade as run
    from helpers.workshop.labs import GradeError
    from helpers.workshop.roster import read_roster

    options = _parser(report.WARNING).parse_args(argv)
    try:
        people = read_roster(options.roster) if options.roster else None
        _look(options)
    except (GradeError, OutError) as error:
        return _failed(str(error))
    _say(report.WARNING)
    seconds = options.seconds or (_FAST_S if options.fast else _SLOW_S)
    limits = Limits(seconds, options.memory, options.fast, options.whole)
    folder: Path = options.folder
    inside = folder if folder.is_dir() else folder.parent
    before = _end_as_ctrl_c_does()
    try:
        found = run(
            folder,
            limits=limits,
            jobs=options.jobs,
            say=_say,
            roster=people,
            only=options.only,
            wanted=tuple(options.lab),
            state=options.state or inside / ".course-grade",
            again=options.again,
        )
    except GradeError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{folder} cannot be graded: {error.strerror}.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: not from Python
    if options.json:
        print(json.dumps(report.as_json(found), indent=1))
    elif options.csv:
        print(report.as_csv(found), end="")
    else:
        print(report.as_text(found))
    status = _written(options, found)
    for fault in found.faults:
        _say(fault)
    if found.faults:
        _say(
            "the exercises concerned are not graded. If a limit was reached, raise --seconds or "
            "--memory, or lower --jobs."
        )
    return 1 if found.faults else status


def _look(options: argparse.Namespace) -> None:
    """Look where results are to go, before an hour of grading.

    Raises:
        OutError: they cannot go there.
    """
    from helpers.workshop import class_page, report

    for file, ours in ((options.report, class_page.is_page), (options.table, report.is_table)):
        if file is not None:
            check(file, ours)
    submissions = options.folder.resolve()
    for folder in (options.feedback, options.state):
        place = folder and folder.resolve()
        if place and submissions in (place, *place.parents) and not place.name.startswith("."):
            raise OutError(
                f"{folder} is in the folder of submissions, where its files would be read as "
                "submissions: name another folder."
            )


def _written(options: argparse.Namespace, found: "Report") -> int:
    """Write the files that were asked for; 1 where one could not be written."""
    from helpers.workshop import class_page, feedback, report

    status = 0
    if options.report is not None:
        page = class_page.page(found).encode("utf-8")
        status |= _told(lambda: save(options.report, page, class_page.is_page), options.report)
    if options.table is not None:
        table = report.as_csv_file(found, ";" if options.semicolon else ",")
        status |= _told(lambda: save(options.table, table, report.is_table), options.table)
    if options.feedback is not None:
        try:
            count = feedback.write(found, options.feedback)
            _say(f"wrote feedback for {count} learners to {options.feedback}")
        except OutError as error:
            status = _failed(str(error))
    return status


def _told(write: Callable[[], None], file: Path) -> int:
    try:
        write()
    except OutError as error:
        return _failed(str(error))
    _say(f"wrote {file}")
    return 0


def _parser(warning: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="course grade",
        description=f"{_DESCRIPTION}{warning}",
        epilog=_EPILOG,
    )
    parser.add_argument("folder", type=Path, help="the folder of submissions, or one zip of them")
    which = parser.add_argument_group("what is graded")
    which.add_argument(
        "--lab", action="append", default=[], metavar="NN", help="only this lab; may be repeated"
    )
    which.add_argument(
        "--only",
        metavar="PATTERN",
        help="only the learners whose name, id or address matches, such as 'Ada*'; capitals and "
        "accents do not matter",
    )
    which.add_argument(
        "--roster",
        type=Path,
        metavar="FILE.csv",
        help="the class, as CSV: columns name (or first name and last name), and id and email "
        "where you have them, as in an export from Moodle or Canvas; each of these learners gets a "
        "row",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the report as JSON")
    form.add_argument("--csv", action="store_true", help="print the report as CSV")
    files = parser.add_argument_group("files")
    files.add_argument(
        "--table",
        type=named(".csv"),
        metavar="FILE.csv",
        help="write the table as CSV for a spreadsheet",
    )
    files.add_argument(
        "--semicolon",
        action="store_true",
        help="put ; between the cells of --table, for spreadsheets that write decimals with a "
        "comma",
    )
    files.add_argument(
        "--feedback",
        type=Path,
        metavar="DIR",
        help="write a Markdown file for each learner into this folder, in place of earlier "
        "feedback",
    )
    files.add_argument(
        "--report",
        type=named(".html", ".htm"),
        metavar="FILE.html",
        help="write a page on the whole class",
    )
    how = parser.add_argument_group("how it is run")
    how.add_argument(
        "--seconds",
        type=_positive,
        help=f"time limit of each cell in seconds (default {_SLOW_S:g}, with --fast {_FAST_S:g})",
    )
    how.add_argument(
        "--memory",
        type=_count,
        default=3072,
        help="memory limit in MB of 1,048,576 bytes (default 3072)",
    )
    how.add_argument(
        "--jobs",
        type=_count,
        default=min(2, os.cpu_count() or 1),
        help="how many labs run at once (default 2, or 1 on a single core)",
    )
    how.add_argument("--fast", action="store_true", help="use small samples, as in the tests")
    how.add_argument(
        "--whole",
        action="store_true",
        help="also run the cells of the lab that no check needs, such as those that measure",
    )
    how.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep results in this folder, not in FOLDER/.course-grade",
    )
    how.add_argument("--again", action="store_true", help="grade again what was graded before")
    return parser


def _end_as_ctrl_c_does() -> dict[int, Any]:
    """Let a closed terminal and a plain `kill` end the kernels too; what they did before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    wanted = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]  # Windows has one
    return {
        number: signal.signal(number, signal.default_int_handler)
        for number in wanted
        if number is not None
    }


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("it should be a number above 0")
    return value


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError("it should be a whole number, 1 or more")
    return value


def _failed(sentence: str) -> int:
    _say(sentence)
    return 1


def _say(line: str) -> None:
    from helpers.course.card import printable

    print(f"course grade: {printable(line)}", file=sys.stderr, flush=True)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"grade": grade}
