"""`course workshop`: what an instructor needs before, during and after a workshop.

Each subcommand is a module's function `run(argv)`, imported when it is called.
"""

import argparse
import importlib
from collections.abc import Callable, Sequence

SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "plan": ("helpers.workshop.plan_command", "a timed plan, from the modules' own minutes"),
    "notes": ("helpers.workshop.notes", "the instructor's notes on a module"),
    "slides": ("helpers.workshop.slides_command", "slides of a module, as one HTML file"),
    "message": ("helpers.workshop.message", "the message to participants: set up, check, report"),
    "readiness": (
        "helpers.workshop.readiness_command",
        "who will have trouble, by the reports of their machines",
    ),
    "quizzes": ("helpers.workshop.quizzes", "the quizzes as Markdown, with or without answers"),
    "survey": ("helpers.workshop.survey", "a short form for after the workshop"),
}
"""By name: the module whose `run` answers it, and what it does."""


def workshop(argv: Sequence[str]) -> int:
    """Run a subcommand and return its exit status; exits with 2 for one that does not exist."""
    parser = argparse.ArgumentParser(
        prog="course workshop",
        description="What an instructor needs before, during and after a workshop.",
        epilog="course workshop COMMAND --help explains a command. Exit status: 0 done, 1 it could "
        "not be done, 2 bad use.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in SUBCOMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    options, _ = parser.parse_known_args(argv[:1])
    module = importlib.import_module(SUBCOMMANDS[options.command][0])
    status: int = module.run(argv[1:])
    return status


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"workshop": workshop}
