"""`course journal`: what it tells, what it escapes, and that nothing is lost."""

import errno
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers import cli
from helpers.course import journal, progress, questions
from helpers.course.gathered import MODULE_OF_ITEM, gathered
from helpers.course.journal import read
from helpers.course.journal_page import page
from helpers.evaluate.checklist import CHECKLIST
from helpers.paths import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    # This clone's notebooks may have been run.
    monkeypatch.setattr(journal, "measured", lambda module, root: [])
    return tmp_path / "home"


def evidence(home: Path, name: str, **fields: object) -> None:
    (home / "evidence").mkdir(parents=True, exist_ok=True)
    content = {
        "item": name,
        "written": "2026-03-01T10:00:00+00:00",
        "command": "course serve-check",
        "statement": None,
        "by": None,
        "figures": {"requests lost": {"value": 0.25, "count": 500}},
    }
    (home / "evidence" / f"{name}.json").write_text(json.dumps(content | fields))


class Outline(HTMLParser):
    """The tags of a page, its texts, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def outline() -> Outline:
    found = Outline()
    found.feed(page(read(root=ROOT)))
    assert found.open == []
    return found


def text() -> str:
    return " | ".join(outline().texts)


def test_a_fresh_one() -> None:
    assert "Nothing is recorded yet" in text()
    assert "<table" not in page(read(root=ROOT))


def test_first_and_best_of_a_check() -> None:
    for status, passed in [("not done yet", 0), ("wrong", 0), ("partly", 2), ("partly", 1)]:
        progress.record_check("01.1", status, passed, 3)
    progress.use_hint("01.1")
    (line, *_) = read(root=ROOT).modules[1].checks
    assert line.first
    assert line.best
    assert (line.first.status, line.first.passed) == ("wrong", 0)
    assert (line.best.status, line.best.passed, line.best.total) == ("partly", 2, 3)
    assert (line.tries, line.hints) == (3, 1)
    found = text()
    assert re.search(r"wrong, 0 of 3,  \| \d{4}-\d\d-\d\d \d\d:\d\d \| partly, 2 of 3, ", found)
    assert "01 build an agent" in found
    assert "02 evaluate" not in found  # nothing was recorded of it


def test_a_given_solution_is_told_as_given() -> None:
    progress.record_given(["01.1"])
    progress.record_check("01.1", "passed", 3, 3)
    found = text()
    assert "given | - | -" in found
    assert "0 of " in found
    assert "passed, 3 of 3" not in found


def test_the_quiz_by_question() -> None:
    first, second, *_ = questions.load("01")
    progress.record_quiz("01", first.id, False)
    progress.record_quiz("01", first.id, True)
    progress.record_quiz("01", second.id, False)
    progress.record_quiz("01", "gone-since", True)
    one, two = read(root=ROOT).modules[1].quiz
    assert (one.question, one.tries, one.right is not None) == (first.question, 2, True)
    assert (two.tries, two.right) == (1, None)


def test_evidence_and_own_figures(home: Path) -> None:
    evidence(home, "load")
    evidence(home, "own_tea", command="05_serve_with_fastapi, cell 3")
    evidence(home, "own_pot", command="a cell of your own")
    evidence(home, "rollback", figures={}, statement="We go back by tag.", by="Ada")
    (home / "evidence" / "security.json").write_text("{")
    evidence(home, "privacy", figures={"x": {"value": float("nan"), "count": 1}})
    found = {one.name: one for one in gathered()}
    assert found["load"].module == found["own_tea"].module == "05"
    assert found["own_pot"].module is None
    assert not found["security"].readable
    assert not found["privacy"].readable
    said = text()
    assert "load | requests lost | 0.25 | 500 | 2026-03-01" in said
    assert "We go back by tag. (Ada)" in said
    assert said.count("This file cannot be read.") == 2
    assert said.index("own_tea") < said.index("own_pot")
    assert "Your own figures" in said


def test_the_checklists_items_have_their_modules() -> None:
    assert {item.name: item.module for item in CHECKLIST} == MODULE_OF_ITEM


def test_texts_are_escaped_and_nothing_is_loaded(home: Path) -> None:
    evidence(
        home, "own_x", command='<script>alert("&")</script>', statement="<img src=x>", by="<b>"
    )
    made = page(read(root=ROOT))
    assert "&lt;script&gt;" in made
    assert not {"script", "img", "b", "link", "iframe"} & set(outline().tags)
    assert "http" not in made.replace("http-equiv", "")
    assert "default-src 'none'" in made
    assert str(home) not in made


def test_both_themes_paper_and_keyboard(home: Path) -> None:
    evidence(home, "load")
    made = page(read(root=ROOT))
    assert '<html lang="en">' in made
    for rule in ("color-scheme: light dark", "prefers-color-scheme: dark", "@media print"):
        assert rule in made
    assert made.count("<h1>") == 1
    assert '<a href="#m05">' in made
    assert '<section id="m05"><h2>' in made
    assert 'tabindex="0"' in made  # a table that scrolls can be reached by keyboard


# --- the command ---------------------------------------------------------------------------------


def test_command_writes_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["journal"]) == 0
    assert "journal.html" in capsys.readouterr().out
    assert (home / "journal.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_full_disk_keeps_the_last_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["journal"])
    before = (home / "journal.html").read_bytes()
    progress.record_check("01.1", "passed", 1, 1)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "journal.html")

    monkeypatch.setattr(os, "fsync", full)
    assert cli.main(["journal"]) == 1
    said = capsys.readouterr().err
    assert "journal.html cannot be written: No space left" in said
    assert (home / "journal.html").read_bytes() == before
    assert not list(home.glob("*.new"))


@pytest.mark.parametrize("bad", ["FOLDER.html", "FILE/x.html", "nul\0byte.html"])
def test_a_place_that_cannot_be_written(
    bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FOLDER.html").mkdir()
    (tmp_path / "FILE").write_text("mine")
    assert cli.main(["journal", "--out", str(tmp_path / bad)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("course journal: ")
    assert said.count("\n") == 1
    assert (tmp_path / "FILE").read_text() == "mine"


def test_an_empty_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["journal", "--out", " "])
    assert stopped.value.code == 2
    assert "the name must end in .html" in capsys.readouterr().err
