"""Groundedness, latency and cost of a set of runs, for the report of `course eval`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from helpers.evaluate.cost import Costs, costs
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.groundedness import THRESHOLD, run_groundedness
from helpers.evaluate.latency import Latency, latency
from helpers.evaluate.proportion import Proportion
from helpers.evaluate.runs import Run
from helpers.evaluate.scores import Score
from helpers.models.errors import UnknownPrice
from helpers.shop import Question


@dataclass(frozen=True)
class Measures:
    """What is None could not be measured; `notes` say why in words.

    Attributes:
        overlap: mean share of an answer's content words that its sources hold.
        grounded: answers whose overlap reaches the threshold of `groundedness`.
        mismatched: answers with a number or a name that no source holds.
        latency: seconds of wall time an answer.
        costs: dollars, of the local model at the stated price of CPU time.
        notes: why something is missing.
    """

    overlap: Estimate | None
    grounded: Proportion
    mismatched: Proportion
    latency: Latency | None
    costs: Costs | None
    notes: tuple[str, ...]


def measure(
    asked: Sequence[Question], runs: Sequence[Run], scores: Sequence[Score], model: str
) -> Measures:
    """Measure runs and scores of the same questions, in the same order.

    Args:
        asked: the questions.
        runs: the runs on them.
        scores: the runs' scores.
        model: "local", or a hosted model as `COURSE_MODEL` names it.
    """
    found = [run_groundedness(r, q.question) for q, r in zip(asked, runs, strict=True)]
    judged = [each for each in found if each is not None]
    notes: list[str] = []
    times: Latency | None = None
    spent: Costs | None = None
    try:
        times = latency(runs)
    except ValueError as problem:
        notes.append(f"No latency: {problem}")
    try:
        spent = costs(runs, scores, model)
    except (UnknownPrice, ValueError) as problem:
        notes.append(f"No cost: {problem}")
    return Measures(
        overlap=Estimate.of_mean([each.overlap for each in judged]) if judged else None,
        grounded=Proportion.of(each.overlap >= THRESHOLD for each in judged),
        mismatched=Proportion.of(each.mismatch for each in judged),
        latency=times,
        costs=spent,
        notes=tuple(notes),
    )


def as_lines(found: Measures) -> list[str]:
    """The figures as lines of a report."""
    lines = [
        f"grounded by word overlap {found.grounded}; a foreign number or name {found.mismatched}"
    ]
    if found.latency is not None:
        lines.append(
            f"seconds an answer, one at a time: median {_seconds(found.latency.median)}, "
            f"95th percentile {_seconds(found.latency.p95)}"
        )
    if found.costs is not None:
        right = found.costs.a_right_answer
        lines.append(
            f"micro-dollars a question {_micro(found.costs.a_question)}, "
            f"a right answer {_micro(right) if right else '- (none is right)'}"
        )
    return [*lines, *found.notes]


def as_data(found: Measures) -> dict[str, Any]:
    """The figures as plain data; an open end of an interval is None."""
    data: dict[str, Any] = _closed(asdict(found))
    return data


def _closed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _closed(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not isfinite(value) else value


def _seconds(estimate: Estimate) -> str:
    return f"{estimate.value:.1f} [{estimate.low:.1f}, {estimate.high:.1f}]"


def _micro(estimate: Estimate) -> str:
    return f"{estimate.value * 1e6:.1f} [{estimate.low * 1e6:.1f}, {estimate.high * 1e6:.1f}]"
