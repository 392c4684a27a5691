"""Exercise 08.6: the learner's alerting rules on held-out days."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m08.gate import Found

STARTER = """
groups:
  - name: fernhill
    rules:
      - alert: Slow
        expr: |
          histogram_quantile(0.95,
            sum by (le) (rate(gen_ai_server_time_to_first_token_seconds_bucket[1m]))) > 3
      - alert: Failed
        expr: sum(increase(service_problems_total[1m])) > 0
      - alert: ToolFails
        expr: |
          sum(rate(service_tool_calls_total{status="refused"}[1m]))
            / sum(rate(service_tool_calls_total[1m])) > 0.2
      - alert: BadFeedback
        expr: sum(increase(service_feedback_total{score="-1"}[15m])) > 1
      - alert: Expensive
        expr: sum(increase(service_cost_usd_total[1h])) > 0.1
      - alert: Memory
        expr: process_resident_memory_bytes > 1e9
"""


@exercise(
    "08.6",
    title="The gate: your rules on days that you have not seen",
    starter=STARTER,
    gate=True,
    hints=[
        "Begin with the clean days: an alert that fires there is worth nothing on a bad one. Which"
        " of the six fires most often? Give it a longer window and a minimum count.",
        Hint(
            "A share of few answers is chance: at six in the morning one slow answer of two is"
            " 50%. Write `share > 0.5 and count >= 5`, or add `for: 5m`.",
            "clean",
        ),
        Hint(
            "Look for signs that are exactly 0 on a clean day: a canary question that gets a wrong"
            " answer, an address that is not the shop's, an index that is days old. These need no"
            " threshold to be chosen.",
            "incidents",
        ),
        "Cost grows with traffic, so no threshold of dollars fits both a night and a newsletter."
        " The price is dollars for each token: divide one rate by the other.",
        "A leak shows in the slope, long before the memory is full: deriv(...[30m]), or"
        " predict_linear. A client in a loop shows in how many answers are refusals, or in requests"
        " over a customer's limit.",
        Hint(
            "Run `promtool check rules` on the text, or read what it says on the card. Indentation"
            " is a part of YAML, and {{ $value }} needs quotes around it.",
            "valid",
        ),
    ],
)
def rules(answer: Any) -> Iterator[Case]:
    """What promtool says; then clean days, and days with an incident, by one look at all."""
    from helpers.course.exercises.m08 import gate
    from helpers.monitor.testing import RulesError

    fast = os.environ.get("COURSE_FAST", "") not in ("", "0")
    tried = gate.Tried(answer, fast=fast)
    refused = Slip.raises(
        "refused", RulesError, "Prometheus would not start with these rules: begin here."
    )
    yield Case(
        "Prometheus accepts the rules",
        call=tried.alerts,
        show="promtool check rules",
        expect=Expectation(
            "the text of a rule file with an alert",
            judge=lambda names: bool(names) or "There is no alert in it.",
            show=lambda names: f"{len(names)} alerts: {', '.join(names)}",
        ),
        slips=[refused],
        about="valid",
    )
    yield Case(
        "clean days",
        call=tried.judged,
        show=f"your rules on {gate.clean_days(fast=fast)}",
        expect=Expectation(
            f"at most {gate.MOST_FALSE} false alarm, counted over all of them",
            judge=gate.quiet,
            show=gate.told_of_clean,
        ),
        slips=[
            refused,
            Slip.when(
                "always",
                gate.fires_always,
                "An alert fires on nearly every day, so it tells nobody anything.",
            ),
        ],
        limit=900,
        about="clean",
        live=True,
    )
    yield Case(
        "days with an incident",
        call=tried.judged,
        show="your rules on 11 incidents, one of each kind",
        expect=Expectation(
            f"at least {gate.FEWEST_FOUND} of 11 kinds detected within {gate.MINUTES} minutes",
            judge=gate.finds,
            show=gate.told_of_incidents,
        ),
        slips=[
            refused,
            Slip.when(
                "unseen",
                _names_nothing,
                "A rule names a series that does not exist on any day, so it cannot fire.",
            ),
            Slip.when(
                "late",
                gate.found_late,
                "Enough incidents were detected, but too many of them too late: look at `for` and"
                " the windows.",
            ),
            Slip.when(
                "anyway",
                gate.fires_anyway,
                "An alert also fires when the same day is replayed without its incident, at the"
                " same time: it does not depend on what goes wrong.",
            ),
        ],
        limit=900,
        about="incidents",
        live=True,
    )


def _names_nothing(found: "Found") -> bool:
    return bool(found.unseen)
