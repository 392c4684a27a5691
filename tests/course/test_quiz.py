import json
import re
from collections import Counter
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path
from types import SimpleNamespace

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient

from helpers.authoring.committed import NoCommitError, export
from helpers.course import progress
from helpers.course.questions import QuizError, QuizQuestion, load, modules
from helpers.course.quiz import Live, plain, quiz, static
from helpers.paths import ROOT

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


def test_static_html_asks_without_answering_and_says_how(tmp_path: Path) -> None:
    questions = load("01", write(tmp_path, GOOD))
    html = static("01", questions)
    assert "<li>A. This &lt;one&gt;</li>\n<li>B. That one</li>" in html
    assert "Run this cell" in html
    assert 'class="mathjax_ignore"' in html
    assert not told(html, questions)


def parts(live: Live) -> SimpleNamespace:
    how, row, score = live.box.children
    heading, *buttons, said = row.children
    return SimpleNamespace(how=how, heading=heading, buttons=buttons, said=said, score=score)


def labels(shown: SimpleNamespace) -> list[str]:
    return [button.description for button in shown.buttons]


def chosen(shown: SimpleNamespace) -> list[bool]:
    return ["course-chosen" in button._dom_classes for button in shown.buttons]


def test_choosing_explains_and_counts(tmp_path: Path, home: Path) -> None:
    questions = load("01", write(tmp_path, GOOD))
    shown = parts(Live("01", questions))
    assert all(isinstance(button, ipywidgets.Button) for button in shown.buttons)
    assert "0 of 1" in shown.score.value

    assert "run this cell" in shown.how.value
    assert labels(shown) == ["A. This <one>", "B. That one"]

    shown.buttons[0].click()
    assert "A. <strong>Not right.</strong> It is &amp; it is not." in shown.said.value
    assert "0 of 1" in shown.score.value
    assert labels(shown) == ["\u2717 A. This <one> (your answer: not right)", "B. That one"]
    assert chosen(shown) == [True, False]
    shown.buttons[1].click()
    assert labels(shown) == ["A. This <one>", "\u2713 B. That one (your answer: right)"]
    assert chosen(shown) == [False, True]
    assert 'role="alert"' in shown.said.value
    assert "B. <strong>Right.</strong>" in shown.said.value
    assert "1 of 1" in shown.score.value
    shown.buttons[0].click()
    assert "1 of 1" in shown.score.value

    assert progress.report()["01"].quiz == (progress.QuizRecord("first", True, 3),)
    again = parts(Live("01", questions))
    assert "answered before" in again.heading.value
    assert "1 of 1" in again.score.value


def test_answers_to_questions_that_are_gone_do_not_count(tmp_path: Path, home: Path) -> None:
    progress.record_quiz("01", "of-an-older-version", True)
    assert "0 of 1" in parts(Live("01", load("01", write(tmp_path, GOOD)))).score.value


def test_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    quiz("00")
    assert capsys.readouterr().out.startswith("Quiz 00: 4 questions. Run this cell in JupyterLab")


# --- what a notebook keeps -----------------------------------------------------------------------


def told(kept: str, questions: Sequence[QuizQuestion]) -> list[str]:
    """What of the answers stands in a text, whatever it was written in: HTML, JSON, wrapped lines.

    Explanations are looked for by any run of five of their words that the questions do not have.
    """
    words = re.findall(r"\w+", unescape(kept.replace("\\n", " ").replace("\\u0026", "&")).lower())
    runs = set(zip(*(words[start:] for start in range(5)), strict=False))
    open_ = {
        run
        for question in questions
        for text in (question.question, *(choice.text for choice in question.choices))
        for run in _runs(text)
    }
    found = [
        choice.why
        for question in questions
        for choice in question.choices
        if (set(_runs(choice.why)) - open_) & runs
    ]
    return found + re.findall(
        r"(?i)<strong>(?:not )?right|your answer: |<details|right\W+true", kept
    )


def _runs(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return list(zip(*(words[start:] for start in range(5)), strict=False))


@pytest.mark.parametrize("module", modules())
def test_what_would_tell_the_answers_is_found(module: str, home: Path) -> None:
    questions = load(module)
    shown = Live(module, questions)
    before = json.dumps(ipywidgets.Widget.get_manager_state(widgets=_all(shown.box)))
    assert json.dumps(f"A. {questions[0].choices[0].text}") in before
    assert not told(before, questions)
    _, first, *_ = shown.box.children
    first.children[1].click()
    after = json.dumps(ipywidgets.Widget.get_manager_state(widgets=_all(shown.box)))
    assert questions[0].choices[0].why in told(after, questions)
    explained = "".join(f"<p>{escape(c.why)}</p>" for q in questions for c in q.choices)
    assert len(told(json.dumps(explained), questions)) == sum(len(q.choices) for q in questions)
    assert told("<details><summary>A. x</summary><p><strong>Right.</strong>", questions)
    assert told(json.dumps({"right": True}), questions)


def _all(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    return [widget, *(w for child in getattr(widget, "children", ()) for w in _all(child))]


@pytest.mark.slow
def test_an_executed_notebook_keeps_no_answer(home: Path) -> None:
    """Neither in its outputs nor in the widgets' state, for the quiz of any module."""
    notebook = nbformat.v4.new_notebook()
    sources = ["from helpers.course.quiz import quiz", *(f"quiz({one!r})" for one in modules())]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    NotebookClient(notebook, timeout=60, store_widget_state=True).execute()
    assert notebook.metadata.widgets, "the state is there to be looked at"
    kept = nbformat.writes(notebook)
    for module, cell in zip(modules(), notebook.cells[1:], strict=True):
        (output,) = cell.outputs
        assert set(output.data) == {
            "application/vnd.jupyter.widget-view+json",
            "text/html",
            "text/plain",
        }
        assert output.data["text/plain"].startswith(f"Quiz {module}")
        assert load(module)[0].question in unescape(output.data["text/html"])
    assert not told(kept, [question for module in modules() for question in load(module)])


def test_a_committed_notebook_keeps_no_answer(tmp_path: Path) -> None:
    try:
        export(ROOT, tmp_path)
    except NoCommitError as error:
        pytest.skip(str(error))
    asked = set()
    for path in sorted(tmp_path.glob("*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if found := re.search(r"^quiz\(.(\d\d).\)", cell.source, re.MULTILINE):
                module = found[1]
                asked.add(module)
                kept = json.dumps([cell.outputs, notebook.metadata])
                assert f"Quiz {module}" in kept
                assert not told(kept, load(module)), f"{path.name}: build it again"
    assert asked == set(modules())
