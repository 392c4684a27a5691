"""The folders in which kernels work: copies of the course without its solutions, used again.

One copy serves one kernel at a time. It goes back to the others when the kernel has ended and every
file in it is still what it was, byte by byte; if not, it is deleted. While a kernel runs, what the
file system knows of each file is compared before every cell, which is far quicker than reading.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from helpers.paths import ROOT
from helpers.workshop.kernel import Kernel, literal
from helpers.workshop.labs import copy_course

# All that a submission's kernel gets of the instructor's environment: no keys, no other settings.
_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "NUMBER_OF_PROCESSORS",
    "COURSE_THREADS",
    "COURSE_TIME_FACTOR",
)


class Desks:
    """Copies of the course for the labs that are graded; a context, at whose end they are gone."""

    def __init__(self, course: Path) -> None:
        self._course = course
        self._free: dict[str, list[_Copy]] = {}
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._made = 0

    def __enter__(self) -> "Desks":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._folder:
            self._folder.cleanup()

    @contextlib.contextmanager
    def desk(self, stem: str, place: Path) -> "Iterator[Desk]":
        """A desk for one kernel.

        Args:
            stem: the lab's name.
            place: a folder of this kernel alone; its home is made in it.

        Raises:
            OSError: there is no room for a copy.
        """
        with self._lock:
            free = self._free.setdefault(stem, [])
            copy = free.pop() if free else None
            if copy is None:
                self._made += 1
                self._folder = self._folder or tempfile.TemporaryDirectory(
                    prefix="desks-", ignore_cleanup_errors=True
                )
                root = Path(self._folder.name) / str(self._made) / "course"
        if copy is None:
            copy = _Copy(root, self._course, stem)
        yield Desk(copy, place, self._course)
        # The kernel has ended. Where an error led here this is not reached: the copy is not kept.
        if copy.is_as_made():
            with self._lock:
                free.append(copy)
        else:
            shutil.rmtree(copy.root, ignore_errors=True)


class _Copy:
    """One copy of the course, and what was in it when it was made."""

    def __init__(self, root: Path, course: Path, stem: str) -> None:
        self.root, self._course, self._stem = root, course, stem
        self.make()

    def make(self) -> None:
        """Copy the course, in the place of what is there."""
        shutil.rmtree(self.root, ignore_errors=True)
        copy_course(self._course, self.root, self._stem)
        self._digest = _digest(self.root)
        self._facts = _facts(self.root / "helpers")

    def helpers_changed(self) -> bool:
        """Whether a file of the package is another one, or was written to."""
        facts = _facts(self.root / "helpers")
        if facts != self._facts:
            return True
        # Windows does not say when a file was written to, only what a program may set.
        return os.name == "nt" and _digest(self.root) != self._digest

    def is_as_made(self) -> bool:
        """Whether every file is still there, with its content, and no other one."""
        try:
            return not self.helpers_changed() and _digest(self.root) == self._digest
        except OSError:  # a file that may no longer be read
            return False


class Desk:
    """Where one kernel works."""

    def __init__(self, copy: _Copy, place: Path, course: Path) -> None:
        self._copy, self._course = copy, course
        self._home = place / "home"
        self._home.mkdir()
        self.work = copy.root / "labs"
        # The guard goes by a name that no submission can know beforehand.
        self.guard = f"__import__('sys').modules['_{secrets.token_hex(16)}']"

    def environment(self, *, fast: bool) -> dict[str, str]:
        """The kernel's whole environment."""
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        home = str(self._home)
        # Several run at once: a check's own time limits must not be what decides a grade.
        kept.setdefault("COURSE_TIME_FACTOR", "3")
        return {
            **kept,
            "HOME": home,
            "USERPROFILE": home,
            "APPDATA": home,
            "TMPDIR": home,
            "TEMP": home,
            "TMP": home,
            "IPYTHONDIR": str(self._home / "ipython"),
            "MPLCONFIGDIR": str(self._home / "matplotlib"),
            "COURSE_HOME": str(self._home / "course"),
            "COURSE_FAST": "1" if fast else "",
            "PYTHONPATH": str(self._copy.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def enter(self, kernel: Kernel, module: str) -> None:
        """Put the guard into a fresh kernel."""
        source = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
        hidden = [str(self._course.resolve()), str(ROOT)]
        kernel.ask(
            f"_guard = {{}}\nexec({literal(source)}, _guard)\n{self.guard} = _guard['Guard']("
            f"globals(), {module!r}, {str(self.work)!r}, {hidden!r})\ndel _guard"
        )

    def repair(self) -> list[str]:
        """Make files that the submission changed or deleted as they were; what it did, in words."""
        if not self._copy.helpers_changed():
            self.work.mkdir(parents=True, exist_ok=True)
            return []
        self._copy.make()
        return ["changed the course's files; they were restored"]


def _facts(folder: Path) -> frozenset[tuple[str, int, int, int, int, int]]:
    """Of each file: its kind and place on the disk, size, and times of change.

    No program can set the last one, the time at which the system saw the file change (POSIX). What
    Python itself keeps beside the files is not looked at.
    """
    found = []
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name == "__pycache__":
                        continue
                    one = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(one.st_mode):
                        waiting.append(entry.path)
                        continue
                    times = one.st_mtime_ns, one.st_ctime_ns
                    found.append((entry.path, one.st_mode, one.st_ino, one.st_size, *times))
        except OSError:  # it is gone: what is missing shows in the comparison
            continue
    return frozenset(found)


def _digest(folder: Path) -> str:
    """Of every path below a folder and its content."""
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        found.update(str(file.relative_to(folder)).encode("utf-8", "surrogateescape") + b"\0")
        if file.is_symlink():
            found.update(str(file.readlink()).encode("utf-8", "surrogateescape") + b"\0link")
        elif file.is_file():
            found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()
