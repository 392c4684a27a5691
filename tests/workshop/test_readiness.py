"""`course workshop readiness`: good reports, thirty bad ones, and what an instructor reads."""

import copy
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers.machine_report import CHECKS, FORMAT, compose, lock_digest
from helpers.paths import ROOT
from helpers.workshop.readiness import FolderError, Row, by_problem, read
from helpers.workshop.readiness_advice import ADVICE, misfit
from helpers.workshop.readiness_command import as_json, as_text, run

NOW = datetime(2027, 1, 12, 12, tzinfo=UTC)
LOCK = "0123456789ab"
GOOD: dict[str, Any] = {
    "format": FORMAT,
    "version": 1,
    "id": "0",
    "made": "2027-01-10T09:30Z",
    "lock": LOCK,
    "machine": {
        "system": "Windows",
        "system_version": "10.0.22631",
        "processor": "AMD64",
        "python": "3.12.4",
        "cores": 8,
        "memory_mb": 16_000,
        "memory_free_mb": 9_000,
        "disk_free_mb": 100_000,
    },
    "versions": {"git": "2.47.1", "ray": None},
    "checks": [{"name": name, "ok": True, "facts": "fine", "advice": ""} for name in CHECKS],
}


def good(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), "id": str(number), **changes}


def put(folder: Path, name: str, report: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report), encoding="utf-8")


def one(folder: Path, report: object) -> Row:
    put(folder, "a.json", report)
    ((row,), _) = read(folder, LOCK, NOW)
    return row


def failing(*names: str, advice: str = "Do this.", **changes: Any) -> dict[str, Any]:
    report = good(**changes)
    for check in report["checks"]:
        if check["name"] in names:
            check |= {"ok": False, "facts": "12 MB free", "advice": advice}
    return report


def test_a_report_of_this_machine_is_read(tmp_path: Path) -> None:
    checks = [{"name": name, "ok": True, "facts": "", "advice": ""} for name in CHECKS]
    report = compose(checks, root=ROOT, state=tmp_path)
    put(tmp_path / "in", "me.json", report)
    assert lock_digest(ROOT)
    rows, passed = read(tmp_path / "in", lock_digest(ROOT))
    assert [(row.file, row.problems, row.state) for row in rows] == [("me.json", (), "ready")]
    assert not passed


def without(part: str) -> dict[str, Any]:
    report = good()
    del report[part]
    return report


def in_machine(**changes: Any) -> dict[str, Any]:
    return good(machine={**GOOD["machine"], **changes})


