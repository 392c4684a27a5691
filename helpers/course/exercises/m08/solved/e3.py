# Written by `course build` from solutions/src/08_monitor_in_production.py: change it there.
# The exercise's own cell.
import yaml

WINDOWS = [
    ("page", 14.4, "1h", "5m", "2m"),
    ("ticket", 6, "6h", "30m", "15m"),
]


def burn_rate_rules(service: str, objective: float) -> str:
    """A file of rules with two alerts on a service's error budget."""
    if not 0 < objective < 1:
        raise ValueError(f"the objective is {objective}: it must be between 0 and 1")
    every = f'answers_total{{service="{service}"}}'
    bad = f'answers_total{{service="{service}", ended!="success"}}'
    rules = []
    for severity, factor, long, short, wait in WINDOWS:
        limit = factor * (1 - objective)
        parts = [f"sum(increase({every}[{long}])) >= 20"]
        for window in (long, short):
            parts.append(f"sum(rate({bad}[{window}])) / sum(rate({every}[{window}])) > {limit}")
        rules.append({
            "alert": "ErrorBudgetBurns",
            "expr": " and ".join(parts),
            "for": wait,
            "labels": {"severity": severity, "service": service},
            "annotations": {"summary": f"{service} burns its budget {factor} times too fast"},
        })
    return yaml.safe_dump({"groups": [{"name": f"budget-{service}", "rules": rules}]})
ANSWER = burn_rate_rules
