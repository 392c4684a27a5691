"""The learner's clone of the course, as git sees it."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_OF_ANOTHER_GIT = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"}
# What git keeps in its folder until one of these has ended.
_UNFINISHED = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


class CheckoutError(Exception):
    """Git cannot do what is needed here; the message says why and what to do."""


@dataclass(frozen=True)
class Checkout:
    """A clone of the course. Paths are relative to its root, with forward slashes."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> "Checkout":
        """The clone whose root is this folder.

        Raises:
            CheckoutError: git is missing, or the folder is not a clone.
        """
        if shutil.which("git") is None:
            raise CheckoutError("This needs git, which was not found. Install it and try again.")
        found = _git(root, "rev-parse", "--show-toplevel")
        if found.returncode and "not a git repository" not in found.stderr:
            raise CheckoutError(found.stderr.strip())  # it belongs to another user, for instance
        if found.returncode or Path(found.stdout.strip()).resolve() != root.resolve():
            raise CheckoutError(
                f"{root} is not a git clone of the course, so that there is nothing to restore "
                "from. Clone the course with git into a new folder, and copy your labs there."
            )
        if _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode:
            raise CheckoutError(f"The clone in {root} has no commit yet.")
        return cls(root)

    def git(self, *words: str) -> str:
        """The output of a git command.

        Raises:
            CheckoutError: git reports an error; the message is its own.
        """
        done = _git(self.root, *words)
        if done.returncode:
            said = done.stderr.strip() or f"it ended with status {done.returncode}"
            raise CheckoutError(f"git {words[0]}: {said}")
        return done.stdout

    def succeeds(self, *words: str) -> bool:
        """Whether a git command that answers by its exit status says yes."""
        return _git(self.root, *words).returncode == 0

    def commit(self, name: str) -> str:
        """The full id of the commit that a name stands for."""
        return self.git("rev-parse", "--verify", f"{name}^{{commit}}").strip()

    def upstream(self) -> str | None:
        """The remote branch that this branch follows, such as "origin/main"."""
        done = _git(self.root, "rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
        return done.stdout.strip() if done.returncode == 0 else None

    def has_branch(self, name: str) -> bool:
        """Whether there is a local branch of this name."""
        return self.succeeds("show-ref", "--verify", "--quiet", f"refs/heads/{name}")

    def content(self, commit: str, path: str) -> bytes | None:
        """A file as a commit has it; None where it is not in it."""
        done = subprocess.run(
            ["git", "show", f"{commit}:{path}"],
            cwd=self.root,
            env=_environment(),
            capture_output=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def is_as_in(self, commit: str, path: str) -> bool:
        """Whether a file in the working folder is as in a commit; missing in both counts too."""
        there = _git(self.root, "rev-parse", "--verify", "--quiet", f"{commit}:{path}")
        if not (self.root / path).exists():
            return there.returncode != 0
        here = self.git("hash-object", "--path", path, "--", path)
        return there.returncode == 0 and there.stdout == here

    def files(self, commit: str, *below: str) -> list[str]:
        """The files of a commit below these paths."""
        return _paths(self.git("ls-tree", "-r", "-z", "--name-only", commit, "--", *below))

    def changed(self, *commits: str) -> list[str]:
        """The files that differ between two commits, or between one and the working folder."""
        return _paths(self.git("diff", "--name-only", "--no-renames", "-z", *commits))

    def untracked(self) -> list[str]:
        """The files in the working folder that git neither knows nor ignores."""
        return _paths(self.git("ls-files", "--others", "--exclude-standard", "-z"))

    def conflicts(self) -> list[str]:
        """The files in which a merge has left conflicts."""
        return _paths(self.git("diff", "--name-only", "--diff-filter=U", "-z"))

    def unfinished(self) -> str | None:
        """What git has begun here and not ended: "merge", "rebase", "cherry-pick", "revert"."""
        for mark, what in _UNFINISHED.items():
            place = Path(self.git("rev-parse", "--git-path", mark).strip())
            if (self.root / place).exists():
                return what
        return None

    def restore(self, paths: Iterable[str]) -> None:
        """Make files as they are in the newest commit, in folder and index."""
        if listed := list(paths):
            self.git("checkout", "--quiet", "HEAD", "--", *listed)


def _paths(listed: str) -> list[str]:
    return [path for path in listed.split("\0") if path]


def _environment() -> dict[str, str]:
    # Not what a surrounding git command (a hook, an alias) has set: it would name another clone.
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_GIT}
    # English, because messages are looked at; and never a hidden question for a password.
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *words],
        cwd=root,
        env=_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        check=False,
    )
