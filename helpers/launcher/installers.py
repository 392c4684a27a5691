"""The two programs that can fill `.venv`: uv where it is on the path, else venv and pip.

Both install exactly what the lock says: every package by version and hash, without resolving
dependencies, wheels only, so that nothing is compiled and nothing of a package runs. The user's
settings say where packages come from, and nothing else (`settings`).
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from helpers.launcher.advice import VENV, SetUpError, advise
from helpers.launcher.running import pip_progress, run, uv_progress
from helpers.launcher.settings import for_installers, from_pip_files, from_uv_files, set_aside

EXACT = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]


class Installer(Protocol):
    """What the launcher asks of uv, or of venv and pip."""

    name: str

    def create(self, folder: Path, log: Path) -> None:
        """Make an environment in `folder` on the running Python, or renew its own files."""
        ...

    def install(self, python: Path, lock: Path, wheels: Path | None, log: Path) -> None:
        """Install a lock's packages for `python`, from the folder `wheels` alone if given."""
        ...


class Uv:
    """uv, with the running interpreter: it is told never to download one."""

    name = "uv"

    def __init__(self, program: str) -> None:
        self._program = program

    def create(self, folder: Path, log: Path) -> None:
        """Make or renew the environment."""
        options = ["--no-project", "--allow-existing", "--python", sys.executable]
        run([self._program, "venv", *options, str(folder)], log, uv_progress)

    def install(self, python: Path, lock: Path, wheels: Path | None, log: Path) -> None:
        """Install with `uv pip`."""
        settings, aside = from_uv_files(os.environ, lock.parent)
        _name([*set_aside(os.environ, "uv"), *aside])
        # Indexes may name passwords: the file is the user's alone, and goes.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "uv.toml"
            file.write_text(settings, encoding="utf-8")
            offline = ["--offline"] if wheels else []
            # As pip does. Else, for a user whose Python writes no bytecode, each process compiles
            # what it imports: three times the work of the import.
            exact = [*EXACT, "--compile-bytecode", *offline]
            command = [self._program, "pip", "install", "--python", str(python), *exact]
            command += ["--config-file", str(file), *_source(wheels), "-r", str(lock)]
            run(command, log, uv_progress, {"UV_NO_CONFIG": "0"})


class Pip:
    """The standard library's venv, and the pip that it puts into the environment."""

    name = "pip"

    def create(self, folder: Path, log: Path) -> None:
        """Make or renew the environment; pip comes with the first `install`."""
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            raise SetUpError(VENV)
        run([sys.executable, "-m", "venv", "--without-pip", str(folder)], log, _silent)

    def install(self, python: Path, lock: Path, wheels: Path | None, log: Path) -> None:
        """Install with the environment's own pip, which an environment made by uv has not yet."""
        if not _answers([str(python), "-m", "pip", "--version"]):
            run([str(python), "-m", "ensurepip"], log, _silent)
        variables = pip_settings(python)
        options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        command = [str(python), "-m", "pip", "install", *options, *EXACT, *_source(wheels)]
        run([*command, "-r", str(lock)], log, pip_progress(_packages(lock)), variables)


def find_installer() -> Installer:
    """uv when it is on the path and answers (a version manager's stand-in may not), else pip."""
    program = shutil.which("uv")
    if program and _answers([program, "--version"]):
        return Uv(program)
    return Pip()


def pip_settings(python: Path) -> dict[str, str]:
    """What the user's pip files say of where packages come from, as variables for `run`.

    Prints the names of the settings that are set aside; raises `SetUpError` for a broken file.
    """
    settings, aside = from_pip_files(_pip_files(python))
    _name([*set_aside(os.environ, "pip"), *aside])
    return {key: value for key, value in settings.items() if not os.environ.get(key)}


def _pip_files(python: Path) -> str:
    """What `pip config list` says of the user's files; raises `SetUpError` for a broken one."""
    environment = {**for_installers(os.environ), "PIP_QUIET": "0"}
    del environment["PIP_CONFIG_FILE"]
    if os.environ.get("PIP_CONFIG_FILE"):
        environment["PIP_CONFIG_FILE"] = os.environ["PIP_CONFIG_FILE"]
    # Not in the log: an index's address may hold a password.
    answer = subprocess.run(
        [str(python), "-m", "pip", "--python=", "config", "list"],
        env=environment,
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    if answer.returncode:
        raise SetUpError(advise(answer.stderr))
    return answer.stdout


def _name(aside: Sequence[str]) -> None:
    if aside:
        print(f"Set aside, because the lock decides what is installed: {', '.join(aside)}.")


def _answers(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _silent(line: str) -> None:
    """The progress of a step that takes a few seconds: none."""


def _source(wheels: Path | None) -> list[str]:
    return ["--no-index", "--find-links", str(wheels)] if wheels else []


def _packages(lock: Path) -> int:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return sum("==" in line and not line.startswith((" ", "#")) for line in lines)
