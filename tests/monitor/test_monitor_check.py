"""`course monitor-check`: what it counts, what it writes, and what the checklist makes of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers.evaluate import evidence
from helpers.evaluate.checklist import assess, item
from helpers.evaluate.evidence import Figure
from helpers.evaluate.version import current_version
from helpers.monitor import command_check
from helpers.monitor.command_check import figures, monitor_check
from helpers.monitor.testing import Alarm, Judged, Totals
from helpers.testbed.replay import days

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HELDOUT = days("heldout")


def judged(*, missed: int = 0, alarms: int = 0) -> list[Judged]:
    """The held-out days, with as many missed incidents and false alarms on clean days."""
    found, quiet = [], alarms
    for number, day in enumerate(HELDOUT):
        minutes = None if number < missed or not day.incident else 5.0
        false: tuple[Alarm, ...] = ()
        if not day.incident and quiet:
            false, quiet = (Alarm("Wolf", NOON),), quiet - 1
        by = "Found" if minutes else None
        found.append(Judged(day.name, day.incident, minutes, by, false, ()))
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    (tmp_path / "rules.yml").write_text("groups: []\n")
    return tmp_path


def test_kinds_are_counted_once_and_false_alarms_on_clean_days() -> None:
    assert figures(Totals.of(judged(missed=2, alarms=3))) == {
        "kinds of incident missed": Figure(2, 11),
        "false alarms a clean day": Figure(3 / 20, 20),
        "minutes until detection, median": Figure(5, 9),
    }
    on_a_bad_day = [replace(each, false_alarms=(Alarm("Wolf", NOON),)) for each in judged()[:11]]
    assert "false alarms a clean day" not in figures(Totals.of(on_a_bad_day))
    assert figures(Totals.of([])) == {}


@pytest.mark.parametrize(
    ("missed", "alarms", "status"),
    [(0, 0, "passed"), (1, 1, "passed"), (2, 0, "failed"), (0, 2, "failed")],
)
def test_with_the_traces_it_decides_the_item(
    missed: int,
    alarms: int,
    status: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        command_check, "measure", lambda part, text: judged(missed=missed, alarms=alarms)
    )

    def decided() -> Any:
        found = evidence.read("monitoring")
        return assess(item("monitoring"), found, current_version(), now=datetime.now(UTC))

    assert monitor_check(["--rules", str(home / "rules.yml"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["detected"] == 11 - missed
    assert len(report["days"]) == 31
    assert decided().status == "not assessed", "without traces"
    assert "the figure is missing: runs traced" in decided().reasons
    traces = {"runs traced": Figure(1, 100), "runs with tokens and cost": Figure(1, 100)}
    evidence.write("monitoring", traces, command="course trace-check")
    assert decided().status == status


def test_the_table_and_the_file_are_printed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts: list[str] = []

    def measure(part: str, rules_text: str) -> list[Judged]:
        parts.append(part)
        return judged(missed=1, alarms=1)

    monkeypatch.setattr(command_check, "measure", measure)
    assert monitor_check(["--rules", str(home / "rules.yml")]) == 0
    out = capsys.readouterr().out
    assert parts == ["heldout"]
    assert "Detected: 10 of 11" in out
    assert f"Evidence: {evidence.path('monitoring', 'alerts')}" in out


def test_it_refuses_fast_mode_and_rules_that_it_cannot_read(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert monitor_check(["--rules", str(home / "none.yml")]) == 1
    assert "--rules FILE" in capsys.readouterr().err
    monkeypatch.setenv("COURSE_FAST", "1")
    assert monitor_check([]) == 1
    assert "fast mode" in capsys.readouterr().err
    assert evidence.read("monitoring") is None
