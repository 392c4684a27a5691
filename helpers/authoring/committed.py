"""What the last commit holds: a learner's edited or re-run files never count."""

import io
import subprocess
import tarfile
from pathlib import Path

PARTS = ("notebooks", "labs", "solutions")


class NoCommitError(Exception):
    """There is no commit to look at; the message says why."""


def export(root: Path, target: Path) -> str:
    """Write the committed `notebooks/`, `labs/` and `solutions/` of `root` below `target`.

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
            tar.extractall(target, filter="data")
    return commit


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
