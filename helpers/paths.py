"""Where the course keeps its files."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def course_dir() -> Path:
    """The folder of a learner's own state (`.course/`, or `COURSE_HOME`), made when missing."""
    folder = Path(os.environ.get("COURSE_HOME") or ROOT / ".course")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


STORED_RUNS = ROOT / "helpers" / "evaluate" / "stored_runs"
"""The stored runs that come with the course, one file for each slow step of a notebook."""


def runs_dir() -> Path:
    """Where a learner's own runs of slow steps are: `.course/runs`, or `COURSE_RUNS`."""
    return Path(os.environ.get("COURSE_RUNS") or course_dir() / "runs")
