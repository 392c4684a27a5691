"""Thirty at a time: what is kept, what is shared, and what is told; no kernel starts here."""

import errno
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.course.copies import write_whole
from helpers.workshop import kept as kept_module
from helpers.workshop import runs
from helpers.workshop.command import grade as command
from helpers.workshop.grade import Report, grade
from helpers.workshop.kernel import Kernel, Stopped
from helpers.workshop.labs import GradeError, Lab
from helpers.workshop.matching import Matched
from helpers.workshop.run import Grade, LabResult, Limits
from tests.workshop.handed import make_course, put


class Runner:
    """Grades by what an answer says, and counts."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.before: Callable[[str], None] = lambda _: None

    def __call__(
        self, lab: Lab, matched: Matched, course: Path, limits: Limits, **_: Any
    ) -> LabResult:
        answer = next(iter(matched.answers.values()), "")
        self.ran.append(answer)
        self.before(answer)
        status = "passed" if "right" in answer else "wrong"
        failed = () if status == "passed" else (("x(1)", "Got: 0\nExpected: 1"),)
        made = Grade(status, len(failed) - 1, 2, "", failed)
        return LabResult(dict.fromkeys(lab.exercises, made), {}, (), frozenset(), "", 2.0)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    made = Runner()
    monkeypatch.setattr(runs, "run_lab", made)
    return made


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ada", "bob", "cem"):
        put(tmp_path / "in" / name / "98_mini.ipynb", f"x = 'right {name}'")
    return tmp_path / "in"


def run(course: Path, folder: Path, **options: Any) -> tuple[Report, list[str]]:
    said: list[str] = []
    report = grade(folder, course=course, say=said.append, **options)
    return report, said


def test_the_progress_counts_and_says_the_time_left(
    runner: Runner, course: Path, folder: Path
) -> None:
    report, said = run(course, folder)
    assert said == [
        "1 of 3: ada, 98_mini: 2 of 2 passed (2 s; about 4 s left)",
        "2 of 3: bob, 98_mini: 2 of 2 passed (2 s; about 2 s left)",
        "3 of 3: cem, 98_mini: 2 of 2 passed (2 s)",
    ]
    assert (report.run, report.titles) == (3, ("Do it", "Do it"))
    assert [row.seconds for row in report.learners] == [2.0, 2.0, 2.0]


def test_a_second_run_grades_only_what_changed(runner: Runner, course: Path, folder: Path) -> None:
    first, _ = run(course, folder, state=folder / ".course-grade")
    put(folder / "bob" / "98_mini.ipynb", "x = 'wrong'")
    put(folder / "dan" / "98_mini.ipynb", "x = 'right dan'")
    runner.ran.clear()
    second, said = run(course, folder, state=folder / ".course-grade")
    assert sorted(runner.ran) == ["x = 'right dan'", "x = 'wrong'"]
    assert said[0] == "4 labs handed in: 2 graded before, 0 equal to another one, 2 to run"
    assert [row.passed for row in second.learners] == [2, 0, 2, 2]
    assert second.learners[0] == first.learners[0]
    assert second.learners[1].grades["98.1"].failed == (("x(1)", "Got: 0\nExpected: 1"),)
    runner.ran.clear()
    assert run(course, folder, state=folder / ".course-grade")[0].learners == second.learners
    assert runner.ran == []


def test_another_course_or_limit_or_the_wish_runs_all_again(
    runner: Runner, course: Path, folder: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for options in ({}, {"limits": Limits(fast=True)}, {"again": True}):
        runner.ran.clear()
        run(course, folder, state=state, **options)
        assert len(runner.ran) == 3, options
    (course / "helpers" / "new.py").write_text("1")
    runner.ran.clear()
    run(course, folder, state=state)
    assert len(runner.ran) == 3


def test_equal_submissions_run_once(runner: Runner, course: Path, folder: Path) -> None:
    for name in ("eve", "fay"):
        put(folder / name / "98_mini.ipynb", "x = 'right ada'")
    report, said = run(course, folder, jobs=2)
    assert len(runner.ran) == 3
    assert [row.passed for row in report.learners] == [2] * 5
    assert said[0] == "5 labs handed in: 0 graded before, 2 equal to another one, 3 to run"
    assert said[-1].startswith("5 of 5: ")


def test_a_damaged_state_is_run_again(runner: Runner, course: Path, folder: Path) -> None:
    state = folder / ".course-grade"
    run(course, folder, state=state)
    damaged = ("{", "[" * 200_000, '{"grades": 5}')
    for file, content in zip(state.glob("*.json"), damaged, strict=True):
        file.write_text(content)
    runner.ran.clear()
    report, _ = run(course, folder, state=state)
    assert len(runner.ran) == 3
    assert all(row.passed == 2 for row in report.learners)
    assert sorted(state.iterdir()) == sorted(state.glob("[!.]*.json"))  # no half-written file


def test_stopping_keeps_what_is_done(runner: Runner, course: Path, folder: Path) -> None:
    def stop(answer: str) -> None:
        if "bob" in answer:
            raise KeyboardInterrupt

    runner.before = stop
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        grade(folder, course=course, state=folder / ".course-grade", say=said.append)
    assert said[-1] == "stopped. Finished results are kept: run the same command to go on."
    runner.before = lambda _: None
    runner.ran.clear()
    run(course, folder, state=folder / ".course-grade")
    assert "x = 'right ada'" not in runner.ran


def test_a_stopped_run_of_all_again_goes_on_without_again(
    runner: Runner, course: Path, folder: Path
) -> None:
    state = folder / ".course-grade"
    run(course, folder, state=state)

    def stop(answer: str) -> None:
        if "bob" in answer:
            raise KeyboardInterrupt

    runner.before = stop
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        grade(folder, course=course, state=state, say=said.append, again=True)
    assert "run the same command without --again to go on" in said[-1]
    runner.before = lambda _: None
    done = len(list(state.glob("*.json")))
    runner.ran.clear()
    run(course, folder, state=state)
    # What was graded on another day is no longer there: it was to be graded again.
    assert 1 <= done < 3
    assert len(runner.ran) == 3 - done


def test_a_stopped_run_ends_its_kernel(course: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Kernel(tmp_path, runtime=tmp_path, environment={}, seconds=5, megabytes=1000, stop=stop)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_ends_the_keeping_and_not_the_grading(
    runner: Runner, course: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_module, "write_whole", full)
    report, said = run(course, folder, state=folder / ".course-grade")
    assert [row.passed for row in report.learners] == [2, 2, 2]
    told = [line for line in said if "No space left on device" in line]
    assert len(told) == 1
    assert "--state" in told[0]


def test_a_full_disk_under_a_kernel_is_no_learners_fault(
    runner: Runner, course: Path, folder: Path
) -> None:
    runner.before = lambda answer: full() if "bob" in answer else None
    report, _ = run(course, folder, state=folder / ".course-grade")
    assert [row.passed for row in report.learners] == [2, 0, 2]
    assert {one.status for one in report.learners[1].grades.values()} == {"not graded"}
    (fault,) = report.faults
    assert fault.startswith("98_mini: the lab could not be run: the disk with the temporary folder")
    runner.before = lambda _: None
    runner.ran.clear()
    assert run(course, folder, state=folder / ".course-grade")[0].learners[1].passed == 2
    assert runner.ran == ["x = 'right bob'"]  # what had a fault was not kept


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "a", b"old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_lab_of_ones_choice(runner: Runner, course: Path, folder: Path) -> None:
    put(folder / "ada" / "97_other.ipynb", "x = 'right'", stem="97_other")
    report, _ = run(course, folder, wanted=["97"])
    assert report.exercises == ("97.1",)
    assert [row.passed for row in report.learners] == [1, 0, 0]
    with pytest.raises(GradeError, match=r"There is no lab '99'; there are: 97, 98"):
        run(course, folder, wanted=["99"])


def test_a_stray_notebook_of_another_lab_is_in_no_count(
    runner: Runner, course: Path, folder: Path
) -> None:
    for number in range(6):
        put(folder / f"dan-{number}" / "98_mini.ipynb", f"x = 'right {number}'")
    put(folder / "ada" / "97_other.ipynb", "x = 'wrong'", stem="97_other")
    put(folder / "eve" / "97_other.ipynb", "x = 'right'", stem="97_other")
    # 2 of 9 is more than a fifth: everyone is asked for both labs.
    report, said = run(course, folder)
    assert [row.score for row in report.learners[:2]] == ["2 of 3", "2 of 3"]
    assert not any("not counted" in line for line in said)
    for number in range(6, 9):
        put(folder / f"dan-{number}" / "98_mini.ipynb", f"x = 'right {number}'")
    report, said = run(course, folder)
    assert said[0] == (
        "lab 97: 2 of 13 learners handed it in. It is graded but not counted; --lab 98 leaves it "
        "out"
    )
    rows = {row.learner: row for row in report.learners}
    assert [rows[name].score for name in ("ada", "bob", "eve")] == ["2 of 2", "2 of 2", "0 of 2"]
    assert [rows[name].status("97.1") for name in ("ada", "bob", "eve")] == ["wrong", "", "passed"]
    assert [rows[name].submission for name in ("ada", "eve")] == ["graded", "another lab"]
    report, said = run(course, folder, wanted=["97"])
    assert {row.total for row in report.learners} == {1}
    assert not any("not counted" in line for line in said)
    assert [row.submission for row in report.learners[:2]] == ["graded", "another lab"]


def test_equal_answers_are_told_to_the_instructor_alone(
    runner: Runner, course: Path, folder: Path
) -> None:
    put(folder / "eve" / "98_mini.ipynb", "x = 'right ada'")
    for name in ("fay", "gus"):
        put(folder / name / "98_mini.ipynb")  # another answer, the same for both
        put(folder / f"{name}-untouched" / "98_mini.ipynb", "x = TODO")
    report, _ = run(course, folder)
    told = {row.learner: row.private for row in report.learners if row.private}
    assert told == {
        "ada": ("98_mini: the same answers as eve",),
        "eve": ("98_mini: the same answers as ada",),
        "fay": ("98_mini: the same answers as gus",),
        "gus": ("98_mini: the same answers as fay",),
    }
    assert all(row.notes == () for row in report.learners)


def test_accents_and_capitals_do_not_matter_to_only(
    runner: Runner, course: Path, folder: Path
) -> None:
    put(folder / "José Ñandú" / "98_mini.ipynb", "x = 'right'")
    for only in ("jose*", "JOSÉ NANDU"):
        report, _ = run(course, folder, only=only)
        assert [row.learner for row in report.chosen] == ["José Ñandú"]
        assert len(report.learners) == 4


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def at_home(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command grades with the small course."""
    real = grade

    def small(*args: Any, **options: Any) -> Report:
        return real(*args, **options, course=course)

    monkeypatch.setattr(sys.modules["helpers.workshop.grade"], "grade", small)


