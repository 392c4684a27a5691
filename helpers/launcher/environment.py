"""The folder `.venv`: what state it is in, and what brings it to the lock."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.launcher.advice import COLON, DISK, INCOMPLETE, SetUpError
from helpers.launcher.installers import find_installer
from helpers.launcher.mending import names_in, point_scripts_at, remove_unfinished
from helpers.launcher.settings import for_python
from helpers.launcher.stamp import Stamp, digest, read_stamp, write_stamp
from helpers.launcher.turn import my_turn

# What the learner's lock and its download take on disk, with room to spare (README, "Downloads").
SPACE_MB = 2000

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Environment:
    """The course's own Python environment, in `.venv` of the folder `root`.

    A stamp, written last, says what was installed and found there. Without one, or when a package
    is gone since, each package in the environment is looked at before it is trusted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.programs = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.programs / ("python.exe" if os.name == "nt" else "python")
        self._stamp = self.folder / "course-stamp.json"
        # Outside the environment, which may be removed while the lock is held.
        self._state = root / ".course"

    def is_running(self) -> bool:
        """Whether this process already runs on the environment's Python."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def works(self) -> bool:
        """Whether the environment has a Python that starts and knows where it is."""
        return self._version() is not None

    def is_stale(self, locks: Sequence[str]) -> bool:
        """Whether a set-up ended here, but for another state of these lock files."""
        stamp = read_stamp(self._stamp)
        return stamp is not None and not self._has(stamp, locks)

    def fits(self, locks: Sequence[str]) -> bool:
        """Whether the environment is complete for these lock files. Asks no network."""
        stamp = read_stamp(self._stamp)
        return (
            stamp is not None
            and stamp.folder == str(self.folder)
            and self._has(stamp, locks)
            and stamp.python == self._version()
            and self._holds(stamp)
        )

    def bring_up(self, locks: Sequence[str], wheels: Path | None) -> None:
        """Make, mend or renew the environment, one process at a time; quick where it fits.

        Raises `SetUpError` with what to do, or `OSError` when a file cannot be written.
        """
        if self.fits(locks):
            return
        with my_turn(self._state / "setup.lock"):
            if not self.fits(locks):
                self._bring_up(locks, wheels)

    def _bring_up(self, locks: Sequence[str], wheels: Path | None) -> None:
        if shutil.disk_usage(self.root).free < SPACE_MB * 1_000_000:
            raise SetUpError(f"{DISK} The course needs {SPACE_MB / 1000:.0f} GB.")
        if os.pathsep in str(self.folder):
            raise SetUpError(COLON.format(os.pathsep))
        log = self._state / "setup.log"
        log.write_text("", encoding="utf-8")
        installer = find_installer()
        done = self._prepare()
        version = self._version()
        print(f"Setting the course up in {self.folder}, with {installer.name}.", flush=True)
        if version in {None, HERE}:  # over an existing one this renews its few files of its own
            installer.create(self.folder, log)
        for name in locks:
            if done.get(name) != digest(self.root / name):
                print(f"Installing what {name} lists.", flush=True)
                installer.install(self.python, self.root / name, wheels, log)
                done[name] = digest(self.root / name)
        self._link_project()
        if os.name != "nt":
            point_scripts_at(self.python)
        self._verify(locks, log)
        version = self._version() or HERE
        found = sorted(names_in(self._packages(version)))
        write_stamp(self._stamp, Stamp(version, str(self.folder), done, found))
        print("The set-up is complete.", flush=True)

    def _verify(self, locks: Sequence[str], log: Path) -> None:
        """Ask the environment's own Python whether it has all that the locks list.

        An installer that ends well has not always installed: it may be told to only pretend.
        """
        code = (
            "import sys; from pathlib import Path; from helpers.doctor import differences; "
            "print(', '.join(differences(*map(Path, sys.argv[1:]))))"
        )
        answer = subprocess.run(
            [str(self.python), "-P", "-c", code, *(str(self.root / name) for name in locks)],
            env=for_python(os.environ),
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
        wrong = answer.stdout.strip() or answer.stderr.strip()
        if wrong:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"Not in {self.folder} as the locks list them:\n{wrong}\n")
            raise SetUpError(INCOMPLETE.format(wrong[:300], log))

    def _prepare(self) -> dict[str, str]:
        """Clear away what cannot be kept; return the locks (name to digest) that are in."""
        version, stamp = self._version(), read_stamp(self._stamp)
        if version is None or (stamp is not None and stamp.python != version):
            self._remove()
            return {}
        self._stamp.unlink(missing_ok=True)
        if stamp is not None and self._holds(stamp):
            return dict(stamp.locks)
        for name in remove_unfinished(self._packages(version)):
            print(f"An earlier set-up left {name} unfinished; it is installed again.")
        return {}

    def _remove(self) -> None:
        self._stamp.unlink(missing_ok=True)
        if self.folder.is_symlink():
            self.folder.unlink()
        elif self.folder.exists():
            shutil.rmtree(self.folder)

    def _has(self, stamp: Stamp, locks: Sequence[str]) -> bool:
        return all(stamp.locks.get(name) == digest(self.root / name) for name in locks)

    def _holds(self, stamp: Stamp) -> bool:
        """Whether each package that was found at the end of the set-up is still there."""
        return set(stamp.packages) <= names_in(self._packages(stamp.python))

    def _version(self) -> str | None:
        """The environment's Python ("3.12"), or None when it does not start or is astray."""
        code = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix)"
        try:
            answer = subprocess.run(
                [str(self.python), "-I", "-X", "utf8", "-c", code],
                env=for_python(os.environ),
                capture_output=True,
                check=True,
                encoding="utf-8",
                timeout=60,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        version, _, prefix = answer.stdout.strip().partition(" ")
        return version if Path(prefix).resolve() == self.folder.resolve() else None

    def _packages(self, version: str) -> Path:
        if os.name == "nt":
            return self.folder / "Lib" / "site-packages"
        return self.folder / "lib" / f"python{version}" / "site-packages"

    def _link_project(self) -> None:
        """Make the course importable in the environment, and `course` a command of it.

        Both name the folder relatively: they need no build, and a move leaves them right.
        """
        packages = self._packages(self._version() or HERE)
        path = os.path.relpath(self.root, packages)
        (packages / "production_agents_course.pth").write_text(f"{path}\n", encoding="utf-8")
        if os.name == "nt":
            script = self.programs / "course.cmd"
            script.write_text('@"%~dp0python.exe" -P -m helpers %*\n', encoding="utf-8")
        else:
            script = self.programs / "course"
            call = 'exec "$(dirname -- "$0")/python" -P -m helpers "$@"'
            script.write_text(f"#!/bin/sh\nunset PYTHONHOME\n{call}\n", encoding="utf-8")
            script.chmod(0o755)
