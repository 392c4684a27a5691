"""`course doctor --report`: what the file holds, what it does not, and when it is written."""

import ast
import io
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpers import cli, machine_report
from helpers import doctor as doctor_module
from helpers.anonymous import own_words, without_personal
from helpers.doctor import Finding, doctor
from helpers.launcher import start as launcher
from helpers.launcher.advice import SetUpError
from helpers.paths import ROOT, course_dir

FINE = Finding("Python", True, "3.12")
WRONG = Finding("Disk", False, f"1 MB free at {Path.home() / 'course'}", "Free some.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def two_checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(doctor_module, "CHECKS", {"Python": lambda: FINE})


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_the_report_knows_every_check() -> None:
    from helpers.doctor import check_ports  # the fixture has put two in the table's place

    assert check_ports
    text = (Path(doctor_module.__file__)).read_text("utf-8")
    table = text.partition("CHECKS: dict")[2].partition("\n}")[0]
    assert [line.split('"')[1] for line in table.splitlines()[1:]] == [*machine_report.CHECKS]


def test_it_is_shown_and_written_after_a_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "anna.json"
    answer(monkeypatch, "y\n")
    assert doctor(["--report", str(file)]) == 0
    shown = capsys.readouterr().out
    assert file.read_text("utf-8") in shown
    report = json.loads(file.read_text("utf-8"))
    assert report["format"] == machine_report.FORMAT
    assert report["checks"] == [{"name": "Python", "ok": True, "facts": "3.12", "advice": ""}]
    assert report["machine"]["cores"] == os.cpu_count()
    assert report["machine"]["disk_free_mb"] > 0
    assert set(report["versions"]) == {"git", *machine_report.PACKAGES}
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["anna.json"]


@pytest.mark.parametrize("said", ["n\n", "\n", "", "maybe\n"])
def test_without_a_yes_nothing_is_written(
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    answer(monkeypatch, said)
    assert doctor(["--report", str(tmp_path / "a.json")]) == 1
    assert "Nothing was written." in capsys.readouterr().out
    assert not (tmp_path / "a.json").exists()


def test_without_a_terminal_it_wants_a_yes_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert doctor(["--report", str(tmp_path / "a.json")]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert doctor(["--report", str(tmp_path / "a.json"), "--yes"]) == 0


def test_what_is_wrong_is_in_it_and_in_the_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor_module, "CHECKS", {"Python": lambda: FINE, "Disk": lambda: WRONG})
    assert doctor(["--report", str(tmp_path / "a.json"), "--yes"]) == 1
    report = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert report["checks"][1]["facts"] == "1 MB free at <home>/course"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sub.json", "is a folder"),
        ("none/a.json", "There is no folder"),
        ("other.json", "is there already"),
    ],
)
def test_a_file_that_will_not_do(
    name: str, says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "sub.json").mkdir()
    (tmp_path / "other.json").write_text("[1]", encoding="utf-8")
    assert doctor(["--report", str(tmp_path / name), "--yes"]) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert not said.out
    assert (tmp_path / "other.json").read_text("utf-8") == "[1]"


def test_a_report_of_before_is_replaced_and_a_full_disk_keeps_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    assert doctor(["--report", str(file), "--yes"]) == 0
    first = file.read_text("utf-8")
    answer(monkeypatch, "yes\n")
    assert doctor(["--report", str(file)]) == 0
    assert "replace the report that is there" in capsys.readouterr().out
    second = file.read_text("utf-8")
    assert json.loads(second)["id"] != json.loads(first)["id"]

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert doctor(["--report", str(file), "--yes"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert file.read_text("utf-8") == second


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    file = str(tmp_path / "a.json")
    for words in (["--yes"], ["--json", "--report", file], ["--report"], ["--report", "a.txt"]):
        with pytest.raises(SystemExit) as stopped:
            doctor(words)
        assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("3.11.7 in /home/anna/course/.venv", "3.11.7 in <environment>"),
        ("free at /home/anna/course/.course", "free at <course>/.course"),
        ("in /home/anna/other dir", "in <home>/other dir"),
        ("anna's file on annas-laptop", "<user>'s file on <machine>"),
        ("savannah and hannah", "savannah and hannah"),
        ("see /srv/people/anna.b/x, and go", "see <folder>, and go"),
        (r"in C:\Users\Anna B\x", r"in <folder> B\x"),
        (r"[Errno 2] No file: 'C:\Users\Anna B\x'", "[Errno 2] No file: '<folder>'"),
        (r"\\server\share\anna", "<folder>"),
        (r"No file: '\HOME\\Anna\course/x y'", "No file: '<course>/x y'"),
        ("from https://anna:secret@host.example/simple now", "from <address> now"),
        (
            "mail anna.b@example.org or 10.1.2.3 or fe80::1:2",
            "mail <address> or <address> or <address>",
        ),
        ("OK on 127.0.0.1, 2/3, and/or", "OK on 127.0.0.1, 2/3, and/or"),
    ],
)
def test_nothing_personal_is_left(
    text: str, clean: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = Path("/home/anna/course")
    monkeypatch.setattr(Path, "home", lambda: Path("/home/anna"))
    monkeypatch.setattr(socket, "gethostname", lambda: "annas-laptop")
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    own = own_words(root, tmp_path)
    assert without_personal(text, own) == clean


def test_the_whole_report_names_neither_user_machine_nor_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "annas-laptop")
    monkeypatch.setattr("getpass.getuser", lambda: "ann-berg")
    words = f"{sys.prefix} {Path.home()} annas-laptop ann-berg {tmp_path} {Path.cwd()}"
    check = {"name": "Disk", "ok": False, "facts": words, "advice": words}
    monkeypatch.setattr(platform, "node", lambda: "annas-laptop.example")
    report = machine_report.compose(
        [check], root=Path.cwd(), state=tmp_path, now=datetime(2027, 1, 2, 3, 4, tzinfo=UTC)
    )
    text = json.dumps(report)
    assert report["made"] == "2027-01-02T03:04Z"
    for word in words.split():
        assert word not in text


