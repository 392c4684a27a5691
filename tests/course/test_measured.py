"""The learner's own figures, as the journal reads them from saved notebooks."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.course.journal import read
from helpers.course.journal_page import page
from helpers.course.measured import CELL, measured
from helpers.paths import ROOT

SHIPPED = "<table><caption>Figures</caption><tr><td>1.5 s</td></tr></table>"
OWN = SHIPPED.replace("1.5", "2.5")


def write(file: Path, html: str, *, count: int | None = 3, name: str = CELL) -> None:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": "show.table(rows)",
        "execution_count": count,
        "outputs": [{"output_type": "display_data", "data": {"text/html": [html]}}],
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"cells": [cell]}))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with one walkthrough, as it was shipped."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    root = tmp_path / "course"
    root.mkdir()
    write(root / "notebooks" / "05_topic.ipynb", SHIPPED)
    who = ["-c", "user.name=x", "-c", "user.email=x@x.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "the course"]):
        subprocess.run(["git", *who, *words], cwd=root, check=True)
    return root


def test_what_was_shipped_is_not_the_learners(course: Path) -> None:
    assert measured("05", root=course) == []


def test_a_walkthrough_that_was_run_and_a_lab(course: Path) -> None:
    write(course / "notebooks" / "05_topic.ipynb", OWN)
    write(course / "labs" / "05_topic.ipynb", SHIPPED)
    found = measured("05", root=course)
    assert [(one.notebook, one.html) for one in found] == [
        ("notebooks/05_topic.ipynb", OWN),
        ("labs/05_topic.ipynb", SHIPPED),
    ]
    assert measured("06", root=course) == []


@pytest.mark.parametrize(
    "content",
    [
        {"html": OWN, "count": None},  # stored outputs that `course catch-up` gave
        {"html": OWN, "name": "other"},
        {"html": "<p>no table</p>"},
    ],
)
def test_other_outputs_are_no_figures(course: Path, content: dict[str, Any]) -> None:
    write(course / "notebooks" / "05_topic.ipynb", **content)
    assert measured("05", root=course) == []


def test_a_damaged_notebook_has_no_figures(course: Path) -> None:
    (course / "notebooks" / "05_topic.ipynb").write_text("{ half")
    assert measured("05", root=course) == []


def test_without_a_clone_a_walkthroughs_table_counts(tmp_path: Path) -> None:
    write(tmp_path / "labs" / "05_topic.ipynb", OWN)
    assert [one.html for one in measured("05", root=tmp_path)] == [OWN]


def test_the_page_has_the_table_and_nothing_else_of_the_notebook(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = OWN.replace(
        "2.5", '2.5<script>alert(1)</script><img src="http://x.example" onerror=x>'
    )
    write(course / "notebooks" / "05_topic.ipynb", hostile)
    found = measured("05", root=course)
    monkeypatch.setattr(
        "helpers.course.journal.measured", lambda module, root: found if module == "05" else []
    )
    html = page(read(root=ROOT))
    assert "What you measured: notebooks/05_topic.ipynb" in html
    assert "<td>2.5" in html
    for word in ("alert", "<img", "onerror", "<script"):
        assert word not in html


@pytest.mark.parametrize("number", [f"{number:02}" for number in range(13)])
def test_each_walkthrough_has_the_table(number: str) -> None:
    """In the cell of this name, as the course's own run has left it."""
    (file,) = (ROOT / "notebooks" / "src").glob(f"{number}_*.py")
    assert f'# %% name="{CELL}"' in file.read_text("utf-8")
