import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.course import progress

WRITER = """
import sys
from helpers.course import progress
for number in range(60):
    progress.record_check(f"01.{sys.argv[1]}", "wrong", 0, 3)
    progress.use_hint("01.9")
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(progress, "_memory", progress._Memory())
    return tmp_path / "home"


def test_nothing_recorded_reports_nothing() -> None:
    assert progress.report() == {}
    assert progress.hints_used("01.1") == 0


def test_best_status_stays() -> None:
    for status, passed in [("not done yet", 0), ("wrong", 0), ("partly", 1), ("partly", 2)]:
        progress.record_check("01.1", status, passed, 3)
    assert progress.report()["01"].checks == (progress.CheckRecord("01.1", "partly", 2, 3, 3, 0),)
    progress.record_check("01.1", "passed", 3, 3)
    progress.record_check("01.1", "wrong", 0, 3)
    assert progress.report()["01"].checks[0].status == "passed"


def test_unknown_status_is_refused() -> None:
    with pytest.raises(ValueError, match="not done yet, wrong, partly, passed"):
        progress.record_check("01.1", "Passed", 3, 3)


def test_hints_count_up_by_exercise() -> None:
    assert [progress.use_hint("01.1"), progress.use_hint("01.1"), progress.use_hint("01.2")] == [
        1,
        2,
        1,
    ]
    record = progress.report()["01"].checks[0]
    assert (record.status, record.tries, record.hints) == ("not done yet", 0, 2)


def test_quiz_right_once_is_right() -> None:
    progress.record_quiz("00", "statuses", False)
    progress.record_quiz("00", "statuses", True)
    progress.record_quiz("00", "statuses", False)
    progress.record_quiz("00", "hints", False)
    assert progress.report()["00"].quiz == (
        progress.QuizRecord("statuses", True, 3),
        progress.QuizRecord("hints", False, 1),
    )


def test_two_kernels_write_at_once(home: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(n)]) for n in (1, 2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    records = {record.exercise: record for record in progress.report()["01"].checks}
    assert (records["01.1"].tries, records["01.2"].tries, records["01.9"].hints) == (60, 60, 120)


def test_a_killed_kernel_loses_nothing() -> None:
    code = (
        "import os\nfrom helpers.course import progress\n"
        "progress.record_check('01.1', 'passed', 1, 1)\n"
        "progress._run(lambda db: (db.execute('DELETE FROM checks'), os._exit(9)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert progress.report()["01"].checks[0].status == "passed"


def damage_head(file: Path) -> None:
    file.write_bytes(b"this is no database, and long enough to be looked at " * 20)


def damage_page(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[4096 : 4096 * 2] = b"\xff" * 4096
    file.write_bytes(raw)


def other_layout(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE something (else_ TEXT)")
    db.close()


@pytest.mark.parametrize("damage", [damage_head, damage_page, other_layout])
def test_damaged_file_is_set_aside(
    damage: object, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.record_check("01.1", "passed", 1, 1)
    file = progress.progress_file()
    assert callable(damage)
    damage(file)
    before = file.read_bytes()
    progress.record_check("01.2", "wrong", 0, 1)
    (kept,) = home.glob("progress-damaged-*.db")
    assert kept.read_bytes() == before
    assert kept.name in capsys.readouterr().err
    assert [record.exercise for record in progress.report()["01"].checks] == ["01.2"]


def test_unusable_place_falls_back_to_memory(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "progress.db").mkdir(parents=True)
    progress.record_check("01.1", "passed", 1, 1)
    assert progress.use_hint("01.1") == 1
    assert progress.use_hint("01.1") == 2
    assert progress.report()["01"].checks[0].status == "passed"
    said = capsys.readouterr().err
    assert said.count("kept in this kernel alone") == 1


def test_course_home_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    progress.record_quiz("00", "q", True)
    assert progress.report()["00"].quiz[0].right
    assert "cannot be kept" in capsys.readouterr().err


# --- given solutions ------------------------------------------------------------------------------


def test_a_given_solution_never_counts_as_passed() -> None:
    progress.record_check("01.1", "wrong", 0, 3)
    progress.record_given(["01.1", "01.2"])
    progress.record_check("01.1", "passed", 3, 3)  # the check of the course's own code
    progress.record_check("01.2", "wrong", 0, 3)
    assert progress.report()["01"].checks == (
        progress.CheckRecord("01.1", "given", 0, 3, 1, 0),
        progress.CheckRecord("01.2", "given", 0, 0, 0, 0),
    )


def test_what_was_passed_before_stays_passed() -> None:
    progress.record_check("01.1", "passed", 3, 3)
    progress.record_given(["01.1"])
    assert progress.report()["01"].checks[0].status == "passed"


def test_tries_count_again_after_it_was_taken_back() -> None:
    progress.record_given(["01.1", "02.1"])
    progress.record_check("01.1", "passed", 3, 3)
    progress.record_taken_back("01")
    assert progress.report()["01"].checks[0].status == "not done yet"
    assert progress.report()["02"].checks[0].status == "given"
    progress.record_check("01.1", "passed", 3, 3)
    assert progress.report()["01"].checks[0].status == "passed"
    progress.record_given(["01.1"])
    assert progress.report()["01"].checks[0].status == "passed"


EARLIER = """
CREATE TABLE checks (
    at TEXT NOT NULL, exercise TEXT NOT NULL, status TEXT NOT NULL,
    passed INTEGER NOT NULL, total INTEGER NOT NULL);
CREATE TABLE hints (at TEXT NOT NULL, exercise TEXT NOT NULL);
CREATE TABLE answers (
    at TEXT NOT NULL, module TEXT NOT NULL, question TEXT NOT NULL, correct INTEGER NOT NULL);
PRAGMA user_version = 1;
INSERT INTO checks VALUES ('2026-01-01T10:00:00+00:00', '01.1', 'passed', 2, 2);
INSERT INTO checks VALUES ('2026-01-01T10:05:00+00:00', '01.2', 'partly', 1, 2);
"""


def test_a_file_of_the_earlier_course_goes_on(home: Path) -> None:
    home.mkdir()
    with sqlite3.connect(home / "progress.db") as db:
        db.executescript(EARLIER)
    db.close()
    assert [one.status for one in progress.report()["01"].checks] == ["passed", "partly"]
    progress.record_given(["01.2"])
    assert [one.status for one in progress.report()["01"].checks] == ["passed", "given"]
    assert not list(home.glob("progress-damaged-*"))


def test_a_kernel_of_the_earlier_course_still_reads_the_file(home: Path) -> None:
    progress.record_check("01.1", "partly", 1, 2)
    progress.record_given(["01.1"])
    with sqlite3.connect(home / "progress.db") as db:  # what that kernel looks at and does
        assert db.execute("PRAGMA user_version").fetchone()[0] == 1
        db.execute("INSERT INTO checks VALUES ('2026-01-01T10:00', '01.2', 'passed', 1, 1)")
        assert {row[0] for row in db.execute("SELECT status FROM checks")} <= set(progress.STATUSES)
    db.close()
    assert [one.status for one in progress.report()["01"].checks] == ["given", "passed"]


def test_given_is_kept_in_memory_too(home: Path) -> None:
    (home / "progress.db").mkdir(parents=True)
    progress.record_given(["01.1"])
    assert progress.report()["01"].checks[0].status == "given"
