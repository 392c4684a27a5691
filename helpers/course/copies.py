"""Dated copies of a learner's files, made before anything replaces them.

They lie in `copies/` below the course's folder, where JupyterLab's file browser shows them. It does
not show `.course/`, where earlier versions of the course put them; those copies are still there.
"""

import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from helpers.outfile import replace

FOLDER = "copies"


def keep(files: Iterable[Path], *, root: Path) -> Path:
    """Copy files to a new dated folder, `copies/2026-06-15-143502/` in `root`, and return it.

    A file keeps its path below `root` there: `labs/01_build_an_agent.ipynb`. The copies are on the
    disk, not just on their way to it, when this returns.

    Raises:
        OSError: a file cannot be read, or the disk is full. Nothing may be replaced then.
    """
    folder = _new_folder(root / FOLDER)
    for file in files:
        copy = folder / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
        with copy.open("rb+") as written:
            os.fsync(written.fileno())
    return folder


def _new_folder(parent: Path) -> Path:
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    parent.mkdir(parents=True, exist_ok=True)
    # Git leaves a folder alone that says so itself, also in a clone whose own list is older.
    (parent / ".gitignore").write_text("*\n", encoding="utf-8")
    number = 1
    while True:
        folder = parent / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:  # two copies within a second, or another terminal
            number += 1
        else:
            return folder


def write_whole(file: Path, content: bytes) -> None:
    """Replace a file of the course's own: whole, or not at all. Its folder is made when missing.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    replace(file, content)
