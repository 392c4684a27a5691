"""The judge of alerts, on small databases with known truth, and against Prometheus itself."""

import json
import random
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from helpers.monitor.testing import (
    Judged,
    RulesError,
    Totals,
    judge,
    judge_day,
    never_seen,
    read_rules,
)
from helpers.monitor.testing.evaluation import Firing, evaluate
from helpers.monitor.testing.rules import Rule, seconds
from helpers.testbed.prometheus import load, program
from helpers.testbed.replay import MIDNIGHT, Excerpt, Incident, PlannedDay
from helpers.testbed.samples import Samples

pytestmark = pytest.mark.prometheus

SCRAPE_S = 15
THREE_HOURS = Excerpt(0, 3)
CLEAN = PlannedDay("clean", "ordinary", 1, excerpt=THREE_HOURS)
BAD = PlannedDay("bad", "ordinary", 1, Incident("dead model", 1.0, 0.5, 1.0), excerpt=THREE_HOURS)


def minute(number: float) -> datetime:
    return MIDNIGHT + timedelta(minutes=number)


def database(folder: Path, *high: tuple[float, float], name: str = "load") -> Path:
    """A gauge that is 1 from and to these minutes, both included, and 0 else, for three hours."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = Samples()
    for tick in range(3 * 3600 // SCRAPE_S + 1):
        at = tick * SCRAPE_S / 60
        value = float(any(first <= at <= last for first, last in high))
        samples.add(name, {"job": "made"}, value, at=minute(at).timestamp())
    return load(samples, folder)


def rules(*lines: str, interval: str = "1m") -> str:
    """A rule file of one group, each rule given in YAML's short form."""
    listed = "\n".join(f"      - {{{line}}}" for line in lines)
    return f"groups:\n  - name: made\n    interval: {interval}\n    rules:\n{listed}\n"


HIGH = rules('alert: High, expr: "load > 0.5"')
HIGH_5 = rules('alert: High, expr: "load > 0.5", for: 5m')


def judged(folder: Path, day: PlannedDay, text: str, *high: tuple[float, float]) -> Judged:
    made = database(folder, *high)
    (found,) = judge(text, [day], database_of=lambda _: made)
    return found


# --- what counts as detected, and when ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "high", "minutes"),
    [
        (HIGH, (60, 80), 0.0),
        (HIGH, (60.5, 80), 1.0),  # the rule is evaluated once a minute
        (HIGH, (70, 80), 10.0),
        (HIGH, (90, 95), 30.0),  # the last moment of the incident
        (HIGH, (91, 95), None),
        (HIGH_5, (60, 80), 5.0),
        (HIGH_5, (60, 64), None),  # four minutes are less than `for`
        (HIGH_5, (60, 65), 5.0),
        (HIGH_5, (55, 80), 0.0),
        (HIGH_5, (87, 100), None),  # it fires after the end
    ],
)
def test_minutes_until_detection(
    tmp_path: Path, text: str, high: tuple[float, float], minutes: float | None
) -> None:
    found = judged(tmp_path, BAD, text, high)
    assert (found.minutes, found.detected) == (minutes, minutes is not None)
    assert found.by == (None if minutes is None else "High")
    assert found.false_alarms == ()


def test_an_alert_that_fires_already_has_not_found_the_incident(tmp_path: Path) -> None:
    found = judged(tmp_path, BAD, HIGH, (50, 80))
    assert (found.detected, found.false_alarms) == (False, (("High", minute(50)),))


def test_the_first_of_several_alerts_has_found_it(tmp_path: Path) -> None:
    text = rules(
        'alert: Slow, expr: "load > 0.5", for: 4m',
        'alert: Quick, expr: "load > 0.5", for: 2m',
    )
    found = judged(tmp_path, BAD, text, (60, 80))
    assert (found.minutes, found.by) == (2.0, "Quick")


# --- what counts as a false alarm -----------------------------------------------------------------


def test_an_alarm_before_an_incident_is_false_and_one_in_its_aftermath_is_not(
    tmp_path: Path,
) -> None:
    found = judged(tmp_path, BAD, HIGH, (30, 31), (40, 40), (100, 101), (150, 150), (151.5, 153))
    assert not found.detected
    assert [at for _, at in found.false_alarms] == [minute(30), minute(40), minute(152)]


