"""`course doctor`: is this machine ready for the course? One line a check, OK or what to do.

A Python that is too old for the course can read this file too: it makes the report for an
instructor.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import importlib.util
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers.__main__ import refusal
from helpers.paths import ROOT, StateFolderError, course_dir

# Measured: a kernel with both local models and a notebook's imports holds 0.5 GB; JupyterLab, a
# browser tab and a test's second process want as much again.
MEMORY_MB = 1500
# Progress, evidence, a 46 MB model file and dated copies of notebooks.
DISK_MB = 500
# A kernel, its five channels and the local servers of a module that runs several.
PORTS = 12

SET_UP = "Delete the folder .venv and run `python3 -m helpers doctor`"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: what was checked.
        ok: whether all is well.
        facts: what is there, with its unit.
        advice: what to do; empty when all is well.
    """

    name: str
    ok: bool
    facts: str
    advice: str = ""

    def line(self) -> str:
        """The line that is printed."""
        verdict = f"{'OK' if self.ok else 'NO':<4}{self.name}: {self.facts}"
        return verdict if self.ok else f"{verdict}\n    {self.advice}"


def _judged(name: str, ok: bool, facts: str, advice: str) -> Finding:
    return Finding(name, ok, facts, "" if ok else advice)


def check_python() -> Finding:
    """The Python is one that the lock covers."""
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    sentence = refusal(sys.version_info[:2])
    return Finding("Python", sentence is None, found, sentence or "")


def check_packages(lock: Path) -> Finding:
    """Every package of the lock is installed, in the lock's version, with all its files."""
    wanted = locked(lock)
    wrong = differences(lock)
    if not wrong:
        return Finding("Packages", True, f"{len(wanted)}, each as in {lock.name}")
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return Finding(
        "Packages",
        False,
        f"{len(wrong)} of {len(wanted)} differ from {lock.name}",
        f"{SET_UP}. First of them: {', '.join(wrong[:5])}{more}.",
    )


def locked(lock: Path) -> dict[str, str]:
    """Name and version of each package that a lock names for this machine and Python."""
    wanted = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and line[0].isalnum():
            entry, _, marker = line.rstrip("\\ ").partition(";")
            if not marker or _applies(marker):
                name, _, version = entry.strip().partition("==")
                wanted[name] = version
    return wanted


def _applies(marker: str) -> bool:
    try:
        from packaging.markers import Marker
    except ModuleNotFoundError:  # it is in the lock itself, for every machine, and is reported
        return False
    return Marker(marker.strip()).evaluate()


def differences(*locks: Path) -> list[str]:
    """What this environment lacks of the locks, each as "name version (here: ...)"."""
    wrong = []
    for name, version in [item for lock in locks for item in locked(lock).items()]:
        try:
            package = importlib.metadata.distribution(name)
            found = package.version
        except importlib.metadata.PackageNotFoundError:
            found = "none"
        if found == version:
            lost = _lost_file(package)
            if not lost:
                continue
            found = f"without {lost}"
        wrong.append(f"{name} {version} (here: {found})")
    return wrong


def _lost_file(package: importlib.metadata.Distribution) -> str:
    """A file that the package's record lists and that is not there; "" when all are."""
    rows = csv.reader((package.read_text("RECORD") or "").splitlines())
    # Compiled files, listed without a size, come and go.
    listed = (row[0] for row in rows if len(row) == 3 and row[2])
    base = package.locate_file("")
    return next((name for name in listed if not os.access(f"{base}/{name}", os.F_OK)), "")


def check_models() -> Finding:
    """The files of the local models are the ones that the course was measured with."""
    from helpers.models import weights

    files = weights.verify()
    problems = [problem for _, problem in files if problem]
    return Finding(
        "Models",
        not problems,
        f"{len(files) - len(problems)} of {len(files)} files verified",
        " ".join(problems),
    )


def check_memory() -> Finding:
    """Memory that programs could have now."""
    import psutil

    free = psutil.virtual_memory().available // 1_000_000
    return _judged(
        "Memory",
        free >= MEMORY_MB,
        f"{free:,} MB free",
        f"The course wants {MEMORY_MB:,} MB: close other programs or notebooks.",
    )


def check_disk(folder: Path) -> Finding:
    """Space where the learner's own state is kept."""
    free = shutil.disk_usage(folder).free // 1_000_000
    return _judged(
        "Disk",
        free >= DISK_MB,
        f"{free:,} MB free at {folder}",
        f"The course wants {DISK_MB} MB: free some, or set COURSE_HOME to a folder elsewhere.",
    )


