"""The `course` command: its table, its usage, and what passes through it."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers import cli
from helpers.paths import ROOT


def test_usage_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    usage = capsys.readouterr().out
    assert all(f"  {name} " in usage for name in cli.COMMANDS)


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sya"]) == 2
    assert "no command 'sya'" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_there_and_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: course {name}" in capsys.readouterr().out


def test_usage_imports_no_room() -> None:
    code = (
        "import sys; from helpers import cli; cli.main([]); "
        "print([name for name in sys.modules if name.startswith('helpers.')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "['helpers.paths', 'helpers.cli']"


def test_words_and_status_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def ask(words: list[str]) -> int:
        seen.append(words)
        return 5

    monkeypatch.setattr(
        importlib, "import_module", lambda _: SimpleNamespace(COMMANDS={"ask": ask})
    )
    assert cli.main(["ask", "--json", "how long"]) == 5
    assert seen == [["--json", "how long"]]


def test_ctrl_c_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        importlib, "import_module", lambda _: SimpleNamespace(COMMANDS={"ask": ask})
    )
    assert cli.main(["ask"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe looks different there")
@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize(
    ("words", "closed", "status"),
    [
        ([], "stdout", 0),
        (["status"], "stdout", 0),
        (["status", "--json"], "stdout", 0),
        (["grade", "--help"], "stdout", 0),
        (["sya"], "stderr", 2),
        (["reset", "99"], "stderr", 1),
    ],
)
def test_a_reader_that_leaves_early_ends_nothing(
    words: list[str], closed: str, status: int, unbuffered: bool, tmp_path: Path
) -> None:
    """As in `course status | head -1`: no traceback, and the status is that of the work."""
    reader, writer = os.pipe()
    os.close(reader)
    other = "stderr" if closed == "stdout" else "stdout"
    try:
        result = subprocess.run(
            [sys.executable, *(["-u"] if unbuffered else []), "-m", "helpers.cli", *words],
            cwd=ROOT,
            env={**os.environ, "COURSE_HOME": str(tmp_path)},
            text=True,
            check=False,
            **{closed: writer, other: subprocess.PIPE},  # type: ignore[call-overload]
        )
    finally:
        os.close(writer)
    assert (result.returncode, getattr(result, other)) == (status, "")


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe looks different there")
def test_the_work_goes_on_when_its_report_is_no_longer_read(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace\n"
        "from helpers import cli\n"
        "def work(words):\n"
        "    for number in range(3): print(number, flush=True)\n"
        "    Path(words[0]).write_text('done'); return 7\n"
        "cli.importlib = SimpleNamespace(\n"
        "    import_module=lambda name: SimpleNamespace(COMMANDS={'reset': work}))\n"
        "sys.exit(cli.main(['reset', sys.argv[1]]))"
    )
    try:
        result = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "work")],
            cwd=ROOT,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (7, "")
    assert (tmp_path / "work").read_text() == "done"
