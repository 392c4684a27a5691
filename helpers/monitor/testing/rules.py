"""A rule file, read: first by `promtool`, which knows what is wrong with it, then its rules."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from helpers.testbed.prometheus import program

_INTERVAL_S: Final = 60.0
"""Prometheus' own default."""
SCRAPE_S: Final = 15.0
_CHECK_S: Final = 30
_SECONDS: Final = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 604_800,
    "y": 31_536e3,
}

_STRING = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
_TOKEN: Final = re.compile(
    rf"""(?P<selector>(?:[A-Za-z_:][\w:]*\s*)?\{{(?:{_STRING}|[^"'`}}])*\}})
    | {_STRING}
    | \#[^\n]*
    | \[[^\]]*\]
    | \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)
    | (?<![\w:])\d[\w.]*
    | (?P<name>[A-Za-z_:][\w:]*)(?P<call>\s*\()?""",
    re.VERBOSE | re.IGNORECASE,
)
_WORDS: Final = frozenset({
    *("and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"),
    *("by", "without", "on", "ignoring", "group_left", "group_right"),
    *("sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values"),
    *("bottomk", "topk", "quantile"),
})  # fmt: skip
"""What is no metric's name; aggregations, since `by (...)` may follow them."""


class RulesError(ValueError):
    """A rule file that cannot be judged; the message says what to change."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: of the alert, or of what is recorded.
        alert: whether it is an alert.
        expr: its PromQL.
        interval_s: seconds between two evaluations.
        labels: those that it adds.
        for_s: how long its expression must hold until it fires.
        keep_s: how long it goes on firing when its expression does not hold any more.
    """

    name: str
    alert: bool
    expr: str
    interval_s: float = _INTERVAL_S
    labels: Mapping[str, str] = field(default_factory=dict)
    for_s: float = 0.0
    keep_s: float = 0.0

    def selectors(self) -> list[str]:
        """The series that its expression names, such as `up` or `up{job="fernhill"}`."""
        return list(dict.fromkeys(_selectors(self.expr)))

    def names(self) -> set[str]:
        """The metrics that its expression names."""
        return {re.split(r"[\s{]", each, maxsplit=1)[0] for each in self.selectors()}


@dataclass(frozen=True)
class Rules:
    """The rules of a file, in its order."""

    all: tuple[Rule, ...]

    @property
    def alerts(self) -> list[Rule]:
        """Those that alert."""
        return [rule for rule in self.all if rule.alert]

    @property
    def recorded(self) -> set[str]:
        """The names of what is recorded."""
        return {rule.name for rule in self.all if not rule.alert}


def read_rules(text: str) -> Rules:
    """Read the text of a rule file.

    Raises:
        MissingProgram: there is no `promtool`.
        RulesError: `promtool` does not take it, or it cannot be judged.
    """
    _check(text)
    groups = (yaml.safe_load(text) or {}).get("groups") or []
    rules = Rules(tuple(rule for group in groups for rule in _group(group)))
    if not rules.alerts:
        raise RulesError("The rule file has no alert: add a rule that begins with `- alert: Name`.")
    for rule in rules.all:
        if rule.interval_s < SCRAPE_S:
            raise RulesError(
                f"{rule.name} is evaluated every {rule.interval_s:g} s, but the service is scraped "
                f"every {SCRAPE_S:g} s: give its group an interval of {SCRAPE_S:g}s or more."
            )
        if rule.names() & {"ALERTS", "ALERTS_FOR_STATE"}:
            raise RulesError(
                f"{rule.name} reads ALERTS, which the judge does not have: write the condition "
                "itself, or leave it to Alertmanager's inhibition."
            )
    return rules


def _check(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yml"
        path.write_text(text, "utf-8")
        done = subprocess.run(
            [program("promtool"), "check", "rules", path.name],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_CHECK_S,
            check=False,
        )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).replace("FAILED:", "").split())
        raise RulesError(f"promtool does not take the rule file. It says: {said}")


def _group(group: Mapping[str, Any]) -> Iterator[Rule]:
    interval_s = seconds(group.get("interval") or "1m")
    for each in group.get("rules") or []:
        yield Rule(
            name=each.get("alert") or each["record"],
            alert="alert" in each,
            expr=str(each["expr"]),
            interval_s=interval_s,
            labels={name: str(value) for name, value in (each.get("labels") or {}).items()},
            for_s=seconds(each.get("for") or 0),
            keep_s=seconds(each.get("keep_firing_for") or 0),
        )


def seconds(duration: Any) -> float:
    """Seconds of a duration as Prometheus writes it, such as "1h30m"."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", str(duration))
    return float(sum(int(number) * _SECONDS[unit] for number, unit in parts))


def _selectors(expr: str) -> Iterator[str]:
    for found in _TOKEN.finditer(expr):
        if found["selector"]:
            yield re.sub(r"\s*(?=\{)", "", found["selector"], count=1)
        elif found["name"] and not found["call"] and found["name"].lower() not in _WORDS:
            yield found["name"]
