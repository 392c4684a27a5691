"""What rules of exercise 08.3 fire on histories of a service, by `promtool test rules`."""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from helpers.course.exercises.words import kind
from helpers.course.todo import TODO
from helpers.monitor.testing.rules import Rule
from helpers.testbed.prometheus import program

Rules = Callable[[str, float], Any]

_STEPS = 2  # samples a minute
_FIRING = 'count by (service, severity) (ALERTS{alertstate="firing"})'
_PART = re.compile(
    r"time:\s*(?P<time>\S+?),.*?\n\s*exp:(?P<exp>.*?)\n\s*got:(?P<got>.*?)(?:\n|$)", re.DOTALL
)
_SERIES = re.compile(r"\{(?P<labels>[^}]*)\}\s*(?P<value>[-+.\deE]+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_MOST_SHOWN = 3
_AT_ONCE = 6


class NotTaken(ValueError):  # noqa: N818 - it says what is wrong
    """What a learner's function returned is no file of rules; the message says why."""


@dataclass(frozen=True)
class Counter:
    """One series of `answers_total`, from minute 0 on.

    Attributes:
        ended: how these answers ended.
        phases: minutes, and answers a minute.
        service: whose answers.
        instance: which process counts them.
        restarts: minutes at which it begins at 0 again.
        before: what it had counted before minute 0.
        begins: the minute of its first sample; the phases begin there.
    """

    ended: str
    phases: tuple[tuple[float, float], ...]
    service: str = "shop"
    instance: str = "a:8000"
    restarts: tuple[int, ...] = ()
    before: float = 0
    begins: int = 0

    def series(self) -> dict[str, str]:
        """As `promtool` reads it."""
        values, total = [f"{self.before:g}"], self.before
        for minutes, per_minute in self.phases:
            for _ in range(round(minutes * _STEPS)):
                restarted = len(values) in [minute * _STEPS for minute in self.restarts]
                total = (0 if restarted else total) + per_minute / _STEPS
                values.append(f"{total:.9g}")
        labels = {"service": self.service, "instance": self.instance, "ended": self.ended}
        absent = [f"_x{self.begins * _STEPS}"] if self.begins else []
        written = ", ".join(f'{name}="{value}"' for name, value in labels.items())
        return {"series": f"answers_total{{{written}}}", "values": " ".join([*absent, *values])}


def answers(
    *phases: tuple[float, float, float], service: str = "shop", instance: str = "a:8000"
) -> tuple[Counter, Counter]:
    """Two series: phases of so many minutes, with answers a minute, and which share is errors."""
    return (
        Counter("success", tuple((m, n * (1 - bad)) for m, n, bad in phases), service, instance),
        Counter("error", tuple((m, n * bad) for m, n, bad in phases), service, instance),
    )


@dataclass(frozen=True)
class History:
    """Series, and which alerts must fire when.

    Attributes:
        counters: what was counted.
        fires: minutes, and the severities that fire then.
        service: what the function is called with.
        objective: what the function is called with.
    """

    counters: tuple[Counter, ...]
    fires: tuple[tuple[int, tuple[str, ...]], ...]
    service: str = "shop"
    objective: float = 0.99

    def test(self) -> dict[str, Any]:
        """As a file of `promtool test rules`."""
        expected = [
            {
                "expr": _FIRING,
                "eval_time": f"{minute}m",
                "exp_samples": [
                    {"labels": f'{{service="{self.service}", severity="{one}"}}', "value": 1}
                    for one in severities
                ],
            }
            for minute, severities in self.fires
        ]
        return {
            "rule_files": ["rules.yml"],
            "evaluation_interval": "1m",
            "tests": [
                {
                    "interval": f"{60 // _STEPS}s",
                    "input_series": [one.series() for one in self.counters],
                    "promql_expr_test": expected,
                }
            ],
        }


def rules_text(rules: Rules, service: str, objective: float) -> str:
    """The text that the function returns. Raises `NotTaken` where it is none."""
    text = rules(service, objective)
    if text is TODO:
        raise TODO
    if not isinstance(text, str):
        raise NotTaken(f"It must return a text in YAML; this is {kind(text)}.")
    return text


Played = dict[int, str]
"""Where other alerts fire than those that should: what is wrong, by minute."""


def played(rules: Rules, histories: Sequence[History]) -> dict[History, Played | Exception]:
    """What is wrong in each history, or why it could not be played.

    Most of the time of `promtool test rules` is spent in waiting, so several run at once.
    """
    texts, found = dict[History, str](), dict[History, Played | Exception]()
    for history in dict.fromkeys(histories):
        try:
            texts[history] = rules_text(rules, history.service, history.objective)
        except Exception as error:  # the learner's, told in the history's own case
            found[history] = error
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        played = pool.map(_played, texts.values(), texts)
        return found | dict(zip(texts, played, strict=True))


def _played(text: str, history: History) -> Played | NotTaken:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(text, "utf-8")
        # JSON is YAML, too, and is written much faster.
        Path(folder, "test.yml").write_text(json.dumps(history.test()), "utf-8")
        told = _promtool(folder, "test", "rules", "test.yml")
        found = dict(_differences(told, history))
        if told and not found:
            checked = _promtool(folder, "check", "rules", "rules.yml")
            return NotTaken(f"promtool says: {_short(checked or told)}")
    return found


def alerts(rules: Rules, service: str, objective: float) -> list[str]:
    """The severities of the alerts, which of them lack a summary, and what reads another group.

    Raises:
        NotTaken: Prometheus does not take the rules.
    """
    text = rules_text(rules, service, objective)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(text, "utf-8")
        if told := _promtool(folder, "check", "rules", "rules.yml"):
            raise NotTaken(f"promtool says: {_short(told)}")
    groups = yaml.safe_load(text)["groups"]
    found = list(_reads_another_group(groups))
    for group in groups:
        for rule in group.get("rules") or ():
            if "alert" in rule:
                severity = str((rule.get("labels") or {}).get("severity", "no severity"))
                summary = (rule.get("annotations") or {}).get("summary")
                found.append(severity if summary else f"{severity}, without a summary")
    return sorted(found)


def _reads_another_group(groups: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Rules that read what is recorded in another group only."""
    recorded = [
        {rule["record"] for rule in group.get("rules") or () if "record" in rule}
        for group in groups
    ]
    for own, group in zip(recorded, groups, strict=True):
        others = set().union(*recorded) - own
        for each in group.get("rules") or ():
            name = each.get("alert") or each["record"]
            rule = Rule(name, alert="alert" in each, expr=str(each["expr"]))
            for read in sorted(rule.names() & others):
                yield f"{name} reads {read} of another group"


def given(rules: Rules, severity: str, key: str) -> bool:
    """Whether the alert of a severity has a key, such as `for`; False where it cannot be read."""
    try:
        groups = yaml.safe_load(rules_text(rules, "shop", 0.99))["groups"]
        each = [rule for group in groups for rule in group["rules"] if "alert" in rule]
        return any(key in rule for rule in each if rule["labels"]["severity"] == severity)
    except Exception:  # rules that are wrong in another way, which the card tells
        return False


def _promtool(folder: str, *command: str) -> str:
    """What promtool says where it is not content; "" where it is."""
    done = subprocess.run(
        [program("promtool"), *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return f"{done.stdout}\n{done.stderr}" if done.returncode else ""


def _short(told: str) -> str:
    lines = [line.strip() for line in told.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("Checking", "FAILED"))]
    return " ".join(kept)[:300]


def _differences(told: str, history: History) -> Iterator[tuple[int, str]]:
    for found in _PART.finditer(told):
        minute = _minute(found["time"])
        got = _severities(found["got"], history.service)
        wanted = " and ".join(sorted(dict(history.fires)[minute])) or "nothing"
        yield minute, f"minute {minute}: {got} fires, and it should be {wanted}"


def _minute(time: str) -> int:
    """Of a duration such as 1h10m."""
    units = {"d": 1440, "h": 60, "m": 1, "s": 0}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)([dhms])", time))


def _severities(text: str, service: str) -> str:
    names = list[str]()
    for one in _SERIES.finditer(text):
        labels = dict(_LABEL.findall(one["labels"]))
        count = round(float(one["value"]))
        name = f"{count} × " if count != 1 else ""
        name += labels.get("severity", "an alert without severity")
        of = labels.get("service", "no service")
        names.append(name if of == service else f"{name} of {of}")
    return " and ".join(sorted(names)) or "nothing"


def shown(lines: list[str]) -> str:
    """Differences for a card."""
    more = [f"... and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
    return "\n".join([*lines[:_MOST_SHOWN], *more]) or "all as it should be"
