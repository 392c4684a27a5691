"""`course lab`: JupyterLab as a learner gets it. `course test`: what it hands to pytest."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from helpers.course import lab, suite
from helpers.course.command import test as course_test
from helpers.course.lab import START, arguments, prepare
from helpers.paths import ROOT


def test_the_home_is_left_alone(tmp_path: Path) -> None:
    prefix, home = tmp_path / "env", tmp_path / "course"
    variables = prepare(prefix, home)
    kept = {name for name in variables if name.endswith("DIR")}
    assert kept >= {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"}
    assert all(Path(variables[name]).is_relative_to(home) for name in kept)
    assert variables["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    [overrides] = prefix.rglob("overrides.json")
    assert json.loads(overrides.read_text("utf-8")) == {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
        "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    }


def test_the_first_notebook_opens_where_there_is_one(tmp_path: Path) -> None:
    assert not any("default_url" in word for word in arguments(tmp_path, []))
    (tmp_path / START).parent.mkdir()
    (tmp_path / START).touch()
    words = arguments(tmp_path, ["--no-browser"])
    assert f"--LabApp.default_url=/lab/tree/{START}" in words
    assert "--ServerApp.ip=127.0.0.1" in words
    assert words[-1] == "--no-browser"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no root")
@pytest.mark.parametrize(("user", "expected"), [(0, True), (1000, False)])
def test_root_is_let_in(user: int, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--allow-root" in arguments(ROOT, [])) is expected


def ask(address: str) -> dict[str, object]:
    with urllib.request.urlopen(address, timeout=20) as answer:
        found: dict[str, object] = json.load(answer)
    return found


@pytest.mark.slow
def test_jupyterlab_answers_with_the_courses_settings_and_python(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = tmp_path / "home"
    home.mkdir()
    settings = {
        "HOME": str(home),
        "COURSE_HOME": str(tmp_path / "course"),
        "LANGSMITH_TRACING": "1",
    }
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.cli", "lab", *options],
            cwd=ROOT,
            env={**os.environ, **settings, "JUPYTER_TOKEN": "secret"},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 120
        while "is running at" not in log.read_text("utf-8"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.1)
        base = f"http://127.0.0.1:{port}"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(f"{base}/api/contents")
        notification = "@jupyterlab/apputils-extension:notification"
        shown = ask(f"{base}/lab/api/settings/{notification}?token=secret")
        properties = shown["schema"]["properties"]  # type: ignore[index]
        assert properties["fetchNews"]["default"] == "false"
        kernels = ask(f"{base}/api/kernelspecs?token=secret")
        assert kernels["default"] == "python3"
        assert list(kernels["kernelspecs"]) == ["python3"]  # type: ignore[call-overload]
        contents = ask(f"{base}/api/contents?token=secret")["content"]
        assert "pyproject.toml" in {item["name"] for item in contents}  # type: ignore[attr-defined]
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert re.search(r"^OK  Python: ", log.read_text("utf-8"), flags=re.MULTILINE)
    assert list(home.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["notebooks", "helpers"])
def test_a_kernel_of_any_folder_imports_the_course(folder: str) -> None:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT / folder))
    try:
        said = []
        code = (
            "import sys, os, helpers; "
            "print(sys.prefix, helpers.__path__[0], os.environ['LANGSMITH_TRACING'])"
        )
        client.execute_interactive(code, timeout=60, output_hook=said.append)
        text = "".join(
            message["content"]["text"] for message in said if message["msg_type"] == "stream"
        )
        assert text.split() == [sys.prefix, str(ROOT / "helpers"), "false"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_options_of_pytest_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def main(words: list[str], plugins: list[object]) -> int:
        calls.append(words)
        return 5

    monkeypatch.setattr(pytest, "main", main)
    for name in suite.SETTINGS:
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.chdir(ROOT / "tests")
    assert course_test(["--fast", "-k", "refund", "tests/shop"]) == 5
    assert course_test([]) == 5
    always = suite.AT_A_TIME
    assert calls == [[*always, "-m", "not slow", "-k", "refund", "tests/shop"], always]
    assert {name: os.environ[name] for name in suite.SETTINGS} == suite.SETTINGS
    assert Path.cwd() == ROOT


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"NO_PROXY": "intern"}, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "127.0.0.1,localhost"),
        ({"https_proxy": "http://p", "NO_PROXY": "intern"}, "intern,127.0.0.1,localhost"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "localhost"}, "localhost,127.0.0.1"),
    ],
)
def test_calls_to_this_machine_pass_by_a_proxy(
    environment: dict[str, str], expected: str | None
) -> None:
    found = lab._past_proxies(environment)
    assert found.get("NO_PROXY") == expected
    assert set(found) == ({"NO_PROXY", "no_proxy"} if expected else set())


FOUR = """
from pathlib import Path

