"""Run the course's tests, as `course test` and CI do."""

import os
from collections.abc import Sequence

from helpers.paths import ROOT

# Small samples, and one thread a model: with more, models that share the cores stall each other.
SETTINGS = {"COURSE_FAST": "1", "COURSE_THREADS": "1"}

# Two tests at a time; those of one file stay together, because they share a server or an index
# (`tests/scheduling.py`). In the order of their names: notebooks are long, and not the last.
TWO_AT_A_TIME = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def run(extra: Sequence[str], *, fast: bool) -> int:
    """Run pytest in this process on the whole suite; return its exit status.

    `fast` leaves out the tests marked slow; `extra` goes to pytest, after our own options.
    """
    import pytest

    os.environ.update(SETTINGS)
    os.chdir(ROOT)
    chosen = ["-m", "not slow"] if fast else []
    return int(pytest.main([*TWO_AT_A_TIME, *chosen, *extra]))
