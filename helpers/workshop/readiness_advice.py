"""What a report says of a machine, and what an instructor can do about each problem."""

import re
from collections.abc import Mapping
from typing import Any

from helpers.workshop.bundle.targets import PLATFORMS, PYTHONS

ANOTHER = "Find this participant another machine, or let them work with a neighbour."
ASK = "Ask for a new report: python3 -m helpers doctor --report FILE."
AGAIN = "ask them to delete the folder .venv and set up again."

ADVICE: dict[str, str] = {
    "Set-up": "The last message of the set-up is above, and says what to do. Help now; a stick "
    "made by `course bundle` needs no network.",
    "Platform": f"The lock has no packages for this machine. {ANOTHER}",
    "Python": f"Ask them to install Python {PYTHONS[0]} to {PYTHONS[-1]}, set up again and send "
    "a new report.",
    "Packages": f"The installed packages differ from the lock: {AGAIN}",
    "Models": f"A model file is missing or damaged: {AGAIN}",
    "Memory": "Ask them to close other programs. If the machine has less than 4 GB in all, find "
    "another.",
    "Disk": "Ask them to free some space, or to set COURSE_HOME to a folder on another disk.",
    "Ports": "A firewall, VPN or security program blocks 127.0.0.1: ask them to allow this Python.",
    "JupyterLab": f"JupyterLab or its kernel is missing: {AGAIN}",
    "git": "Ask them to install git: `course reset` and `course update` do not work without it.",
    "Other version of the course": "Ask them to run `python3 -m helpers update` and send a new "
    "report. If every report differs, your own clone is the old one.",
    "Other version of the report": f"Their course is older or newer than yours. {ASK}",
    "Clock": "Ask them to set the clock: if it is wrong, certificate checks and downloads fail.",
    "Old report": f"Much may have changed since then. {ASK}",
    "Same report twice": "Files with different names contain the same report, so one does not come "
    f"from the machine of the person in its name. {ASK}",
    "No name": "Find out who sent it, and rename the file after that person.",
    "Damaged file": f"It was cut off or changed in transit. {ASK}",
    "Not a report": f"The wrong file was sent. {ASK}",
}

# Where the set-up stopped, these fail for no reason of their own.
FOLLOWS = {"Packages", "Models", "Memory", "JupyterLab"}


def problems_of(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, detail and advice of each problem that a report tells of.

    Args:
        report: with the fields of `MachineReport`.
    """
    failed = {check["name"]: check for check in report["checks"] if not check["ok"]}
    found = []
    # Where everything is installed the platform has proved itself.
    if failed.keys() & {"Set-up", "Packages"} and (detail := misfit(report["machine"])):
        found.append(("Platform", detail, ""))
    for name, check in failed.items():
        if "Set-up" in failed and name in FOLLOWS:
            continue
        detail = check["advice"] if name == "Set-up" else check["facts"]
        found.append((name, detail, check["advice"]))
    if report["versions"].get("git") is None:
        found.append(("git", "not found", ""))
    return found


def target_of(machine: Mapping[str, Any]) -> tuple[str, str] | None:
    """The platform of `PLATFORMS` and the Python ("3.12") of a machine; None where it has none."""
    python = ".".join(str(machine["python"]).split(".")[:2])
    for name, one in PLATFORMS.items():
        if (one.platform_system, one.machine) == (machine["system"], machine["processor"]):
            return (name, python) if python in PYTHONS else None
    return None


def misfit(machine: Mapping[str, Any]) -> str:
    """Why the lock has no packages for a machine, in a few words; "" where it has them."""
    system, version = machine["system"], str(machine["system_version"])
    known = {(one.platform_system, one.machine) for one in PLATFORMS.values()}
    if (system, machine["processor"]) not in known:
        return f"{system} on {machine['processor']}"
    if system == "Darwin":
        number = re.match(r"\d{1,3}", version)
        return f"macOS {version}, older than 13" if number and int(number[0]) < 13 else ""
    if system == "Linux":
        libc = re.search(r"glibc 2\.(\d{1,3})", version)
        if libc is None:
            return f"Linux without glibc ({version})"
        return f"glibc 2.{libc[1]}, older than 2.28" if int(libc[1]) < 28 else ""
    return ""
