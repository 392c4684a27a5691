"""`course workshop`: its subcommands, quizzes and the survey."""

from pathlib import Path

import pytest

from helpers.course.questions import load, modules
from helpers.workshop.kit import SUBCOMMANDS, workshop
from helpers.workshop.survey import QUESTIONS


def test_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        workshop(["--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in SUBCOMMANDS)
    with pytest.raises(SystemExit) as ended:
        workshop(["away"])
    assert ended.value.code == 2
    assert "invalid choice: 'away'" in capsys.readouterr().err


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_command_has_help_with_its_status(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        workshop([name, "--help"])
    assert ended.value.code == 0
    assert "exit status" in " ".join(capsys.readouterr().out.lower().split())


def test_a_quiz_as_markdown_tells_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert workshop(["quizzes", "1"]) == 0
    text = capsys.readouterr().out
    questions = load("01")
    assert text.startswith("# Quiz 01\n")
    assert text.count("## Question") == len(questions)
    assert text.count("- [ ] ") == sum(len(one.choices) for one in questions)
    assert "Answers" not in text
    assert questions[0].choices[0].why.split(".")[0] not in text


def test_a_quiz_with_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert workshop(["quizzes", "01", "--with-answers"]) == 0
    _, _, answers = capsys.readouterr().out.partition("# Answers to quiz 01\n")
    for number, question in enumerate(load("01"), start=1):
        right = "ABCDEFG"[[choice.right for choice in question.choices].index(True)]
        assert f"## Question {number}: {right}\n" in answers


def test_all_quizzes_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert workshop(["quizzes", "--out", str(tmp_path / "q")]) == 0
    names = sorted(file.name for file in (tmp_path / "q").iterdir())
    assert names == [f"{number}-quiz.md" for number in modules()]
    assert "00-quiz.md, 01-quiz.md" in capsys.readouterr().out


def test_a_quiz_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert workshop(["quizzes", "99"]) == 1
    assert "There is no quiz '99'; there are: 00, 01" in capsys.readouterr().err


def test_the_survey_is_short_and_has_both_forms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(QUESTIONS) <= 8
    assert workshop(["survey"]) == 0
    printed = capsys.readouterr().out
    assert workshop(["survey", "--out", str(tmp_path / "s.html")]) == 0
    page = (tmp_path / "s.html").read_text("utf-8")
    for asked in QUESTIONS:
        assert asked.question in printed
        assert asked.question in page
    assert '<html lang="en">' in page
    assert "prefers-color-scheme: dark" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<script>") == 1
    assert "default-src 'none'" in page
    assert "Send your answers to your instructor" in printed
    assert "Send your answers to your instructor" in page
    words = ["survey", "--to", "a@b.example <x>", "--out", str(tmp_path / "to.html")]
    assert workshop(words) == 0
    assert "to a@b.example &lt;x&gt;:" in (tmp_path / "to.html").read_text("utf-8")


@pytest.mark.parametrize("command", [["survey", "--out", "f/s.md"], ["quizzes", "--out", "f/q"]])
def test_a_place_that_cannot_be_written_to(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f").write_text("a file")
    assert workshop(command) == 1
    assert "course workshop" in capsys.readouterr().err


def test_a_survey_of_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        workshop(["survey", "--out", "s.docx"])
    assert ended.value.code == 2
    assert "the name must end in .html or .htm or .md" in capsys.readouterr().err
