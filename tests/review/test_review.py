"""`review` and `model_answer`, as a notebook's cells call them."""

import ast
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from helpers.course import TODO, progress
from helpers.course.checked import checked_in, exercise_reviewed
from helpers.review import Answer, desk, model_answer, review
from helpers.review.questions import question
from helpers.review.saved import load
from helpers.workshop.matching import checked_by
from tests.exercises.m12.made import bodies, home, text_of

PLAIN = text_of(bodies(question("Q1")))


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_MODEL", raising=False)
    return tmp_path


def status() -> str:
    return progress.report()["12"].checks[0].status


def test_without_an_answer_it_shows_the_question(capsys: pytest.CaptureFixture[str]) -> None:
    review("Q1")
    told = capsys.readouterr().out
    assert question("Q1").question[:40] in told
    assert "## Counter-case" in told
    assert progress.report() == {}


def test_an_answer_is_judged_recorded_and_saved(capsys: pytest.CaptureFixture[str]) -> None:
    review("Q1", Answer(PLAIN, home()))
    told = capsys.readouterr().out
    assert status() == "passed", told
    assert question("Q1").rubric[0].line[:30] in told
    saved = load("Q1")
    assert saved is not None
    assert saved.text == PLAIN
    assert saved.findings == ()


def test_a_string_has_your_own_evidence(capsys: pytest.CaptureFixture[str], own_home: Path) -> None:
    review("Q1", PLAIN)
    assert f"in {own_home.name}/evidence" in " ".join(capsys.readouterr().out.split())
    assert status() == "partly"


@pytest.mark.parametrize("answer", [TODO, Answer(TODO)])
def test_todo_is_not_done_yet(answer: object) -> None:
    review("Q1", answer)  # type: ignore[arg-type]
    assert status() == "not done yet"
    assert load("Q1") is None


@pytest.mark.parametrize("answer", ["", 5, ["text"]])
def test_what_is_no_answer_is_wrong_and_not_saved(answer: object) -> None:
    review("Q1", answer)  # type: ignore[arg-type]
    assert status() == "wrong"
    assert load("Q1") is None


def test_an_unknown_question_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    review("Q9", "text")
    model_answer("Q9")
    assert capsys.readouterr().out.count("choose one of Q1") == 2


def test_an_answer_says_what_it_takes() -> None:
    with pytest.raises(TypeError, match="as a string; this is of type int"):
        Answer(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="path of a folder"):
        Answer("text", evidence=5)  # type: ignore[arg-type]


def test_a_model_answer_opens_after_a_first_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "solved", lambda _: Answer("the solution's text"))
    model_answer("Q1")
    assert "after a first answer" in capsys.readouterr().out
    review("Q1", "A few words.")
    model_answer("Q1")
    assert "the solution's text" not in capsys.readouterr().out
    review("Q1", PLAIN)
    model_answer("Q1")
    assert "the solution's text" in capsys.readouterr().out


def test_the_courses_own_text_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review("Q1", Answer(PLAIN, home()))
    assert "own text" not in capsys.readouterr().out
    monkeypatch.setattr(desk, "solved", lambda _: Answer(PLAIN))
    review("Q1", Answer(PLAIN, home()))
    told = capsys.readouterr().out
    assert "the course's own text" in told
    assert "form of the answer has passed" in told


def test_the_local_model_gives_no_comment(capsys: pytest.CaptureFixture[str]) -> None:
    review("Q1", PLAIN, comment=True)
    assert "too small to judge prose" in " ".join(capsys.readouterr().out.split())


def test_a_hosted_models_comment_counts_for_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_MODEL", "openai:some-model")
    model = FakeListChatModel(responses=["Line one is met."])
    monkeypatch.setattr("helpers.models.chat_model", lambda: model)
    review("Q1", Answer(PLAIN, home()), comment=True)
    told = capsys.readouterr().out
    assert "counts for nothing" in told
    assert "Line one is met." in told


@pytest.mark.parametrize(
    ("source", "exercise"),
    [
        ('check("03.2", f)', "03.2"),
        ('review("Q1", answer_1)', "12.1"),
        ('review("q5", answer=answer_5)', "12.5"),
        ('review("Q1")', None),
        ('review("other", 1)', None),
        ("review(name, 1)", None),
    ],
)
def test_a_review_with_an_answer_is_the_exercises_check(source: str, exercise: str | None) -> None:
    assert checked_by(source) == exercise
    assert [one.exercise for one in checked_in(ast.parse(source))] == [exercise] * bool(exercise)


def test_the_exercise_is_that_of_the_question() -> None:
    assert exercise_reviewed("Q3") == question("Q3").exercise == "12.3"
