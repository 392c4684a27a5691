"""Slides come from the built notebook alone, and their page lets nothing in or out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpers import cli
from helpers.course.minutes import modules
from helpers.paths import ROOT
from helpers.workshop import slides_command
from helpers.workshop.arrows import arrows
from helpers.workshop.cells import Cell, SourceMissing, headings
from helpers.workshop.notes import Note
from helpers.workshop.slides import CODE_LINES, SlidesError, read_notebook, slides
from helpers.workshop.slides_page import ROWS, slides_page


def text(source: str) -> dict[str, Any]:
    return {"kind": "markdown", "text": source, "outputs": []}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "code", "text": source, "outputs": list(outputs)}


def html(source: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/html": [source]}}


def printed(source: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": source}


def test_a_slide_for_each_heading_also_in_the_middle_of_a_cell() -> None:
    found = slides(
        [
            text("# 01 Topic\n\nAfter this.\n\n```mermaid\nflowchart LR\na --> b\n```"),
            code("x = 1", printed("1")),
            text("The end of it.\n\n## Why?\n\nBecause *so*.\n\n```\n# no heading\n```"),
            code("import os\n\ny = 2\nprint(y)", printed("a\nb\n")),
        ]
    )
    assert [(one.title, one.lead, one.code, one.printed) for one in found] == [
        ("01 Topic", "After this.", "", ""),
        ("Why?", "Because *so*.\n\n```\n# no heading\n```", "y = 2\nprint(y)", "a\nb"),
    ]
    assert found[0].diagram == ("a \u2192 b",)


def test_a_plot_comes_before_a_table_and_a_table_before_printed_lines() -> None:
    plot, table = html('<img alt="P" src="data:image/png;base64,AA">'), html("<table></table>")
    for outputs, wanted in (
        ([plot, table, printed("x")], "<img"),
        ([table, printed("x")], "<table"),
        ([printed("x")], ""),
    ):
        cells = [text("# T"), text("## H"), code("f()", *outputs)]
        assert slides(cells)[1].figure.startswith(wanted)
        assert bool(slides(cells)[1].printed) is not bool(wanted)


def test_code_and_text_are_trimmed() -> None:
    long = "\n".join(f"line_{n}()" for n in range(40))
    words = "\n\n".join(["word " * 30] * 5)
    (_, found) = slides([text("# T"), text(f"## H\n\n{words}"), code(long), code("short()")])
    assert found.code.count("\n") == CODE_LINES - 1
    assert found.code.endswith("\n...")
    assert len(found.lead.split()) == 30


def test_notes_go_to_the_slide_of_their_heading() -> None:
    note = Note("H", "x", Cell("n", "markdown", "Ask **them**.", "instructor"))
    found = slides([text("# T"), text("## H"), code("f()")], [note])
    assert [one.notes for one in found] == [(), ("Ask **them**.",)]
    assert "<strong>them</strong>" in slides_page("T", found)


@pytest.mark.parametrize("number", modules(root=ROOT))
def test_every_walkthrough_makes_slides(number: str) -> None:
    cells = read_notebook(number, root=ROOT)
    found = slides(cells)
    wanted = [words for cell in cells if cell["kind"] == "markdown"
              for _, words in headings(cell["text"])]  # fmt: skip
    assert [one.title for one in found] == wanted
    assert all(not one.code or one.code.count("\n") < CODE_LINES for one in found)
    assert found[0].diagram or number == "12"
    page = slides_page(found[0].title, found)
    assert page.count('<section class="slide"') == len(found)
    assert page.count("<h1>") == 1
    assert not re.search(r"<(iframe|link|object|embed|svg)|(src|href)=\"(?!data:image/png)", page)
    assert str(ROOT) not in page


HOSTILE = (
    "<table><tr><td onclick='x()' style='position: fixed; text-align: right'>"
    "<script>alert(1)</script><img src='https://elsewhere.example/a.png' onerror='x()'>"
    "<a href='https://elsewhere.example'>go</a></td></tr></table><style>body{}</style>"
)


def test_what_a_notebook_holds_can_neither_run_nor_load() -> None:
    cells = [
        text("# <script>alert(1)</script> T"),
        text("## H\n\n<b onclick='x()'>raw</b> [go](javascript:x) ![p](https://e.example/p.png)"),
        code("</code></pre><script>x</script>", html(HOSTILE)),
        code("</pre><script>y</script>"),
    ]
    page = slides_page("</title><script>z</script>", slides(cells))
    assert page.count("<script>") == 1, "the page's own"
    body = page[page.index("<main>") : page.index("</main>")]
    assert not re.search(r"<(script|style|a|b)\b|<\w[^>]*\son\w+=|position|elsewhere", body)
    assert "script-src 'sha256-" in page
    assert 'style="text-align:right"' in body.replace(": ", ":").replace(";", "")


def test_a_long_table_ends_with_a_count() -> None:
    rows = "".join(f"<tr><td>{n}</td></tr>" for n in range(30))
    cells = [text("# T"), code("f()", html(f"<table><tbody>{rows}</tbody></table>"))]
    page = slides_page("T", slides(cells))
    assert f"and {30 - ROWS + 1} more rows in the notebook" in page
    assert f"<td>{ROWS - 2}</td>" in page
    assert f"<td>{ROWS - 1}</td>" not in page


@pytest.mark.parametrize(
    ("diagram", "said"),
    [
        ("flowchart LR\n a[one<br>two] -- says --> b & c", ["one two \u2192 b, c (says)"]),
        ("graph TD;\n\t__start__ -.-> x;", ["start \u2192 x"]),
        ('flowchart LR\n a -. "a, b" .-> b{"B?"} --- c', ["a \u2192 B? (a, b)", "B? \u2013 c"]),
        ("flowchart LR\n a <-- text --> b(( B ))", ["a \u2194 B (text)"]),
        ("flowchart LR\n a -->|yes| b", ["a \u2192 b (yes)"]),
        ("sequenceDiagram\n participant a as A b\n a->>b: go", ["A b \u2192 b (go)"]),
        ("pie\n x: 1", None),
        ("flowchart LR\n a ??? b", None),
        ("", None),
    ],
)
def test_a_diagram_is_told_by_its_arrows(diagram: str, said: list[str] | None) -> None:
    assert arrows(diagram) == said


def test_every_diagram_of_the_walkthroughs_can_be_told() -> None:
    for number in modules(root=ROOT):
        for one in slides(read_notebook(number, root=ROOT)):
            assert not (len(one.diagram) == 1 and "\n" in one.diagram[0]), (number, one.title)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "git restore"),
        (b"{", "git restore"),
        (b"\xff\xfe\x00", "git restore"),
        (b"[]", "git restore"),
        (b'{"cells": 3}', "git restore"),
        (b'{"cells": [{"cell_type": "code"}]}', "git restore"),
        (b'{"cells": [{"cell_type": "code", "source": 7, "outputs": 1}]}', "git restore"),
        (b'{"cells": [{"cell_type": "markdown", "source": ["# T"]}]}', "no outputs"),
    ],
)
def test_a_damaged_notebook_is_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_topic.ipynb").write_bytes(content)
    with pytest.raises(SlidesError, match=said):
        read_notebook("01", root=tmp_path)


@pytest.mark.parametrize("number", ["77", "", "../01", "*"])
def test_a_walkthrough_that_does_not_exist_is_named(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceMissing, match="There is no walkthrough"):
        read_notebook(number, root=ROOT)
    assert cli.main(["workshop", "slides", number]) == 2
    assert "There are: 00, 01" in capsys.readouterr().err


def test_without_a_name_the_courses_own_file_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    own = tmp_path / "slides" / "03.html"
    assert cli.main(["workshop", "slides", "3"]) == 0
    own.write_text("old", "utf-8")
    assert cli.main(["workshop", "slides", "3"]) == 0
    assert "For the instructor" in own.read_text("utf-8")
    other = tmp_path / "mine.html"
    other.write_text("mine", "utf-8")
    assert cli.main(["workshop", "slides", "3", "--out", str(other)]) == 1
    assert other.read_text("utf-8") == "mine"
    with pytest.raises(SystemExit):
        cli.main(["workshop", "slides", "3", "--out", "slides.pptx"])


def test_slides_without_notes_where_the_sources_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        {"cell_type": "markdown", "source": "# 01 T"},
        {"cell_type": "code", "source": "x", "outputs": [printed("1")]},
    ]
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "01_t.ipynb"
    path.write_text(json.dumps({"cells": cells}), "utf-8")
    monkeypatch.setattr(slides_command, "ROOT", tmp_path)
    assert cli.main(["workshop", "slides", "1", "--out", str(tmp_path / "x.html")]) == 0
    assert "no notes" in capsys.readouterr().err
    path.write_text(json.dumps({"cells": cells[1:]}), "utf-8")
    assert cli.main(["workshop", "slides", "1", "--out", str(tmp_path / "y.html")]) == 1
    assert "no headings" in capsys.readouterr().err
