"""Seconds and dollars: quantiles, prices, and what is unknown."""

from math import inf

import numpy as np
import pytest

from helpers.evaluate.cost import UncountedTokens, cost, costs
from helpers.evaluate.latency import latency, quantile
from helpers.evaluate.scores import score
from helpers.models import prices
from helpers.models.errors import UnknownPrice
from tests.evaluate import make


def test_a_quantile_is_an_observation() -> None:
    found = quantile([float(n) for n in range(1, 101)], 0.95)
    assert (found.value, found.count) == (95, 100)
    assert found.low < 95 < found.high <= 100


def test_the_interval_of_a_median_of_16() -> None:
    # Conover's tables of the binomial: the 4th and the 13th of 16 observations.
    found = quantile([float(n) for n in range(1, 17)], 0.5)
    assert (found.low, found.high) == (4, 13)


def test_too_few_observations_leave_an_end_open() -> None:
    assert quantile([float(n) for n in range(71)], 0.95).high == inf
    assert quantile([float(n) for n in range(72)], 0.95).high == 71
    assert quantile([1.0], 0.5).low == -inf


def test_the_interval_covers_at_least_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    truth = -np.log(0.05)
    found = [quantile(list(random.exponential(size=140)), 0.95) for _ in range(150)]
    assert np.mean([each.low <= truth <= each.high for each in found]) > 0.93


def test_errors_are_not_timed() -> None:
    runs = [make.run(cpu_seconds=2.0) for _ in range(3)] + [make.run(status="timeout")]
    found = latency(runs)
    assert (found.median.value, found.count, found.untimed) == (2.0, 3, 1)
    with pytest.raises(ValueError, match="No run"):
        latency(runs[-1:])
    with pytest.raises(ValueError, match="at least one value"):
        quantile([], 0.5)


def test_the_cost_of_a_run_is_that_of_its_tokens() -> None:
    run = make.run(tokens=(1000, 100))
    assert run.usage is not None
    assert cost(run, "local") == prices.cost("local", run.usage) > 0


def test_what_has_no_price_is_not_free() -> None:
    with pytest.raises(UnknownPrice):
        cost(make.run(), "openai:a-model-that-nobody-sells")
    with pytest.raises(UncountedTokens, match="unknown"):
        cost(make.run(tokens=None), "local")


def test_wrong_answers_are_paid_for_by_right_ones() -> None:
    questions = [make.question(n) for n in range(1, 5)]
    answers = ["You have 30 days.", "You have 40 days.", "You have 50 days.", ""]
    statuses = ["ok", "ok", "ok", "error"]
    runs = [
        make.run(answer, question_id=q.id, status=status)  # type: ignore[arg-type]
        for q, answer, status in zip(questions, answers, statuses, strict=True)
    ]
    scores = [score(q, r) for q, r in zip(questions, runs, strict=True)]
    found = costs(runs, scores, "local")
    one = cost(runs[0], "local")
    assert found.a_question.value == pytest.approx(one)
    assert found.total == pytest.approx(3 * one)
    assert found.a_right_answer is not None
    assert found.a_right_answer.value == pytest.approx(3 * one)
    assert (found.a_right_answer.count, found.uncounted) == (1, 1)
    assert found.a_right_answer.high == inf  # a resample may hold no right answer at all
    wrong = costs(runs[1:], scores[1:], "local")
    assert wrong.a_right_answer is None


def test_costs_of_other_questions_are_refused() -> None:
    question = make.question()
    found = score(question, make.run())
    with pytest.raises(ValueError, match="same questions"):
        costs([make.run(question_id="dev-single_fact-002")], [found], "local")
    broken = make.run(status="error")
    with pytest.raises(ValueError, match="no cost to report"):
        costs([broken], [score(question, broken)], "local")
