"""What a report says of a machine, and what an instructor can do about each problem."""

import re
from collections.abc import Mapping
from typing import Any

from helpers.workshop.bundle.targets import PLATFORMS, PYTHONS

ANOTHER = "Find this participant another machine, or a seat beside a neighbour."
ASK = "Ask for a new report: python3 -m helpers doctor --report FILE."

ADVICE: dict[str, str] = {
    "Set-up": "What the set-up said last is above, and says what to do. Help now; a stick made by "
    "`course bundle` needs no network.",
    "Platform": f"The lock has no packages for this machine. {ANOTHER}",
    "Python": f"Ask for Python {PYTHONS[0]} to {PYTHONS[-1]}, then a new set-up and report.",
    "Packages": "The environment is not as in the lock: delete the folder .venv and set up again.",
    "Models": "A model file is missing or damaged: delete the folder .venv and set up again.",
    "Memory": "Ask to close other programs; with less than 4 GB in all, find another machine.",
    "Disk": "Ask to free some space, or to set COURSE_HOME to a folder on another disk.",
    "Ports": "A firewall, VPN or security program closes 127.0.0.1: ask to allow this Python.",
    "JupyterLab": "Delete the folder .venv and set up again.",
    "git": "Ask to install git: without it, `course reset` and `course update` cannot work.",
    "Other version of the course": "Ask to run `python3 -m helpers update`, then for a new report. "
    "If all differ, it is your own clone that is old.",
    "Other version of the report": f"The course is older or newer there than here. {ASK}",
    "Clock": "Ask to set the clock: with a wrong one, downloads and certificates fail.",
    "Old report": f"Much may have changed since. {ASK}",
    "Same report twice": f"Files of different names hold one report: one of them is not of the "
    f"machine that its name says. {ASK}",
    "No name": "Look who sent it, and rename the file to that name.",
    "Damaged file": f"It was cut off or changed on its way. {ASK}",
    "Not a report": f"Another file was sent. {ASK}",
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
    """Why the lock has no packages for a machine, in a few words; "" where it has."""
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
