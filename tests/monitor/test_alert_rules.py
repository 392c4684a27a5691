"""The course's alerts: by promtool's unit tests, and on excerpts of visible days."""

import subprocess
from functools import cache, partial
from pathlib import Path

import pytest
import yaml

from helpers.monitor.command_incidents import NAIVE, RULES
from helpers.monitor.testing import INSTRUMENTS, Judged, judge, read_rules
from helpers.service.testing import database_of
from helpers.testbed.prometheus import program
from helpers.testbed.replay import PlannedDay, days

pytestmark = pytest.mark.prometheus

TESTS = RULES.with_name("rules_test.yml")


def run(*words: str, folder: Path = RULES.parent) -> subprocess.CompletedProcess[str]:
    command = [program("promtool"), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", [RULES, NAIVE])
def test_the_rules_parse(file: Path) -> None:
    done = run("check", "rules", file.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(read_rules(file.read_text("utf-8")).alerts) >= 8


def test_promtools_tests_of_the_rules_pass() -> None:
    done = run("test", "rules", TESTS.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_severity_words_and_a_test_for_both() -> None:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    alerts = {rule["alert"]: rule for rule in group["rules"] if "alert" in rule}
    for rule in alerts.values():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "next"}
    tested = [
        (case["alertname"], bool(case["exp_alerts"]))
        for test in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]
        for case in test["alert_rule_test"]
    ]
    assert set(tested) == {(name, fires) for name in alerts for fires in (True, False)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("14.4 * 0.01", "1 * 0.01"),
        ('{result="ungrounded"} >= 5', '{result="ungrounded"} >= 1'),
        ("2 * 86400", "1 * 86400"),
        ("offset 5m) > 0", "offset 5m) >= 0 or vector(1)"),
        ("> 2e9", "> 8e8"),
    ],
)
def test_promtools_tests_find_a_threshold_that_is_off(tmp_path: Path, old: str, new: str) -> None:
    text = RULES.read_text("utf-8")
    assert old in text
    (tmp_path / RULES.name).write_text(text.replace(old, new), "utf-8")
    (tmp_path / TESTS.name).write_bytes(TESTS.read_bytes())
    assert run("test", "rules", TESTS.name, folder=tmp_path).returncode != 0


@cache
def excerpt(name: str) -> PlannedDay:
    planned = next(day for day in days("visible") if day.name == name)
    return planned.hours(before=0.75, after=0.5, noon=12.5)


def on(file: Path, *names: str) -> list[Judged]:
    databases = partial(database_of, instruments=INSTRUMENTS)
    wanted = [excerpt(name) for name in names]
    return judge(file.read_text("utf-8"), wanted, database_of=databases)


def test_on_two_days_the_rules_find_the_incident_and_are_silent_on_the_clean_one() -> None:
    stale, clean = on(RULES, "stale index", "clean: newsletter")
    assert stale.detected
    assert stale.minutes is not None
    assert stale.minutes <= 5
    assert not stale.false_alarms
    assert not clean.false_alarms
    (naive,) = on(NAIVE, "clean: newsletter")
    assert naive.false_alarms