@pytest.mark.usefixtures("at_home")
def test_the_command_keeps_its_results_beside_the_submissions(
    runner: Runner, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = tmp_path / "roster.csv"
    people.write_text("name\nAda\nBob\nZed\n")
    (out := tmp_path / "out").mkdir()
    words = [str(folder), "--roster", str(people), "--lab", "98", "--feedback", str(out / "f")]
    words += ["--report", str(out / "class.html"), "--table", str(out / "class.csv")]
    assert command(words) == 0
    printed = capsys.readouterr()
    assert "Handed in nothing (1): Zed" in printed.out
    assert "course grade: 3 of 3: " in printed.err
    assert len(list((folder / ".course-grade").glob("*.json"))) == 3
    assert sorted(file.name for file in (out / "f").iterdir()) == ["Ada.md", "Bob.md", "cem.md"]
    table = (out / "class.csv").read_text("utf-8-sig").splitlines()
    assert table[0] == "learner,id,email,submission,ex 98.1,ex 98.2,passed,of,notes"
    assert table[1].startswith("Ada,,,graded,passed,passed,2,2")
    # The warning comes before anything runs.
    assert "without a sandbox" in printed.err.splitlines()[0]
    assert "<h1>Class report</h1>" in (out / "class.html").read_text("utf-8")
    runner.ran.clear()
    assert command([*words, "--json"]) == 0
    assert runner.ran == []
    data = json.loads(capsys.readouterr().out)
    assert [one["handed in"] for one in data["learners"]] == [True, True, False, True]


@pytest.mark.usefixtures("at_home")
@pytest.mark.skipif(os.name == "nt", reason="a signal ends a process there")
def test_a_plain_kill_is_as_ctrl_c(
    runner: Runner, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    runner.before = lambda _: os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        command([str(folder)])
    assert "stopped. Finished results are kept" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("at_home")
def test_reports_that_cannot_be_written_cost_no_table(
    runner: Runner, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "file").write_text("")
    (out := tmp_path / "out").mkdir()
    words = ["--feedback", str(file / "f"), "--report", str(out / "r.html")]
    runner.before = lambda _: shutil.rmtree(out, ignore_errors=True)
    assert command([str(folder), *words]) == 1
    printed = capsys.readouterr()
    assert "2 of 2" in printed.out
    assert f"There is no folder {out}" in printed.err
    assert f"{file / 'f'} cannot be written to" in printed.err


@pytest.mark.usefixtures("at_home")
def test_no_other_file_is_replaced_and_that_is_said_before_anything_runs(
    runner: Runner, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = tmp_path / "class.csv"
    people.write_text("name\nAda\n")
    (mine := tmp_path / "mine.html").write_text("<p>Mine</p>")
    away = tmp_path / "away" / "marks.csv"
    for words, told in (
        (["--roster", str(people), "--table", str(people)], f"{people} is there already"),
        (["--report", str(mine)], f"{mine} is there already"),
        (["--table", str(away)], f"There is no folder {away.parent}"),
        (["--feedback", str(folder / "fb")], "is in the folder of submissions"),
        (["--state", str(folder)], "is in the folder of submissions"),
    ):
        assert command([str(folder), *words]) == 1
        assert told in capsys.readouterr().err
    assert runner.ran == []
    assert (people.read_text(), mine.read_text()) == ("name\nAda\n", "<p>Mine</p>")
    table, page = tmp_path / "marks.csv", tmp_path / "class.html"
    words = ["--table", str(table), "--report", str(page), "--state", str(folder / ".kept")]
    assert command([str(folder), *words]) == 0
    put(folder / "ada" / "98_mini.ipynb", "x = 'wrong'")
    assert command([str(folder), *words]) == 0  # what it wrote itself is replaced
    assert "Ada,graded,wrong" in table.read_text("utf-8-sig").replace("ada,", "Ada,")


@pytest.mark.usefixtures("at_home")
@pytest.mark.skipif(os.name == "nt", reason="no such name is allowed there")
def test_nothing_that_a_learner_names_reaches_a_terminal_as_it_is(
    runner: Runner, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder / "eve\x1b[31m" / "98_mini.ipynb", "x = 'wrong \x1b[31m'")
    people = tmp_path / "roster.csv"
    people.write_text("name\nZed\x1b[2J\n")
    out = [tmp_path / name for name in ("m.csv", "c.html", "fb")]
    words = ["--table", str(out[0]), "--report", str(out[1]), "--feedback", str(out[2])]
    assert command([str(folder), *words, "--roster", str(people)]) == 0
    printed = capsys.readouterr()
    written = [file.read_text("utf-8") for file in (out[0], out[1], *out[2].iterdir())]
    assert "\x1b" not in "".join((printed.out, printed.err, *written))
    assert "eve" in printed.out
    assert (out[2] / "eve.md").is_file()


@pytest.mark.usefixtures("at_home")
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="every name is text there")
def test_a_folder_whose_name_is_no_text(
    runner: Runner, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(folder / "bob", os.fsencode(folder) + b"/bad\xff")
    words = ["--table", str(tmp_path / "m.csv"), "--report", str(tmp_path / "c.html")]
    assert command([str(folder), *words, "--feedback", str(tmp_path / "fb")]) == 0
    assert len(list((tmp_path / "fb").iterdir())) == 3
    assert "bad" in (tmp_path / "m.csv").read_text("utf-8-sig")
    assert "bad" in capsys.readouterr().out


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lab", "99"], "There is no lab '99'; there are: 97, 98."),
        (["--only", "Zed"], "No learner's name, id or address matches 'Zed'"),
        (["--roster", "away.csv"], "The roster away.csv cannot be read"),
    ],
)
def test_wrong_words_get_a_sentence(
    words: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command([str(folder), *words]) == 1
    assert f"course grade: {told}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--table", "marks.xlsx"], "'marks.xlsx' does not fit: the name must end in .csv"),
        (["--report", "class.pdf"], "'class.pdf' does not fit: the name must end in .html"),
        (["--table", "marks"], "'marks' does not fit: the name must end in .csv"),
    ],
)
def test_files_of_another_kind_are_refused(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["in", *words])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("at_home")
def test_only_limits_what_is_graded_and_not_what_is_known(
    runner: Runner, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = tmp_path / "roster.csv"
    people.write_text("name,id,email\nAda,7,\nBob,8,b@a.example\nCem,9,\nZed,10,\n")
    table = tmp_path / "class.csv"
    words = [str(folder), "--roster", str(people), "--table", str(table), "--semicolon"]
    words += ["--feedback", str(tmp_path / "f")]
    assert command([*words, "--only", "b@*"]) == 0
    assert runner.ran == ["x = 'right bob'"]
    assert "Ada" not in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "f").iterdir()] == ["Bob.md"]
    assert [line.split(";")[:8] for line in table.read_text("utf-8-sig").splitlines()[1:]] == [
        ["Ada", "7", "", "not graded yet", "", "", "", ""],
        ["Bob", "8", "b@a.example", "graded", "passed", "passed", "2", "2"],
        ["Cem", "9", "", "not graded yet", "", "", "", ""],
        ["Zed", "10", "", "nothing handed in", "missing", "missing", "0", "2"],
    ]
    assert command(words) == 0
    full = table.read_bytes()
    put(folder / "ada" / "98_mini.ipynb", "x = 'wrong'")
    runner.ran.clear()
    assert command([*words, "--only", "7", "--again"]) == 0
    assert runner.ran == ["x = 'wrong'"]
    assert table.read_bytes().splitlines()[2:] == full.splitlines()[2:]
    assert table.read_bytes().splitlines()[1].startswith(b"Ada;7;;graded;wrong;wrong;0;2;")


