"""What each detector of ungrounded answers is worth: `python -m helpers.monitor.detector_table`.

An alarm is raised for a score below the detector's threshold. The threshold is chosen on the part
"tune" of the labelled answers and judged on the part "test". The area under the ROC curve needs no
threshold and rests on both.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings
from sklearn.metrics import cohen_kappa_score, roc_auc_score
from tqdm import tqdm

from helpers.columns import aligned
from helpers.evaluate.agreement import choose_threshold
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.judge import Judge, JudgeError
from helpers.evaluate.proportion import Proportion
from helpers.models import embeddings
from helpers.monitor import groundedness
from helpers.monitor.answers import LABELS, Answer, all_answers, labelled_answers

RESAMPLES = 10_000
BASELINE = "numbers and names"

Detector = Callable[[Answer], float]
Progress = Callable[[Sequence[Answer]], Iterable[Answer]]
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """A detector's scores.

    Attributes:
        name: of the detector.
        scores: one for each answer, higher for better grounded; None where a judge said neither
            yes nor no.
        cpu_seconds: of this process for each answer, the local model's work included.
    """

    name: str
    scores: tuple[float | None, ...]
    cpu_seconds: float


@dataclass(frozen=True)
class Row:
    """What one detector is worth.

    Attributes:
        name: of the detector.
        area: area under the ROC curve, over all answers that it scored.
        threshold: the score below which it raises an alarm.
        caught: of the ungrounded answers of the part "test", those it raises an alarm for.
        false_alarms: the same of the grounded answers.
        unscored: answers without a score, which no figure counts.
        cpu_seconds: for each answer.
    """

    name: str
    area: Estimate
    threshold: float
    caught: Proportion
    false_alarms: Proportion
    unscored: int
    cpu_seconds: float


def detectors(embedder: Embeddings, judge: Judge) -> dict[str, Detector]:
    """The five detectors by name, as functions of a labelled answer."""
    return {
        "token overlap": lambda a: groundedness.overlap(a.answer, a.source, a.question),
        "mean log-probability": lambda a: groundedness.mean_logprob(a.logprobs),
        BASELINE: lambda a: groundedness.mismatches(a.answer, a.source, a.question),
        "worst sentence": lambda a: groundedness.worst_sentence(a.answer, a.source, embedder),
        "judge": lambda a: judge.probability(a.question, a.source, a.answer),
    }


def score_all(
    name: str, detector: Detector, answers: Sequence[Answer], *, progress: Progress = iter
) -> Scored:
    """Score every answer and take the CPU time.

    Raises what the detector raises, `JudgeError` apart: a judge that cannot be reached has no
    opinion, and one that says neither yes nor no has none on that answer.
    """
    scores: list[float | None] = []
    started = time.process_time()
    for answer in progress(answers):
        try:
            scores.append(detector(answer))
        except JudgeError:
            scores.append(None)
    spent = time.process_time() - started
    return Scored(name, tuple(scores), spent / len(answers))


def row(scored: Scored, answers: Sequence[Answer]) -> Row:
    """The detector's row.

    Raises ValueError when it scored none, or a part has no grounded or no ungrounded answer.
    """
    kept = [(s, a) for s, a in zip(scored.scores, answers, strict=True) if s is not None]
    if not kept:
        raise ValueError(f"{scored.name} scored no answer: there is nothing to measure.")
    tune = [(s, a.grounded) for s, a in kept if a.part == "tune"]
    threshold = choose_threshold([s for s, _ in tune], [grounded for _, grounded in tune])
    test = [(s < threshold, a.grounded) for s, a in kept if a.part == "test"]
    return Row(
        scored.name,
        area([s for s, _ in kept], [a for _, a in kept]),
        threshold,
        caught=Proportion.of(alarm for alarm, grounded in test if not grounded),
        false_alarms=Proportion.of(alarm for alarm, grounded in test if grounded),
        unscored=len(answers) - len(kept),
        cpu_seconds=scored.cpu_seconds,
    )


def area(scores: Sequence[float], answers: Sequence[Answer], *, seed: int = 0) -> Estimate:
    """Area under the ROC curve: the chance that a grounded answer scores higher; 0.5 is chance.

    With the 95% interval of a bootstrap over the questions. Raises ValueError when all answers
    have the same label.
    """
    value = float(roc_auc_score(_grounded(answers), scores))
    return _estimate(value, _resampled(scores, answers, seed), len(answers))


def advantage(one: Scored, other: Scored, answers: Sequence[Answer], *, seed: int = 0) -> Estimate:
    """By how much one detector's area exceeds the other's, on the answers that both scored.

    A paired bootstrap: each resample measures both, so that what makes an answer hard for both
    cancels out. One is better than the other where the interval lies above 0. Raises as `area`.
    """
    both = [
        (first, second, answer)
        for first, second, answer in zip(one.scores, other.scores, answers, strict=True)
        if first is not None and second is not None
    ]
    firsts, seconds, kept = [b[0] for b in both], [b[1] for b in both], [b[2] for b in both]
    truth = _grounded(kept)
    value = float(roc_auc_score(truth, firsts) - roc_auc_score(truth, seconds))
    # The same seed draws the same questions for both.
    differences = _resampled(firsts, kept, seed) - _resampled(seconds, kept, seed)
    return _estimate(value, differences, len(kept))


def kappa(answers: Sequence[Answer]) -> float:
    """How far the two passes agree: Cohen's kappa over the three labels (1 full, 0 chance)."""
    first, second = [a.first for a in answers], [a.second for a in answers]
    return float(cohen_kappa_score(first, second, labels=list(LABELS)))


