"""Samples of another day, and a Prometheus that holds them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from helpers.testbed import TestbedError
from helpers.testbed.prometheus import MissingProgram, QueryRefused, load, program, prometheus_with
from helpers.testbed.samples import Samples

START = datetime(2026, 6, 15, tzinfo=UTC)
AT = START.timestamp()


def counted(hours: float = 1.0, step_s: int = 15) -> Samples:
    """A counter that grows by two a minute, a histogram, and a text in need of escapes."""
    registry, samples = CollectorRegistry(), Samples()
    asked = Counter("asked", "Questions", ("who",), registry=registry)
    took = Histogram("took_seconds", "Seconds", buckets=(1, 2), registry=registry)
    Gauge("known", "Text", ("text",), registry=registry).labels('a "b"\\c\nd').set(1)
    for second in range(0, round(hours * 3600), step_s):
        if second % 30 == 0:
            asked.labels("them").inc()
            took.observe(1.5)
        samples.scrape(registry, at=AT + second, job="shop")
    return samples


def test_a_scrape_keeps_every_series_with_its_labels(tmp_path: Path) -> None:
    samples = counted(hours=1 / 60)
    assert (samples.series, len(samples)) == (7, 28)
    samples.write(tmp_path / "day.om")
    lines = (tmp_path / "day.om").read_text("utf-8").splitlines()
    assert lines[-1] == "# EOF"
    assert f'asked_total{{who="them",job="shop"}} 1.0 {AT:.3f}' in lines
    assert f'took_seconds_bucket{{le="2.0",job="shop"}} 2.0 {AT + 45:.3f}' in lines
    assert f'known{{text="a \\"b\\"\\\\c\\nd",job="shop"}} 1.0 {AT:.3f}' in lines
    assert not [line for line in lines if "_created" in line]


def test_repeating_is_scraping_what_has_not_changed() -> None:
    samples = counted(hours=1 / 60)
    samples.repeat(at=AT + 60)
    assert len(samples) == 35


@pytest.mark.parametrize("seconds", [0, -15])
def test_a_clock_that_jumps_back_is_refused(seconds: float) -> None:
    registry, samples = CollectorRegistry(), Samples()
    Counter("asked", "Questions", registry=registry)
    samples.scrape(registry, at=AT)
    with pytest.raises(ValueError, match="not later"):
        samples.scrape(registry, at=AT + seconds)
    with pytest.raises(ValueError, match="not later"):
        samples.repeat(at=AT + seconds)


def test_no_samples_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no samples"):
        Samples().write(tmp_path / "day.om")


def test_a_missing_program_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgram, match=r"apt install prometheus`.*brew install prometheus"):
        program("promtool")
    with pytest.raises(MissingProgram, match="apt install prometheus-alertmanager`"):
        program("alertmanager")


def test_a_program_is_found_by_the_name_that_debian_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "prometheus-alertmanager"
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program("alertmanager") == str(there)


@pytest.mark.prometheus
def test_samples_that_promtool_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Samples, "write", lambda self, path: path.write_text("a b c\n"))
    with pytest.raises(TestbedError, match="does not take the samples"):
        load(counted(hours=1 / 60), tmp_path)
    assert not (tmp_path / "samples.om").exists()


@pytest.mark.prometheus
def test_a_loaded_day_is_asked_by_ranges_and_moments(tmp_path: Path) -> None:
    with prometheus_with(counted(), tmp_path) as server:
        end = START + timedelta(hours=1)
        (found,) = server.range("rate(asked_total[5m])", START, end, step_s=300)
        assert found.labels == {"who": "them", "job": "shop"}
        assert found.values[AT + 1800] == pytest.approx(2 / 60)
        (at_end,) = server.at("asked_total", end - timedelta(seconds=1))
        assert list(at_end.values.values()) == [120]
        (slow,) = server.at("histogram_quantile(0.5, rate(took_seconds_bucket[5m]))", end)
        assert list(slow.values.values()) == pytest.approx([1.5])
        assert list(server.at("scalar(asked_total)", end)[0].values.values()) == [120]
        assert server.at("nothing", end) == []
        with pytest.raises(QueryRefused, match="unclosed left parenthesis"):
            server.at("rate(", end)
        url = server.url
    with pytest.raises(httpx2.ConnectError):
        type(server)(url).at("asked_total", end)
