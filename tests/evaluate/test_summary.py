"""Counts, rates and intervals of a set of runs."""

import pytest
from statsmodels.stats.proportion import proportion_confint

from helpers.evaluate.proportion import Proportion
from helpers.evaluate.runs import Run
from helpers.evaluate.scores import score
from helpers.evaluate.summary import Summary, as_rows, summarise
from helpers.shop import Question
from tests.evaluate.make import question, run


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    # R: prop.test(x, n, correct = FALSE)$conf.int
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (75, 100, 0.6570, 0.8245),
    ],
)
def test_wilson_intervals(successes: int, total: int, low: float, high: float) -> None:
    interval = Proportion(successes, total).interval
    assert interval == pytest.approx((low, high), abs=2e-4)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.999])
def test_they_are_those_of_statsmodels(confidence: float) -> None:
    for total in (1, 2, 54, 1000):
        for successes in {0, 1, total // 3, total - 1, total}:
            ours = Proportion(successes, total, confidence).interval
            theirs = proportion_confint(successes, total, alpha=1 - confidence, method="wilson")
            assert ours == pytest.approx(theirs, abs=1e-12)


def test_no_counts_no_rate() -> None:
    assert Proportion(0, 0).rate is None
    assert Proportion(0, 0).interval is None
    assert str(Proportion(0, 0)) == "-"


@pytest.mark.parametrize(("successes", "total"), [(3, 2), (-1, 2)])
def test_impossible_counts_are_an_error(successes: int, total: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        Proportion(successes, total)


def counted(pairs: list[tuple[Question, Run]]) -> Summary:
    return summarise([score(q, r) for q, r in pairs], [r for _, r in pairs])


def test_each_kind_has_its_row_and_errors_stand_in_no_rate() -> None:
    pairs = [
        (question(1), run(question_id="dev-single_fact-001", tokens=(100, 10))),
        (question(2), run("No idea.", question_id="dev-single_fact-002", tokens=(300, 30))),
        (question(3), run(status="timeout", question_id="dev-single_fact-003", tokens=None)),
        (question(4), run(status="error", question_id="dev-single_fact-004", cpu_seconds=99)),
    ]
    pairs += [
        (
            question(n, kind="unanswerable"),
            run(answer, question_id=f"dev-unanswerable-{n:03d}"),
        )
        for n, answer in enumerate(["I do not know.", "I do not know. It is blue."], start=1)
    ]
    summary = counted(pairs)
    row = summary.row("single_fact")
    assert (row.questions, row.errors, row.timeouts) == (4, 1, 1)
    assert (row.answers.successes, row.answers.total) == (1, 2)
    assert (row.tools.successes, row.tools.total) == (2, 2)
    assert (row.input_tokens, row.output_tokens, row.cpu_seconds) == (200, 20, 1.0)
    assert summary.row("unanswerable").answers == Proportion(1, 2)
    assert summary.refused_unanswerable == Proportion(2, 2)
    assert summary.refused_answerable == Proportion(0, 2)
    assert summary.all.questions == 6
    assert summary.all.answers == Proportion(2, 4)


def test_nothing_but_errors_has_no_rates_and_no_means() -> None:
    summary = counted([(question(), run(status="error"))])
    assert summary.all.answers.rate is None
    assert summary.all.cpu_seconds is None
    assert summary.all.errors == 1


def test_the_rows_of_a_table_end_with_all_questions() -> None:
    pairs = [(question(), run()), (question(2), run(status="error", question_id=question(2).id))]
    found = as_rows(counted(pairs))
    assert [row["kind"] for row in found] == ["single_fact", "all"]
    assert found[-1]["right answers"] == "100% [21%, 100%] 1/1"
    assert found[-1]["no answer"] == 1


def test_scores_and_runs_must_belong_together() -> None:
    one = score(question(1), run())
    with pytest.raises(ValueError, match="same questions"):
        summarise([one], [run(question_id="dev-single_fact-002")])
    with pytest.raises(ValueError, match="no scores"):
        summarise([], [])
