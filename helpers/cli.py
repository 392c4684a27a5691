"""The `course` command: a table from subcommand to the room that answers it.

A room is imported only when its subcommand runs, so that `course --help` is instant.
"""

import importlib
import sys
from collections.abc import Sequence

COMMANDS: dict[str, tuple[str, str]] = {
    "doctor": ("helpers.doctor", "check this machine, one line a check"),
    "lab": ("helpers.course.command", "open the course in JupyterLab"),
    "test": ("helpers.course.command", "run the course's tests"),
    "ask": ("helpers.agent.command", "ask the support agent one question"),
    "eval": ("helpers.evaluate.command", "score the agent on the golden questions"),
    "judge": ("helpers.evaluate.judge_table", "measure a model as a judge of answers"),
    "attack": ("helpers.security.attacks.command", "attack the agent, and ask harmless requests"),
    "policies": ("helpers.security.policy.command", "what a compromised agent can do, by policy"),
    "ship-check": ("helpers.evaluate.ship_check", "decide from the evidence: go or no-go"),
    "chat": ("helpers.service.page.command", "open the chat page of a running service"),
    "traces": ("helpers.tracing.command", "look at your traces in a browser"),
    "trace-check": ("helpers.tracing.command", "check that requests leave complete traces"),
    "serve": ("helpers.service.command", "serve the support agent over HTTP"),
    "serve-check": ("helpers.service.command", "put the service under load and break its parts"),
    "status": ("helpers.course.command", "show your checks and quizzes, module by module"),
    "reset": ("helpers.course.command", "restore a lab, keeping a dated copy of yours"),
    "update": ("helpers.course.command", "fetch the course's newest version and keep your work"),
    "grade": ("helpers.workshop.command", "grade a folder of submitted labs"),
    "build": ("helpers.authoring.command", "build notebooks and labs from their sources"),
    "runs": ("helpers.authoring.command", "run the slow steps of a notebook, and keep the answers"),
    "lock": ("helpers.authoring.command", "renew both lock files"),
}


def usage() -> str:
    """The list of subcommands, one line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: course COMMAND [options]   (course COMMAND --help)", "", *lines])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status.

    2 for a command that does not exist, 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    name = words[0]
    if name not in COMMANDS:
        print(f"course: there is no command {name!r}\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        room = importlib.import_module(COMMANDS[name][0])
        status: int = room.COMMANDS[name](words[1:])
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return status


if __name__ == "__main__":
    raise SystemExit(main())
