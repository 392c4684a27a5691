"""Each check of `course doctor`: what it says of a machine that is fine, and of one that is not."""

import importlib.metadata
import importlib.util
import json
import shutil
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from helpers import doctor as doctor_module
from helpers.doctor import (
    Finding,
    check_disk,
    check_jupyterlab,
    check_memory,
    check_models,
    check_packages,
    check_ports,
    check_python,
    doctor,
    examine,
    locked,
)
from helpers.models import weights
from helpers.paths import ROOT


@pytest.mark.parametrize("name", doctor_module.CHECKS)
def test_this_machine_passes(name: str) -> None:
    finding = doctor_module.CHECKS[name]()
    assert finding.name == name
    assert finding.ok, finding.line()
    assert finding.advice == ""
    assert finding.line().startswith(f"OK  {name}: ")


def failed(finding: Finding, advice: str) -> None:
    assert not finding.ok
    assert advice in finding.advice
    assert finding.line().startswith("NO  ")
    assert finding.line().splitlines()[1].strip()


def test_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 2, "final", 0))
    failed(check_python(), "needs Python 3.11, 3.12 or 3.13")


def test_packages(tmp_path: Path) -> None:
    version = importlib.metadata.version("pytest")
    lock = tmp_path / "requirements.lock"
    lines = [
        "# a comment",
        f"pytest=={version} \\",
        "    --hash=sha256:00",
        "pytest-xdist==0.0.1 ; python_version >= '3'",
        "not-on-this-python==1 ; python_version < '3'",
        "never-heard-of==1",
    ]
    lock.write_text("\n".join(lines), encoding="utf-8")
    assert set(locked(lock)) == {"pytest", "pytest-xdist", "never-heard-of"}
    finding = check_packages(lock)
    failed(finding, "never-heard-of 1 (here: none)")
    assert "pytest-xdist 0.0.1" in finding.advice
    assert f"pytest {version}" not in finding.advice
    assert finding.facts.startswith("2 of 3 ")


def test_models(monkeypatch: pytest.MonkeyPatch) -> None:
    report = [("small: a", ""), ("small: b", "b is damaged: set up again.")]
    monkeypatch.setattr(weights, "verify", lambda: report)
    failed(check_models(), "b is damaged: set up again.")
    assert check_models().facts == "1 of 2 files verified"


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=200_000_000))
    failed(check_memory(), "close other programs")


def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    failed(check_disk(tmp_path), "COURSE_HOME")


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr(socket, "create_server", refuse)
    failed(check_ports(), "127.0.0.1")


def test_jupyterlab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    failed(check_jupyterlab(), "Delete the folder .venv")


def test_a_check_that_cannot_be_made_is_a_finding() -> None:
    def broken() -> Finding:
        raise ModuleNotFoundError("No module named 'psutil'")

    failed(examine("Memory", broken), "Delete the folder .venv")


def test_the_report_and_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = Finding("Python", True, "3.12")
    wrong = Finding("Disk", False, "1 MB free", "Free some.")
    monkeypatch.setattr(doctor_module, "CHECKS", {"Python": lambda: fine})
    assert doctor([]) == 0
    monkeypatch.setattr(doctor_module, "CHECKS", {"Python": lambda: fine, "Disk": lambda: wrong})
    capsys.readouterr()
    assert doctor([]) == 1
    assert capsys.readouterr().out == "OK  Python: 3.12\nNO  Disk: 1 MB free\n    Free some.\n"
    assert doctor(["--json"]) == 1
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "Disk",
        "ok": False,
        "facts": "1 MB free",
        "advice": "Free some.",
    }


def test_the_checks_read_the_learners_lock() -> None:
    assert len(locked(ROOT / "requirements.lock")) > 100
