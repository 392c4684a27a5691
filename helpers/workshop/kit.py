"""`course workshop NAME`: what an instructor needs before and after a workshop."""

import importlib
import sys
from collections.abc import Sequence

# Name -> module with a `main(argv) -> int`, and what it does. A module is imported when it is used.
COMMANDS: dict[str, tuple[str, str]] = {
    "quizzes": ("helpers.workshop.quizzes", "the quizzes as Markdown, with or without answers"),
    "survey": ("helpers.workshop.survey", "a short form for after the workshop"),
}


def workshop(argv: Sequence[str]) -> int:
    """Run one of the instructor's commands: 0, 1 where it failed, 2 for a wrong word."""
    words = list(argv)
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in sorted(COMMANDS.items())]
    usage = "\n".join(["usage: course workshop NAME [options]   (--help after a name)", "", *lines])
    if not words or words[0] in {"-h", "--help"}:
        print(usage)
        return 0
    if words[0] not in COMMANDS:
        print(f"course workshop: there is no {words[0]!r}\n\n{usage}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(COMMANDS[words[0]][0]).main(words[1:])
    return status
