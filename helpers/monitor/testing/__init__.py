"""The judge of alerting rules: what they find, and how often they cry wolf.

databases = partial(database_of, instruments=INSTRUMENTS)   # helpers.service.testing
for found in judge(rules_text, days("visible"), database_of=databases):
    print(found.day, found.minutes, found.by, found.false_alarms)
"""

from helpers.monitor.answer_metrics import answer_metrics
from helpers.monitor.testing.judge import (
    AFTERMATH,
    Alarm,
    Judged,
    judge,
    judge_day,
    median_minutes,
    never_seen,
)
from helpers.monitor.testing.rules import Rules, RulesError, read_rules

INSTRUMENTS = {"answer_metrics": answer_metrics}
"""What the replayed service measures beside its own metrics; days are kept under these names."""

__all__ = [
    "AFTERMATH",
    "INSTRUMENTS",
    "Alarm",
    "Judged",
    "Rules",
    "RulesError",
    "judge",
    "judge_day",
    "median_minutes",
    "never_seen",
    "read_rules",
]
