"""Run the course's tests, as `course test` and CI do."""

import compileall
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from helpers.paths import ROOT

# Small samples, and one thread a model: with more, models that share the cores stall each other.
# Ray starts its workers with niceness 15: beside other tests they would get next to no CPU, and
# miss every limit.
SETTINGS = {"COURSE_FAST": "1", "COURSE_THREADS": "1", "RAY_worker_niceness": "0"}

# Three tests at a time on two cores: about a third of their time they wait, for servers, limits and
# simulated customers. Those of one file stay together, because they share a server or an index
# (`tests/scheduling.py`). In the order of their names: notebooks are long, and not the last.
AT_A_TIME = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]

# A test that waits for a cluster, a browser or a server may miss its limit because two others run
# beside it. What failed runs once more, one test after another, in a process of its own. A fault of
# the course fails there too; more failures than these are no matter of load.
FEW = 20
_FAILED = 1  # pytest's exit status where tests ran, and some failed

# The tests of the room that a module is about. What every module has (notebooks, exercises, quiz)
# is in `SHARED`, of which the module's own tests are taken.
ROOMS: dict[str, tuple[str, ...]] = {
    "00": (),
    "01": ("tests/agent", "tests/shop", "tests/models"),
    "02": ("tests/evaluate",),
    "03": (
        "tests/security/attacks",
        "tests/security/controls",
        "tests/security/test_bad_input.py",
        "tests/security/test_threats.py",
    ),
    "04": ("tests/security/policy",),
    "05": ("tests/service",),
    "06": ("tests/scale",),
    "07": (
        "tests/deploy",
        "tests/testbed/test_policy_evaluator.py",
        "tests/home/test_project_on_kubernetes.py",
    ),
    "08": (
        "tests/monitor",
        "tests/service/test_metrics.py",
        "tests/testbed/test_replay_days.py",
        "tests/testbed/test_samples_and_prometheus.py",
        "tests/testbed/test_simulated.py",
    ),
    "09": ("tests/tracing",),
    "10": ("tests/cost",),
    "11": ("tests/operate",),
    "12": ("tests/review",),
}
SHARED = ("tests/notebooks", "tests/exercises", "tests/course", "tests/authoring")


class UnknownModuleError(LookupError):
    """There is no such module; the message says which there are."""


def of_module(module: str) -> list[str]:
    """What pytest is to run for one module: paths, and the option that picks the module's own.

    Raises:
        UnknownModuleError: there is no module of this number yet.
    """
    if module not in ROOMS:
        raise UnknownModuleError(
            f"there are no tests of a module {module!r}; there are {', '.join(ROOMS)}."
        )
    return [f"--module={module}", *ROOMS[module], *SHARED]


def run(extra: Sequence[str], *, fast: bool, module: str | None = None) -> int:
    """Run pytest in this process; return its exit status.

    `fast` leaves out the tests marked slow; `module` takes what belongs to this one alone; `extra`
    goes to pytest, after our own options. Where at most `FEW` tests failed, these run once more,
    alone, and the status is that of the second run.

    Raises:
        UnknownModuleError: there is no module of a given number yet.
    """
    import pytest

    chosen = ["-m", "not slow"] if fast else []
    chosen += of_module(module) if module else []
    os.environ.update(SETTINGS)
    os.chdir(ROOT)
    # A few hundred processes import the course, and not every user's Python writes bytecode.
    compileall.compile_dir(ROOT / "helpers", quiet=2)
    failed = _Failed()
    status = int(pytest.main([*AT_A_TIME, *chosen, *extra], plugins=[failed]))
    if status != _FAILED or failed.unread or not 0 < len(failed.tests) <= FEW:
        return status
    return again(sorted(failed.tests))


class _Failed:
    """A plugin of pytest: the tests that failed or could not begin, and files that gave none."""

    def __init__(self) -> None:
        self.tests: set[str] = set()
        self.unread: set[str] = set()

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:  # no matter of load, and alone it might not even show
            self.unread.add(report.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.tests.add(report.nodeid)


def again(tests: Sequence[str]) -> int:
    """Run these tests one after another in a process of their own; return pytest's exit status."""
    found = f"the {len(tests)} that failed beside others."
    print(f"\nOnce more, one after another: {found}", flush=True)
    words = [sys.executable, "-m", "pytest", "-n", "0", "-q", *tests]
    return subprocess.run(words, cwd=ROOT, check=False).returncode
