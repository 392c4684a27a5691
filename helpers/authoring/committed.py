"""What the last commit holds: a learner's edited or re-run files never count."""

import io
import re
import subprocess
import tarfile
from pathlib import Path

from helpers.authoring.programs import FOLDER as PROGRAMS
from helpers.authoring.solved import EXERCISES

PARTS = ("notebooks", "labs", "solutions", PROGRAMS, EXERCISES)


class NoCommitError(Exception):
    """There is no commit to look at; the message says why."""


def export(root: Path, target: Path) -> str:
    """Write what is committed of `PARTS` in `root` below `target`.

    Returns:
        The commit's short name.

    Raises:
        NoCommitError: git is missing, `root` is in no git repository, or nothing is committed.
    """
    commit = _git(root, "rev-parse", "--short", "HEAD").decode().strip()
    tracked = _git(root, "ls-tree", "--name-only", "HEAD", "--", *PARTS).decode().split()
    if tracked:
        archive = _git(root, "archive", "--format=tar", "HEAD", "--", *tracked)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            # Not as an argument: Python 3.11 takes one from 3.11.4 on.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(target)
    return commit


def names(root: Path) -> list[str]:
    """The committed notebooks, such as `labs/01_build_an_agent.ipynb`; none without a commit."""
    try:
        listed = _git(root, "ls-tree", "-r", "--name-only", "HEAD", "--", *PARTS).decode()
    except NoCommitError:
        return []
    # One folder deep: a notebook further down is a lab's own material.
    return [line for line in listed.splitlines() if re.fullmatch(r"\w+/\w+\.ipynb", line)]


def _git(root: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        raise NoCommitError("git is not installed, so what is committed cannot be read.") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NoCommitError(
            f"{root.name} holds no commit to look at (git: {' '.join(reason)}). "
            "Work in a clone of the course, not in a copy of its files."
        )
    return done.stdout
