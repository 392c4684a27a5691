"""Run the course's tests, as `course test` and CI do."""

import os
from collections.abc import Sequence

from helpers.paths import ROOT

# Small samples, and one thread a model: with more, models that share the cores stall each other.
SETTINGS = {"COURSE_FAST": "1", "COURSE_THREADS": "1"}


def run(extra: Sequence[str], *, fast: bool) -> int:
    """Run pytest in this process on the whole suite; return its exit status.

    `fast` leaves out the tests marked slow; `extra` goes to pytest, after our own options.
    """
    import pytest

    os.environ.update(SETTINGS)
    os.chdir(ROOT)
    return int(pytest.main([*(["-m", "not slow"] if fast else []), *extra]))
