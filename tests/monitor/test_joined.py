"""Days judged together are judged as each alone, and the lab's days are what its text says."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.monitor.testing import judge
from helpers.monitor.testing.joined import judge_joined, lab_days, without_incidents
from helpers.service.testing import joined, kept
from helpers.testbed.prometheus import load
from helpers.testbed.replay import INCIDENTS, Excerpt, PlannedDay
from helpers.testbed.samples import Samples

RULES = """
groups:
  - name: test
    rules:
      - record: errors:increase5m
        expr: sum(increase(errors_total[5m]))
      - alert: Errors
        expr: errors:increase5m > 3
        for: 2m
      - alert: Old
        expr: hour() == 9 and minute() == 30
"""
SLOW = INCIDENTS["visible"][0]
DAYS = [
    PlannedDay("bad", "ordinary", 1, SLOW, excerpt=Excerpt(9, 11)),
    PlannedDay("clean", "weekend", 2, excerpt=Excerpt(9, 10)),
    PlannedDay("worse", "ordinary", 3, SLOW, excerpt=Excerpt(9.5, 11)),
]


def samples_of(day: PlannedDay) -> Samples:
    """Errors begin some minutes after the incident, in another minute on each day."""
    samples, errors, at = Samples(), 0, day.start
    while at < day.stop:
        if day.incident and at >= day.incident.begins + timedelta(minutes=3 * day.seed):
            errors += 1
        samples.add("errors_total", {"job": "test"}, errors, at=at.timestamp())
        at += timedelta(seconds=15)
    return samples


def replay(requests: Any, *, seed: int, excerpt: Excerpt, **_: Any) -> Any:
    return SimpleNamespace(samples=samples_of(next(day for day in DAYS if day.seed == seed)))


needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs prometheus (apt install prometheus)"
)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "course"))
    monkeypatch.setattr(kept, "replay", replay)
    return joined.joined_database(DAYS, instruments={})


@needs_prometheus
def test_days_judged_together_are_judged_as_each_alone(database: Path, tmp_path: Path) -> None:
    def database_of(day: PlannedDay) -> Path:
        folder = tmp_path / day.name
        folder.mkdir()
        return load(samples_of(day), folder)

    together = judge_joined(RULES, DAYS, database, apart=joined.APART)
    assert together == judge(RULES, DAYS, database_of=database_of)
    assert [one.by for one in together] == ["Errors", None, "Errors"]
    assert [len(one.false_alarms) for one in together] == [1, 1, 1]
    assert together[0].minutes != together[2].minutes


@needs_prometheus
def test_what_fires_on_the_same_day_without_its_incident_detects_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def replayed(requests: Any, *, incident: Any, seed: int, excerpt: Excerpt, **_: Any) -> Any:
        day = PlannedDay("any", "ordinary", seed, incident, excerpt=excerpt)
        return SimpleNamespace(samples=samples_of(day))

    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "course"))
    monkeypatch.setattr(kept, "replay", replayed)
    by_the_clock = """
groups:
  - name: test
    rules:
      - alert: Clock
        expr: minute() % 20 < 10 and vector(time()) < 1e10
      - alert: Errors
        expr: sum(increase(errors_total[5m])) > 3
        for: 2m
"""
    on = [DAYS[2], DAYS[0], DAYS[1]]
    database = joined.joined_database(on, instruments={})
    calm = joined.joined_database(without_incidents(on[:1]), instruments={})
    found = judge_joined(by_the_clock, on, database, apart=joined.APART, calm=calm, calm_days=1)
    assert [one.by for one in found] == ["Errors", "Clock", None]
    alone = by_the_clock.partition("      - alert: Errors")[0]
    found = judge_joined(alone, on, database, apart=joined.APART, calm=calm, calm_days=1)
    assert [(one.by, one.anyway) for one in found] == [
        (None, True),
        ("Clock", False),
        (None, False),
    ]


@needs_prometheus
def test_a_joined_database_is_made_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "replay", None)
    assert joined.joined_database(DAYS, instruments={}) == database
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_the_lab_s_days() -> None:
    heldout = lab_days("heldout")
    assert [day.incident for day in heldout[:11]] == list(INCIDENTS["heldout"])
    assert [day.incident for day in heldout[11:]] == [None] * 10
    assert {day.excerpt for day in heldout[11:]} == {Excerpt()}
    for day in heldout[:11]:
        begins: datetime = day.incident.begins  # type: ignore[union-attr]
        assert day.start == begins - timedelta(minutes=75)
        assert day.stop >= begins + timedelta(minutes=60)
    assert len(lab_days("visible")) == 16
    shapes = {"ordinary", "weekend", "newsletter", "holiday"}
    assert {day.shape for day in lab_days("visible")[11:]} == shapes
    assert {day.shape for day in lab_days("heldout", fast=True)[11:]} == shapes
