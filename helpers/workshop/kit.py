"""`course workshop NAME`: what an instructor needs before and after a workshop."""

import argparse
import importlib
from collections.abc import Sequence

# Name -> module with a `main(argv) -> int`, and what it does. A module is imported when it is used.
COMMANDS: dict[str, tuple[str, str]] = {
    "quizzes": ("helpers.workshop.quizzes", "the quizzes as Markdown, with or without answers"),
    "survey": ("helpers.workshop.survey", "a short form for after the workshop"),
}


def workshop(argv: Sequence[str]) -> int:
    """Run one of the instructor's commands: 0, 1 where it failed; exits with 2 for a wrong name."""
    words = list(argv)
    if words and words[0] in COMMANDS:
        status: int = importlib.import_module(COMMANDS[words[0]][0]).main(words[1:])
        return status
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in sorted(COMMANDS.items())]
    parser = argparse.ArgumentParser(
        prog="course workshop",
        usage="course workshop NAME [options]   (--help after a name)",
        description="What an instructor needs before and after a workshop:\n\n" + "\n".join(lines),
        epilog="The exit status is 1 where a command failed, and 2 for a wrong name or option.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if not words:
        parser.print_help()
        return 0
    parser.add_argument("name", choices=sorted(COMMANDS), help=argparse.SUPPRESS)
    parser.parse_args(words[:1])
    return 2  # not reached: a name that is not known has ended the command
