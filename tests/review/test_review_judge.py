"""The judge's findings say what to do; the exercises' own tests try whole answers."""

from pathlib import Path

import pytest

from helpers.review.answer import Answer
from helpers.review.judge import Finding, judge
from helpers.review.questions import UnknownQuestionError, question, questions
from helpers.review.saved import load, save, saved_answers
from tests.exercises.m12.made import bodies, home, text_of, written

FIRST = question("q1")
PLAIN = text_of(bodies(FIRST))


def found(text: str, aspect: str, kind: str = "current") -> list[str]:
    return [one.text for one in judge(FIRST, Answer(text, home(kind))) if one.aspect == aspect]


def test_the_questions_have_the_parts_that_all_have() -> None:
    assert [one.id for one in questions()] == ["Q1", "Q2", "Q3", "Q4", "Q5"]
    for one in questions():
        assert {"Claim", "Counter-case", "Limit"} <= {part.name for part in one.parts}
        assert one.rubric
        assert {line.level for line in one.rubric} <= {"know", "apply", "judge"}
    with pytest.raises(UnknownQuestionError, match="choose one of Q1, Q2"):
        question("Q9")


def test_a_full_answer_has_no_finding() -> None:
    assert judge(FIRST, Answer(PLAIN, home())) == []


def test_a_missing_figure_names_those_that_there_are() -> None:
    (text,) = found(PLAIN + "\n\n5% [cost: dollars a day].", "sources")
    assert "dollars a question; dollars a right answer" in text


def test_missing_evidence_names_the_command_that_writes_it() -> None:
    (text,) = found(
        PLAIN + "\n\nNo fault [failure_modes: faults without a clear error].", "sources"
    )
    assert "course serve-check" in text


def test_evidence_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "evidence" / "cost.json").write_text("{", encoding="utf-8")
    texts = [one.text for one in judge(FIRST, Answer(PLAIN, folder))]
    assert any("cost.json cannot be read" in text for text in texts) or "[cost:" not in PLAIN


def test_a_home_that_is_damaged_is_one_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "release.json").write_text("{", encoding="utf-8")
    assert "pack it again" in judge(FIRST, Answer(PLAIN, folder))[0].text


def test_old_evidence_and_that_of_another_version_say_why() -> None:
    assert "too old: 400 days" in found(PLAIN, "current", "old")[0]
    assert "since then changed: prompt" in found(PLAIN, "current", "other")[0]


def test_a_wrong_value_shows_both_numbers() -> None:
    (text,) = found(PLAIN + "\n\n50% [functional_quality: right answers].", "figures")
    assert "50%" in text
    assert "0.7 (n = 140)" in text


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It was 50% then.", True),
        ("It was 0.5 then.", True),
        ("It was 5 of 10 then.", True),
        ("It was 50% [limit].", False),
        ("It was 50% [stated: a report, 2025].", False),
        ("It runs 24/7, in 3 rounds, for one of 11 teams.", False),
        ("It is 70% [functional_quality: right answers], 1.4 times more.", False),
        ("It is 70% [functional_quality: right answers] at 95% confidence.", False),
        ("It is 70% [functional_quality: right answers], not 90%.", True),
    ],
)
def test_numbers_without_a_source(text: str, missing: bool) -> None:
    assert bool(found(f"{PLAIN}\n\n{text}", "uncited")) is missing


def test_padding_is_no_text_of_ones_own() -> None:
    parts = bodies(FIRST)
    padded = text_of({**parts, "Limit": "very " * 80})
    assert found(padded, "parts")
    assert found(text_of({**parts, "Limit": FIRST.question * 5}), "parts")


def test_saved_answers_come_back_and_keep_their_earlier_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    assert load("Q1") is None
    save(FIRST, Answer("one", tmp_path), [Finding("parts", "more")])
    save(FIRST, Answer("one", tmp_path), [])
    save(FIRST, Answer("two"), [])
    (saved,) = saved_answers()
    assert (saved.text, saved.home, saved.findings) == ("two", None, ())
    assert len(list((tmp_path / "answers").glob("Q1.*Z*.json"))) <= 1
    assert len(list((tmp_path / "answers").glob("*.json"))) == 2
