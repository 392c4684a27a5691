"""The `course` command: a table from subcommand to the room that answers it.

A room is imported only when its subcommand runs, so that `course --help` is instant.
"""

import difflib
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from helpers.paths import StateFolderError

COMMANDS: dict[str, tuple[str, str]] = {
    "doctor": ("helpers.doctor", "check this machine, one line a check"),
    "lab": ("helpers.course.command", "open the course in JupyterLab"),
    "test": ("helpers.course.command", "run the course's tests"),
    "demo": ("helpers.demo.command", "see an agent leak, a control stop it, and the trace"),
    "ask": ("helpers.agent.command", "ask the support agent one question"),
    "eval": ("helpers.evaluate.command", "score the agent on the golden questions"),
    "judge": ("helpers.evaluate.judge_table", "measure a model as a judge of answers"),
    "attack": ("helpers.security.attacks.command", "attack the agent, and ask harmless requests"),
    "policies": ("helpers.security.policy.command", "what a compromised agent can do, by policy"),
    "ship-check": ("helpers.evaluate.command_ship", "decide from the evidence: go or no-go"),
    "chat": ("helpers.service.page.command", "open the chat page of a running service"),
    "traces": ("helpers.tracing.command", "look at your traces in a browser"),
    "trace-check": ("helpers.tracing.command", "check that requests leave complete traces"),
    "serve": ("helpers.service.command", "serve the support agent over HTTP"),
    "serve-check": ("helpers.service.command", "put the service under load and break its parts"),
    "monitor": ("helpers.monitor.command_live", "watch the running service with Prometheus"),
    "monitor-check": (
        "helpers.monitor.command_check",
        "measure what the alerts find on held-out days",
    ),
    "incidents": ("helpers.monitor.command_incidents", "try alerts on days with known incidents"),
    "rollout": ("helpers.deploy.command_rollout", "build the image and roll it out under load"),
    "ray": ("helpers.scale.command", "serve, check and evaluate on Ray"),
    "deploy-check": ("helpers.deploy.command_check", "check Kubernetes manifests before a cluster"),
    "cost": ("helpers.cost.command", "what a right answer costs, and which tier earns its place"),
    "tiers": (
        "helpers.cost.command_serve",
        "serve the agent with cache, extracted sentences and tiers",
    ),
    "mcp": ("helpers.operate.command_mcp", "serve the shop's tools to any MCP client"),
    "drill": ("helpers.operate.command_drill", "find and end an incident on a running service"),
    "review": ("helpers.review.command", "answer the review questions, and export the answers"),
    "coverage": ("helpers.review.command", "where each heading of the chapter is shown and proved"),
    "status": ("helpers.course.command_path", "show your path: what is done and left, by module"),
    "next": ("helpers.course.command_path", "say what is next, and open it"),
    "journal": ("helpers.course.command_path", "write your own figures as one page"),
    "catch-up": (
        "helpers.course.command_path",
        "put given solutions into a lab, when you are late",
    ),
    "reset": ("helpers.course.command", "restore a lab, keeping a dated copy of yours"),
    "update": ("helpers.course.command", "fetch the course's newest version and keep your work"),
    "new": ("helpers.course.command", "write a project of your own from the course's programs"),
    "grade": ("helpers.workshop.command", "grade a folder of submitted labs"),
    "workshop": ("helpers.workshop.kit", "prepare a workshop, and give one"),
    "bundle": ("helpers.workshop.bundle.command", "a folder to install from without a network"),
    "build": ("helpers.authoring.command", "build notebooks and labs from their sources"),
    "runs": ("helpers.authoring.command", "run the slow steps of a notebook, and keep the answers"),
    "strength": ("helpers.authoring.exercise_command", "how strong the checks of a module are"),
    "new-exercise": ("helpers.authoring.exercise_command", "make the places of a new exercise"),
    "style": ("helpers.authoring.command", "measure walkthroughs against the style page"),
    "lock": ("helpers.authoring.command", "renew both lock files"),
}


def usage() -> str:
    """The list of subcommands, one line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: course COMMAND [options]   (course COMMAND --help)", "", *lines])


# What the system says of a pipe without a reader: Windows has no number of its own for it.
_NO_READER = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}


class _Pipe(io.FileIO):
    """A standard stream whose reader may leave early, as `head` does: the rest goes nowhere.

    The command itself goes on. One that restores a lab or fetches an update must not stop halfway
    because its report is no longer read, and its exit status says how that work went.
    """

    def write(self, data: Any) -> int:
        """Write, or throw away where nobody reads."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _NO_READER:
                raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())  # for child processes, and what Python itself still writes
        os.close(nowhere)
        return super().write(data)


def _outlive_the_readers() -> None:
    """Let no stream of this process end in an error because its reader has closed it.

    A terminal and what a test has put in the place of a stream stay as they are.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__") or stream is None or stream.isatty():
            continue
        stream.flush()
        pipe = _Pipe(stream.fileno(), "wb", closefd=False)
        text = io.TextIOWrapper(
            pipe if stream.write_through else io.BufferedWriter(pipe),
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status.

    2 for a command that does not exist, 130 after Ctrl-C.
    """
    _outlive_the_readers()
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    name = words[0]
    if name not in COMMANDS:
        meant = difflib.get_close_matches(name, COMMANDS, n=1)
        print(
            f"course: there is no command {name!r}. "
            + (f"Did you mean `course {meant[0]}`?" if meant else f"There are:\n\n{usage()}"),
            file=sys.stderr,
        )
        return 2
    try:
        room = importlib.import_module(COMMANDS[name][0])
        status: int = room.COMMANDS[name](words[1:])
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except StateFolderError as error:  # any command may be the first to need that folder
        print(f"course {name}: {error}.", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
