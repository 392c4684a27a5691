"""Where the course keeps its files."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def course_dir() -> Path:
    """The folder of a learner's own state (`.course/`, or `COURSE_HOME`), made when missing."""
    folder = Path(os.environ.get("COURSE_HOME") or ROOT / ".course")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
