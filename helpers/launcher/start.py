"""The launcher's command line: what needs the environment gets it, and then runs in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers import cli
from helpers.launcher.advice import SetUpError, advise_on
from helpers.launcher.environment import Environment
from helpers.launcher.settings import for_python

ROOT = Path(__file__).resolve().parents[2]
LEARNER = "requirements.lock"
DEVELOPER = "requirements-dev.lock"
# Commands that use packages of the developers' lock.
NEEDS_DEVELOPER = {"test", "build", "lock"}

RENEW = (
    "This environment is older than the lock. To renew it, leave it (deactivate) and run the same "
    "command again."
)
INTERRUPTED = "\nStopped. Run the same command again: it goes on where it stopped."


def start(words: Sequence[str]) -> int:
    """Run `python3 -m helpers WORDS...`; return the exit status, the command's own where it ran."""
    if not sys.flags.utf8_mode and not _speaks_utf8():
        return _restart(words)
    wheels, command = split(words)
    if not command or command[0] not in cli.COMMANDS:
        return cli.main(command)  # usage, which needs no environment
    environment = Environment(ROOT)
    locks = [LEARNER, *([DEVELOPER] if command[0] in NEEDS_DEVELOPER else [])]
    stale = environment.is_stale(locks)
    if environment.is_running():
        if stale:
            print(RENEW, file=sys.stderr)
        return _hand_over(environment.python, command)
    try:
        environment.bring_up(locks, wheels)
    except SetUpError as error:
        problem = str(error)
    except OSError as error:
        problem = advise_on(error)
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 130
    else:
        return _hand_over(environment.python, command)
    print(f"\nThe set-up stopped. {problem}", file=sys.stderr)
    if stale:
        old = f"{environment.python} -m helpers {command[0]}"
        print(f"The packages of before may still do: {old}", file=sys.stderr)
    if command[0] == "doctor" and any(word.split("=")[0] == "--report" for word in command):
        # An instructor wants to know of this machine most of all.
        print("The report is made without the packages, and says so.\n", file=sys.stderr)
        cli.main([*command, f"--stopped={problem}"])
    return 1


def split(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Take `--wheels DIR` out of the words, before or right after the command's name.

    Raises `SystemExit` (status 2) when there is no such folder.
    """
    rest = list(words)
    for place in (0, 1):
        if len(rest) > place and rest[place].split("=")[0] == "--wheels":
            option, _, value = rest.pop(place).partition("=")
            value = value or (rest.pop(place) if len(rest) > place else "")
            folder = Path(value).expanduser().resolve()
            if not value or not folder.is_dir():
                print(f"{option}: there is no folder {value!r}.", file=sys.stderr)
                raise SystemExit(2)
            return folder, rest
    return None, rest


def _hand_over(python: Path, command: Sequence[str]) -> int:
    call = [str(python), "-P", "-m", "helpers.cli", *command]
    return _become(call, for_python(os.environ))


def _speaks_utf8() -> bool:
    encodings = (sys.getfilesystemencoding(), sys.stdout.encoding, sys.stderr.encoding)
    return all(name.lower().replace("_", "-") == "utf-8" for name in encodings)


def _restart(words: Sequence[str]) -> int:
    """Start the launcher again so that it can read and print every path and sentence."""
    call = [sys.executable, "-X", "utf8", "-m", "helpers", *words]
    return _become(call, {**for_python(os.environ), "PYTHONPATH": str(ROOT)})


def _become(call: list[str], environment: dict[str, str]) -> int:
    sys.stdout.flush()
    if os.name == "posix":  # the same process goes on: signals and exit status are the command's
        os.execve(call[0], call, environment)
    # Ctrl-C reaches the command too, which decides what it means: JupyterLab asks first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(call, env=environment, check=False).returncode