import pytest


@pytest.fixture
def broken():
    raise OSError("no server")


def test_fails_beside_others():
    found = Path(__file__).with_suffix(".seen")
    seen = found.exists()
    found.touch()
    assert seen


@pytest.mark.parametrize("text", ["a b::c"])
def test_always(text):
    assert not text


def test_cannot_begin(broken):
    pass


def test_fine():
    pass
"""


RUN = (
    "import sys; from pathlib import Path; from helpers.course import suite;"
    "suite.ROOT = Path.cwd(); sys.exit(suite.run(['-q'], fast=False))"
)


@pytest.mark.slow
def test_what_failed_beside_others_runs_once_more_alone(tmp_path: Path) -> None:
    file = tmp_path / "test_four.py"
    file.write_text(FOUR, "utf-8")
    found = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1, found.stdout
    beside, _, alone = found.stdout.partition("Once more, one after another: the 3 that failed")
    assert "2 failed, 1 passed, 1 error in" in beside
    assert "1 failed, 1 passed, 1 error in" in alone.splitlines()[-1]


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_no_matter_of_load(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import nowhere_to_be_found\n", "utf-8")
    (tmp_path / "test_four.py").write_text(FOUR, "utf-8")
    found = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1, found.stdout
    assert "Once more" not in found.stdout


def test_many_failures_are_no_matter_of_load(monkeypatch: pytest.MonkeyPatch) -> None:
    class Report(NamedTuple):
        nodeid: str
        failed: bool = True

    def main(words: list[str], plugins: list[Any]) -> int:
        for number in range(counts.pop(0)):
            plugins[0].pytest_runtest_logreport(Report(f"tests/x.py::test_{number}"))
        return 1

    seen: list[list[str]] = []
    monkeypatch.setattr(pytest, "main", main)
    monkeypatch.setattr(suite, "again", lambda tests: seen.append(tests) or 0)
    counts = [0, 1, suite.FEW, suite.FEW + 1]
    assert [suite.run([], fast=False) for _ in range(4)] == [1, 0, 0, 1]
    assert [len(tests) for tests in seen] == [1, suite.FEW]


@pytest.mark.parametrize("words", [["77"], ["5", "9"], ["x/../77", "77"]])
def test_a_module_that_is_none_is_a_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytest, "main", lambda options: pytest.fail("it ran"))
    assert course_test(words) == 2
    assert capsys.readouterr().err.startswith("course test: ")


def test_a_module_is_tested_by_its_room_and_its_share_of_what_all_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(pytest, "main", lambda options, plugins: asked.append(options) or 0)
    assert course_test(["5", "--fast"]) == 0
    (options,) = asked
    assert {"--module=05", "tests/service", "not slow", *suite.SHARED} <= set(options)


def test_every_module_has_its_tests_named() -> None:
    numbers = {path.name[:2] for path in (ROOT / "notebooks" / "src").glob("*.py")}
    assert set(suite.ROOMS) == numbers
    for path in [*suite.SHARED, *(path for paths in suite.ROOMS.values() for path in paths)]:
        assert (ROOT / path).exists(), path
