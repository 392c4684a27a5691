"""Earlier results, so that nothing runs twice; their key is everything that decides a result."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.course.copies import write_whole
from helpers.paths import ROOT
from helpers.workshop.labs import Lab
from helpers.workshop.matching import Matched
from helpers.workshop.run import Grade, LabResult, Limits

_FORMAT = 1


def course_digest(course: Path) -> str:
    """Of all that a lab runs with: the course's package, its files for labs, the grader itself."""
    found = hashlib.sha256(sys.version.encode())
    lock = course / "requirements.lock"
    found.update(lock.read_bytes() if lock.is_file() else b"")
    graders = ROOT / "helpers" / "workshop"
    for folder in (course / "helpers", course / "labs", course / "solutions", graders):
        for file in sorted(folder.rglob("*")):
            # Notebooks are in the lab's own part of the key; the rest is what a copy may hold.
            taken = file.suffix not in (".pyc", ".ipynb") and "__pycache__" not in file.parts
            if taken and file.is_file():
                found.update(file.relative_to(folder).as_posix().encode() + b"\0")
                found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def key(lab: Lab, matched: Matched, version: str, limits: Limits) -> str:
    """Names one run: the same key, the same lab, answers, course and limits.

    Args:
        lab: the lab as the course ships it.
        matched: what is graded of a notebook. Its notes make no difference.
        version: of `course_digest`.
        limits: what a submission may use.
    """
    cells = [[cell.get("id"), cell["cell_type"], cell["source"]] for cell in lab.notebook["cells"]]
    own = [[one.source, one.after, *one.exercises] for one in matched.own]
    content = [_FORMAT, version, lab.stem, cells, matched.answers, own, asdict(limits)]
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


class Kept:
    """Results in a folder, one file each; a folder that cannot be written to is reported once."""

    def __init__(self, folder: Path, say: Callable[[str], None], *, again: bool = False) -> None:
        """Use a folder, which is made when the first result comes.

        Args:
            folder: where the results are.
            say: gets a sentence where nothing can be kept.
            again: remove an earlier result that is asked for, unless this object put it here: then
                a run that was stopped goes on without `again`.
        """
        self._folder, self._say, self._again = folder, say, again
        self._full = False
        self._put: set[str] = set()

    @property
    def again(self) -> bool:
        """Whether earlier results do not count."""
        return self._again

    def get(self, name: str) -> LabResult | None:
        """The result of a run; None where there is none, or a damaged one."""
        file = self._folder / f"{name}.json"
        try:
            if self._again and name not in self._put:
                file.unlink(missing_ok=True)
                return None
            return _result(json.loads(file.read_bytes()))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def put(self, name: str, result: LabResult) -> None:
        """Keep a result. Half of one is never there: the file appears when it is written."""
        if self._full:
            return
        content = asdict(result) | {"doubtful": sorted(result.doubtful)}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / f"{name}.json", json.dumps(content).encode())
            self._put.add(name)
        except OSError as error:
            self._full = True
            self._say(
                f"results can no longer be kept ({error.strerror}): grading goes on, and a second "
                "run starts from what was kept before. Free some space, or name another folder "
                "with --state."
            )


def _result(found: Any) -> LabResult:
    grades = {
        str(name): Grade(
            str(one["status"]),
            int(one["passed"]),
            int(one["total"]),
            str(one["detail"]),
            tuple((str(case), str(told)) for case, told in one["failed"]),
        )
        for name, one in found["grades"].items()
    }
    broken = {str(name): str(why) for name, why in found["broken"].items()}
    notes = tuple(map(str, found["notes"]))
    doubtful = frozenset(map(str, found["doubtful"]))
    return LabResult(grades, broken, notes, doubtful, str(found["fault"]), float(found["seconds"]))
