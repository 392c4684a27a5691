"""The `course` command: its table, its usage, and what passes through it."""

import importlib
import subprocess
import sys
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
    assert result.stdout.splitlines()[-1] == "['helpers.cli']"


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
