"""Exported answers are graded by the evidence that they carry."""

import os
import re
from pathlib import Path

import pytest

from helpers.review.answer import STORED, Answer
from helpers.review.export import export
from helpers.review.exported import OPENING
from helpers.review.judge import judge
from helpers.review.questions import question
from helpers.review.saved import save
from helpers.workshop.files import on_disk
from helpers.workshop.labs import labs
from helpers.workshop.reviews import reviewed
from helpers.workshop.submitted import Submission, handed_in
from tests.exercises.m12.made import bodies, home, text_of

GOOD = text_of(bodies(question("Q1")))


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export of a right answer to Q1 and of an empty-handed one to Q2."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "course"))
    for name, answer in (
        ("Q1", Answer(GOOD + "\n</script><script>alert(1)</script>", home())),
        ("Q2", Answer("## Claim\n\nIt is safe.", STORED)),
    ):
        save(question(name), answer, judge(question(name), answer))
    folder = tmp_path / "in" / "ada"
    folder.mkdir(parents=True)
    export(folder / "review.html", say=lambda _: None)
    return folder / "review.html"


def names(one: Submission) -> list[str]:
    return [page.name for page in one.pages]


def test_an_export_is_judged_again(page: Path) -> None:
    found = reviewed([on_disk(page)])
    assert {name: grade.status for name, grade in found.grades.items()} == {
        "12.1": "passed",
        "12.2": "wrong",
    }
    assert found.grades["12.2"].detail.startswith("every part is there")
    assert any("not about this checkout" in note for note in found.notes)


def test_a_changed_figure_in_the_text_is_found(page: Path) -> None:
    content = page.read_text("utf-8")
    head, opening, data = content.partition(OPENING)
    changed = re.sub(r"figure is [^\[]+\[", "figure is 77.7% [", data, count=1)
    assert changed != data
    page.write_text(head + opening + changed, "utf-8")
    assert reviewed([on_disk(page)]).grades["12.1"].status == "partly"


def test_files_that_are_no_export_are_named(page: Path, tmp_path: Path) -> None:
    plain, broken = tmp_path / "page.html", tmp_path / "broken.html"
    plain.write_text("<p>Hello</p>", "utf-8")
    broken.write_text(f"{OPENING}{{</script>", "utf-8")
    found = reviewed([on_disk(plain), on_disk(broken)])
    assert (found.grades, found.unreadable) == ({}, True)
    assert [note.split(" ")[0] for note in found.notes] == ["broken.html", "page.html"]


def test_the_newest_export_counts(page: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.html"
    old.write_text(re.sub(r'("exported": ?")\d{4}', r"\g<1>2020", page.read_text("utf-8")), "utf-8")
    os.utime(old)
    found = reviewed([on_disk(old), on_disk(page)])
    assert found.grades["12.1"].status == "passed"
    (note,) = [one for one in found.notes if "is older than" in one]
    assert re.fullmatch(
        r"old\.html \(exported 2020-.{11}\) is older than review\.html \(exported .{16}\) and was "
        "left out",
        note,
    )


def test_a_folder_with_an_export_alone_is_a_submission(page: Path) -> None:
    (one,) = handed_in(page.parent.parent, labs(Path(__file__).parents[2])).submissions
    assert (one.learner, one.labs, names(one)) == ("ada", {}, ["review.html"])


def test_every_page_that_the_export_writes_is_taken(page: Path) -> None:
    page.rename(page.with_suffix(".htm"))
    (one,) = handed_in(page.parent.parent, labs(Path(__file__).parents[2])).submissions
    assert names(one) == ["review.htm"]
