from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient

from helpers.course import progress
from helpers.course.questions import QuizError, load, modules
from helpers.course.quiz import _Live, plain, quiz, static

GOOD = """
- id: first
  question: Which?
  choices:
    - text: This <one>
      why: It is & it is not.
    - text: That one
      right: true
      why: It is $1 and not $2.
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write(folder: Path, text: str) -> Path:
    (folder / "01.yaml").write_text(text, encoding="utf-8")
    return folder


# --- the files -----------------------------------------------------------------------------------


def test_a_good_file(tmp_path: Path) -> None:
    (question,) = load("01", write(tmp_path, GOOD))
    assert (question.id, question.question) == ("first", "Which?")
    assert [choice.right for choice in question.choices] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- id: first", "- [", "is not YAML"),
        (GOOD, "id: first", "should be a list of questions"),
        (GOOD, "", "should be a list of questions"),
        (GOOD, GOOD + GOOD, "two questions with the id 'first'"),
        ("  question: Which?", "", "question 1 has no 'question'"),
        ("id: first", "id: First!", "an id is lower-case words"),
        ("right: true", "right: yes please", "right is true or false, not 'yes please'"),
        ("right: true", "right: false", "has 0 right choices"),
        ("      why: It is &", "      right: true\n      why: It is &", "has 2 right choices"),
        ("      why: It is & it is not.\n", "", "choice 1 has no 'why'"),
        ("text: That one", "text: This <one>", "same choice twice"),
        ("text: That one", "text: yes", r"choice 2: text should be text, not True"),
        ("text: That one", "text: 28", "put it in quotation marks"),
        ("text: That one", "text: That one\n      hint: x", "'hint', which means nothing here"),
        (GOOD[GOOD.index("    - text: That") :], "", "at least two"),
    ],
)
def test_a_bad_file_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(QuizError, match=message):
        load("01", write(tmp_path, GOOD.replace(old, new)))


def test_missing_quiz_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(QuizError, match="no quiz '07'; there are: 01"):
        load("07", write(tmp_path, GOOD))


@pytest.mark.parametrize("module", modules())
def test_the_courses_own_quizzes(module: str) -> None:
    questions = load(module)
    assert 4 <= len(questions) <= 8
    for question in questions:
        assert 3 <= len(question.choices) <= 4, question.id
    # Neither the place nor the length of a choice gives it away.
    places = Counter(
        next(i for i, choice in enumerate(question.choices) if choice.right)
        for question in questions
    )
    longest = sum(
        max(question.choices, key=lambda choice: len(choice.text)).right for question in questions
    )
    assert max(places.values()) <= len(questions) / 2
    assert longest <= len(questions) / 2


# --- what is shown -------------------------------------------------------------------------------


def test_plain_text_asks_without_answering(tmp_path: Path) -> None:
    text = plain("01", load("01", write(tmp_path, GOOD)))
    assert "1. Which?\n   A. This <one>\n   B. That one" in text
    assert "$1" not in text


def test_static_html_explains_every_choice(tmp_path: Path) -> None:
    html = static("01", load("01", write(tmp_path, GOOD)))
    assert (
        "<summary>A. This &lt;one&gt;</summary><p><strong>Not right.</strong> It is &amp;" in html
    )
    assert "<summary>B. That one</summary><p><strong>Right.</strong>" in html
    assert 'class="mathjax_ignore"' in html


def parts(live: _Live) -> SimpleNamespace:
    _, row, score = live.box.children
    heading, *buttons, said = row.children
    return SimpleNamespace(heading=heading, buttons=buttons, said=said, score=score)


def test_choosing_explains_and_counts(tmp_path: Path, home: Path) -> None:
    questions = load("01", write(tmp_path, GOOD))
    shown = parts(_Live("01", questions))
    assert all(isinstance(button, ipywidgets.Button) for button in shown.buttons)
    assert "0 of 1" in shown.score.value

    shown.buttons[0].click()
    assert "A. <strong>Not right.</strong> It is &amp; it is not." in shown.said.value
    assert "0 of 1" in shown.score.value
    shown.buttons[1].click()
    assert 'role="alert"' in shown.said.value
    assert "B. <strong>Right.</strong>" in shown.said.value
    assert "1 of 1" in shown.score.value
    shown.buttons[0].click()
    assert "1 of 1" in shown.score.value

    assert progress.report()["01"].quiz == (progress.QuizRecord("first", True, 3),)
    again = parts(_Live("01", questions))
    assert "answered before" in again.heading.value
    assert "1 of 1" in again.score.value


def test_answers_to_questions_that_are_gone_do_not_count(tmp_path: Path, home: Path) -> None:
    progress.record_quiz("01", "of-an-older-version", True)
    assert "0 of 1" in parts(_Live("01", load("01", write(tmp_path, GOOD)))).score.value


def test_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    quiz("00")
    assert capsys.readouterr().out.startswith("Quiz 00: 4 questions. Run this cell in JupyterLab")


@pytest.mark.slow
def test_a_stored_notebook_has_text_beside_the_widget(home: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell("from helpers.course.quiz import quiz\nquiz('00')")]
    NotebookClient(notebook, timeout=60).execute()
    (output,) = notebook.cells[0].outputs
    assert set(output.data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "text/plain",
    }
    assert "<details>" in output.data["text/html"]
    assert output.data["text/plain"].startswith("Quiz 00")
