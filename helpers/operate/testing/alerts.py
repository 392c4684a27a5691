"""The alerts of a drill: rules for Prometheus, and the same on simulated time.

`drill_rules.yml` is a short form of `helpers/monitor/rules.yml`, with one alert more, for cost. Its
durations are the shop's; `scaled` divides them by the lapse. On simulated time no Prometheus can
take part, so `Firing.update` computes the same alerts from the same figures.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from helpers.operate.testing.console import OWN_LIMITS, Page, Running

RULES: Final = Path(__file__).parents[1] / "data" / "drill_rules.yml"
_DURATION: Final = re.compile(r"(?<![\w.])(\d+)(s|m|h)(?!\w)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def scaled(rules_text: str, lapse: float) -> str:
    """Rules whose durations are shorter by the lapse."""
    return _DURATION.sub(
        lambda found: f"{max(1, round(1000 * int(found[1]) * _SECONDS[found[2]] / lapse))}ms",
        rules_text,
    )


@dataclass
class Firing:
    """Which alerts fire, and since when."""

    _since: dict[str, float] = field(default_factory=dict)

    def update(self, running: Running) -> list[Page]:
        """The alerts by the figures of the present minute."""
        return self._now(_alerts(running), running.minute())

    def seen(self, alerts: Iterable[Mapping[str, Any]], minute: float) -> list[Page]:
        """Those that fire, as Prometheus gives them."""
        found = [
            (one["labels"]["alertname"], one["annotations"]["summary"], one["labels"]["severity"])
            for one in alerts
        ]
        return self._now(found, minute)

    def _now(self, found: Iterable[tuple[str, str, str]], minute: float) -> list[Page]:
        pages = []
        for name, summary, severity in found:
            since = self._since.setdefault(name, minute)
            pages.append(Page(name, summary, severity, since))
        for gone in self._since.keys() - {page.alert for page in pages}:
            del self._since[gone]
        return pages


def _alerts(running: Running) -> Iterable[tuple[str, str, str]]:
    """Name, summary and severity of what fires; the numbers are those of `drill_rules.yml`."""
    now = running.minute()
    half_hour = running.answers(now - 30)
    five = [one for one in half_hour if one["minute"] > now - 5 and one["failed"] not in OWN_LIMITS]
    failed = sum(bool(one["failed"]) for one in five)
    if len(five) >= 4 and failed > 0.5 * len(five):
        yield "MostAnswersFail", f"{failed} of {len(five)} answers in 5 minutes failed", "page"
    for intent in sorted({one["intent"] for one in half_hour if one["canary"] == "wrong"}):
        yield "CanaryWrong", f"The canary question {intent} gets a wrong answer", "page"
    if any(one["addresses"] for one in half_hour):
        yield "ForeignAddress", "An answer names an address that is not the shop's", "page"
    if (usd := running.usd(now - 10)) > 0.018:
        yield "SpendingFast", f"10 minutes have cost {usd:.3f} dollars", "page"
    limited = sum(one["failed"] in OWN_LIMITS for one in half_hour if one["minute"] > now - 10)
    if limited >= 10:
        yield "OverLimit", f"{limited} requests in 10 minutes were over a limit", "ticket"
