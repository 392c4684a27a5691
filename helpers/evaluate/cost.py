"""What answers cost: dollars for a question, and for a right answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from helpers.evaluate.estimate import MOST_DRAWN, Estimate
from helpers.evaluate.runs import Run
from helpers.evaluate.scores import Score
from helpers.models import prices


class UncountedTokens(ValueError):  # noqa: N818 (named after what is the matter)
    """A run ended with an answer and reports no tokens, so that its cost is unknown."""


@dataclass(frozen=True)
class Costs:
    """What a set of questions cost, in US dollars.

    Attributes:
        model: the model that was paid.
        total: of all counted runs.
        a_question: mean, with a bootstrap interval.
        a_right_answer: all that was spent, divided by the right answers: wrong answers are paid
            for too. None when no answer is right.
        uncounted: runs that ended in an error or a timeout. Their tokens are unknown and stand in
            no figure, so the true cost is higher.
    """

    model: str
    total: float
    a_question: Estimate
    a_right_answer: Estimate | None
    uncounted: int


def cost(run: Run, model: str) -> float:
    """The cost of one run's model calls, in US dollars.

    Args:
        run: a run that ended with an answer.
        model: "local", or a hosted model as `COURSE_MODEL` names it.

    Raises:
        UnknownPrice: no price is known for the model; the cost is not zero.
        UncountedTokens: the run reports no tokens; the cost is not zero either.
    """
    if run.usage is None:
        raise UncountedTokens(
            f"{run.question_id} reports no tokens: its cost is unknown. Ask the provider for usage "
            "(stream_usage=True for streamed answers)."
        )
    return prices.cost(model, run.usage)


def costs(runs: Sequence[Run], scores: Sequence[Score], model: str, *, seed: int = 0) -> Costs:
    """Summarise the costs of runs and their scores, in the same order.

    Raises what `cost` raises, and ValueError when runs and scores do not belong together or no
    run ended with an answer.
    """
    if [run.question_id for run in runs] != [score.question_id for score in scores]:
        raise ValueError("Scores and runs are not of the same questions in the same order.")
    counted = [(cost(r, model), s) for r, s in zip(runs, scores, strict=True) if r.status == "ok"]
    if not counted:
        raise ValueError("No run ended with an answer: there is no cost to report.")
    spent = [dollars for dollars, _ in counted]
    right = [bool(score.answer and score.answer.right) for _, score in counted]
    return Costs(
        model=model,
        total=sum(spent),
        a_question=Estimate.of_mean(spent, seed=seed),
        a_right_answer=cost_of_right(spent, right, seed=seed),
        uncounted=len(runs) - len(counted),
    )


def cost_of_right(
    spent: Sequence[float], right: Sequence[float], *, seed: int = 0
) -> Estimate | None:
    """Dollars for a right answer, with the percentile interval of a bootstrap.

    Args:
        spent: dollars of each question, or of each group of questions that is drawn together.
        right: how many right answers they bought, in the same order.
        seed: of the resampling.

    A resample without a right answer costs infinitely much; the interval's upper end may. None when
    nothing is right. A single question or group leaves both ends open.
    """
    if not any(right):
        return None
    value, count = sum(spent) / sum(right), int(sum(right))
    if len(spent) == 1:
        return Estimate(value, 0.0, np.inf, count)
    with np.errstate(divide="ignore", invalid="ignore"):  # of what is infinite
        drawn = bootstrap(
            (spent, right),
            _per_right_answer,
            paired=True,
            vectorized=True,
            method="percentile",
            batch=max(1, MOST_DRAWN // len(spent)),
            rng=seed,
        ).bootstrap_distribution
    # By rank, since interpolation next to an infinite ratio gives no number.
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    return Estimate(value, float(low), float(high), count)


def _per_right_answer(
    spent: npt.NDArray[np.float64], right: npt.NDArray[np.float64], axis: int
) -> npt.NDArray[np.float64]:
    dollars, hits = spent.sum(axis=axis), right.sum(axis=axis)
    return np.where(hits > 0, dollars / hits, np.inf)
