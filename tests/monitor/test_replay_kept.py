"""Kept days: replayed once, asked twice, and replayed again when something else is asked for."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from helpers.service.testing import Watch, prometheus_of, replay
from helpers.service.testing import kept as module
from helpers.service.turn import Outcome, Turn
from helpers.testbed.replay import Excerpt, PlannedDay

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs prometheus (apt install prometheus)"
)
DAY = PlannedDay("small", "ordinary", 20_290_101, count=100, excerpt=Excerpt(9.0, 10.0))
TEN = DAY.stop


def counts(registry: CollectorRegistry) -> Watch:
    answered = Counter("watched", "Answers", registry=registry)

    def watch(turn: Turn, outcome: Outcome) -> None:
        answered.inc()

    return watch


def test_a_day_is_replayed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    replayed: list[Any] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        replayed.append(args)
        return replay(*args, **kwargs)

    monkeypatch.setattr(module, "replay", counted)
    query = "sum(gen_ai_client_operation_duration_seconds_count)"
    answered = []
    for _ in range(2):
        with prometheus_of(DAY) as server:
            (found,) = server.range(query, DAY.start, DAY.stop, step_s=600)
            answered.append(found.values[TEN.timestamp()])
            assert server.at("watched_total", TEN) == []
    assert len(replayed) == 1
    assert answered[0] == answered[1] > 15  # most of them are the canaries'

    with prometheus_of(DAY, instruments={"watched": counts}) as server:
        (watched,) = server.at("watched_total", TEN)
    assert len(replayed) == 2
    assert 15 < watched.values[TEN.timestamp()] <= answered[0]
    assert len(list((tmp_path / "replays").iterdir())) == 2
