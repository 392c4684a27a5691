"""`course review` and `course coverage`: the review in a terminal.

What a subcommand does not need is not imported.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def review(argv: Sequence[str]) -> int:
    """Run a subcommand: 0, or 1 with a sentence when it cannot be done, 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="course review",
        description="The review questions of module 12, and your answers to them.",
        epilog="course review COMMAND --help explains a command.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in _SUBCOMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    options, _ = parser.parse_known_args(argv[:1])
    run, _ = _SUBCOMMANDS[options.command]
    return run(argv[1:])


def show(argv: Sequence[str]) -> int:
    """Print a question, what a full answer has, and a template."""
    parser = argparse.ArgumentParser(
        prog="course review show",
        description="Show a review question, its parts, its rubric and an empty template.",
    )
    parser.add_argument("question", help="such as Q1")
    options = parser.parse_args(argv)
    from helpers.review.questions import UnknownQuestionError, question
    from helpers.review.shown import show_question

    try:
        asked = question(options.question)
    except UnknownQuestionError as problem:
        return _failed("show", problem, 2)
    show_question(asked)
    return 0


def answers(argv: Sequence[str]) -> int:
    """Print of each question whether it is answered, when, and what was found then."""
    argparse.ArgumentParser(
        prog="course review answers",
        description="Which questions you have answered, when, and what each last review found.",
    ).parse_args(argv)
    from helpers.columns import aligned
    from helpers.review.questions import questions
    from helpers.review.saved import SavedAnswerError, load

    rows, status = [["Question", "Reviewed", "Found"]], 0
    for asked in questions():
        name = f"{asked.id} {asked.title}"
        try:
            saved = load(asked.id)
        except SavedAnswerError as problem:
            status = _failed("answers", problem, 1)
            rows.append([name, "unreadable", ""])
            continue
        if saved is None:
            rows.append([name, "no answer yet", ""])
            continue
        found = f"{len(saved.findings)} to change" if saved.findings else "nothing to change"
        rows.append([name, f"{saved.written.astimezone():%Y-%m-%d %H:%M}", found])
    print("\n".join(aligned(rows)))
    return status


def export(argv: Sequence[str]) -> int:
    """Write your answers as one page."""
    parser = argparse.ArgumentParser(
        prog="course review export",
        description="Write your saved answers as one HTML page for an instructor: the answers, "
        "the figures that they cite, what the check finds, and the rubric as a form. What goes "
        "into it is printed first.",
    )
    parser.add_argument("file", metavar="FILE.html", type=Path, help="the page to write")
    parser.add_argument("--name", help="your name, for the page (without it, the page has none)")
    options = parser.parse_args(argv)
    from helpers.review.export import ExportError
    from helpers.review.export import export as write

    try:
        write(options.file, options.name)
    except ExportError as problem:
        return _failed("export", problem, 1)
    print(f"Written: {options.file}")
    return 0


def pack(argv: Sequence[str]) -> int:
    """Copy your own evidence, accepted risks and releases into a folder."""
    parser = argparse.ArgumentParser(
        prog="course review pack",
        description="Copy your evidence, accepted risks and releases into a folder that others "
        "can read, with the version of the agent as it is now, and the date.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="new, empty, or a pack")
    options = parser.parse_args(argv)
    from helpers.evaluate.packed import PackError
    from helpers.review.pack import pack as packed

    try:
        about = packed(options.folder)
    except PackError as problem:
        return _failed("pack", problem, 1)
    print(
        f"Packed into {options.folder}: version {about.version.digest}, {about.recorded:%Y-%m-%d}."
    )
    return 0


def practice(argv: Sequence[str]) -> int:
    """Print short questions for a heading of the chapter."""
    from helpers.review.practice import practice_command

    return practice_command(argv)


def coverage(argv: Sequence[str]) -> int:
    """Print where each heading of the chapter is shown and proved."""
    from helpers.review.coverage import coverage_command

    return coverage_command(argv)


def _failed(command: str, problem: Exception, status: int) -> int:
    print(f"course review {command}: {problem}", file=sys.stderr)
    return status


_SUBCOMMANDS: dict[str, tuple[Callable[[Sequence[str]], int], str]] = {
    "show": (show, "show a question, its parts and a template"),
    "answers": (answers, "which questions you have answered, and what was found"),
    "export": (export, "write your answers as one page for an instructor"),
    "pack": (pack, "copy your evidence into a folder that others can read"),
    "practice": (practice, "short questions for a heading of the chapter"),
}
"""By name: function of the words after the name, and what it does."""

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"review": review, "coverage": coverage}
