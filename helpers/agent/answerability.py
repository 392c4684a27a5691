"""Can the documents answer a question? Decided by the score of the best passage that was found.

The score of the nearest passage separates questions that the documents answer from those that they
do not, imperfectly: `answerability_curve` shows what each threshold costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from helpers.agent.passages import Retriever
from helpers.shop import Question

MOST_FALSE_REFUSALS = 0.10
"""The share of answerable questions that may be refused for nothing."""

THRESHOLD = 0.68
"""`curve.threshold(MOST_FALSE_REFUSALS)` on the dev and lab questions, rounded; a test repeats
that."""

_ANSWERED_BY_DOCUMENTS = ("single_fact", "conditional")


@dataclass(frozen=True)
class Curve:
    """A receiver operating characteristic: what refusing below each threshold catches and costs.

    `caught` is the share of unanswerable questions refused, `false_refusals` that of answerable
    ones, both rising with `thresholds`. `area` is the chance that an answerable question scores
    higher than an unanswerable one (0.5 is guessing, 1 is perfect).
    """

    thresholds: tuple[float, ...]
    false_refusals: tuple[float, ...]
    caught: tuple[float, ...]
    area: float

    def threshold(self, most_false_refusals: float) -> float:
        """The highest threshold that refuses at most this share of the answerable questions."""
        allowed = [
            threshold
            for threshold, share in zip(self.thresholds, self.false_refusals, strict=True)
            if share <= most_false_refusals
        ]
        return max(allowed)


def answerability_curve(retriever: Retriever, questions: Sequence[Question]) -> Curve:
    """The curve of a retriever's best score on the questions that documents answer or do not.

    Questions about orders and actions are left out. Raises ValueError when either side is empty.
    """
    answerable = _best_scores(retriever, questions, _ANSWERED_BY_DOCUMENTS)
    unanswerable = _best_scores(retriever, questions, ("unanswerable",))
    return curve(answerable, unanswerable)


def curve(answerable: Sequence[float], unanswerable: Sequence[float]) -> Curve:
    """The curve of given scores. Raises ValueError when either side is empty."""
    if not answerable or not unanswerable:
        raise ValueError("A curve needs answerable and unanswerable questions.")
    everything = sorted({*answerable, *unanswerable})
    # Between two scores each threshold decides alike; the middle is the one to generalise from.
    middles = [(low + high) / 2 for low, high in pairwise(everything)]
    thresholds = (everything[0] - 0.01, *middles, everything[-1] + 0.01)
    wins = sum((a > u) + (a == u) / 2 for a in answerable for u in unanswerable)
    return Curve(
        thresholds=thresholds,
        false_refusals=tuple(_share_below(answerable, one) for one in thresholds),
        caught=tuple(_share_below(unanswerable, one) for one in thresholds),
        area=wins / (len(answerable) * len(unanswerable)),
    )


def _best_scores(
    retriever: Retriever, questions: Sequence[Question], kinds: tuple[str, ...]
) -> list[float]:
    asked = [question.question for question in questions if question.kind in kinds]
    found = [retriever.search(text, 1) for text in asked]
    return [passages[0].score if passages else 0.0 for passages in found]


def _share_below(scores: Sequence[float], threshold: float) -> float:
    return sum(score < threshold for score in scores) / len(scores)
