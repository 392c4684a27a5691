"""`course workshop message`: README's commands and sizes, in a message to participants."""

from datetime import date
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.workshop.kit import workshop
from helpers.workshop.message import MessageError, message, read_readme, run

TODAY = date(2027, 1, 2)
DAY = date(2027, 1, 15)


def test_it_says_what_readme_says() -> None:
    text = message(read_readme(), day=DAY, today=TODAY)
    readme = (ROOT / "README.md").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("    ") and "--report" not in line:
            assert line.strip() in readme
    row = next(line for line in readme.splitlines() if line.startswith("| the learner's lock"))
    for size in row.split("|")[2:4]:
        assert f"{size.strip()} MB" in text
    assert "git and Python 3.11 to 3.13" in text
    assert "macOS on Intel" in text
    assert "python3 -m helpers doctor --report your-name.json" in text
    assert "Friday 15 January 2027" in text
    assert "by Tuesday 12 January 2027" in text


def test_modules_are_named_with_what_they_run() -> None:
    plain = message(read_readme(), day=DAY, today=TODAY, modules=["01", "03"])
    assert "01 Build an agent, 03 Stop prompt injection" in plain
    assert "podman" not in plain
    assert "optional" not in plain
    more = message(read_readme(), day=DAY, today=TODAY, modules=["07", "08"])
    assert "apt install podman runc haproxy" in more
    assert "Module 08 runs Prometheus" in more
    assert "All of lab 07 runs without podman." in more
    assert "exercises 2, 3 and 6 of lab 08 need Prometheus" in more
    one = message(read_readme(), day=DAY, today=TODAY, modules=["08"])
    assert "podman" not in one
    assert "## " not in more


def test_who_has_no_git_and_no_python_reads_how_to_get_them() -> None:
    text = message(read_readme(), day=DAY, today=TODAY)
    for system in ("Windows", "macOS", "Linux"):
        assert f"\n- {system}: " in text
    for part in ("https://git-scm.com/downloads", "https://www.python.org/downloads/", "py -3.12"):
        assert part in text


def test_from_a_stick(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--date", "2027-01-15", "--stick", "--to", "x@y.example"], TODAY) == 0
    said = capsys.readouterr()
    assert "\n    python3 /path/to/stick/start.py\n" in said.out
    assert "git clone" not in said.out
    assert "it downloads" not in said.out
    assert "the new folder production-agents:" in said.out
    assert not said.err


def test_a_report_is_never_due_in_the_past() -> None:
    assert "by Thursday 14 January 2027" in message(read_readme(), day=DAY, today=date(2027, 1, 14))


def test_blanks_are_filled_or_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--date", "2027-01-15"], TODAY) == 0
    said = capsys.readouterr()
    assert "<address of this repository>" in said.out
    assert "--repository and --to" in said.err
    words = ["--to", "desk@example.org", "--repository", "https://example.org/c.git"]
    assert run(["--date", "2027-01-15", "--modules", "3,03", *words], TODAY) == 0
    said = capsys.readouterr()
    assert "git clone https://example.org/c.git production-agents" in said.out
    assert "to desk@example.org by" in said.out
    assert said.out.count("03 Stop") == 1
    assert not said.err
    assert "<" not in said.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--date", "2026-12-31"], "is in the past"),
        (["--date", "soon"], "is not a date"),
        (["--date", "2027-02-30"], "is not a date"),
        (["--date", "2027-01-15", "--modules", "agents"], "is not a list of modules"),
        (["--date", "2027-01-15", "--modules", "99"], "there is no module 99"),
        (["--date", "2027-01-15", "--stick", "--repository", "x"], "not allowed with"),
        ([], "--date"),
    ],
)
def test_bad_use(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = run(words, TODAY)
    except SystemExit as stopped:
        status = int(str(stopped.code))
    said = capsys.readouterr()
    assert status == 2
    assert says in said.err
    assert not said.out


def test_a_readme_without_its_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Nothing\n", encoding="utf-8")
    with pytest.raises(MessageError, match="does not say"):
        read_readme(tmp_path / "README.md")


@pytest.mark.parametrize("words", [[], ["sya"]])
def test_a_subcommand_that_is_not_there(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        workshop(words)
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["message", "readiness"])
def test_each_subcommand_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        workshop([name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: course workshop {name}" in capsys.readouterr().out


def test_participants_are_asked_for_the_modules_that_come_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["--date", "2027-01-15", "--modules", "05,08"], TODAY) == 0
    said = capsys.readouterr().out
    assert "For this you need 01 Build an agent: please work through its walkthrough" in said
    assert run(["--date", "2027-01-15", "--modules", "00,01"], TODAY) == 0
    assert "For this you need" not in capsys.readouterr().out
