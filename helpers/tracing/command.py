"""`course traces` shows the traces of this machine; `course trace-check` checks that all are there.

What a subcommand does not need is not imported: the agent takes seconds.
"""

import argparse
import json
import secrets
import sys
import webbrowser
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.sockets import listen
from helpers.tracing.server import HOST, make_server, serve
from helpers.tracing.service import traces_file
from helpers.tracing.store import Store
from helpers.tracing.store.schema import UnusableFileError

if TYPE_CHECKING:
    from helpers.shop.traffic import Request
    from helpers.tracing.check import Ask


def traces(argv: Sequence[str]) -> int:
    """Serve the pages until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="course traces",
        description="Open the traces of this machine in a browser; Ctrl-C ends it.",
    )
    parser.add_argument("--file", type=Path, help="another file than the course's own")
    parser.add_argument("--port", type=int, default=0, help="a port; by default a free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    options = parser.parse_args(argv)
    path: Path = options.file or traces_file()
    if options.file and not path.exists():
        print(f"There is no file {path}.")
        return 1
    try:
        sock = listen(HOST, options.port)
    except OSError as error:
        print(f"Port {options.port} is taken ({error}): leave out --port to get a free one.")
        return 1
    key = secrets.token_urlsafe(24)
    try:
        server = make_server(Store(path), key)
    except UnusableFileError as error:
        print(error)
        return 1
    sock.listen(128)
    address = f"http://{HOST}:{sock.getsockname()[1]}/?key={key}"
    print(f"Traces of {path}\n{address}\nCtrl-C ends it.", flush=True)
    if not options.no_browser:
        webbrowser.open(address)
    serve(server, sock)
    return 0


def trace_check(argv: Sequence[str]) -> int:
    """Ask requests with tracing on and write the evidence for `monitoring`."""
    from helpers.evaluate import evidence
    from helpers.evaluate.version import current_version
    from helpers.models import bulk_run, chat_model
    from helpers.models.errors import ModelError
    from helpers.tracing.asking import CALLS, TOKENS_IN, TOKENS_OUT
    from helpers.tracing.check import ITEM, check
    from helpers.tracing.service import ServiceError
    from helpers.tracing.switch import TracingError, disable, enable

    parser = argparse.ArgumentParser(
        prog="course trace-check",
        description="Ask the agent requests of the day with tracing on, read the traces back, and "
        "write the evidence for the checklist's item monitoring.",
    )
    parser.add_argument("--requests", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(argv)
    command = "course trace-check"
    try:
        evidence.refuse_fast_mode(command)
        project = f"trace-check-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        version = current_version()
        traces = enable(project)
    except (evidence.FastMode, ServiceError, TracingError) as problem:
        print(problem, file=sys.stderr)
        return 1
    budget = bulk_run(
        chat_model(),
        calls=options.requests * CALLS,
        input_tokens=TOKENS_IN,
        output_tokens=TOKENS_OUT,
    )
    try:
        with budget:
            found = check(traces.client, project, *_agent(options.requests))
    except ModelError as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        disable()
    figures = {"runs traced": found.traced, "runs with tokens and cost": found.metered}
    counted = {name: figure for name, figure in figures.items() if figure.total}
    path = evidence.write(ITEM, counted, command=command, version=version)
    if options.json:
        report = {
            "project": project,
            "figures": {name: [one.successes, one.total] for name, one in figures.items()},
            "dollars": found.dollars,
            "failed": found.failed,
            "evidence": str(path),
        }
        print(json.dumps(report, indent=2))
    else:
        for name, one in figures.items():
            print(f"{name:<27}{one}")
        print(f"{'requests that failed':<27}{found.failed}")
        print(f"{'cost of all requests':<27}${found.dollars:.6f}")
        print(f"Evidence: {path}. See the traces: course traces, project {project}.")
    return 0


def _agent(count: int) -> "tuple[list[Request], Ask]":
    """The first requests of the day, and the support agent to ask them."""
    from helpers.agent import build_agent
    from helpers.shop.traffic import day
    from helpers.tracing.asking import ask

    agent = build_agent()
    return day(max(count, 50))[:count], lambda request, run_id: ask(agent, request, run_id)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "traces": traces,
    "trace-check": trace_check,
}
