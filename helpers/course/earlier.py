"""The programs that earlier walkthroughs have built, for a notebook that goes on from them."""

import os
import sys

from helpers.course.home import PROGRAMS


def earlier_programs() -> list[str]:
    """Let this kernel and the processes that it starts import them; returns their file names."""
    folder = str(PROGRAMS)
    if folder not in sys.path:
        sys.path.append(folder)
    inherited = os.environ.get("PYTHONPATH", "")
    if folder not in inherited.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [inherited, folder]))
    return sorted(file.name for file in PROGRAMS.glob("*.py"))
