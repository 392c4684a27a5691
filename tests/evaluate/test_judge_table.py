"""The table of scorers against labels."""

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from helpers.evaluate import judge_table
from helpers.evaluate.judge import Judge, JudgeError, Verdict
from helpers.evaluate.judge_table import as_json, as_text, cheap_rows, judge_rows
from helpers.evaluate.labelled import halves, labelled_answers
from helpers.models.errors import UnknownPrice

_, ANSWERS = halves(labelled_answers())


@pytest.fixture(autouse=True)
def no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judges here have no price, so that no budget can be kept."""
    monkeypatch.setenv("COURSE_BUDGET_USD", "off")


def test_a_bulk_run_of_an_unpriced_judge_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_BUDGET_USD")
    with pytest.raises(UnknownPrice):
        judge_rows(Given([], []), ANSWERS)


class Given(Judge):
    """A judge with given verdicts and probabilities, in the order of the answers."""

    def __init__(self, verdicts: list[bool | None], leans: list[float | None]) -> None:
        super().__init__(FakeListChatModel(responses=["-"]))
        self.verdicts, self.leans = iter(verdicts), iter(leans)

    def __call__(self, question: str, source: str, answer: str) -> Verdict:
        accepted = next(self.verdicts)
        if accepted is None:
            raise JudgeError("no verdict")
        return Verdict(accepted, "because")

    def probability(self, question: str, source: str, answer: str) -> float:
        lean = next(self.leans)
        if lean is None:
            raise JudgeError("no probabilities")
        return lean


def test_cheap_scorers_in_order_of_worth() -> None:
    rows = cheap_rows(ANSWERS)
    kappas = [row.agreement.kappa.value for row in rows]
    assert kappas[0] == 0
    assert kappas == sorted(kappas)
    assert rows[-1].agreement.informative
    assert [row.unjudged for row in rows] == [0, 0, 0]


def test_a_perfect_judge_and_one_that_often_says_nothing() -> None:
    labels: list[Any] = [each.grounded for each in ANSWERS]
    verdict, lean = judge_rows(Given(labels, [0.9 if label else 0.2 for label in labels]), ANSWERS)
    assert verdict.agreement.kappa.value == 1
    assert lean.area is not None
    assert lean.area.value == 1
    gaps = [None, *labels[1:]]
    (row,) = judge_rows(Given(gaps, [None] * len(labels)), ANSWERS)
    assert (row.unjudged, row.agreement.agreed.total) == (1, len(labels) - 1)


def test_a_judge_without_a_verdict_is_an_error() -> None:
    with pytest.raises(ValueError, match="no reply could be used"):
        judge_rows(Given([None] * len(ANSWERS), []), ANSWERS)


def test_the_table_says_what_is_no_better_than_chance() -> None:
    text = as_text(cheap_rows(ANSWERS))
    assert all(len(line) <= 110 for line in text.splitlines()[:-1])
    last = text.splitlines()[-1]
    assert "always yes" in last
    assert "word overlap" not in last
    assert [row["informative"] for row in as_json(cheap_rows(ANSWERS))][-1] is True


def test_the_command_prints_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels: list[Any] = [each.grounded for each in ANSWERS]
    leans: list[float | None] = [None] * len(labels)
    monkeypatch.setattr(judge_table, "Judge", lambda: Given(labels, leans))
    assert judge_table.command([]) == 0
    assert "judge, verdict with reason" in capsys.readouterr().out
