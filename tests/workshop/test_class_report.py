"""Feedback for each learner, the page about the class, and tables that spreadsheets open."""

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.outfile import OutError
from helpers.workshop import feedback
from helpers.workshop.class_page import is_page, page
from helpers.workshop.grade import Grade, LearnerRow, Report
from helpers.workshop.report import as_csv, as_csv_file, as_text, is_table

FAILED = (("double(5)", "Called: double(5)\nGot: 4\nExpected: 10"),)
EVIL = "<script>alert(1)</script>"
REPORT = Report(
    ("98.1", "98.2"),
    (
        LearnerRow(
            "Zoë",
            {"98.1": Grade("partly", 1, 3, "failed", FAILED), "98.2": Grade("passed", 1, 1)},
            (),
            seconds=61.0,
        ),
        LearnerRow(
            EVIL,
            {
                "98.1": Grade("wrong", 0, 3, "x", (*FAILED, (f"f({EVIL})", f"Got: ```{EVIL}"))),
                "98.2": Grade("not graded", detail="the course's own solution does not pass"),
            },
            (f"replaced {EVIL}",),
            seconds=9.0,
        ),
        LearnerRow("Ida", dict.fromkeys(("98.1", "98.2"), Grade("missing")), ("handed in nothing",),
                   handed_in=False, submission="nothing handed in", id="7", email="ida@a.example"),
    ),
    ("98_mini: a fault",),
    ("readme.txt is not a submission and was not read",),
    ("Double a number", "Choose a limit"),
    300.0,
    2,
    roster=True,
)  # fmt: skip


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]


def test_the_page_tells_what_was_hard_and_who_is_missing() -> None:
    text = page(REPORT)
    assert text.index("Double a number") < text.index("Choose a limit")
    assert (
        "2 of the 3 learners on the roster handed something in. Together they passed 1 of 4 "
        "exercises."
    ) in text
    assert "This grading took 5 min and ran 2 of the labs" in text
    assert "<td>double(5)</td><td>2</td><td>Zoë, &lt;script&gt;" in text
    assert "<h2>Handed in nothing</h2>\n<ul>\n<li>Ida</li>" in text
    assert "readme.txt is not a submission" in text
    assert "98_mini: a fault" in text


def test_an_exercise_that_does_not_count_comes_last() -> None:
    rows = tuple(replace(row, uncounted=frozenset({"98.1"})) for row in REPORT.learners)
    text = page(replace(REPORT, learners=rows))
    assert text.index("Choose a limit") < text.index("Double a number")


def test_the_page_loads_nothing_runs_nothing_and_has_both_themes() -> None:
    text = page(REPORT)
    found = Tags(text)
    assert found.links == []
    assert "script" not in found.tags
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert found.tags.count("h1") == 1
    assert "prefers-color-scheme: dark" in text
    assert 'tabindex="0" role="region"' in text  # wide tables scroll by keyboard


def test_the_page_counts_by_the_roster_and_says_what_was_not_graded() -> None:
    unread = LearnerRow("Karl", {"98.1": Grade("missing")}, ("x",), submission="not readable")
    guest = LearnerRow("Eve", {"98.1": Grade("passed", 1, 1)}, (), listed=False)
    late = LearnerRow("Lou", {"98.1": Grade("passed", 1, 1)}, (), submission="graded, late")
    text = page(Report(("98.1",), (unread, late, REPORT.learners[2], guest), roster=True))
    assert (
        "2 of the 3 learners on the roster handed something in. 1 more not on the "
        "roster: Eve. Not graded: 1 not readable. Together they passed 2 of 3 exercises."
    ) in text
    alone = page(Report(("98.1",), (unread, late)))
    assert "2 learners handed something in. Not graded: 1 not readable." in alone


def test_notes_for_the_instructor_are_on_the_page_and_in_no_feedback() -> None:
    row = LearnerRow("Ada", {"98.1": Grade("passed", 1, 1)}, ("late",), private=("as Bob",))
    report = Report(("98.1",), (row,))
    assert "Ada: as Bob" in page(report)
    assert "Ada: as Bob" in as_text(report)
    assert as_csv(report).endswith(",late; as Bob\n")
    assert "Bob" not in feedback.page(row, report)
    assert "late" in feedback.page(row, report)


def test_what_a_learner_is_not_asked_for_is_empty_and_in_no_count() -> None:
    row = LearnerRow("Ada", {"98.1": Grade("passed", 1, 1)}, ())
    guest = LearnerRow("Bob", {"98.1": Grade("wrong", 0, 1), "97.1": Grade("passed", 1, 1)}, (),
                       uncounted=frozenset({"97.1"}))  # fmt: skip
    unknown = LearnerRow("Cem", {}, (), submission="not graded yet")
    report = Report(("97.1", "98.1"), (row, guest, unknown))
    assert [one.score for one in report.learners] == ["1 of 1", "0 of 1", ""]
    rows = list(csv.reader(io.StringIO(as_csv(report))))
    assert rows[1] == ["Ada", "graded", "", "passed", "1", "1", ""]
    assert rows[3] == ["Cem", "not graded yet", "", "", "", "", ""]
    assert "97.1" not in feedback.page(row, report)
    assert "<td>1 of 1</td>" in page(report)  # of 97.1: one was handed in
    assert "2 missing" not in page(report)


def test_a_page_of_nobody_and_of_a_class_without_faults() -> None:
    assert "Notes" in page(Report((), ()))
    alone = page(Report(REPORT.exercises, REPORT.learners[:1]))
    assert "Handed in nothing" not in alone
    assert "No case failed" not in alone


