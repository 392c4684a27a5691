"""The labelled answers: their number, their halves, and that the labels fit the questions."""

from pathlib import Path

import pytest

from helpers.evaluate import labelled
from helpers.evaluate.labelled import LabelError, halves, labelled_answers
from helpers.evaluate.text import states
from helpers.shop import questions


def test_there_are_enough_of_each() -> None:
    answers = labelled_answers()
    assert sum(each.origin == "model" for each in answers) >= 40
    for label in ("grounded", "right"):
        shares = [getattr(each, label) for each in answers]
        assert 0.3 < sum(shares) / len(shares) < 0.7
    assert {(each.grounded, each.right) for each in answers} == {
        (True, True), (True, False), (False, True), (False, False)
    }  # fmt: skip


def test_no_answer_stands_twice() -> None:
    answers = labelled_answers()
    assert len({(each.question_id, each.source, each.answer) for each in answers}) == len(answers)


def test_they_answer_questions_of_the_dev_part() -> None:
    known = {question.id: question.question for question in questions("dev")}
    assert all(known[each.question_id] == each.question for each in labelled_answers())


def test_what_is_labelled_right_states_the_required_fact_in_some_words() -> None:
    """Labels are a reader's; where the golden facts disagree, it is with a paraphrase."""
    by_id = {question.id: question for question in questions("dev")}
    apart = [
        each.answer
        for each in labelled_answers()
        if each.right
        and not all(
            any(states(each.answer, fact) for fact in group)
            for group in by_id[each.question_id].required
        )
    ]
    assert len(apart) <= 6


def test_halves_share_no_question() -> None:
    first, second = halves(labelled_answers())
    assert len(first) + len(second) == len(labelled_answers())
    assert min(len(first), len(second)) >= 40
    assert not {each.question_id for each in first} & {each.question_id for each in second}


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"question_id": "dev-single_fact-001"}',
        '{"question_id": "dev-single_fact-001", "question": "?", "source": "s", "answer": "a", '
        '"grounded": "yes", "right": true, "origin": "model"}',
    ],
)
def test_a_broken_line_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    monkeypatch.setattr(labelled, "FILE", file)
    labelled._load.cache_clear()
    with pytest.raises(LabelError, match="line 1"):
        labelled_answers()
    file.unlink()
    with pytest.raises(LabelError, match="is missing"):
        labelled_answers()
    labelled._load.cache_clear()
