"""Two versions on the same questions: what changed, how sure that is, and where.

Versions are compared question by question. Two separate intervals that overlap say little about
the difference, because both versions find the same questions hard.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import sqrt

from helpers.evaluate.estimate import Estimate
from helpers.evaluate.proportion import Proportion
from helpers.evaluate.scores import Score
from helpers.shop import Question, document

Verdicts = Mapping[str, bool | None]
"""Question id -> right, wrong, or None where there is nothing to judge (an error, a timeout)."""


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same questions.

    Counts of questions: `both` right, right only before (`lost`), right only after (`gained`),
    `neither`. `left_out` are questions on which either version gave nothing to judge. Rates run
    from 0 to 1, differences are after minus before.

    Attributes:
        difference: with Newcombe's interval, which keeps a width when no question changed.
        p_value: McNemar's exact test, two-sided: how often a difference at least as lopsided
            comes about when a changed question is as likely gained as lost.
    """

    both: int
    lost: int
    gained: int
    neither: int
    left_out: int
    difference: Estimate
    p_value: float

    @property
    def questions(self) -> int:
        """Questions that were compared."""
        return self.both + self.lost + self.gained + self.neither

    @property
    def before(self) -> Proportion:
        """Right before."""
        return Proportion(self.both + self.lost, self.questions)

    @property
    def after(self) -> Proportion:
        """Right after."""
        return Proportion(self.both + self.gained, self.questions)


def verdicts(scores: Iterable[Score]) -> dict[str, bool | None]:
    """Whether each answer is right, by question id.

    Raises ValueError when a question comes twice.
    """
    found: dict[str, bool | None] = {}
    for score in scores:
        if score.question_id in found:
            raise ValueError(f"{score.question_id} comes twice: give one score a question.")
        found[score.question_id] = score.answer.right if score.answer else None
    return found


def compare(before: Verdicts, after: Verdicts, *, confidence: float = 0.95) -> Comparison:
    """Compare two versions question by question.

    Raises ValueError when they were not asked the same questions, or no question can be compared.
    """
    from statsmodels.stats.contingency_tables import mcnemar  # takes seconds: where it is needed

    _check_same_questions(before, after)
    pairs = [(before[name], after[name]) for name in before]
    judged = [
        (first, second) for first, second in pairs if first is not None and second is not None
    ]
    if not judged:
        raise ValueError("There is no question on which both versions can be judged.")
    both = sum(first and second for first, second in judged)
    lost = sum(first and not second for first, second in judged)
    gained = sum(second and not first for first, second in judged)
    neither = len(judged) - both - lost - gained
    return Comparison(
        both=both,
        lost=lost,
        gained=gained,
        neither=neither,
        left_out=len(pairs) - len(judged),
        difference=difference(both, lost, gained, neither, confidence=confidence),
        p_value=float(mcnemar([[both, lost], [gained, neither]], exact=True).pvalue),
    )


def _check_same_questions(before: Verdicts, after: Verdicts) -> None:
    if only := sorted(before.keys() ^ after.keys()):
        raise ValueError(
            f"The versions were asked different questions ({len(only)}, such as {only[0]}): "
            "run both on the same ones."
        )


def difference(
    both: int, lost: int, gained: int, neither: int, *, confidence: float = 0.95
) -> Estimate:
    """The difference of two paired rates, after minus before, with Newcombe's interval.

    Method 10 of R. G. Newcombe 1998, Statistics in Medicine 17, 2635-2650: the Wilson intervals
    of the two rates, put together with their correlation. (statsmodels has Newcombe's interval for
    independent rates only, `confint_proportions_2indep`; without correlation this one equals it.)
    """
    total = both + lost + gained + neither
    if total < 1 or min(both, lost, gained, neither) < 0:
        raise ValueError("Give counts of at least one question.")
    first = Proportion(both + lost, total, confidence)
    second = Proportion(both + gained, total, confidence)
    rate_1, rate_2 = (both + lost) / total, (both + gained) / total
    low_1, high_1 = first.interval or (0.0, 1.0)
    low_2, high_2 = second.interval or (0.0, 1.0)
    correlation = _correlation(both, lost, gained, neither)
    down, up = rate_2 - low_2, high_1 - rate_1
    low = sqrt(max(0.0, down**2 - 2 * correlation * down * up + up**2))
    down, up = rate_1 - low_1, high_2 - rate_2
    high = sqrt(max(0.0, up**2 - 2 * correlation * down * up + down**2))
    value = rate_2 - rate_1
    return Estimate(value, value - low, value + high, total, confidence)


def _correlation(both: int, lost: int, gained: int, neither: int) -> float:
    """Phi of the two verdicts, with Newcombe's continuity correction where it is positive."""
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    if not margins:
        return 0.0
    product = float(both * neither - lost * gained)
    if product > 0:
        product = max(product - (both + lost + gained + neither) / 2, 0.0)
    return product / sqrt(margins)


@dataclass(frozen=True)
class Slice:
    """The comparison on one part of the questions; `p_value` is adjusted for all the slices."""

    name: str
    comparison: Comparison
    p_value: float

    def lost_ground(self, alpha: float = 0.05) -> bool:
        """Whether this slice got worse beyond what chance and the number of slices explain."""
        return self.comparison.difference.value < 0 and self.p_value <= alpha


def tags(question: Question) -> tuple[str, ...]:
    """The slices that a question is in: its kind and, where it has one, its document's kind."""
    kind = (f"kind: {question.kind}",)
    return kind if question.document is None else (*kind, f"document: {_kind(question.document)}")


def _kind(name: str) -> str:
    return str(document(name).kind)


def slices(
    before: Verdicts,
    after: Verdicts,
    groups: Mapping[str, Iterable[str]],
    *,
    confidence: float = 0.95,
) -> list[Slice]:
    """Compare within each slice, worst first.

    Args:
        before: as for `compare`.
        after: as for `compare`.
        groups: question id -> the slices that it is in (`tags` gives the usual ones). A question
            that is in none is left out.
        confidence: of the intervals of each slice alone; only `p_value` is adjusted (Holm).

    Raises ValueError when the versions were not asked the same questions, a group names one that
    was not asked, or there are no slices.
    A slice in which nothing can be judged is an error too, because it would go unseen.
    """
    from statsmodels.stats.multitest import multipletests

    _check_same_questions(before, after)
    members: dict[str, list[str]] = {}
    for question_id, names in groups.items():
        if question_id not in before:
            raise ValueError(f"{question_id} is in a slice and was not asked.")
        for name in names:
            members.setdefault(name, []).append(question_id)
    if not members:
        raise ValueError("There are no slices: give each question at least one.")
    found = []
    for name, ids in members.items():
        try:
            comparison = compare(
                {i: before[i] for i in ids}, {i: after[i] for i in ids}, confidence=confidence
            )
        except ValueError as problem:
            raise ValueError(f"Slice {name!r}: {problem}") from None
        found.append(Slice(name, comparison, comparison.p_value))
    _, adjusted, *_ = multipletests([each.p_value for each in found], method="holm")
    found = [replace(each, p_value=float(p)) for each, p in zip(found, adjusted, strict=True)]
    return sorted(found, key=lambda each: each.comparison.difference.value)
