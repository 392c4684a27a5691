"""The recorded hours: what Prometheus says of them is what happened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpers.testbed.hours import BUCKETS, HOURS, MINUTES, SCRAPE_S, Instance, Phase, record
from helpers.testbed.prometheus import prometheus_with
from helpers.testbed.samples import Samples

BEGIN = datetime(2026, 6, 15, 9, tzinfo=UTC)


def test_a_restart_and_a_gap_are_recorded() -> None:
    samples = Samples()
    one = Instance("a:1", "1.0", (Phase(0, 2, (0.7, 4.0)),), restarts=(30.1,), unseen=(40, 50))
    truth = record([one], samples, at=0)
    assert len(truth) == 2 * MINUTES
    assert {answer.seconds for answer in truth} == {0.7, 4.0}
    name, labels = "answer_seconds_count", {"route": "/chat", "instance": "a:1", "job": "shop"}
    assert samples.last(name, **labels) == 2 * (MINUTES - 30)
    times = samples.times(name, **labels)
    scrapes = MINUTES * 60 // SCRAPE_S + 1
    assert len(times) == scrapes - (50 - 40) * 60 // SCRAPE_S + 1
    assert not [at for at in times if 40 * 60 < at < 50 * 60]
    assert samples.last("answer_seconds_bucket", le="3.0", **labels) == MINUTES - 30
    assert 3.0 in BUCKETS


def test_an_instance_that_begins_and_ends() -> None:
    samples = Samples()
    truth = record([Instance("a:1", "1.0", (Phase(0, 1),), begins=20, ends=50)], samples, at=0)
    assert [round(answer.minute) for answer in (truth[0], truth[-1])] == [20, 50]
    times = samples.times("answer_seconds_count", instance="a:1")
    assert (times[0], times[-1]) == (20 * 60, 50 * 60)


@pytest.mark.parametrize("hour", HOURS)
def test_prometheus_agrees_with_what_happened(hour: str, tmp_path: Path) -> None:
    samples = Samples()
    truth = record(HOURS[hour], samples, at=BEGIN.timestamp())
    asked = sum(answer.minute >= MINUTES - 60 for answer in truth)
    recent = [answer.seconds for answer in truth if answer.minute >= MINUTES - 30]
    late = sum(seconds > 3 for seconds in recent) / max(1, len(recent))
    end = BEGIN + timedelta(minutes=MINUTES)
    with prometheus_with(samples, tmp_path) as server:
        [counted] = server.at('sum(increase(answer_seconds_count{route="/chat"}[1h]))', end)
        [fast, every] = [
            server.at(f"sum(rate(answer_seconds_{one}}}[30m]))", end)[0].values[end.timestamp()]
            for one in ('bucket{route="/chat",le="3.0"', 'count{route="/chat"')
        ]
    assert counted.values[end.timestamp()] == pytest.approx(asked, rel=0.01)
    if recent:
        assert 1 - fast / every == pytest.approx(late, rel=0.02, abs=1e-9)
    else:
        assert every == 0
