"""`course review`: what a terminal shows, and what bad input gets."""

from pathlib import Path

import pytest

from helpers.review import Answer, review
from helpers.review.command import COMMANDS
from helpers.review.questions import question, questions
from tests.exercises.m12.made import bodies, home, text_of

course_review = COMMANDS["review"]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    return tmp_path


def test_a_question_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert course_review(["show", "q1"]) == 0
    assert "## Counter-case" in capsys.readouterr().out


def test_answers_say_when_and_what_was_found(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review("Q1", Answer(text_of(bodies(question("Q1"))), home()))
    review("Q2", Answer("## Claim\n\nAll is well.", home()))
    (own_home / "answers" / "Q3.json").write_text("{")
    capsys.readouterr()
    assert course_review(["answers"]) == 1
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert len(lines) == 1 + len(questions())
    assert "nothing to change" in lines[1]
    assert "to change" in lines[2]
    assert "unreadable" in lines[3]
    assert "no answer yet" in lines[4]
    assert "Q3.json cannot be read" in told.err


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["show", "Q9"], 2, "choose one of Q1"),
        (["pack", "away"], 1, "no evidence to pack"),
        (["practice", "nothing-like-it"], 2, "no heading"),
    ],
)
def test_bad_input_gets_a_sentence(
    words: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert course_review(words) == status
    assert sentence in capsys.readouterr().err


def test_an_unknown_subcommand_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as stopped:
        course_review(["frob"])
    assert stopped.value.code == 2
