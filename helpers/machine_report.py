"""The file of `course doctor --report`: what an instructor needs to know of a learner's machine.

Standard library only: it is also made where the course's packages could not be installed. It holds
no personal data. The names of the user and the machine, folders, addresses and ids are removed from
every text before it is shown. A Python that is too old for the course can run this file too, so
that an instructor learns of that problem.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from helpers import outfile
from helpers.anonymous import own_words, without_personal
from helpers.paths import ROOT, state_folder

FORMAT = "production-agents doctor report"
VERSION = 1
LOCK = "requirements.lock"
# The checks of `course doctor`, each of which a report has (a test holds them together).
CHECKS = ("Python", "Packages", "Models", "Memory", "Disk", "Ports", "JupyterLab", "Programs")
# Those that a question to an instructor is about; None where one is missing.
PACKAGES = ("jupyterlab", "ipykernel", "langchain", "langgraph", "fastapi", "ray", "xllamacpp")


class ReportFileError(Exception):
    """The report cannot be made like this; the message says what to do."""


def lock_digest(root: Path) -> str:
    """The first 12 digits of the SHA-256 of a course's lock, whatever its line ends; "" without."""
    try:
        data = (root / LOCK).read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()[:12]


def machine(state: Path) -> dict[str, object]:
    """System, processor, Python, cores, memory and disk; sizes in MB (1,000,000 bytes).

    Args:
        state: the folder whose disk is measured, that of the learner's own state.
    """
    # COURSE_HOME may be a file, or in a folder that is not there: a check says so.
    there = next(one for one in (state, *state.absolute().parents) if one.is_dir())
    memory = free = None
    if importlib.util.find_spec("psutil"):
        import psutil

        found = psutil.virtual_memory()
        memory, free = found.total // 1_000_000, found.available // 1_000_000
    return {
        "system": platform.system(),
        "system_version": _system_version(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "memory_free_mb": free,
        "disk_free_mb": shutil.disk_usage(there).free // 1_000_000,
    }


def _system_version() -> str:
    if sys.platform == "darwin":
        return platform.mac_ver()[0]
    if sys.platform == "win32":
        return platform.version()
    try:
        about = platform.freedesktop_os_release()
    except (OSError, AttributeError):  # not there before Python 3.10
        about = {}
    system = " ".join(filter(None, (about.get("ID"), about.get("VERSION_ID"))))
    return ", ".join(filter(None, (system, " ".join(platform.libc_ver()).strip())))


def versions() -> dict[str, str | None]:
    """Versions of git and of the packages of `PACKAGES`; None for what is missing."""
    found: dict[str, str | None] = {"git": _git()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def _git() -> str | None:
    try:
        done = subprocess.run(
            ["git", "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\d+(\.\d+)+", done.stdout)
    return number[0] if number else None


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)  # noqa: UP017 - Python 3.8 has no `datetime.UTC`


def compose(
    checks: Sequence[Mapping[str, object]], *, root: Path, state: Path, now: datetime | None = None
) -> dict[str, object]:
    """The report as it is written.

    Args:
        checks: of each check its name, ok, facts and advice.
        root: the folder of the course.
        state: the folder of the learner's own state.
        now: the time, with its zone; the machine's own when left out.
    """
    own = own_words(root, state)
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": secrets.token_hex(8),
        "made": (now or _utc_now()).strftime("%Y-%m-%dT%H:%MZ"),
        "lock": lock_digest(root),
        "machine": machine(state),
        "versions": versions(),
        "checks": [
            {
                name: without_personal(str(value), own) if name in {"facts", "advice"} else value
                for name, value in check.items()
            }
            for check in checks
        ],
    }


def _is_report(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def show_and_write(
    path: Path, examine: Callable[[], Sequence[Mapping[str, object]]], *, yes: bool
) -> int:
    """Make the report, show all of it, and write it when the person agrees.

    Args:
        path: the file to write.
        examine: makes the checks; of each its name, ok, facts and advice.
        yes: write without a question.

    Returns:
        0 written and every check is well; 1 written and not every one is, or not wanted.

    Raises:
        OutError: it cannot be written there.
        ReportFileError: there is nobody to ask.
    """
    outfile.check(path, _is_report)
    if not yes and not sys.stdin.isatty():
        raise ReportFileError(
            "the report is written only after you have seen it and agreed, and this is not a "
            "terminal. Run the command in a terminal, or add --yes."
        )
    checks = examine()
    report = compose(checks, root=ROOT, state=state_folder())
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    print(text)
    print('The "id" is a random number. It shows when two files contain the same report.')
    if not yes and not _agreed(path):
        print("Nothing was written.")
        return 1
    outfile.save(path, text.encode(), _is_report)
    ready = all(check["ok"] for check in checks)
    print(f"Wrote {path}. Send this file to your instructor.")
    if not ready:
        print('This machine is not ready yet: the "advice" of each failed check says what to do.')
    return int(not ready)


def _agreed(path: Path) -> bool:
    again = " and replace the report that is there" if path.exists() else ""
    print(f"The file will contain this and no more. Write it to {path}{again}? [y/N] ", end="")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