def test_every_alarm_of_a_clean_day_is_false(tmp_path: Path) -> None:
    found = judged(tmp_path, CLEAN, HIGH, (60, 70), (80, 90))
    assert (found.incident, found.minutes, found.by, found.detected) == (None, None, None, False)
    assert found.false_alarms == (("High", minute(60)), ("High", minute(80)))


def test_label_sets_that_fire_together_are_one_alarm(tmp_path: Path) -> None:
    samples = Samples()
    for at in range(0, 180):
        for which, first in (("a", 30), ("b", 35), ("c", 50)):
            high = float(first <= at < first + 10)
            samples.add("load", {"which": which}, high, at=minute(at).timestamp())
    made = load(samples, tmp_path)
    (found,) = judge(HIGH, [CLEAN], database_of=lambda _: made)
    assert [at for _, at in found.false_alarms] == [minute(30), minute(50)]


def test_the_database_stays_as_it_is(tmp_path: Path) -> None:
    made = database(tmp_path, (60, 70))
    before = sorted(path.relative_to(made) for path in made.rglob("*"))
    text = rules('record: r, expr: "load"', 'alert: A, expr: "r > 0.5"')
    for _ in range(2):
        (found,) = judge(text, [BAD], database_of=lambda _: made)
        assert found.minutes == 0
    assert sorted(path.relative_to(made) for path in made.rglob("*")) == before


# --- the same as Prometheus -----------------------------------------------------------------------


def promtool_test(
    samples: Mapping[str, Sequence[float | None]], text: str, firings: Sequence[Firing]
) -> str:
    """A test for promtool, which evaluates the rules itself: these firings, and no others."""
    read = read_rules(text)
    start = MIDNIGHT.timestamp()
    expected = [
        {
            "eval_time": f"{at}m",
            "alertname": alert.name,
            "exp_alerts": [
                {"exp_labels": dict(one.labels)}
                for one in firings
                if one.alert == alert.name and one.begins <= start + 60 * at <= one.ends
            ],
        }
        for alert in read.alerts
        for at in range(181)
    ]
    series = [
        {"series": name, "values": " ".join("_" if v is None else repr(v) for v in values)}
        for name, values in samples.items()
    ]
    return json.dumps({
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "15s", "input_series": series, "alert_rule_test": expected}],
    })  # fmt: skip


