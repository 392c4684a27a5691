"""What `course cost --live` says of a running service, tried on hours of replayed days."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from helpers.cost import live
from helpers.cost.live import NothingToRead, Notice, Totals, Watcher, line, totals, watch
from helpers.service.testing.day import replay
from helpers.testbed.replay import INCIDENTS, Excerpt, Incident, traffic
from helpers.testbed.samples import Samples

_NAMES = (
    "service_cost_usd_total",
    "gen_ai_client_token_usage_sum",
    "gen_ai_client_operation_duration_seconds_count",
)


def readings(samples: Samples) -> Iterator[tuple[float, Totals]]:
    """What each scrape of a replay showed."""
    found: list[dict[float, float]] = []
    for name in _NAMES:
        sums: dict[float, float] = {}
        for times, values in samples._named(name, {"job": "fernhill"}):
            for time, value in zip(times, values, strict=True):
                sums[time] = sums.get(time, 0.0) + value
        found.append(sums)
    for time in sorted(found[0]):
        usd, tokens, answers = (one.get(time, 0.0) for one in found)
        yield time, Totals(usd, tokens, answers)


@cache
def told(
    incident: Incident | None, excerpt: Excerpt, seed: int
) -> tuple[tuple[float, Notice], ...]:
    """The notices on some hours, with seconds since the incident began, or the hours did."""
    requests = traffic("ordinary", seed=seed)
    samples = replay(requests, incident=incident, seed=1, excerpt=excerpt).samples
    watcher, start = Watcher(), (incident.begins if incident else excerpt.start).timestamp()
    return tuple(
        (at - start, each) for at, found in readings(samples) for each in watcher.seen(found, at)
    )


@pytest.mark.parametrize("part", ["visible", "heldout"])
@pytest.mark.parametrize(("what", "kind"), [("price", "price"), ("looping client", "rate")])
def test_it_tells_of_an_incident_within_minutes(part: Any, what: str, kind: str) -> None:
    incident = next(one for one in INCIDENTS[part] if one.kind == what)
    found = told(incident, Excerpt(incident.at - 0.7, incident.at + 0.3), seed=77)
    first, notice = found[0]
    assert notice.kind == kind
    assert 0 < first < 900
    assert len([one for _, one in found if one.kind == kind]) == 1, "told once"


def test_a_morning_with_its_mailing_is_no_news() -> None:
    assert told(None, Excerpt(7.5, 10.5), 5) == ()


class Shop:
    """A service that answers so often, at such a price."""

    def __init__(self) -> None:
        self.watcher, self.at = Watcher(), 0.0
        self.now = Totals()

    def minutes(self, count: int, *, answers: float = 2, tokens: float = 100, usd: float = 1e-6):  # type: ignore[no-untyped-def]
        found = []
        for _ in range(4 * count):
            self.at += 15
            each = answers / 4
            self.now = self.now.plus(Totals(each * tokens * usd, each * tokens, each))
            found += self.watcher.seen(self.now, self.at)
        return found


def test_a_steady_service_is_no_news() -> None:
    assert Shop().minutes(150) == []


def test_the_first_minutes_are_compared_with_nothing() -> None:
    shop = Shop()
    assert shop.minutes(10) + shop.minutes(8, answers=50, usd=9e-6) == []


@pytest.mark.parametrize("times", [1.6, 0.5])
def test_a_price_that_changes_is_told_once_and_is_normal_an_hour_later(times: float) -> None:
    shop = Shop()
    shop.minutes(60)
    found = shop.minutes(120, usd=1e-6 * times)
    assert [one.kind for one in found] == ["price"]
    assert found[0].ratio == pytest.approx(times, rel=0.35)  # some of the window is old


def test_long_questions_are_told() -> None:
    shop = Shop()
    shop.minutes(60)
    assert [one.kind for one in shop.minutes(15, tokens=250)] == ["length"]


def test_a_flood_of_long_questions_is_told_as_both() -> None:
    shop = Shop()
    shop.minutes(60)
    assert {one.kind for one in shop.minutes(15, answers=6, tokens=800)} == {"length", "rate"}


def test_a_restart_is_told_and_is_no_saving() -> None:
    shop = Shop()
    shop.minutes(60)
    before = shop.watcher.window(600).usd
    shop.now = Totals()
    found = shop.minutes(10)
    assert [one.kind for one in found] == ["restart"]
    assert shop.watcher.window(600).usd == pytest.approx(before)


def test_time_goes_one_way() -> None:
    watcher = Watcher()
    watcher.seen(Totals(), 1.0)
    with pytest.raises(ValueError, match="in order"):
        watcher.seen(Totals(), 1.0)


TEXT = """\
# TYPE service_cost_usd_total counter
service_cost_usd_total 0.5
# TYPE gen_ai_client_token_usage histogram
gen_ai_client_token_usage_sum{gen_ai_token_type="input"} 900
gen_ai_client_token_usage_sum{gen_ai_token_type="output"} 100
# TYPE gen_ai_client_operation_duration_seconds histogram
gen_ai_client_operation_duration_seconds_count{error_type=""} 10
# TYPE service_tier_answers_total counter
service_tier_answers_total{tier="cache"} 6
service_tier_answers_total{tier="model"} 4
# TYPE service_tier_cost_usd_total counter
service_tier_cost_usd_total{tier="cache"} 0
service_tier_cost_usd_total{tier="model"} 0.5
# TYPE service_cache_lookups_total counter
service_cache_lookups_total{result="exact"} 6
service_cache_lookups_total{result="miss"} 2
"""


def test_metrics_are_read_and_shown() -> None:
    found = totals(TEXT)
    assert (found.usd, found.tokens, found.answers) == (0.5, 1000, 10)
    assert found.tiers == {"cache": (6, 0), "model": (4, 0.5)}
    assert line(found, 1800) == (
        "$1 an hour; $0.05 an answer; by tier: cache 60% ($0), model 40% ($0.5); cache hits 75%"
    )
    assert line(Totals(), 60) == "$0 an hour; no answers"


@pytest.mark.parametrize("text", ["", "<html>", "up 1\n"])
def test_what_is_no_service_is_an_error_and_no_zero(text: str) -> None:
    with pytest.raises(NothingToRead, match="course tiers serve"):
        totals(text)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://[", ""])
def test_a_dead_server_is_an_error_in_words(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(url) == 1
    assert "No service answers at" in capsys.readouterr().err


def test_it_watches_until_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turns: Iterator[Totals | NothingToRead] = iter(
        [totals(TEXT), NothingToRead("gone"), Totals(), *[totals(TEXT)] * 3]
    )

    def read(*_: object) -> Totals:
        found = next(turns, None)
        if found is None:
            raise KeyboardInterrupt
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(live, "_read", read)
    assert watch("http://here", every_s=0.001) == 0
    said = capsys.readouterr().out
    assert "restart" in said
    assert "gone" in said
    assert "an hour" in said


def test_a_service_that_stays_away_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = iter([totals(TEXT)])

    def read(*_: object) -> Totals:
        for found in turns:
            return found
        raise NothingToRead("It is gone.")

    monkeypatch.setattr(live, "_read", read)
    assert watch("http://here", every_s=0.001, patience_s=0.01) == 1
    assert "It is gone." in capsys.readouterr().err
