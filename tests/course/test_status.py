import json
from pathlib import Path

import pytest

from helpers import cli, programs
from helpers.course import command, progress, questions, status
from helpers.course.checkout import CheckoutError
from helpers.course.status_text import WIDTH, as_text, span


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modules: 01 with two exercises and a quiz, 02 with one exercise."""
    for name, minutes in [("notebooks/01_build_it.ipynb", 20), ("labs/01_build_it.ipynb", 10)]:
        file = tmp_path / name
        file.parent.mkdir()
        text = {"cell_type": "markdown", "source": f"**{minutes} minutes.**"}
        file.write_text(json.dumps({"cells": [text]}))
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
    assert as_text(status.status(root=course)).splitlines() == [
        "Module       Needs  Minutes left  Checks  Hints  Quiz",
        "01 build it  -      30 of 30      0 of 2  -      0 of 1",
        "02           -      -             0 of 1  -      -",
        "",
        "Minutes left: 30 of 30, walkthroughs and labs together. In the walkthroughs, the",
        "  machine works for 0 minutes in all.",
        "",
        "Next: the walkthrough of module 01, build it, in notebooks/01_build_it.ipynb.",
    ]


def test_on_the_way(course: Path) -> None:
    progress.record_check("01.1", "passed", 2, 2)
    progress.record_check("01.2", "partly", 1, 2)
    progress.use_hint("01.2")
    progress.record_quiz("01", "q", False)
    text = as_text(status.status(root=course))
    assert "01 build it  -      5 of 30       1 of 2  1      0 of 1" in text
    assert "Begun: 01.2 partly (1 of 2)." in text
    assert "Next: exercise 01.2, Two, in labs/01_build_it.ipynb." in text
    progress.record_check("01.2", "passed", 2, 2)
    assert "Next: the quiz" in as_text(status.status(root=course))


def test_a_question_answered_shows_that_the_walkthrough_was_read(course: Path) -> None:
    progress.record_quiz("01", "q", False)
    assert "Next: exercise 01.1, One, in labs" in as_text(status.status(root=course))


def test_a_notebook_that_is_damaged_or_gone_is_named(course: Path) -> None:
    (course / "labs" / "01_build_it.ipynb").write_text("{ half a notebook")
    text = as_text(status.status(root=course))
    assert "labs/01_build_it.ipynb cannot be read as a notebook. `course reset 01`" in text
    (course / "labs" / "01_build_it.ipynb").unlink()
    text = as_text(status.status(root=course))
    assert "The file of lab 01 is missing: `course reset 01` restores it." in text


def test_it_goes_on_where_the_learner_worked_last(course: Path) -> None:
    progress.record_check("02.1", "wrong", 0, 1)
    assert "Next: exercise 02.1, X" in as_text(status.status(root=course))
    progress.record_check("02.1", "passed", 1, 1)
    assert "Next: the walkthrough of module 01" in as_text(status.status(root=course))


def test_all_done(course: Path) -> None:
    for exercise in ("01.1", "01.2", "02.1"):
        progress.record_check(exercise, "passed", 1, 1)
    progress.record_quiz("01", "q", True)
    assert as_text(status.status(root=course)).endswith(
        "Every check has passed, and every quiz is answered correctly."
    )


def test_given_is_not_passed_and_leaves_nothing_to_do(course: Path) -> None:
    progress.record_given(["01.1", "01.2"])
    progress.record_check("02.1", "passed", 1, 1)
    progress.record_quiz("01", "q", True)
    states = status.status(root=course)
    assert states[0].checks_passed == 0
    text = as_text(states)
    assert "Given by `course catch-up`, not passed: 01.1, 01.2." in text
    assert text.endswith("Every exercise is passed or given, and every quiz is answered correctly.")


def opening(course: Path, folder: str, line: str) -> None:
    cells = [{"cell_type": "markdown", "source": f"**{line}**"}]
    (course / folder / "01_build_it.ipynb").write_text(json.dumps({"cells": cells}))


def test_minutes_go_down_with_the_work(course: Path) -> None:
    opening(course, "notebooks", "60 minutes (the machine works for 2 of them). Before it: 00.")
    opening(course, "labs", "30 to 45 minutes. Before it:")

    def left() -> int | None:
        return status.status(root=course)[0].minutes_left

    assert left() == 60 + 45
    progress.record_quiz("01", "q", True)  # the walkthrough was read
    assert left() == 45
    progress.record_check("01.1", "wrong", 0, 1)
    assert left() == 45
    progress.record_check("01.1", "passed", 1, 1)
    assert left() == 23  # one exercise of two, and no half minute lost
    text = as_text(status.status(root=course))
    assert "01 build it  00     23 of 105     1 of 2" in text
    assert "Minutes left: 23 of 105" in text
    assert "works for 2 minutes" in text
    progress.record_given(["01.2"])
    assert left() == 0


def test_programs_that_a_module_uses(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = programs.Program("Absent", ("no-such-program-of-this-name",))
    there = programs.Program("There", ("x",), package="json")
    monkeypatch.setitem(programs.OF_MODULE, "01", (absent, there))
    (first, _) = status.status(root=course)
    assert (first.programs, first.missing) == (("Absent", "There"), ("Absent",))
    assert "Module 01 also uses Absent, not found on this machine" in as_text([first])


def test_evidence_is_listed_by_module(course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "evidence"
    folder.mkdir(parents=True)
    for name, content in {
        "load": "not read",
        "own_tea": '{"command": "notebook 01_build_it, cell 3"}',
        "own_pot": "{",
        "strange": "[]",
    }.items():
        (folder / f"{name}.json").write_text(content)
    (first, _) = status.status(root=course)
    assert first.evidence == ("own_tea",)
    text = " ".join(as_text([first]).split())
    assert (
        "Evidence gathered: module 01: own_tea; module 05: load; your own: own_pot, strange."
        in text
    )


def test_it_fits_a_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "home" / "evidence"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"own_a_long_name_of_a_figure_{number}.json").write_text("{}")
    progress.record_given([f"05.{number}" for number in range(1, 8)])
    for number in range(1, 7):
        progress.record_check(f"04.{number}", "partly", 12, 13)
        progress.use_hint("11.1")
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH, max(lines, key=len)


def test_modules_in_few_characters() -> None:
    found = span([]), span(["01", "02"]), span(["01", "02", "03"]), span(["01", "03", "04"])
    assert found == ("-", "01 02", "01-03", "01 03 04")


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
    assert found[5]["minutes"] == {"walkthrough": 120, "lab": 120, "machine": 3, "left": 240}
    assert found[5]["needs"]["modules"] == ["01"]
    assert found[8]["needs"]["programs"] == ["Prometheus", "Alertmanager"]
    assert found[5]["evidence"] == []
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