WHOLE = json.dumps(GOOD).encode()
# File name, content, what it is called.
DAMAGED: list[tuple[str, bytes, str]] = [
    ("empty.json", b"", "Damaged file"),
    ("blank.json", b"\n\n  \n", "Damaged file"),
    ("zeros.json", b"\0" * 4096, "Damaged file"),
    ("half.json", WHOLE[:300], "Damaged file"),
    ("last.json", WHOLE[:-1], "Damaged file"),
    ("twice.json", WHOLE + WHOLE, "Damaged file"),
    ("half16.json", json.dumps(GOOD).encode("utf-16")[:400], "Damaged file"),
    ("flipped.json", WHOLE.replace(b'"id"', b'"\xff"'), "Damaged file"),
    ("huge.json", b'{"a": "' + b"x" * 1_000_001 + b'"}', "Not a report"),
    ("deep.json", b"[" * 100_000, "Not a report"),
    ("number.json", b"9" * 5000, "Not a report"),
    ("one.json", b"1", "Not a report"),
    ("null.json", b"null", "Not a report"),
    ("letter.txt", b"Hello instructor, it does not work.", "Not a report"),
    ("screenshot.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "Not a report"),
    ("page.html", b"<!doctype html><title>Sign in</title>", "Not a report"),
    ("reports.zip", b"PK\x03\x04\x14\0", "Not a report"),
    ("list.json", json.dumps(GOOD["checks"]).encode(), "Not a report"),
    ("package.json", b'{"name": "x", "version": 1}', "Not a report"),
    ("foreign.json", json.dumps(good(format="another")).encode(), "Not a report"),
    ("newer.json", json.dumps(good(version=2)).encode(), "Other version of the report"),
    ("older.json", json.dumps(good(version=0)).encode(), "Other version of the report"),
    ("worded.json", json.dumps(good(version="1")).encode(), "Other version of the report"),
    ("unversioned.json", json.dumps(without("version")).encode(), "Other version of the report"),
    ("truthy.json", json.dumps(good(version=True)).encode(), "Other version of the report"),
    ("nochecks.json", json.dumps(without("checks")).encode(), "Damaged file"),
    ("fewer.json", json.dumps(good(checks=GOOD["checks"][1:])).encode(), "Damaged file"),
    ("words.json", json.dumps(good(checks="all fine")).encode(), "Damaged file"),
    ("yes.json", json.dumps(good(checks=[{**c, "ok": "yes"} for c in GOOD["checks"]])).encode(), "Damaged file"),  # noqa: E501
    ("nomachine.json", json.dumps(good(machine=None)).encode(), "Damaged file"),
    ("nan.json", json.dumps(in_machine(cores=float("nan"))).encode(), "Damaged file"),
    ("minus.json", json.dumps(in_machine(memory_mb=-5)).encode(), "Damaged file"),
    ("much.json", json.dumps(in_machine(memory_mb=10**300)).encode(), "Damaged file"),
    ("endless.json", json.dumps(good(id="x" * 6000)).encode(), "Damaged file"),
    ("undated.json", json.dumps(good(made="yesterday")).encode(), "Damaged file"),
    ("wrongday.json", json.dumps(good(made="2027-13-40T00:00Z")).encode(), "Damaged file"),
]  # fmt: skip


def test_thirty_damaged_files_are_all_named(tmp_path: Path) -> None:
    assert len(DAMAGED) >= 30
    for name, content, _ in DAMAGED:
        (tmp_path / name).write_bytes(content)
    put(tmp_path, "anna.json", good(7))
    rows, _ = read(tmp_path, LOCK, NOW)
    found = {row.file: row for row in rows}
    for name, _, kind in DAMAGED:
        (problem,) = found.pop(name).problems
        assert (name, problem.name) == (name, kind)
        assert problem.detail
        assert ADVICE[problem.name]
    assert [(name, row.state) for name, row in found.items()] == [("anna.json", "ready")]
    text = as_text(rows, ())
    assert text.startswith(f"{len(DAMAGED) + 1} files: 1 ready, 0 with trouble, {len(DAMAGED)} ")
    for name, _, _ in DAMAGED:
        assert len(re.findall(rf"\b{re.escape(name)}\b", text)) == 2, "in the table, and in a group"


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    rows, _ = read(tmp_path, LOCK, NOW)
    assert {row.file: row.state for row in rows} == dict.fromkeys(
        ["pipe.json", "gone.json", "loop"], "unreadable"
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(GOOD, indent=1), encoding=encoding)
    ((row,), _) = read(tmp_path, LOCK, NOW)
    assert row.state == "ready"


@pytest.mark.parametrize(
    ("report", "problems"),
    [
        (good, []),
        (lambda: failing("Disk"), ["Disk"]),
        (lambda: failing("Disk", "Ports"), ["Disk", "Ports"]),
        (lambda: good(lock="ffff"), ["Other version of the course"]),
        (lambda: good(lock=""), ["Other version of the course"]),
        (lambda: good(made="2027-01-13T11:59Z"), []),
        (lambda: good(made="2027-01-13T12:01Z"), ["Clock"]),
        (lambda: good(made="2026-12-13T12:00Z"), []),
        (lambda: good(made="2026-12-13T11:59Z"), ["Old report"]),
        (lambda: good(versions={"git": None}), ["git"]),
        (lambda: good(versions={}), ["git"]),
        # The platform is judged only where the packages could not be installed.
        (lambda: in_machine(processor="ARM64"), []),
        (
            lambda: failing("Packages", machine={**GOOD["machine"], "processor": "ARM64"}),
            ["Platform", "Packages"],
        ),
        (
            lambda: good(checks=[*GOOD["checks"], {"name": "New", "ok": False, "facts": "x", "advice": "y"}]),  # noqa: E501
            ["New"],
        ),
    ],
)  # fmt: skip
def test_problems(
    report: Callable[[], dict[str, Any]], problems: list[str], tmp_path: Path
) -> None:
    row = one(tmp_path, report())
    assert [problem.name for problem in row.problems] == problems
    assert row.state == ("trouble" if problems else "ready")


def test_a_set_up_that_stopped_hides_what_follows_from_it(tmp_path: Path) -> None:
    report = failing("Packages", "Models", "Memory", "JupyterLab", "Disk")
    stopped = {"name": "Set-up", "ok": False, "facts": "it stopped", "advice": "The disk is full."}
    report["checks"].insert(0, stopped)
    row = one(tmp_path, report)
    assert [problem.name for problem in row.problems] == ["Set-up", "Disk"]
    assert row.problems[0].detail == "The disk is full."


@pytest.mark.parametrize(
    ("system", "version", "processor", "says"),
    [
        ("Darwin", "14.2", "arm64", ""),
        ("Darwin", "12.7", "arm64", "older than 13"),
        ("Darwin", "14.2", "x86_64", "Darwin on x86_64"),
        ("Linux", "debian 12, glibc 2.36", "x86_64", ""),
        ("Linux", "debian 12, glibc 2.28", "aarch64", ""),
        ("Linux", "old 7, glibc 2.27", "x86_64", "older than 2.28"),
        ("Linux", "alpine 3.21", "x86_64", "without glibc"),
        ("Windows", "10.0", "ARM64", "Windows on ARM64"),
        ("Plan 9", "", "", "Plan 9"),
    ],
)
def test_platforms(system: str, version: str, processor: str, says: str) -> None:
    found = misfit({"system": system, "system_version": version, "processor": processor})
    assert says in found
    assert bool(found) is bool(says)


def test_the_same_report_under_two_names(tmp_path: Path) -> None:
    put(tmp_path, "anna.json", good(1))
    put(tmp_path, "late/ben.json", good(1))
    put(tmp_path, "carl.json", good(2))
    rows, _ = read(tmp_path, LOCK, NOW)
    assert {row.file: row.state for row in rows} == {
        "anna.json": "trouble",
        "carl.json": "ready",
        "late/ben.json": "trouble",
    }
    assert [row.problems[0].detail for row in rows if row.problems] == [
        "it is also in late/ben.json",
        "it is also in anna.json",
    ]


def test_the_newest_report_of_a_person_counts(tmp_path: Path) -> None:
    put(tmp_path, "Uma Two.json", failing("Disk", id="1", made="2027-01-09T09:30Z"))
    put(tmp_path, "Uma Two (1).json", good(2))
    put(tmp_path, "late/uma two - Copy.json", good(2, made="2027-01-08T09:30Z"))
    put(tmp_path, "Bo.json", good(3))
    put(tmp_path, "Bo(1).json", failing("Disk", id="4"))  # in the same minute, the later copy
    put(tmp_path, "student-1.json", good(5))
    put(tmp_path, "student-2.json", good(6))
    (tmp_path / "Bo (2).json").write_text("{")
    rows, _ = read(tmp_path, LOCK, NOW)
    assert {row.file: (row.state, row.newer) for row in rows} == {
        "Uma Two.json": ("older", "Uma Two (1).json"),
        "Uma Two (1).json": ("ready", ""),
        "late/uma two - Copy.json": ("older", "Uma Two (1).json"),
        "Bo.json": ("older", "Bo(1).json"),
        "Bo(1).json": ("trouble", ""),
        "Bo (2).json": ("unreadable", ""),
        "student-1.json": ("ready", ""),
        "student-2.json": ("ready", ""),
    }
    text = as_text(rows, ())
    assert text.startswith("8 files: 3 ready, 1 with trouble, 1 unreadable, ")
    assert "unreadable, 3 older than another by the same person." in text
    assert "Uma Two (1).json is newer and counts" in text


@pytest.mark.parametrize(
    "name",
    ["your-name.json", "your-name (3).json", "report.json", "ATT00001.json", "Your Name.txt", "1"],
)
def test_a_name_that_is_nobodys_is_told_and_hides_no_other(name: str, tmp_path: Path) -> None:
    put(tmp_path, name, good(1))
    put(tmp_path, "sub/" + name, good(2))
    rows, _ = read(tmp_path, LOCK, NOW)
    assert [[found.name for found in row.problems] for row in rows] == [["No name"]] * 2
    assert [row.person for row in rows] == ["", ""]


def test_a_platforms_name_says_whose_it_is(tmp_path: Path) -> None:
    put(tmp_path, "Ada Byron_12345_assignsubmission_file_/your-name.json", good(1))
    put(tmp_path, "byronbo_12345_67890_your-name.json", good(2))
    rows, _ = read(tmp_path, LOCK, NOW)
    assert {(row.person, row.state) for row in rows} == {
        ("Ada Byron", "ready"),
        ("byronbo", "ready"),
    }


def test_a_roster_says_who_has_sent_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text(
        "name,id\nAda Byron,7\nJosé Díaz,8\nUma Two,9\nEve Hills,10\n",
        encoding="utf-8",
    )
    folder = tmp_path / "in"
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
    now = {"made": made, "lock": lock_digest(ROOT)}
    put(folder, "Byron, Ada.json", good(1, **now))
    put(folder, "jose diaz.json", good(2, **now))
    put(folder, "Eve Hils.json", good(4, **now))
    words = [str(folder), "--roster", str(roster)]
    assert run(words) == 1
    said = capsys.readouterr().out
    assert "Sent nothing: 2 of 4 on the roster: Uma Two, Eve Hills" in said
    assert "Not on the roster: Eve Hils.json (is it Eve Hills?)" in said
    put(folder, "Eve Hills/your-name.json", good(5, **now))
    (folder / "Uma Two.json").write_text("{")
    assert run([*words, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["sent_nothing"] == []
    assert found["not_on_the_roster"] == ["Eve Hils.json"]
    assert {one["file"]: one["person"] for one in found["files"]} == {
        "Byron, Ada.json": "Ada Byron",
        "Eve Hils.json": "Eve Hils",
        "Eve Hills/your-name.json": "Eve Hills",
        "Uma Two.json": "Uma Two",
        "jose diaz.json": "José Díaz",
    }
    put(folder, "Uma Two.json", good(6, **now))
    assert run(words) == 0
    assert "Sent nothing: 0 of 4 on the roster.\n" in capsys.readouterr().out
    roster.write_text("x\n1\n")
    assert run(words) == 2
    assert "should name the columns" in capsys.readouterr().err


def test_a_long_sentence_is_shown_whole(tmp_path: Path) -> None:
    long = " ".join(f"word{number}" for number in range(100))
    report = good(1)
    report["checks"].insert(
        0, {"name": "Set-up", "ok": False, "facts": "it stopped", "advice": long}
    )
    put(tmp_path, "Ada.json", report)
    assert f"    Ada.json: {long}" in as_text(*read(tmp_path, LOCK, NOW))


def test_groups_come_with_counts_and_what_to_do(tmp_path: Path) -> None:
    for number in range(30):
        names = (["Disk"] if number < 4 else []) + (["Ports"] if number < 2 else [])
        put(tmp_path, f"p{number:02}.json", failing(*names, id=str(number)))
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "._p00.json").write_bytes(b"x")
    rows, passed = read(tmp_path, LOCK, NOW)
    assert {name: len(having) for name, having in by_problem(rows).items()} == {
        "Disk": 4,
        "Ports": 2,
    }
    text = as_text(rows, passed)
    assert text.startswith("30 files: 26 ready, 4 with trouble, 0 unreadable")
    assert (
        "Disk: 4 of 30\n    p00.json, p01.json, p02.json, p03.json: 12 MB free\n    What to do: "
        in text
    )
    assert "--platform windows-x86_64 --python 3.12" in text
    assert "Ignored, as files of the system: .DS_Store, ._p00.json" in text
    found = as_json(rows, passed)
    assert found["counts"] == {"trouble": 4, "ready": 26}
    assert json.loads(json.dumps(found))["problems"][0]["count"] == 4
    assert str(tmp_path) not in text + json.dumps(found)


def test_what_a_file_says_changes_no_terminal(tmp_path: Path) -> None:
    report = failing("Disk", machine={**GOOD["machine"], "system": "\x1b[2J\nx"})
    report["checks"].append(
        {"name": "\x1b[31mOdd", "ok": False, "facts": "a\x07\r\nb", "advice": "\x1b]0;x\x07"}
    )
    put(tmp_path, "a\x1b.json", report)
    text = as_text(*read(tmp_path, LOCK, NOW))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
    put(tmp_path, "a.json", good(1, made=made, lock=lock_digest(ROOT)))
    assert run([str(tmp_path)]) == 0
    put(tmp_path, "b.json", failing("Disk", id="2", made=made, lock=lock_digest(ROOT)))
    assert run([str(tmp_path), "--json"]) == 1
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :])["counts"] == {"ready": 1, "trouble": 1}
    assert run([str(tmp_path / "none")]) == 2
    with pytest.raises(SystemExit) as stopped:
        run([""])
    assert stopped.value.code == 2
    assert run([str(tmp_path / "a.json")]) == 2
    (tmp_path / "empty").mkdir()
    assert run([str(tmp_path / "empty")]) == 2
    assert "There is no report in" in capsys.readouterr().err


def test_a_home_folder_given_by_mistake_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.workshop.readiness.MAX_FILES", 2)
    for number in range(3):
        put(tmp_path, f"{number}.json", good(number))
    with pytest.raises(FolderError, match="more than 2 files"):
        read(tmp_path, LOCK, NOW)
