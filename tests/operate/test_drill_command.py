"""`course drill`: its prompt, its bad input, and what it leaves."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from helpers.operate import command_drill
from helpers.operate.command_drill import Unreadable, answer, drill, lines_of
from helpers.operate.drill_form import form, keep, write_form
from helpers.operate.testing.console import Console, DrillError
from helpers.operate.testing.drill import Drilled, run_drill
from helpers.operate.testing.drill_plan import draw

ROW = {
    "seed": 7,
    "kind": "model down",
    "noticed": 2.0,
    "diagnosed": None,
    "ended": None,
    "harmed": 3,
    "wrong": 0,
}


@pytest.fixture(scope="module")
def typed() -> tuple[dict[str, list[str]], Drilled]:
    """What the prompt prints for each line, in the 50th minute of a shift."""
    printed: dict[str, list[str]] = {}

    async def types(console: Console) -> None:
        await console.wait(50)
        for line in ("", "help", "status", "answers", "answers 3", "customers", "log", "notice x"):
            printed[line] = answer(console, line)
        for line in ("fly", "answers many", "answers 0", "query"):
            with pytest.raises(Unreadable):
                answer(console, line)
        for line in ("diagnose flu", "limit", "withdraw moon", "query up", "rollback now"):
            with pytest.raises(DrillError):
                answer(console, line)
        printed["diagnose"] = answer(console, "diagnose cost spike")
        printed["limit"] = answer(console, f"limit {console.running.plan.about}")

    return printed, run_drill(types, draw(8, "cost spike", minutes=90))


def test_each_look_prints_something(typed: tuple[dict[str, list[str]], Drilled]) -> None:
    printed, found = typed
    assert printed.pop("") == []
    assert all(printed.values())
    assert "SpendingFast" in "\n".join(printed["status"])
    assert len(printed["answers 3"]) == 4
    assert found.plan.about in printed["customers"][0]
    assert found.ended is not None


def test_the_truth_is_told_beside_the_stored_times(
    typed: tuple[dict[str, list[str]], Drilled],
) -> None:
    told = "\n".join(command_drill.told(typed[1]))
    assert typed[1].plan.truth in told
    assert "the course's script" in told
    assert "Wrong: nothing." in told


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--lapse", "1000"], "1 to 240"),
        (["--seed", "x"], "invalid int"),
        (["--fly"], "unrecognized"),
        (["--lapse", "abc"], "'abc' is no number: give 1 to 240"),
    ],
)
def test_bad_options_get_a_sentence(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        drill(argv)
    assert says in capsys.readouterr().err


def test_a_shift_that_is_too_short_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(["--shift", "5"]) == 2
    assert "90 to 600 minutes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "says"), [("none/x.json", "no folder"), ("sub.json", "is a folder")]
)
def test_a_report_that_cannot_be_written_is_refused_before_the_shift(
    name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sub.json").mkdir()
    assert drill(["--report", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert (out, says in err) == ("", True)


def test_who_leaves_early_keeps_the_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = command_drill.Prompt(1, ["notice odd", "quit"])
    plan = draw(8, "cost spike", minutes=90)

    async def leaves(console: Console) -> None:
        prompt._do(console, "notice odd")
        prompt._do(console, "log")
        console.leave()

    found = run_drill(leaves, plan)
    events = [(one.minute, plan.clock(one.minute), one.what, one.detail) for one in found.events]
    text = form({**ROW, "kind": plan.kind}, plan.truth, events)
    start = plan.clock(0)
    assert f"left the shift early, at {start}, before the incident began." in text
    assert f"| {start} | noticed | odd |" in text
    assert "-" not in capsys.readouterr().out.partition("release")[0], "a time of day, no minute"
    assert plan.clock(-24 * 60).endswith("the day before")


def test_without_prometheus_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert drill(["--seed", "1", "--shift", "90"]) == 2
    assert "There is no prometheus on this machine" in capsys.readouterr().err


def test_lines_are_read_as_they_come() -> None:
    inside, outside = os.pipe()
    os.write(outside, b"status\nlimit C-0042\nqu")
    os.write(outside, b"it")
    os.close(outside)
    assert [*lines_of(inside)] == ["status", "limit C-0042", "quit"]
    os.close(inside)


def test_a_form_is_filled_in_and_never_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    events = [(21.0, "14:21", "began", ""), (25.5, "14:25", "acted", "rollback")]
    first, second = keep(ROW, "It was down.", events), keep(ROW, "It was down.", events)
    assert first != second
    text = first.read_text("utf-8")
    assert "| 14:25 | acted | rollback |" in text
    assert "Noticed after 2.0 minutes, diagnosed never" in text
    assert json.loads(first.with_suffix(".json").read_text("utf-8"))["kind"] == "model down"
    with pytest.raises(FileExistsError):
        write_form(first, ROW, "", [])


def test_a_form_without_events_is_a_table_too() -> None:
    row: dict[str, Any] = {**ROW, "noticed": None}
    assert "| | | |" in form(row, "Nothing.", [])
