"""Where the course keeps its files."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class StateFolderError(OSError):
    """The folder of a learner's own state cannot be made; the message says what to do.

    It has no full stop: it is put into other sentences too.
    """

    def __str__(self) -> str:
        return (
            f"{self.filename} cannot be the folder of the course's own files ({self.strerror}): "
            "set COURSE_HOME to a folder that can be written, or unset it"
        )


def state_folder() -> Path:
    """The folder of a learner's own state, which may not be there yet."""
    return Path(os.environ.get("COURSE_HOME") or ROOT / ".course")


def course_dir() -> Path:
    """The folder of a learner's own state (`.course/`, or `COURSE_HOME`), made when missing.

    Raises:
        StateFolderError: it is a file, or cannot be made.
    """
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateFolderError(error.errno, error.strerror, str(folder)) from error
    return folder


STORED_RUNS = ROOT / "helpers" / "evaluate" / "stored_runs"
"""The stored runs that come with the course, one file for each slow step of a notebook."""


def runs_dir() -> Path:
    """Where a learner's own runs of slow steps are: `.course/runs`, or `COURSE_RUNS`."""
    return Path(os.environ.get("COURSE_RUNS") or course_dir() / "runs")
