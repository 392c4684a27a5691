"""The scores of a set of runs: counts, rates with their intervals, tokens and time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from helpers.evaluate.proportion import Proportion
from helpers.evaluate.runs import Run
from helpers.evaluate.scores import Score

ALL = "all"


@dataclass(frozen=True)
class Row:
    """One kind of question, or all of them.

    `errors` and `timeouts` are runs that stand in no rate. `refused` is how many answers refuse:
    wanted where a question has no answer, unwanted elsewhere. Tokens and seconds are means for each
    question over the runs that ended with an answer, None where there is none.
    """

    kind: str
    questions: int
    errors: int
    timeouts: int
    answers: Proportion
    tools: Proportion
    arguments: Proportion
    trajectories: Proportion
    refused: Proportion
    input_tokens: float | None
    output_tokens: float | None
    cpu_seconds: float | None
    wall_seconds: float | None


@dataclass(frozen=True)
class Summary:
    """The rows of each kind, and of all questions."""

    kinds: tuple[Row, ...]
    all: Row
    refused_unanswerable: Proportion
    refused_answerable: Proportion

    def row(self, kind: str) -> Row:
        """The row of one kind. Raises KeyError when no question is of that kind."""
        return {row.kind: row for row in self.kinds}[kind]


def summarise(scores: Sequence[Score], runs: Sequence[Run]) -> Summary:
    """Count scores and runs of the same questions, in the same order.

    Raises ValueError when they do not belong together, or there are none.
    """
    if [s.question_id for s in scores] != [r.question_id for r in runs]:
        raise ValueError("Scores and runs are not of the same questions in the same order.")
    if not scores:
        raise ValueError("There are no scores to summarise.")
    pairs = list(zip(scores, runs, strict=True))
    kinds = dict.fromkeys(score.kind for score in scores)
    return Summary(
        kinds=tuple(_row(kind, [p for p in pairs if p[0].kind == kind]) for kind in kinds),
        all=_row(ALL, pairs),
        refused_unanswerable=_refused(s for s in scores if s.kind == "unanswerable"),
        refused_answerable=_refused(s for s in scores if s.kind != "unanswerable"),
    )


def as_rows(summary: Summary) -> list[dict[str, Any]]:
    """One dict a kind of question, and one of all; rates with their intervals and counts."""
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


def _refused(scores: Iterable[Score]) -> Proportion:
    return Proportion.of(s.answer.refused if s.answer else None for s in scores)


def _row(kind: str, pairs: Sequence[tuple[Score, Run]]) -> Row:
    scores = [score for score, _ in pairs]
    finished = [run for _, run in pairs if run.status == "ok"]
    usages = [run.usage for run in finished if run.usage is not None]
    return Row(
        kind=kind,
        questions=len(pairs),
        errors=sum(score.status == "error" for score in scores),
        timeouts=sum(score.status == "timeout" for score in scores),
        answers=Proportion.of(s.answer.right if s.answer else None for s in scores),
        tools=Proportion.of(s.tools for s in scores),
        arguments=Proportion.of(s.arguments for s in scores),
        trajectories=Proportion.of(s.trajectory for s in scores),
        refused=_refused(scores),
        input_tokens=_mean([usage["input_tokens"] for usage in usages]),
        output_tokens=_mean([usage["output_tokens"] for usage in usages]),
        cpu_seconds=_mean([run.cpu_seconds for run in finished]),
        wall_seconds=_mean([run.wall_seconds for run in finished]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
