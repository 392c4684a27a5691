"""What was measured as rows of a table: one mapping a row, its keys the columns.

For notebooks, whose `show.table` takes such rows. Rates are written with interval and counts, as
`Proportion` and `Estimate` write themselves.
"""

from collections.abc import Iterable, Sequence
from math import inf, isfinite
from typing import Any

from helpers.evaluate.checklist import CHECKLIST, Report
from helpers.evaluate.compare import Comparison, Slice
from helpers.evaluate.cost import costs
from helpers.evaluate.judge_table import Row as ScorerRow
from helpers.evaluate.latency import latency
from helpers.evaluate.runs import Run
from helpers.evaluate.scores import Score
from helpers.evaluate.summary import Summary
from helpers.shop import Question

Rows = list[dict[str, Any]]


def of_golden_set(questions: Sequence[Question]) -> Rows:
    """The first question of each kind, with what is asked of its answer."""
    firsts: dict[str, Question] = {}
    for question in questions:
        firsts.setdefault(question.kind, question)
    return [
        {
            "kind": kind,
            "questions": sum(question.kind == kind for question in questions),
            "the first of them": first.question,
            "states": "; ".join(group[0] for group in first.required) or "that it does not know",
            "never states": "; ".join(first.forbidden[:2]) or "-",
            "tools": ", ".join(call.name for call in first.tools),
        }
        for kind, first in firsts.items()
    ]


def of_summary(summary: Summary) -> Rows:
    """Each kind of question, and all of them."""
    return [
        {
            "kind": row.kind,
            "right answers": str(row.answers),
            "right tools": str(row.tools),
            "right trajectories": str(row.trajectories),
            "no answer": row.errors + row.timeouts,
        }
        for row in (*summary.kinds, summary.all)
    ]


def of_time_and_money(runs: Sequence[Run], scores: Sequence[Score], model: str) -> Rows:
    """Latency and cost, with their intervals; None for an end that too few answers leave open.

    Raises what `costs` and `latency` raise.
    """
    time, money = latency(runs), costs(runs, scores, model)
    found = {
        ("seconds", "median answer"): time.median,
        ("seconds", "95th percentile"): time.p95,
        ("millionths of a dollar", "a question"): money.a_question,
        ("millionths of a dollar", "a right answer"): money.a_right_answer,
    }
    rows = []
    for (unit, name), figure in found.items():
        scale = 1.0 if unit == "seconds" else 1e6
        ends = (inf, inf, inf) if figure is None else (figure.value, figure.low, figure.high)
        value, low, high = (scale * end if isfinite(end) else None for end in ends)
        rows.append({"figure": name, "unit": unit, "value": value, "from": low, "to": high})
    return rows


def of_comparisons(found: Iterable[tuple[str, Comparison, float]]) -> Rows:
    """Comparisons by name, each with the p-value to be shown."""
    return [
        {
            "questions": name,
            "before": str(comparison.before),
            "after": str(comparison.after),
            "lost": comparison.lost,
            "gained": comparison.gained,
            "p": "< 0.001" if p_value < 0.001 else f"{p_value:.3f}",
        }
        for name, comparison, p_value in found
    ]


def of_slices(total: Comparison, found: Sequence[Slice]) -> Rows:
    """All questions, then each slice with its adjusted p-value."""
    parts = [(each.name, each.comparison, each.p_value) for each in found]
    return of_comparisons([("all", total, total.p_value), *parts])


def of_scorers(found: Iterable[ScorerRow]) -> Rows:
    """Scorers against the labels of people."""
    return [
        {
            "scorer": row.scorer,
            "agreed": str(row.agreement.agreed),
            "kappa": str(row.agreement.kappa),
            "good ones accepted": str(row.agreement.sensitivity),
            "bad ones rejected": str(row.agreement.specificity),
            "unjudged": row.unjudged,
        }
        for row in found
    ]


def of_checklist() -> Rows:
    """The items of the checklist."""
    return [
        {
            "item": item.title,
            "why": item.why,
            "owner": item.owner,
            "threshold": "\n".join(map(str, item.thresholds)) or "a person's dated statement",
        }
        for item in CHECKLIST
    ]


def of_report(report: Report) -> Rows:
    """What was found of each item."""
    return [
        {"item": found.item.title, "status": found.status, "reasons": "\n".join(found.reasons)}
        for found in report.findings
    ]
