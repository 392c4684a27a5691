"""`course ship-check`: its table, its JSON, its exit status, and the statements of people."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpers.evaluate import evidence, releases
from helpers.evaluate.checklist import CHECKLIST
from helpers.evaluate.command_ship import command
from helpers.evaluate.evidence import Figure
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.ship_report import as_text
from helpers.evaluate.version import Version, current_version
from helpers.paths import ROOT
from tests.evaluate import make


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    return tmp_path


def file_everything(version: Version | None = None) -> None:
    for each in CHECKLIST:
        if each.stated:
            evidence.state(each.name, "Tried.", by="R. Person", command="c", version=version)
        else:
            figures = {
                t.figure: Figure(t.limit, t.counts, t.limit, t.limit) for t in each.thresholds
            }
            evidence.write(each.name, figures, command=each.command, version=version)


def test_go_with_all_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    file_everything()
    assert command([]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "GO: 13 passed, 0 failed, 0 not assessed."
    assert out.count("a person's statement") == 3


def test_no_go_without_any(capsys: pytest.CaptureFixture[str]) -> None:
    assert command([]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "NO-GO: 0 passed, 0 failed, 13 not assessed."
    for each in CHECKLIST:
        assert each.title in out
        assert each.owner in out
    assert max(map(len, out.splitlines())) <= 100
    assert "There is no earlier release to compare with." in out


def test_what_is_left_to_do_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    file_everything()
    assert "To do" not in printed(capsys)
    (evidence.folder() / "latency.json").unlink()
    (evidence.folder() / "ownership.json").unlink()
    evidence.write("regression", LOST, command="c")
    *_, left = printed(capsys).partition("To do:\n")
    assert left.splitlines() == [
        "    course eval --part heldout",
        "        regression against the last release (failed: repair it first), latency",
        '    course ship-check --state ownership "..." --by NAME',
        "        ownership",
        "",
        "NO-GO: 10 passed, 1 failed, 2 not assessed.",
    ]
    (evidence.folder() / "regression.json").unlink()  # nothing was released: a person says so
    assert 'course ship-check --state regression "..." --by NAME' in printed(capsys)


LOST = {
    "difference in right answers": Figure(0.05, 140, -0.02, 0.12),
    "slices that lost ground": Figure(1, 9),
    "difference, kind: order": Figure(-0.5, 18, -0.7, -0.2),
}


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    command([])
    return capsys.readouterr().out


def test_it_says_what_has_changed_since_the_release(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file_everything()
    latency = {"seconds an answer, 95th percentile": Figure(4.5, 140, 4, 5)}
    asked = [make.question(1)]
    releases.record("v1", asked, {asked[0].id: True}, command="c", figures={"latency": latency})
    monkeypatch.setenv("COURSE_CONTEXT", "1024")
    out = printed(capsys)
    assert "Changed since release v1" in out
    assert "    settings    the COURSE_ variables that change answers" in out
    assert "    prompt" not in out
    assert "evidence of another version; since then changed: settings" in out
    assert "measured then: recall at 3 0.97 [0.97, 0.97] n=60, wanted at least 0.97" in out
    file_everything()
    evidence.write("regression", LOST, command="c")
    out = printed(capsys)
    assert "percentile 15 [15, 15] n=100 (release v1: 4.5), wanted at most 15" in out
    assert "also measured: difference, kind: order -0.5 [-0.7, -0.2] n=18" in out
    assert command(["--json"]) == 1
    before = json.loads(capsys.readouterr().out)["before"]
    assert (before["release"], before["changed"]) == ("v1", ["settings"])
    (home / "releases" / "v1.json").write_text("{", encoding="utf-8")
    out = printed(capsys)
    assert "The releases cannot be read. v1.json cannot be read" in out
    assert "remove it" in out


@pytest.mark.parametrize("each", CHECKLIST, ids=lambda each: each.name)
def test_each_file_is_needed(each: object, home: Path) -> None:
    file_everything()
    name = getattr(each, "name")  # noqa: B009
    file = home / "evidence" / f"{name}.json"
    whole = file.read_text(encoding="utf-8")
    assert ship_check().go
    file.write_text(whole[:40], encoding="utf-8")
    assert not ship_check().go
    file.unlink()
    assert not ship_check().go
    file.write_text(whole, encoding="utf-8")
    assert ship_check().go


def test_a_changed_setting_makes_all_evidence_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    file_everything()
    monkeypatch.setenv("COURSE_CONTEXT", "1024")
    report = ship_check()
    assert {each.status for each in report.findings} == {"not assessed"}
    assert all("changed: settings" in each.reasons[0] for each in report.findings)


def test_evidence_ages() -> None:
    file_everything()
    now = datetime.now(UTC)
    assert ship_check(now=now + timedelta(days=29)).go
    later = ship_check(now=now + timedelta(days=31))
    passed = {each.item.name for each in later.findings if each.status == "passed"}
    assert passed == {"rollback", "documentation", "ownership"}
    assert "31 days old" in as_text(later, now=now + timedelta(days=31))


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    evidence.write(
        "latency",
        {"seconds an answer, 95th percentile": Figure(20, 140, 18, 25)},
        command="course eval --part heldout",
    )
    assert command(["--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["go"] is False
    assert found["version"] == current_version().digest
    items = {each["name"]: each for each in found["items"]}
    assert [each.name for each in CHECKLIST] == list(items)
    latency = items["latency"]
    assert latency["status"] == "failed"
    assert latency["evidence"]["figures"]["seconds an answer, 95th percentile"]["count"] == 140
    assert items["cost"]["evidence"] is None
    assert {items[name]["kind"] for name in ("rollback", "ownership")} == {"statement"}


def test_a_person_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["--state", "rollback", "Back in 2 minutes.", "--by", "R. Person"]) == 0
    assert "R. Person" in capsys.readouterr().out
    found = evidence.read("rollback")
    assert found is not None
    assert (found.statement, found.by) == ("Back in 2 minutes.", "R. Person")
    assert datetime.now(UTC) - found.written < timedelta(minutes=5)
    assert found.version == current_version()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--state", "rollback", "Tried."], "belong together"),
        (["--by", "R. Person"], "belong together"),
        (["--state", "security", "It is safe.", "--by", "R. Person"], "has to be measured"),
        (["--state", "rolback", "Tried.", "--by", "R. Person"], "choose one of"),
    ],
)
def test_what_cannot_be_stated(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command(words)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (home / "evidence").exists()


def test_nothing_is_stated_in_fast_mode(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    assert command(["--state", "rollback", "Tried.", "--by", "R. Person"]) == 1
    assert "not written in fast mode" in capsys.readouterr().err


def test_the_first_release_has_nothing_to_be_compared_with(home: Path) -> None:
    file_everything()
    words = ["--state", "regression", "The first release.", "--by", "R. Person"]
    assert command(words) == 0
    assert ship_check().go
    asked = [make.question(1)]
    releases.record(
        "v1",
        asked,
        {asked[0].id: True},
        command="course eval --part heldout --release v1",
        version=Version({"prompt": "of the last release"}),
    )
    report = ship_check()  # now there is one, and the statement no longer counts
    assert [each.item.name for each in report.findings if each.status != "passed"] == ["regression"]
    with pytest.raises(SystemExit):
        command(words)
    (home / "releases" / "v1.json").write_text("{", encoding="utf-8")
    assert not ship_check().go


ACCEPT = ["--accept", "regression", "The lost slice has two customers.", "--by", "R. Person"]


def until(days: int = 30) -> list[str]:
    return ["--until", (datetime.now(UTC).date() + timedelta(days=days)).isoformat()]


def answer(monkeypatch: pytest.MonkeyPatch, typed: str | None) -> None:
    """A terminal at which a person types this, or none."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return typed is not None

    monkeypatch.setattr(sys, "stdin", Terminal(typed or ""))