def test_feedback_has_each_status_and_the_failed_cases(tmp_path: Path) -> None:
    assert feedback.write(REPORT, tmp_path) == 2
    text = (tmp_path / "Zoë.md").read_text("utf-8")
    assert "1 of 2 exercises passed." in text
    assert "| 98.1 | partly | 1 of 3 |" in text
    assert "\n## 98.1 Double a number\n" in text
    assert "Called: double(5)\nGot: 4\nExpected: 10" in text
    other = next(file for file in tmp_path.iterdir() if "script" in file.name).read_text("utf-8")
    assert "````text\nGot: ```" in other  # its backticks end no block
    assert f"# Feedback for {EVIL}" not in other
    assert "not graded: this is not your fault" in other


def test_feedback_names_the_cases_that_the_check_does_not_tell() -> None:
    failed = (*FAILED, ("double(6)", ""), ("double(7)", ""))
    row = LearnerRow("Ada", {"98.1": Grade("wrong", 0, 3, "failed: double(5)", failed)}, ())
    text = feedback.page(row, Report(("98.1",), (row,)))
    assert text.count("```") == 2
    assert text.endswith("Also failed: double(6); double(7).\n")


def test_feedback_says_what_led_to_the_failed_cases() -> None:
    detail = "stopped after 8 s in its cell; failed: double(5)"
    row = LearnerRow("Ada", {"98.1": Grade("wrong", 0, 3, detail, FAILED)}, ())
    text = feedback.page(row, Report(("98.1",), (row,)))
    assert f"```text\n{detail}\n```\n\n**double(5)**" in text


def test_feedback_replaces_feedback_and_nothing_else(tmp_path: Path) -> None:
    feedback.write(REPORT, tmp_path)
    (tmp_path / "Zoë.md").write_text("# Feedback for Zoë\n\nolder")
    feedback.write(REPORT, tmp_path)
    assert "older" not in (tmp_path / "Zoë.md").read_text("utf-8")
    (tmp_path / "Zoë.md").write_text("My notes on Zoë")
    with pytest.raises(OutError, match=r"Zoë\.md is there already"):
        feedback.write(REPORT, tmp_path)
    assert (tmp_path / "Zoë.md").read_text() == "My notes on Zoë"


def test_feedback_on_what_could_not_be_read() -> None:
    notes = ("lab.ipynb could not be read: it is empty",)
    row = LearnerRow("Karl", {"98.1": Grade("missing")}, notes, submission="not readable")
    text = feedback.page(row, Report(("98.1",), (row,)))
    assert "Your submission could not be graded: not readable." in text
    assert "| 98.1 | not readable |" in text
    assert "not handed in" not in text
    assert "- lab.ipynb could not be read: it is empty" in text


def test_feedback_of_equal_and_of_impossible_names(tmp_path: Path) -> None:
    names = ("Ada", "ADA", "..", "CON", "a/b", "n" * 300)
    rows = tuple(LearnerRow(name, {"98.1": Grade("passed", 1, 1)}, ()) for name in names)
    assert feedback.write(Report(("98.1",), rows), tmp_path / "out") == 6
    found = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert found == ["ADA-2.md", "Ada.md", "CON-.md", "a-b.md", "learner.md", f"{'n' * 80}.md"]


def test_feedback_that_cannot_be_written_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback.write(REPORT, tmp_path)
    before = (tmp_path / "Zoë.md").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutError, match="No space"):
        feedback.write(REPORT, tmp_path)
    assert (tmp_path / "Zoë.md").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "\n=1"])
def test_no_cell_of_the_table_is_a_formula(name: str) -> None:
    report = Report((), (LearnerRow(name, {}, (f"{name} was read",)),))
    _, row = csv.reader(io.StringIO(as_csv(report), newline=""))
    assert row[0] == f"'{name.strip()}"
    assert row[-1].startswith("'")


def test_the_table_as_a_file_is_what_spreadsheets_open() -> None:
    content = as_csv_file(REPORT)
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").splitlines()
    assert lines[0] == "learner,id,email,submission,ex 98.1,ex 98.2,passed,of,notes"
    assert lines[1].startswith("Zoë,,,graded,partly 1/3,passed,1,2,")
    assert lines[3].startswith("Ida,7,ida@a.example,nothing handed in,missing,missing,0,2,")


def test_a_table_and_a_page_know_their_own_kind() -> None:
    for separator in ",;":
        assert is_table(as_csv_file(REPORT, separator))
    assert not is_table(b"learner,id,email\r\nAda,1,\r\n")  # a roster
    assert not is_table(b"")
    assert is_page(page(REPORT).encode())
    assert not is_page(b"<title>Mine</title><h1>Class report</h1>")


def test_a_table_for_spreadsheets_that_expect_semicolons() -> None:
    rows = csv.reader(io.StringIO(as_csv_file(REPORT, ";").decode("utf-8-sig")), delimiter=";")
    assert [len(row) for row in rows] == [9, 9, 9, 9]


def test_the_text_names_those_who_handed_in_nothing_once() -> None:
    lines = as_text(REPORT).splitlines()
    assert "Handed in nothing (1): Ida" in lines
    assert lines[-1] == "readme.txt is not a submission and was not read"
    assert sum("Handed in nothing" in line for line in lines) == 1
    assert "nothing handed in" in next(line for line in lines if line.startswith("Ida "))
