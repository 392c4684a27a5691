"""What expressions of PromQL give in each of the testbed's hours, as plain values."""

import functools
import math
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from helpers.course.exercises import Expectation, solved
from helpers.course.exercises.words import kind
from helpers.testbed.hours import HOURS, MINUTES, record
from helpers.testbed.prometheus import QueryRefused, load, prometheus_on
from helpers.testbed.samples import Samples

NAMES = ("asked", "slow", "p95")
NEAR = 0.02
"""How far off a right value may be."""

ALIKE = 0.002
"""How far off a value may be that shows one of the known mistakes."""

_APART_S = 7200
_FIRST = datetime(2026, 6, 15, tzinfo=UTC)
_END = timedelta(minutes=MINUTES)

Result = dict[str, float]
"""The series of an answer, by their labels as PromQL writes them."""

FAULTY = {
    "last-value": ("asked", 'sum(answer_seconds_count{route="/chat"})'),
    "sum-first": ("asked", 'increase(sum(answer_seconds_count{route="/chat"})[1h:30s])'),
    "every-route": ("asked", "sum(increase(answer_seconds_count[1h]))"),
    "a-second": ("asked", 'sum(rate(answer_seconds_count{route="/chat"}[1h]))'),
    "in-time": (
        "slow",
        'sum(rate(answer_seconds_bucket{route="/chat",le="3.0"}[30m]))'
        ' / sum(rate(answer_seconds_count{route="/chat"}[30m]))',
    ),
    "mean-of-shares": (
        "slow",
        'avg(1 - rate(answer_seconds_bucket{route="/chat",le="3.0"}[30m])'
        ' / ignoring(le) rate(answer_seconds_count{route="/chat"}[30m]))',
    ),
    "since-the-start": (
        "slow",
        '1 - sum(answer_seconds_bucket{route="/chat",le="3.0"})'
        ' / sum(answer_seconds_count{route="/chat"})',
    ),
    "slow-hour": (
        "slow",
        '1 - sum(rate(answer_seconds_bucket{route="/chat",le="3.0"}[1h]))'
        ' / sum(rate(answer_seconds_count{route="/chat"}[1h]))',
    ),
    "highest-bucket": (
        "asked",
        'sum(increase(answer_seconds_bucket{route="/chat",le="13.0"}[1h]))',
    ),
    "slow-highest-bucket": (
        "slow",
        '1 - sum(rate(answer_seconds_bucket{route="/chat",le="3.0"}[30m]))'
        ' / sum(rate(answer_seconds_bucket{route="/chat",le="13.0"}[30m]))',
    ),
    "p95-sum-first": (
        "p95",
        "histogram_quantile(0.95, rate("
        'sum by (le, version) (answer_seconds_bucket{route="/chat"})[30m:30s]))',
    ),
    "p95-hour": (
        "p95",
        "histogram_quantile(0.95, sum by (le, version) ("
        'rate(answer_seconds_bucket{route="/chat"}[1h])))',
    ),
    "mean-of-quantiles": (
        "p95",
        "avg by (version) (histogram_quantile(0.95,"
        ' rate(answer_seconds_bucket{route="/chat"}[30m])))',
    ),
    "never-forgets": (
        "p95",
        'histogram_quantile(0.95, sum by (le, version) (answer_seconds_bucket{route="/chat"}))',
    ),
}
"""Known mistakes: which expression, and one that makes it."""


class NotTaken(ValueError):  # noqa: N818 - it says what is wrong
    """An answer that cannot be evaluated; the message says why."""


def texts(answer: object) -> dict[str, str]:
    """The three expressions of an answer.

    Raises:
        NotTaken: they are not three texts with the names of the statement.
    """
    if not isinstance(answer, Mapping) or set(answer) != set(NAMES):
        raise NotTaken(f"The check takes a dict with the keys {', '.join(NAMES)}.")
    for name, text in answer.items():
        if not isinstance(text, str):
            raise NotTaken(f"{name} must be a text in PromQL; this is {kind(text)}.")
    return {name: answer[name] for name in NAMES}


def results(expressions: Mapping[str, str]) -> dict[str, dict[str, Result] | NotTaken]:
    """What each expression gives at the end of each hour, or why Prometheus refuses it."""
    found: dict[str, dict[str, Result] | NotTaken] = {}
    last = _FIRST + timedelta(seconds=_APART_S * (len(HOURS) - 1))
    with prometheus_on(_database()) as server:
        for name, text in expressions.items():
            try:
                series = server.range(text, _FIRST + _END, last + _END, step_s=_APART_S)
            except QueryRefused as error:
                why = str(error).rpartition(f"{text!r}: ")[2]
                found[name] = NotTaken(f"Prometheus refuses {name}: {why}")
                continue
            by_hour: dict[str, Result] = {hour: {} for hour in HOURS}
            for one in series:
                labels = ", ".join(f'{k}="{v}"' for k, v in sorted(one.labels.items()))
                for number, hour in enumerate(HOURS):
                    moment = (_FIRST + _END).timestamp() + number * _APART_S
                    if moment in one.values:
                        by_hour[hour][f"{{{labels}}}"] = one.values[moment]
            found[name] = by_hour
    return found


@functools.cache
def _room() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()  # removed when this process ends


@functools.cache
def _database() -> Path:
    samples = Samples()
    for number, instances in enumerate(HOURS.values()):
        record(instances, samples, at=_FIRST.timestamp() + number * _APART_S)
    return load(samples, Path(_room().name))


@functools.cache
def known() -> dict[str, dict[str, Result]]:
    """What the expressions of the reference solution give, and each known mistake, by name."""
    expressions = {**solved("08.2"), **{name: text for name, (_, text) in FAULTY.items()}}
    found = {}
    for name, result in results(expressions).items():
        if isinstance(result, NotTaken):
            raise result
        found[name] = result
    return found


def near(got: Result, wanted: Result, within: float = NEAR) -> bool:
    """Whether two results have the same series, with values that are near enough."""
    return got.keys() == wanted.keys() and all(
        math.isclose(value, wanted[labels], rel_tol=within, abs_tol=1e-9)
        for labels, value in got.items()
    )


def judged(wanted: Result) -> Expectation:
    """Such a result, to within 2%."""

    def judge(got: Result) -> bool | str:
        if any(math.isnan(value) for value in got.values()):
            return "It has a NaN: that is what 0 / 0 gives."
        if got.keys() != wanted.keys() and len(got) > 0 and len(wanted) > 0:
            few = sorted(got)[:3]
            return f"There are {len(got)} series, with the labels {', '.join(few)}."
        return near(got, wanted)

    return Expectation(
        f"{written(wanted)}, to within 2%" if wanted else "no result", judge, show=written
    )


def written(result: Any) -> str:
    """A result for a card."""
    if not result:
        return "no result"
    parts = [
        f"{labels} {value:.5g}".removeprefix("{} ") for labels, value in sorted(result.items())[:6]
    ]
    return ", ".join(parts) + (", ..." if len(result) > len(parts) else "")