def check_ports() -> Finding:
    """Servers of this machine's own can be opened and reached on the loopback address."""
    servers = []
    try:
        for _ in range(PORTS):
            servers.append(socket.create_server(("127.0.0.1", 0)))
        with socket.create_connection(servers[0].getsockname(), timeout=5):
            pass
    except OSError as error:
        return Finding(
            "Ports",
            False,
            f"127.0.0.1 cannot be used ({error})",
            "Allow this Python to open and reach ports on 127.0.0.1 (firewall, security program, "
            "VPN, sandbox).",
        )
    finally:
        for server in servers:
            server.close()
    return Finding("Ports", True, f"{PORTS} opened on 127.0.0.1")


def check_jupyterlab() -> Finding:
    """JupyterLab and the notebooks' kernel are in this environment."""
    missing = [name for name in ("jupyterlab", "ipykernel") if not importlib.util.find_spec(name)]
    if missing:
        return Finding("JupyterLab", False, f"{' and '.join(missing)} missing", f"{SET_UP}.")
    return Finding("JupyterLab", True, importlib.metadata.version("jupyterlab"))


def check_programs() -> Finding:
    """Programs of some modules that do not come with the course: told, and never a failure."""
    from helpers import programs  # the launcher reads this file for `differences` alone

    told = [
        f"module {module} is without {', '.join(missing)}"
        for module in programs.OF_MODULE
        if (missing := programs.missing(module, shutil.which))
    ]
    if not told:
        return Finding("Programs", True, "the modules that use some have all that they can run")
    advice = "read the stored outputs there, or install them (README, Platforms)"
    return Finding("Programs", True, f"{'; '.join(told)}: {advice}")


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": check_python,
    "Packages": lambda: check_packages(ROOT / "requirements.lock"),
    "Models": check_models,
    "Memory": check_memory,
    "Disk": lambda: check_disk(course_dir()),
    "Ports": check_ports,
    "JupyterLab": check_jupyterlab,
    "Programs": check_programs,
}


def examine(name: str, check: Callable[[], Finding]) -> Finding:
    """What a check found; one that cannot be made is a finding too."""
    try:
        return check()
    except StateFolderError as error:
        return Finding(name, False, "could not be checked", f"{error}.")
    except Exception as error:  # whatever is broken here, the other lines are wanted
        return Finding(name, False, f"could not be checked ({error})", f"{SET_UP}.")


def findings() -> list[Finding]:
    """What every check found, in the order of `CHECKS`."""
    return [examine(name, check) for name, check in CHECKS.items()]


def doctor(argv: Sequence[str]) -> int:
    """Run every check and print its line; 0 when all is well, 1 when not, 2 after bad use."""
    from helpers import outfile  # the launcher reads this file for `differences` alone

    parser = argparse.ArgumentParser(
        prog="course doctor",
        description="Check this machine: one line per check, OK or what to do.",
        epilog="Exit status: 0 all is well, 1 something is not (or the report was not written), 2 "
        "bad use. Sizes are in MB (1,000,000 bytes).",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as JSON")
    form.add_argument(
        "--report",
        metavar="FILE.json",
        type=outfile.named(".json"),
        help="show a report for an instructor, without personal data, and write it as JSON if you "
        "agree",
    )
    parser.add_argument(
        "--yes", action="store_true", help="write the report of --report without asking"
    )
    # The launcher's word to a report that is made although the set-up did not end.
    parser.add_argument("--stopped", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.yes and options.report is None:
        parser.error("--yes belongs to --report FILE")
    if options.report is not None:
        return _report(options.report, options.yes, options.stopped)
    found = findings()
    if options.json:
        print(json.dumps([asdict(finding) for finding in found]))
    else:
        print("\n".join(finding.line() for finding in found))
    return int(not all(finding.ok for finding in found))


def _report(path: Path, yes: bool, stopped: str) -> int:
    from helpers import machine_report, outfile

    before = [Finding("Set-up", False, "it stopped", stopped)] if stopped else []
    try:
        return machine_report.show_and_write(
            path, lambda: [asdict(found) for found in [*before, *findings()]], yes=yes
        )
    except (outfile.OutError, machine_report.ReportFileError) as error:
        print(f"course doctor: {error}", file=sys.stderr)
        return 1 if isinstance(error, outfile.OutError) else 2


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"doctor": doctor}
