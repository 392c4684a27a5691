import json
from pathlib import Path

import pytest

from helpers import cli
from helpers.course import command, progress, questions, status
from helpers.course.checkout import CheckoutError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modules: 01 with two exercises and a quiz, 02 with one exercise."""
    for name in ("notebooks/01_build_it.ipynb", "labs/01_build_it.ipynb"):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text("{}")
    (tmp_path / "01.yaml").write_text(
        "[{id: q, question: Q, choices: [{text: a, why: w, right: true}, {text: b, why: w}]}]"
    )
    monkeypatch.setattr(
        status,
        "_exercises",
        lambda: {"01": [("01.1", "One"), ("01.2", "Two")], "02": [("02.1", "X")]},
    )
    load, modules = questions.load, questions.modules
    monkeypatch.setattr(questions, "load", lambda module: load(module, tmp_path))
    monkeypatch.setattr(questions, "modules", lambda: modules(tmp_path))
    return tmp_path


def test_fresh(course: Path) -> None:
    assert status.as_text(status.status(root=course)).splitlines() == [
        "Module       Checks passed  Quiz answered",
        "01 build it  0 of 2         0 of 1",
        "02           0 of 1         -",
        "",
        "Next: exercise 01.1, One in labs/01_build_it.ipynb.",
    ]


def test_on_the_way(course: Path) -> None:
    progress.record_check("01.1", "passed", 2, 2)
    progress.record_check("01.2", "partly", 1, 2)
    progress.record_quiz("01", "q", False)
    text = status.as_text(status.status(root=course))
    assert "1 of 2 (01.2 partly)" in text
    assert "Next: exercise 01.2, Two in" in text
    progress.record_check("01.2", "passed", 2, 2)
    assert "Next: the quiz" in status.as_text(status.status(root=course))


def test_all_done(course: Path) -> None:
    for exercise in ("01.1", "01.2", "02.1"):
        progress.record_check(exercise, "passed", 1, 1)
    progress.record_quiz("01", "q", True)
    assert status.as_text(status.status(root=course)).endswith("every quiz is answered.")


def test_what_is_no_longer_in_the_course_does_not_count(course: Path) -> None:
    progress.record_check("01.9", "passed", 1, 1)
    progress.record_quiz("01", "gone", True)
    (first, _) = status.status(root=course)
    assert (first.checks_passed, len(first.exercises)) == (0, 2)
    assert (first.quiz_right, first.quiz_total) == (0, 1)


def test_json(course: Path) -> None:
    progress.record_check("01.1", "wrong", 0, 3)
    progress.use_hint("01.1")
    data = json.loads(json.dumps(status.as_json(status.status(root=course))))
    assert data["modules"][0]["checks"] == {
        "passed": 0,
        "total": 2,
        "exercises": [
            {
                "id": "01.1",
                "title": "One",
                "status": "wrong",
                "passed": 0,
                "total": 3,
                "tries": 1,
                "hints": 1,
            },
            {
                "id": "01.2",
                "title": "Two",
                "status": "not done yet",
                "passed": 0,
                "total": 0,
                "tries": 0,
                "hints": 0,
            },
        ],
    }
    assert data["modules"][0]["quiz"] == {"right": 0, "total": 1}


def test_command_reports_the_real_course(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["modules"]
    assert [one["module"] for one in found][:2] == ["00", "01"]
    assert cli.main(["status"]) == 0
    assert "00 " in capsys.readouterr().out


@pytest.mark.parametrize(("name", "argv"), [("reset", ["1"]), ("update", [])])
def test_commands_say_what_stopped_them(
    name: str, argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise CheckoutError("There is no network.")

    import importlib

    monkeypatch.setattr(importlib.import_module(f"helpers.course.{name}"), name, stopped)
    assert command.COMMANDS[name](argv) == 1
    assert capsys.readouterr().err == f"course {name}: There is no network.\n"
