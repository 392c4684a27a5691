"""What a detector is worth, on scores whose figures are known."""

import socket
from collections.abc import Sequence

import numpy as np
import pytest
from langchain_openai import ChatOpenAI
from openai import APIConnectionError
from sklearn.metrics import roc_auc_score

from helpers.evaluate.judge import Judge, JudgeError
from helpers.monitor.answers import Answer, labelled_answers
from helpers.monitor.detector_table import (
    BASELINE,
    Scored,
    advantage,
    area,
    as_text,
    detectors,
    kappa,
    row,
    score_all,
)
from tests.monitor import make


def some(labels: Sequence[str], **given: str) -> list[Answer]:
    return [make.answer(number, label, **given) for number, label in enumerate(labels, start=1)]


MIXED = some(["yes", "yes", "no", "no"] * 10)


def scored(scores: Sequence[float | None], name: str = "a detector") -> Scored:
    return Scored(name, tuple(scores), 0.002)


def test_a_perfect_detector_and_a_coin() -> None:
    perfect = area([float(a.grounded) for a in MIXED], MIXED)
    assert (perfect.value, perfect.low, perfect.high, perfect.count) == (1, 1, 1, 40)
    coin = area([0.0] * 40, MIXED)
    assert (coin.value, coin.low, coin.high) == (0.5, 0.5, 0.5)
    assert area([-float(a.grounded) for a in MIXED], MIXED).value == 0


def test_the_interval_is_that_of_resampled_questions() -> None:
    """Slowly and with scikit-learn's weights, for answers two of which share each question."""
    rng = np.random.default_rng(3)
    answers = [
        make.answer(n, label, question_id=f"dev-single_fact-{n // 2:03d}")
        for n, label in enumerate(rng.choice(["yes", "no"], 60))
    ]
    truth = np.array([a.grounded for a in answers])
    scores = np.round(truth + rng.normal(0, 1, 60), 1)
    values = []
    for _ in range(500):
        counts = np.bincount(rng.integers(30, size=30), minlength=30)[np.arange(60) // 2]
        values.append(roc_auc_score(truth, scores, sample_weight=counts))
    low, high = np.quantile(values, [0.025, 0.975])
    found = area(scores.tolist(), answers)
    assert found.value == pytest.approx(roc_auc_score(truth, scores))
    assert (found.low, found.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_two_answers_to_one_question_are_not_two_observations() -> None:
    rng = np.random.default_rng(5)
    scores = [float(a.grounded) + rng.normal() for a in MIXED]
    once = area(scores, MIXED)
    twice = area(scores * 2, MIXED * 2)
    assert twice.value == pytest.approx(once.value)
    assert twice.high - twice.low == pytest.approx(once.high - once.low)


def test_one_label_alone_measures_nothing() -> None:
    with pytest.raises(ValueError, match="both grounded and ungrounded"):
        area([1.0, 2.0], some(["yes", "yes"]))


def test_the_advantage_is_paired() -> None:
    good = scored([a.grounded + 0.1 * n for n, a in enumerate(MIXED)])
    same = advantage(good, good, MIXED)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    coin = scored([0.0] * 40)
    found = advantage(scored([float(a.grounded) for a in MIXED]), coin, MIXED)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert advantage(coin, good, MIXED).value == -advantage(good, coin, MIXED).value


def test_the_advantage_counts_what_both_scored() -> None:
    full = scored([float(a.grounded) for a in MIXED])
    half = scored([None if n % 4 == 1 else 0.0 for n in range(40)])
    assert advantage(full, half, MIXED).count == 30


def test_the_threshold_is_chosen_on_one_part_and_judged_on_the_other() -> None:
    """In the part to tune on 0.5 separates; in the other everything scores 0.2 higher."""
    answers = some(["yes", "yes", "no", "no"] * 5)
    scores = [(0.6 if a.grounded else 0.4) + 0.2 * (a.part == "test") for a in answers]
    found = row(scored(scores), answers)
    assert found.threshold == pytest.approx(0.5)
    assert str(found.caught).endswith(" 0/5")
    assert str(found.false_alarms).endswith(" 0/5")
    lower = row(
        scored([s - 0.4 * (a.part == "test") for s, a in zip(scores, answers, strict=True)]),
        answers,
    )
    assert str(lower.caught).endswith(" 5/5")
    assert str(lower.false_alarms).endswith(" 5/5")


def test_no_opinion_is_counted_and_is_no_zero() -> None:
    def silent_on_tents(answer: Answer) -> float:
        if answer.answer == "Tents.":
            raise JudgeError("The judge would say neither yes nor no.")
        return float(answer.grounded)

    answers = [*MIXED, make.answer(41, "yes", answer="Tents.")]
    found = score_all("judge", silent_on_tents, answers)
    assert found.scores[-1] is None
    assert row(found, answers).unscored == 1
    assert row(found, answers).area.count == 40
    with pytest.raises(ValueError, match="scored no answer"):
        row(scored([None] * 40), MIXED)


def test_a_judge_that_cannot_be_reached_is_an_error() -> None:
    with socket.socket() as closed:  # bound and not listening: nobody else can answer there
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        judge = Judge(ChatOpenAI(model="m", base_url=url, api_key="k", max_retries=0))  # type: ignore[arg-type]
        with pytest.raises(APIConnectionError):
            score_all("judge", lambda a: judge.probability(a.question, a.source, a.answer), MIXED)


def test_the_time_is_that_of_an_answer() -> None:
    found = score_all("sum", lambda a: float(sum(range(20_000))), MIXED)
    assert 1e-5 < found.cpu_seconds < 0.1


def test_agreement_beyond_chance() -> None:
    same = some(["yes", "no", "none"])
    assert kappa(same) == 1
    # 3 of 4 agree; chance gives (2 * 3 + 2 * 1) / 16 = 1/2.
    apart = [make.answer(1, "no", second="yes"), *some(["no", "yes", "yes"])]
    assert kappa(apart) == pytest.approx(0.5)


def test_the_table_has_every_figure() -> None:
    perfect = scored([float(a.grounded) for a in MIXED], "perfect")
    better = advantage(perfect, scored([0.0] * 40), MIXED)
    text = as_text([row(perfect, MIXED)], [("perfect", better)])
    assert "perfect" in text
    assert "1.00 [1.00, 1.00]" in text
    assert "0.50 [0.50, 0.50]" in text
    assert "2.0" in text


def test_the_best_cheap_detector_beats_numbers_and_names() -> None:
    answers = labelled_answers()
    found = {
        name: score_all(name, detector, answers)
        for name, detector in detectors(None, None).items()  # type: ignore[arg-type]
        if name in ("token overlap", "mean log-probability", BASELINE)
    }
    best = max(found.values(), key=lambda s: row(s, answers).area.value)
    assert advantage(best, found[BASELINE], answers).low > 0
