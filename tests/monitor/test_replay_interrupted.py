"""Ctrl-C in the middle of a replay: it ends at once, and leaves neither files nor processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from helpers.paths import ROOT

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there"),
]

# It says so when the first answer has ended, in the middle of the night.
SCRIPT = """
from helpers.service.testing import database_of
from helpers.testbed.replay import PlannedDay

def tells(registry):
    return lambda turn, outcome: print("answered", flush=True)

database_of(PlannedDay("day", "ordinary", 20_290_104, count=150), instruments={"tells": tells})
"""


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "COURSE_HOME": str(tmp_path)}
    replaying = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert replaying.stdout is not None
    assert replaying.stdout.readline() == "answered\n"
    children = psutil.Process(replaying.pid).children(recursive=True)
    replaying.send_signal(signal.SIGINT)
    asked = time.monotonic()
    _, said = replaying.communicate(timeout=60)
    assert time.monotonic() - asked < 10
    assert replaying.returncode == -signal.SIGINT, said
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert not any(one.is_running() for one in children)
    assert [*tmp_path.glob("replays/*")] == []