@pytest.fixture
def lost(home: Path) -> Path:
    """Everything has passed, but one slice has lost ground."""
    version = current_version()
    file_everything(version)
    evidence.write("regression", LOST, command="c", version=version)
    return home / "acceptances" / "regression.json"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("regression\n", 0), (" regression \n", 0), ("yes\n", 1), ("\n", 1), ("", 1), (None, 1)],
)
def test_a_person_accepts_at_the_terminal(
    typed: str | None,
    code: int,
    lost: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer(monkeypatch, typed)
    assert command([*ACCEPT, *until()]) == code
    said = capsys.readouterr()
    assert "slices that lost ground 1 n=9, wanted at most 0" in said.out
    assert ("Type the item's name to accept it:" in said.out) is (typed is not None)
    assert ("add --yes" in said.err) is (typed is None)
    assert ("Nothing was accepted." in said.err) is (code == 1)
    assert lost.exists() is (code == 0)
    assert command([]) == code


def test_without_a_question_and_back(
    lost: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, None)
    assert command([*ACCEPT, *until(), "--yes"]) == 0
    assert str(lost) in capsys.readouterr().out
    assert command(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accepted"] == ["regression"]
    assert command(["--withdraw", "regression"]) == 0
    assert "a dated copy is kept" in capsys.readouterr().out
    assert command([]) == 1
    assert command(["--withdraw", "regression"]) == 1
    assert "nothing to withdraw" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (ACCEPT, 2, "--accept needs --until"),
        ([*ACCEPT[:3], *until()], 2, "belong together"),
        (["--yes"], 2, "belong to --accept"),
        (until(), 2, "belong to --accept"),
        (["--state", "rollback", "Tried.", "--by", "R. Person", *until()], 2, "belong to --accept"),
        ([*ACCEPT, *until(), "--json"], 2, "not allowed with"),
        (["--withdraw", "nothing"], 2, "choose one of"),
        (["--withdraw", ""], 2, "choose one of"),
        (["--accept", "../x", *ACCEPT[2:], *until()], 2, "choose one of"),
        ([*ACCEPT, *until(0)], 1, "after today"),
        ([*ACCEPT, *until(91)], 1, "at most 90 days"),
        ([*ACCEPT, "--until", "soon"], 1, "is no date"),
        (["--accept", "security", *ACCEPT[2:], *until()], 1, "has passed"),
        (["--accept", "rollback", *ACCEPT[2:], *until()], 1, "so state it"),
    ],
)
def test_what_cannot_be_accepted(
    words: list[str], code: int, message: str, lost: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = command(words)
    except SystemExit as stopped:
        found = int(str(stopped.code))
    assert found == code
    assert message in capsys.readouterr().err
    assert not lost.parent.exists()


def test_nothing_is_accepted_in_fast_mode(
    lost: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    assert command([*ACCEPT, *until(), "--yes"]) == 1
    assert "unset COURSE_FAST" in capsys.readouterr().err
    assert not lost.exists()


def test_it_reads_files_and_enters_no_other_room() -> None:
    code = (
        "import sys; from helpers import cli; cli.main(['ship-check']); "
        "print({name.split('.')[1] for name in sys.modules if name.startswith('helpers.')})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert eval(result.stdout.splitlines()[-1]) == {"cli", "evaluate", "paths"}
