"""`python3 -m helpers lab` in a shell that holds another Jupyter, its kernels and configuration."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from small_course import Course

from helpers.paths import ROOT

pytestmark = pytest.mark.slow

# A configuration that lets nobody in and would have the kernels of another class.
CONFIG = "c.ServerApp.kernel_spec_manager_class = 'nowhere.Kernels'\n"


def ask(address: str, data: bytes | None = None) -> dict[str, object]:
    with urllib.request.urlopen(address, data, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def put_foreign_jupyter(folder: Path) -> dict[str, str]:
    """Write a kernel named python3 and a configuration; return the variables that name them."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    kernel = {"argv": ["/nowhere/python", "{connection_file}"], "display_name": "foreign"}
    (spec / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")
    (folder / "jupyter_server_config.py").write_text(CONFIG, encoding="utf-8")
    names = ("PATH", "CONFIG_PATH", "CONFIG_DIR", "DATA_DIR")
    return {
        **{f"JUPYTER_{name}": str(folder) for name in names},
        "JUPYTER_PREFER_ENV_PATH": "0",
        "PYTHONOPTIMIZE": "2",
        "PYTHONPATH": str(folder),
        "LC_ALL": "C",
    }


def answers(address: str) -> bool:
    try:
        return bool(ask(address))
    except urllib.error.URLError:
        return False


@pytest.mark.parametrize("door", ["outside", "inside"])
def test_the_course_has_its_own_kernel_and_configuration(door: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "HOME": str(tmp_path),
        "COURSE_HOME": str(tmp_path / "course"),
        "JUPYTER_TOKEN": "secret",
        **put_foreign_jupyter(tmp_path / "foreign"),
    }
    python = Course.python if door == "outside" else sys.executable
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
    log = tmp_path / "log"
    with log.open("w") as file:
        server = psutil.Popen(
            [python, "-m", "helpers", "lab", *options],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + 120
        base = f"http://127.0.0.1:{port}/api"
        while not answers(f"{base}/status?token=secret"):
            assert server.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.1)
        specs = ask(f"{base}/kernelspecs?token=secret")["kernelspecs"]
        folder = specs["python3"]["resources"]["logo-svg"]  # type: ignore[index]
        assert folder.startswith("/kernelspecs/python3/")
        assert specs["python3"]["spec"]["display_name"] != "foreign"  # type: ignore[index]
        ask(f"{base}/kernels?token=secret", b'{"name": "python3"}')
        kernels = [one for one in server.children() if "ipykernel_launcher" in one.cmdline()]
        assert [Path(one.cmdline()[0]).parent for one in kernels] == [Path(sys.prefix) / "bin"]
        variables = kernels[0].environ()
        assert variables["PYTHONUTF8"] == "1"
        assert not {"PYTHONOPTIMIZE", "PYTHONPATH", "JUPYTER_PATH"} & variables.keys()
    finally:
        server.terminate()
        server.wait(timeout=30)
    assert "foreign" not in log.read_text("utf-8")
