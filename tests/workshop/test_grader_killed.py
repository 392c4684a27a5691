"""What is left of a grader that was killed: nothing that runs."""

import subprocess
import sys
import tempfile

import psutil
import pytest

from helpers.paths import ROOT

GRADER = """
import os, sys, time
from pathlib import Path
from helpers.workshop.kernel import Kernel

with Kernel(
    Path(sys.argv[1]), runtime=Path(sys.argv[1]), environment=os.environ, seconds=9, megabytes=900
) as kernel:
    kernel.run("x = 1")
    print("running", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_the_kernels_of_a_killed_grader_end() -> None:
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as folder:  # sockets: a short path
        grader = subprocess.Popen(
            [sys.executable, "-c", GRADER, folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started: list[psutil.Process] = []
        try:
            assert grader.stdout is not None
            assert grader.stdout.readline() == "running\n"
            started = psutil.Process(grader.pid).children(recursive=True)
            assert any("launch.py" in " ".join(one.cmdline()) for one in started)
            grader.kill()
            grader.wait()
            _, alive = psutil.wait_procs(started, timeout=60)
            assert alive == []
        finally:
            for one in started:
                if one.is_running():
                    one.kill()
            grader.kill()
            grader.wait()
            if grader.stdout:
                grader.stdout.close()