@pytest.mark.parametrize(
    "words", [["--jobs", "0"], ["--seconds", "nan"], ["--memory", "x"], ["--seconds", ""]]
)
def test_wrong_numbers(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["in", *words])
    assert ended.value.code == 2
    assert f"argument {words[0]}: it should be a" in capsys.readouterr().err


@pytest.mark.usefixtures("at_home")
def test_what_runs_for_long_is_named(
    folder: Path,
    runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(folder / "loop" / "98_mini.ipynb", "while True: pass")
    told = threading.Event()
    still = runs.Progress.still

    def tell(self: runs.Progress, tasks: Any) -> None:
        still(self, tasks)
        if any(task.learner == "loop" for task in tasks):
            told.set()

    monkeypatch.setattr(runs, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(runs.Progress, "still", tell)
    runner.before = lambda answer: None if "while" not in answer else told.wait(60) and None
    assert command([str(folder), "--jobs", "1"]) == 0
    assert "; still running: loop, 98_mini" in capsys.readouterr().err


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("words", "seconds"), [([], 600), (["--fast"], 180), (["--fast", "--seconds", "7"], 7)]
)
def test_the_limit_of_a_cell(
    words: list[str], seconds: float, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[Limits] = []
    put(folder / "ada" / "98_mini.ipynb", "x = 'right'")

    def run_lab(lab: Lab, matched: Matched, course: Path, limit: Limits, **_: Any) -> LabResult:
        limits.append(limit)
        made = dict.fromkeys(lab.exercises, Grade("passed", 2, 2))
        return LabResult(made, {}, (), frozenset(), "", 1.0)

    monkeypatch.setattr(runs, "run_lab", run_lab)
    assert command([str(folder), *words]) == 0
    assert {one.seconds for one in limits} == {seconds}
