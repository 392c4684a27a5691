"""A judge's verdicts as plain dicts, asked once and read after that."""

from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

from helpers.evaluate import stored
from helpers.evaluate.judge import Judge, JudgeError, Verdict
from helpers.evaluate.labelled import labelled_answers
from helpers.evaluate.stored_verdicts import verdicts_or_read

ANSWERS = labelled_answers()[:6]


class LongIsGood(Judge):
    """Accepts an answer by its length, says nothing of the third, and notes what it was asked."""

    def __init__(self, least: int = 40) -> None:
        super().__init__(FakeListChatModel(responses=["-"]))
        self.least = least
        self.asked: list[str] = []

    def __call__(self, question: str, source: str, answer: str) -> Verdict:
        self.asked.append(answer)
        if answer == ANSWERS[2].answer:
            raise JudgeError("no verdict")
        return Verdict(len(answer) >= self.least, f"{len(answer)} letters")

    def probability(self, question: str, source: str, answer: str) -> float:
        if answer == ANSWERS[2].answer:
            raise JudgeError("no probabilities")
        return min(1.0, len(answer) / 100)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a learner's runs are kept; the course has none here, and no budget is kept."""
    monkeypatch.setattr(stored, "STORED_RUNS", tmp_path / "given")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "own"))
    monkeypatch.setenv("COURSE_BUDGET_USD", "off")
    monkeypatch.delenv("COURSE_FAST", raising=False)
    return tmp_path / "own"


def expected(judge: LongIsGood) -> list[tuple[str, bool, bool | None, float | None]]:
    return [
        (one.answer, one.grounded, None, None)
        if one == ANSWERS[2]
        else (one.answer, one.grounded, len(one.answer) >= judge.least, len(one.answer) / 100)
        for one in ANSWERS
    ]


def found(judge: LongIsGood, *, live: bool = False) -> list[tuple[object, ...]]:
    rows = verdicts_or_read("02-judge", judge, ANSWERS, live=live)
    assert {tuple(row) for row in rows} == {
        ("question", "answer", "label", "verdict", "reason", "lean")
    }
    return [(row["answer"], row["label"], row["verdict"], row["lean"]) for row in rows]


def test_each_answer_has_its_label_verdict_and_lean(own: Path) -> None:
    judge = LongIsGood()
    assert found(judge) == expected(judge)
    assert len(judge.asked) == len(ANSWERS)
    assert list(own.iterdir())


def test_what_was_asked_is_read_after_that(capsys: pytest.CaptureFixture[str]) -> None:
    found(LongIsGood())
    again = LongIsGood()
    assert found(again) == expected(again)
    assert len(again.asked) == 2  # a spot check
    assert "Your own stored run 02-judge" in capsys.readouterr().out


def test_another_judge_is_noticed_and_asked() -> None:
    found(LongIsGood())
    stricter = LongIsGood(least=1000)
    assert found(stricter) == expected(stricter)
    assert len(stricter.asked) >= len(ANSWERS)


def test_fast_mode_reads_and_keeps_nothing(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    judge = LongIsGood()
    assert found(judge) == expected(judge)
    assert not own.exists()
