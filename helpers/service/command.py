"""`course serve` runs the service; `course serve-check` puts it under load and breaks its parts.

What a subcommand does not need is not imported: the agent takes seconds.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_CUSTOMER = "C-0042"
_QUESTION = "How much does the Alta 2 tent weigh?"


def serve(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; 1 when it cannot start, with the reason."""
    parser = argparse.ArgumentParser(
        prog="course serve", description=f"Serve the support agent over HTTP; {SETTINGS_HELP}"
    )
    add_settings(parser)
    parser.add_argument(
        "--issue", metavar="CUSTOMER", help="add a key for a customer to --keys, show it, and end"
    )
    options = parser.parse_args(argv)
    if options.issue:
        return _issue(options.issue, options.keys)
    return run_with_settings("course serve", options, _run)


SETTINGS_HELP = (
    "Ctrl-C ends it. Further settings are COURSE_SERVICE_* variables: see "
    "helpers/service/settings.py."
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The options of every command that runs the service."""
    parser.add_argument("--host", default="127.0.0.1", help="address (this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="port (8000); 0: a free one")
    parser.add_argument(
        "--path", choices=("agent", "plain"), help="who answers: the agent, or the model alone"
    )
    parser.add_argument("--upstream", metavar="URL", help="an OpenAI-compatible model")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="the file of API keys")


def run_with_settings(
    prog: str,
    options: argparse.Namespace,
    run: Callable[[Any, str | None, argparse.Namespace], int],
) -> int:
    """Run the service with the settings of a command line; 1 for those that cannot be used.

    Args:
        prog: the command, which begins every sentence on what is wrong.
        options: as `add_settings` adds them.
        run: given the settings, a key that was made for this run, None where there are keys, and
            the options; returns the exit status.
    """
    from pydantic import ValidationError

    from helpers.service.keys import KeysError, issue

    given: dict[str, Any] = {
        "path": options.path,
        "upstream_url": options.upstream,
        "keys_file": options.keys,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    key: str | None = None
    try:
        from helpers.service.settings import Settings

        settings = Settings(**chosen)
        if not settings.keys and settings.keys_file is None:
            key, kept = issue(_CUSTOMER)
            settings = settings.model_copy(update={"keys": (kept,)})
        # The local model answers as many requests at once as the service lets through.
        os.environ.setdefault("COURSE_SLOTS", str(settings.running))
        return run(settings, key, options)
    except ValidationError as error:
        for each in error.errors():
            print(f"{prog}: {'.'.join(map(str, each['loc']))}: {each['msg']}", file=sys.stderr)
    except KeysError as error:
        print(f"{prog}: {error}", file=sys.stderr)
    except OSError as error:
        print(
            f"{prog}: {options.host}:{options.port} cannot be had ({error}): choose another "
            "--port; 0 takes a free one.",
            file=sys.stderr,
        )
    return 1


def _issue(customer: str, file: Path | None) -> int:
    from pydantic import ValidationError

    from helpers.service.keys import KeysError, add_key, issue

    if file is None:
        print("course serve: name the file for the key: --keys FILE", file=sys.stderr)
        return 1
    try:
        key, kept = issue(customer)
        add_key(file, kept)
    except ValidationError:
        print(f"course serve: {customer!r} is no customer: write as in C-0042", file=sys.stderr)
        return 1
    except KeysError as error:
        print(f"course serve: {error}", file=sys.stderr)
        return 1
    print(f"{key}\n\nThis is the only time that it is shown; {file} holds its hash alone.")
    return 0


def _run(settings: Any, key: str | None, options: argparse.Namespace) -> int:
    from helpers.service.app import create_app

    return run_app(create_app(settings), settings, key, options)


def run_app(app: Any, settings: Any, key: str | None, options: argparse.Namespace) -> int:
    """Serve an app of `create_app` until it is stopped; see `run_with_settings`."""
    from helpers.service.server import Server
    from helpers.sockets import listen

    sock = listen(options.host, options.port)
    server = Server(app, settings)
    address = f"http://{options.host}:{sock.getsockname()[1]}"

    def say() -> None:
        print(greeting(address, key), flush=True)

    return server.serve_until_stopped(sock, say)


def greeting(address: str, key: str | None) -> str:
    """What is printed once the first request can be answered."""
    shown = key or "YOUR_KEY"
    whose = f"A key of customer {_CUSTOMER}, good until this ends:" if key else "Your key:"
    return (
        f"Serving on {address}; its description is at {address}/openapi.json; Ctrl-C ends it.\n\n"
        f"{whose}\n\n"
        f"export KEY={shown}\n"
        f'curl -N {address}/v1/chat/stream -H "Authorization: Bearer $KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"""  -d '{{"message": "{_QUESTION}"}}'"""
    )


def serve_check(argv: Sequence[str]) -> int:
    """Put the service under load and break its parts; write the evidence."""
    from helpers.service.check.command import main

    return main(argv)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"serve": serve, "serve-check": serve_check}