CHAIN = rules(
    'record: "load:avg5m", expr: "avg_over_time(load[5m])"',
    # It has no result for most of the time: Prometheus forgets it at once.
    'record: "load:high", expr: "load:avg5m > 0.5", labels: {level: high}',
    'alert: Forgets, expr: "load:high", for: 3m, labels: {severity: page}',
    'alert: Remembers, expr: "max_over_time(load:high[20m]) > 0.7", for: 1m',
    'alert: Together, expr: "load:high > on (job) load and on () load:avg5m < 0.9"',
    'alert: Grows, expr: "increase(count_total[10m]) > 30"',
    'alert: "Gone", expr: "absent(load:high)", for: 90s',
)


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_prometheus_itself_would_find(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    values: dict[str, list[float | None]] = {'load{job="made"}': [], 'count_total{job="made"}': []}
    samples, level, count = Samples(), 0.5, 0.0
    for tick in range(3 * 240 + 1):
        if tick % 20 == 0:
            level = chance.random()
        count = 0.0 if chance.random() < 0.01 else count + chance.randrange(3)
        for name, value in (("load", level), ("count_total", count)):
            values[f'{name}{{job="made"}}'].append(value)
            samples.add(name, {"job": "made"}, value, at=minute(tick / 4).timestamp())
    found = evaluate(read_rules(CHAIN), load(samples, tmp_path), CLEAN.start, CLEAN.stop).firings
    assert {one.alert for one in found} == {rule.name for rule in read_rules(CHAIN).alerts}

    (tmp_path / "rules.yml").write_text(CHAIN, "utf-8")

    def said(firings: Sequence[Firing]) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test.yml").write_text(promtool_test(values, CHAIN, firings), "utf-8")
        command = [program("promtool"), "test", "rules", "test.yml"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = said(found)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said(found[1:]).returncode != 0  # the comparison can fail


def test_an_alert_may_go_on_after_its_condition(tmp_path: Path) -> None:
    kept = rules('alert: High, expr: "load > 0.5", keep_firing_for: 10m')
    for text, alarms in ((HIGH, 3), (kept, 2)):
        found = judged(tmp_path / str(alarms), CLEAN, text, (30, 31), (40, 41), (60, 61))
        assert len(found.false_alarms) == alarms


# --- rules that cannot be judged ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rules('alert: A, expr: "load >"'), "promtool does not take the rule file.*parse error"),
        (rules('alert: A, expr: "load > 1", for: soon'), "not a valid duration"),
        (rules("expr: load"), "one of 'record' or 'alert' must be set"),
        ("groups: [", "promtool does not take"),
        ("rules:\n  - alert: A\n", "field rules not found"),
        ("", "has no alert"),
        ("groups: []", "has no alert"),
        (rules('record: "r", expr: "load"'), "has no alert"),
        (rules('alert: A, expr: "load > 1"', interval="5s"), "interval of 15s or more"),
        (rules("alert: A, expr: 'ALERTS{alertname=\"B\"}'"), "reads ALERTS"),
    ],
)
def test_a_rule_file_that_cannot_be_judged(text: str, said: str) -> None:
    with pytest.raises(RulesError, match=f"(?s){said}") as raised:
        read_rules(text)
    assert "/tmp" not in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ('record: a, expr: "b + 1"', 'record: b, expr: "a + 1"', 'alert: A, expr: "a > 1"'),
            "need each other's results: a, b, A",
        ),
        (('alert: A, expr: "load / on (job) other"',), "A cannot be evaluated.*many-to-many"),
    ],
)
def test_rules_that_cannot_be_evaluated(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    samples = Samples()
    for at in range(10):
        for name in ("load", "other"):
            for which in "ab":
                labels = {"job": "made", "which": which}
                samples.add(name, labels, 1.0, at=minute(at).timestamp())
    with pytest.raises(RulesError, match=said):
        judge_day(read_rules(rules(*lines)), CLEAN, load(samples, tmp_path))


def test_a_metric_or_label_that_no_series_has_is_told(tmp_path: Path) -> None:
    text = rules(
        'record: "made:by:rule", expr: "load > 5"',
        "alert: A, expr: 'load{job=\"mode\"} > 1 or made:by:rule > 1 or lode > 1'",
        "alert: B, expr: 'load{job=~\"m.*\"} > 1'",
    )
    found = judged(tmp_path / "one", CLEAN, text, (60, 70))
    assert found.unseen == ('load{job="mode"}', "lode")
    other = database(tmp_path / "two", name="lode")
    (second,) = judge(text, [CLEAN], database_of=lambda _: other)
    assert never_seen([found, second]) == ['load{job="mode"}']


# --- parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "selectors"),
    [
        ("up", ["up"]),
        ('sum by (le) (rate(a_bucket{le="5.0"}[5m]))', ['a_bucket{le="5.0"}']),
        ("a:b:c / on () group_left (job) d", ["a:b:c", "d"]),
        ('a {x="}",y!~"b c"} > 1.5e3 AND b offset 5m', ['a{x="}",y!~"b c"}', "b"]),
        ("max_over_time(a[1h:1m]) # b\n unless sum(c) by (job) > bool 2", ["a", "c"]),
        ('label_replace(a, "b", "$1", "c", "(.*)")', ["a"]),
        ('{__name__="a"} @ 5', ['{__name__="a"}']),
        ("vector(1) == inf", []),
    ],
)
def test_the_series_that_an_expression_names(expr: str, selectors: list[str]) -> None:
    assert Rule("A", True, expr).selectors() == selectors


@pytest.mark.parametrize(
    ("duration", "found"), [("5m", 300), ("1h30m", 5400), ("15s", 15), ("500ms", 0.5), (0, 0)]
)
def test_durations(duration: object, found: float) -> None:
    assert seconds(duration) == found


def test_totals() -> None:
    incident = Incident("dead model", 1.0, 0.5, 1.0)

    def one(minutes: float | None, alarms: int, *, clean: bool, hours: float = 24.0) -> Judged:
        false = tuple(("A", minute(n)) for n in range(alarms))
        return Judged("day", None if clean else incident, minutes, None, false, (), hours)  # type: ignore[arg-type]

    found = Totals.of([
        *(one(minutes, 5, clean=False) for minutes in (1.0, 2.0, 9.0, None)),
        *(one(None, alarms, clean=True) for alarms in (0, 3)),
        one(None, 0, clean=True, hours=12.0),
    ])  # fmt: skip
    assert found == Totals(4, 3, 2.0, 2.5, 3)
    assert found.a_day == 1.2
    assert Totals.of([]) == Totals(0, 0, None, 0, 0)
    assert Totals.of([]).a_day is None