def test_a_set_up_that_stopped_is_reported_without_the_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Stopping(launcher.Environment):
        def bring_up(self, locks: object, wheels: object) -> None:
            raise SetUpError("The disk is full.")

        def is_running(self) -> bool:
            return False

    monkeypatch.setattr(launcher, "Environment", Stopping)
    monkeypatch.setattr(launcher, "_speaks_utf8", lambda: True)
    file = tmp_path / "a.json"
    assert launcher.start(["doctor", f"--report={file}", "--yes"]) == 1
    assert "The set-up stopped. The disk is full." in capsys.readouterr().err
    (stopped, python) = json.loads(file.read_text("utf-8"))["checks"]
    assert (stopped["name"], stopped["ok"]) == ("Set-up", False)
    assert stopped["advice"] == "The disk is full."
    assert python["name"] == "Python"
    assert launcher.start(["doctor"]) == 1
    assert "report" not in capsys.readouterr().err


OLD = [path for one in ("3.8", "3.9", "3.10") if (path := shutil.which(f"python{one}"))]


@pytest.mark.parametrize("python", OLD)
def test_an_old_python_makes_the_report_too(python: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    found = subprocess.run(
        [python, "-m", "helpers", "doctor", f"--report={file}", "--yes"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "command not found" in found.stderr or "not installed" in found.stderr:
        pytest.skip("a version manager's name for a Python that is not there")
    assert found.returncode == 1
    assert "The course needs Python 3.11, 3.12 or 3.13" in found.stderr
    report = json.loads(file.read_text("utf-8"))
    assert [one["name"] for one in report["checks"]] == ["Set-up", *machine_report.CHECKS]
    assert "The course needs Python" in report["checks"][0]["advice"]


@pytest.mark.parametrize("path", ["outfile", "anonymous", "paths", "machine_report", "doctor"])
def test_what_an_old_python_reads_is_in_its_syntax(path: str) -> None:
    text = (ROOT / f"helpers/{path}.py").read_text("utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    later = [node for node in ast.walk(tree) if isinstance(node, ast.Match)]
    assert not later
    assert path == "paths" or "from __future__ import annotations" in text


def test_the_set_ups_own_home_may_be_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is made, and says what is wrong; other commands say one sentence."""
    (tmp_path / "state").write_text("a file")
    checks = {"Disk": lambda: doctor_module.check_disk(course_dir())}
    monkeypatch.setattr(doctor_module, "CHECKS", checks)
    assert doctor(["--report", str(tmp_path / "a.json"), "--yes"]) == 1
    (disk,) = json.loads((tmp_path / "a.json").read_text("utf-8"))["checks"]
    assert not disk["ok"]
    assert "set COURSE_HOME to a folder" in disk["advice"]
    capsys.readouterr()
    for words in (["next"], ["workshop", "slides", "00"], ["journal"], ["ship-check"], ["update"]):
        assert cli.main(words) == 1
        said = capsys.readouterr().err
        assert "set COURSE_HOME to a folder that can be written, or unset it" in said
        assert "Traceback" not in said


def test_programs_are_told_and_never_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"podman", "crun", "haproxy", "prometheus"}
    monkeypatch.setattr(doctor_module.shutil, "which", lambda name: name in there)
    found = doctor_module.check_programs()
    assert found.ok
    assert "module 08 is without Alertmanager: " in found.facts
    assert "07" not in found.facts
    there.add("prometheus-alertmanager")
    assert "have all" in doctor_module.check_programs().facts


def test_the_command_is_called_by_the_launcher_as_by_hand() -> None:
    assert cli.COMMANDS["doctor"][0] == "helpers.doctor"
