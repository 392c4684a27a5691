"""`course ray`: the service on Ray, its check under load, and the golden questions in parallel.

What a subcommand does not need is not imported: Ray takes seconds.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_SUBCOMMANDS = {
    "serve": ("helpers.scale.command", "serve", "serve the support agent on Ray"),
    "check": ("helpers.scale.check", "main", "put that service under load and break its parts"),
    "index": ("helpers.scale.index", "main", "embed the shop's documents on workers, into files"),
    "eval": ("helpers.scale.evaluation", "main", "score the agent on workers in parallel"),
    "config": ("helpers.scale.serve_config", "main", "check a serve.yaml or a RayService manifest"),
}
"""By name: module, function of the words after the name, and what it does."""


def ray(argv: Sequence[str]) -> int:
    """Run a subcommand; its exit status, or 1 when Ray does not work, with the reason."""
    parser = argparse.ArgumentParser(
        prog="course ray",
        description="Fernhill on Ray.",
        epilog="course ray COMMAND --help explains a command.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, _, text) in _SUBCOMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    options, _ = parser.parse_known_args(argv[:1])
    module, function, _ = _SUBCOMMANDS[options.command]
    from helpers.scale.errors import RayError

    try:
        status: int = getattr(import_module(module), function)(argv[1:])
    except RayError as problem:
        print(f"course ray {options.command}: {problem}", file=sys.stderr)
        return 1
    return status


def serve(argv: Sequence[str]) -> int:
    """Serve on Ray until Ctrl-C or SIGTERM; 1 when it cannot start, with the reason."""
    from helpers.service.command import SETTINGS_HELP, add_settings, run_with_settings

    parser = argparse.ArgumentParser(
        prog="course ray serve",
        description=f"Serve the support agent on Ray, as `course serve` does. {SETTINGS_HELP}",
    )
    parser.add_argument(
        "--address",
        default=os.environ.get("RAY_ADDRESS"),
        help="a running cluster, host:port (RAY_ADDRESS; else one on this machine is started)",
    )
    parser.add_argument("--replicas", type=int, default=2, help="of the agent and its model (2)")
    add_settings(parser)
    options = parser.parse_args(argv)
    if options.replicas < 1:
        parser.error("--replicas must be at least 1")
    return run_with_settings("course ray serve", options, _run)


def _run(settings: Any, key: str | None, options: argparse.Namespace) -> int:
    from helpers.scale.app import deploy, drain, take_away
    from helpers.scale.cluster import join_ray, start_ray
    from helpers.service.command import greeting

    if options.address:
        cluster = join_ray(options.address, host=options.host, port=options.port)
    else:
        cpus = max(4.0, float(options.replicas))
        cluster = start_ray(cpus=cpus, host=options.host, port=options.port or None)
    try:
        url = deploy(cluster, settings, options.replicas)
        with _asked_to_stop() as stop:
            print(greeting(url, key), flush=True)
            while not stop.wait(0.2):  # a wait without end is deaf to signals on Windows
                pass
            drain(settings)
        take_away(cluster)
    finally:
        cluster.stop()
    return 0


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that the first SIGTERM or Ctrl-C sets; a second Ctrl-C stops at once.

    Ray has put a handler of its own in place, which would end the process without its streams.
    """
    stop = threading.Event()

    def handle(number: int, _: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"ray": ray}