def _grounded(answers: Sequence[Answer]) -> npt.NDArray[np.bool_]:
    truth = np.array([answer.grounded for answer in answers], dtype=bool)
    if not truth.any() or truth.all():
        raise ValueError("The labels need both grounded and ungrounded answers.")
    return truth


def _resampled(scores: Sequence[float], answers: Sequence[Answer], seed: int) -> _Numbers:
    """The areas of `RESAMPLES` resamples.

    Questions are drawn, each with all its answers: two answers to one question are no independent
    observations. How often a question was drawn is its weight, and an area is the weighted share
    of pairs of a grounded and an ungrounded answer that the scores put in the right order.
    """
    values, truth = np.asarray(scores, dtype=float), _grounded(answers)
    questions, places = np.unique([a.question_id for a in answers], return_inverse=True)
    even = np.full(len(questions), 1 / len(questions))
    drawn = np.random.default_rng(seed).multinomial(len(questions), even, size=RESAMPLES)
    weights = drawn[:, places].astype(float)
    good, bad = values[truth][:, None], values[~truth][None, :]
    order = (good > bad) + (good == bad) / 2
    right = ((weights[:, truth] @ order) * weights[:, ~truth]).sum(axis=1)
    pairs = weights[:, truth].sum(axis=1) * weights[:, ~truth].sum(axis=1)
    # A resample that drew one label alone says nothing.
    return np.asarray(np.divide(right, pairs, out=np.full(RESAMPLES, np.nan), where=pairs > 0))


def _estimate(value: float, resampled: _Numbers, count: int) -> Estimate:
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return Estimate(value, float(low), float(high), count)


def as_text(rows: Sequence[Row], advantages: Sequence[tuple[str, Estimate]]) -> str:
    """The tables: each detector, and what each has over the baseline."""
    titles = "detector;area [95%];threshold;caught;false alarms;unscored;CPU ms"
    cells = [titles.split(";")]
    for one in rows:
        cells.append([
            one.name,
            _interval(one.area),
            f"{one.threshold:.2f}",
            str(one.caught),
            str(one.false_alarms),
            str(one.unscored),
            f"{1000 * one.cpu_seconds:.1f}",
        ])  # fmt: skip
    more = [[f"area beyond {BASELINE}", "[95%]"]]
    more += [[name, _interval(found)] for name, found in advantages]
    return "\n".join([*aligned(cells), "", *aligned(more)])


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def main() -> None:
    """Print labels, agreement and the table; some three minutes, most of them the judge's."""
    answers = labelled_answers()
    grounded = sum(answer.grounded for answer in answers)
    print(
        f"{len(answers)} answers, {grounded} grounded; kappa of the two passes "
        f"{kappa(all_answers()):.2f}\n"
    )
    found = {
        name: score_all(name, detector, answers, progress=partial(tqdm, desc=name, leave=False))
        for name, detector in detectors(embeddings(), Judge()).items()
    }
    beyond = [
        (name, advantage(scored, found[BASELINE], answers))
        for name, scored in found.items()
        if name != BASELINE
    ]
    print(as_text([row(scored, answers) for scored in found.values()], beyond))


if __name__ == "__main__":
    main()
