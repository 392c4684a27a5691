"""What an interruption or a move leaves behind in an environment, and its repair."""

import csv
import shutil
from pathlib import Path


def remove_unfinished(packages: Path) -> list[str]:
    """Forget each package that is installed by half, so that the installer installs it again.

    `packages` is the environment's site-packages. Returns the names. An installer writes a
    package's RECORD (file, hash, size) and then its own name as INSTALLER at the end.
    """
    for remnant in packages.glob("~*"):  # pip renames what it is about to replace
        shutil.rmtree(remnant, ignore_errors=True)
    unfinished = [info for info in packages.glob("*.dist-info") if not _is_whole(info)]
    for info in unfinished:
        shutil.rmtree(info)
    return [info.name.split("-")[0] for info in unfinished]


def names_in(packages: Path) -> set[str]:
    """The names of the packages that are installed in the folder `packages`."""
    return {info.name.split("-")[0] for info in packages.glob("*.dist-info")}


def _is_whole(info: Path) -> bool:
    if not (info / "INSTALLER").is_file():
        return False
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as file:
            return all(_is_there(info.parent, row) for row in csv.reader(file) if row)
    except (OSError, ValueError):
        return False


def _is_there(packages: Path, row: list[str]) -> bool:
    name, _, size = row
    if not size:  # compiled files come and go
        return True
    path = packages / name
    if name.startswith(".."):  # scripts, which `point_scripts_at` may have changed
        return path.is_file()
    return path.is_file() and path.stat().st_size == int(size)


def point_scripts_at(python: Path) -> None:
    """Make the scripts beside an environment's Python start that Python (POSIX only).

    A script's first lines name the interpreter by its full path, which a move makes wrong. The
    launcher never calls them; a learner's shell does. On Windows scripts are programs with the
    path inside: there `python -m NAME` works on.
    """
    header = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n".encode()
    for script in python.parent.iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        lines = script.read_bytes().split(b"\n", 3)
        plain = lines[0].startswith(b"#!") and lines[0].rstrip().endswith(_PYTHONS)
        quoted = len(lines) == 4 and lines[1].startswith(b"'''exec' ")
        if (plain or quoted) and str(python.parent).encode() not in b"\n".join(lines[:2]):
            body = lines[3] if quoted else b"\n".join(lines[1:])
            mode = script.stat().st_mode
            script.write_bytes(header + body)
            script.chmod(mode)


_PYTHONS = (b"/python", b"/python3", b"/python3.11", b"/python3.12", b"/python3.13")
