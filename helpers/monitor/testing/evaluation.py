"""Rules evaluated over a day that is over, as Prometheus would have done while it went on.

A server on the day's database answers each rule's expression for every moment of evaluation at
once. What is recorded is loaded into the database before the rules that read it are asked, and
`for` is counted here. Prometheus forgets a recorded series as soon as its rule has no result for
it; samples that were loaded later carry no such mark, so the server looks back for less than one
evaluation.

A rule that reads what a later one records sees the new value; Prometheus would give it the one
before.
"""

import math
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from helpers.monitor.testing.rules import SCRAPE_S, Rule, Rules, RulesError
from helpers.testbed.prometheus import Prometheus, QueryRefused, Series, load, prometheus_on
from helpers.testbed.samples import Samples

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Firing:
    """One alert, for as long as it fires without a break; times in seconds since 1970.

    `begins` and `ends` are its first and last evaluation.
    """

    alert: str
    labels: Labels
    begins: float
    ends: float


@dataclass
class Evaluated:
    """What came of the rules: what fired, in order of time, and selectors without any series."""

    firings: list[Firing] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


Window = tuple[datetime, datetime]


def evaluate(rules: Rules, database: Path, start: datetime, stop: datetime) -> Evaluated:
    """Evaluate rules from `start` to `stop` on a copy of a database.

    Raises:
        MissingProgram: there is no `prometheus`.
        RulesError: Prometheus cannot evaluate a rule, or rules need each other's results.
    """
    return evaluate_each(rules, database, [(start, stop)])[0]


def evaluate_each(rules: Rules, database: Path, windows: Sequence[Window]) -> list[Evaluated]:
    """Evaluate rules in several windows, in order of time. Raises as `evaluate` does.

    A selector is unseen where it matches no series in any of them.
    """
    found, missing, waiting = [Evaluated() for _ in windows], set(rules.recorded), list(rules.all)
    unseen: dict[str, None] = {}
    lookback_s = max(SCRAPE_S, *(rule.interval_s for rule in rules.all)) - 0.001
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copytree(database, Path(folder) / "tsdb")
        while waiting:
            ready = [rule for rule in waiting if not rule.names() & missing]
            if not ready:
                names = ", ".join(rule.name for rule in waiting)
                raise RulesError(f"These rules need each other's results: {names}.")
            with prometheus_on(copied, lookback_s=lookback_s) as server:
                samples = Samples()
                for rule in ready:
                    for one, (start, stop) in zip(found, windows, strict=True):
                        with _named(rule):
                            answer = server.range(rule.expr, start, stop, step_s=rule.interval_s)
                            if rule.alert:
                                one.firings += _firings(rule, answer)
                            else:
                                _record(rule, answer, samples)
                    whole = windows[0][0], windows[-1][1]
                    unseen |= dict.fromkeys(_unseen(rule, rules, server, *whole))
            waiting = [rule for rule in waiting if rule not in ready]
            # A name that several rules record is complete with the last of them.
            missing = {rule.name for rule in waiting if not rule.alert}
            if waiting and len(samples):
                load(samples, Path(folder))
    for one in found:
        one.firings.sort(key=lambda firing: (firing.begins, firing.alert))
        one.unseen = list(unseen)
    return found


@contextmanager
def _named(rule: Rule) -> Iterator[None]:
    try:
        yield
    except (QueryRefused, ValueError) as problem:
        raise RulesError(f"{rule.name} cannot be evaluated. {problem}") from None


def _unseen(
    rule: Rule, rules: Rules, server: Prometheus, start: datetime, stop: datetime
) -> Iterator[str]:
    for selector in rule.selectors():
        name = selector.partition("{")[0]
        if name not in rules.recorded and not server.has(selector, start, stop):
            yield selector


def _labels(rule: Rule, series: Series) -> Labels:
    all_labels = {**series.labels, **rule.labels}
    return tuple(sorted((k, v) for k, v in all_labels.items() if k != "__name__" and v))


def _record(rule: Rule, answer: list[Series], samples: Samples) -> None:
    for series in answer:
        labels = dict(_labels(rule, series))
        for at, value in series.values.items():
            samples.add(rule.name, labels, value, at=at)


def _firings(rule: Rule, answer: list[Series]) -> Iterator[Firing]:
    """When a rule fires: its expression held at every evaluation for as long as `for` says."""
    holding: dict[Labels, set[float]] = {}
    for series in answer:
        holding.setdefault(_labels(rule, series), set()).update(series.values)
    waits = math.ceil(rule.for_s / rule.interval_s) * rule.interval_s
    for labels, moments in holding.items():
        firing: Firing | None = None
        for first, last in _stretches(sorted(moments), rule.interval_s):
            if firing and first <= firing.ends:  # kept firing by `keep_firing_for`
                firing = replace(firing, ends=last + rule.keep_s)
            elif first + waits <= last:
                if firing:
                    yield firing
                firing = Firing(rule.name, labels, first + waits, last + rule.keep_s)
        if firing:
            yield firing


def _stretches(moments: list[float], step_s: float) -> Iterator[tuple[float, float]]:
    """First and last of the moments that follow each other without a gap."""
    first = last = None
    for moment in moments:
        if first is None or last is None:
            first = moment
        elif moment - last > 1.5 * step_s:
            yield first, last
            first = moment
        last = moment
    if first is not None and last is not None:
        yield first, last
