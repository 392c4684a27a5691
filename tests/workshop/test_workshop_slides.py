"""Slides come from the built notebook alone, and their page lets nothing in or out."""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from helpers import cli
from helpers.course.minutes import modules
from helpers.paths import ROOT
from helpers.workshop import slides_command
from helpers.workshop.arrows import arrows
from helpers.workshop.cells import Cell, SourceMissing, headings, read, source_of
from helpers.workshop.diagrams import PICTURES, diagrams, picture, picture_name
from helpers.workshop.notes import Note, notes_of
from helpers.workshop.slides import (
    LINES,
    NO_SLIDE,
    SlidesError,
    height,
    read_notebook,
    room,
    slides,
)
from helpers.workshop.slides_page import slides_page
from helpers.workshop.slides_tables import (
    HALF,
    ROWS,
    WHOLE,
    breakable,
    fits_half,
    lines_of,
    shortened,
)


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


def test_a_lead_is_whole_paragraphs() -> None:
    words = "\n\n".join(["word " * 30] * 5)
    (_, found) = slides([text("# T"), text(f"## H\n\n{words}"), code("f()")])
    assert len(found.lead.split()) == 30


def test_a_lead_does_not_announce_what_is_not_there() -> None:
    for said, left in (
        ("Why? The next cell shows it. Guess first.", "Why? Guess first."),
        ("One run proves little. So ask every\nquestion again:", "One run proves little."),
        ("The next function reads it.", ""),
        ("The table shows it.", "The table shows it."),
        ("```\nthe next cell:\n```", "```\nthe next cell:\n```"),
    ):
        (_, found) = slides([text("# T"), text(f"## H\n\n{said}"), code("f()")])
        assert found.lead == left


def test_a_list_keeps_its_bullets_as_far_as_there_is_room() -> None:
    short, long = (
        "\n".join(f"- Item {n}, {'word ' * many}" for n in range(12)) for many in (5, 25)
    )
    _, few, many = slides([text("# T"), text(f"## A\n\nFirst.\n\n{short}"),
                           text(f"## B\n\nFirst.\n\n{long}")])  # fmt: skip
    assert few.lead == f"First.\n\n{short}".strip()
    assert "- Item 4" in many.lead
    assert re.search(r"\n- and [2-7] more in the notebook$", many.lead)
    assert height(many.lead) <= LINES
    assert "<li>" in slides_page("T", [many])


def note(heading: str, after: str, said: str = "Ask.", *then: str) -> Note:
    return Note(heading, after, Cell("n", "markdown", said, "instructor", then))


def named(name: str, cell: dict[str, Any]) -> dict[str, Any]:
    return {**cell, "name": name}


NOTED = [
    text("# T"),
    text("## H\n\nOpening."),
    named("long", code("\n".join(f"line_{n}()" for n in range(40)), printed("no"))),
    named("a-text", text("About a.")),
    named("a", code("a()", printed("1 a"))),
    named("b", code("b()", html("<table><tr><td>2 b</td></tr></table>"))),
    named("c-text", text("About c:\n\nNow c.")),
    named("c", code("c()", printed("3 c"))),
    named("after", text("What c says.")),
    named("last", code("last()", printed("no"))),
]


def test_each_noted_cell_has_a_slide_with_its_own_text_and_output() -> None:
    notes = [note("H", "a", "N1", "01.1"), note("H", "b", "N2"), note("H", "after", "N3", "01.2")]
    found = slides(NOTED, notes)[1:]
    assert [(one.title, one.place, one.lead, one.code, one.printed) for one in found] == [
        ("H", "1 of 3", "Opening.\n\nAbout a.", "a()", "1 a"),
        ("H", "2 of 3", "", "b()", ""),  # the text above is about another cell
        ("H", "3 of 3", "About c:\n\nNow c.", "c()", "3 c"),
    ]
    assert "2 b" in found[1].figure
    assert [(one.notes, one.exercises) for one in found] == [
        (("N1",), ("01.1",)),
        (("N2",), ()),
        (("N3",), ("01.2",)),
    ]
    page = slides_page("T", found, "labs/01_t.ipynb")
    assert "H <small>2 of 3</small></h2>" in page
    assert "From here on, you can do exercise 01.2, in labs/01_t.ipynb." in page
    assert 'data-then="01.2"' in page


def test_a_note_that_follows_no_code_goes_with_the_cell_shown_or_the_whole_section() -> None:
    early = [note("H", "a-text", "N1"), note("H", "c", "N2")]
    cells = [*NOTED[:3], text("Between."), *NOTED[3:]]
    (_, of_c) = slides(cells, early)
    assert (of_c.code, of_c.notes) == ("c()", ("N1", "N2"))
    (_, of_b) = slides(NOTED, [note("H", "c-text", "N1")])
    assert (of_b.code, of_b.notes) == ("b()", ("N1",))
    (_, whole) = slides([text("# T"), *NOTED[1:4]], [note("H", "gone", "N1")])
    assert whole.code.startswith("line_0()")
    assert whole.notes == ("N1",)


def test_a_text_far_from_a_cell_is_its_lead_only_if_it_asks() -> None:
    for said, lead in (("About x.", "Opening."), ("Which one?", "Opening.\n\nWhich one?")):
        between = [text(said), code("x()"), code("y()")]
        cells = [text("# T"), text("## H\n\nOpening."), code("w()"), *between, NOTED[4]]
        (_, found) = slides(cells, [note("H", "a")])
        assert found.lead == lead


def test_printed_lines_of_another_cell_than_the_one_shown_are_called_so() -> None:
    cells = [text("# T"), text("## H"), code("f(\n1\n)", printed("1")), code("g()", printed("2"))]
    assert ">At its end the section prints<" in slides_page("T", slides(cells))
    assert ">It prints<" in slides_page("T", slides(cells[:3]))


def test_two_notes_of_one_cell_are_on_one_slide() -> None:
    (_, found) = slides(NOTED, [note("H", "c", "N1", "01.1"), note("H", "after", "N2", "01.2")])
    assert (found.place, found.notes, found.exercises) == ("", ("N1", "N2"), ("01.1", "01.2"))
    assert "exercises 01.1 and 01.2." in slides_page("T", [found])
    more = slides(NOTED, [note("H", "c", "N", "01.1", "01.2", "01.3")])
    assert "exercises 01.1, 01.2 and 01.3." in slides_page("T", more)


@pytest.mark.parametrize("number", modules(root=ROOT))
def test_every_noted_cell_of_a_walkthrough_is_on_a_slide(number: str) -> None:
    cells = read_notebook(number, root=ROOT)
    notes = notes_of(read(source_of(number, "notebooks", root=ROOT)))
    found = slides(cells, notes)
    assert sum(len(one.notes) for one in found) == len(notes)
    assert [n for one in found for n in one.exercises] == [
        n for one in notes for n in one.cell.then
    ]
    by_name = {cell["name"]: cell["text"] for cell in cells if cell["kind"] == "code"}
    shown = [(one.title, line) for one in found for line in one.code.splitlines()]
    for one in notes:
        if lines := by_name.get(one.after, "").strip().splitlines():
            assert (one.heading, lines[-1]) in shown, one.after


def test_what_people_do_for_themselves_is_no_slide() -> None:
    cells = [text("# T"), *(text(f"## {name}\n\nWords.") for name in sorted(NO_SLIDE))]
    assert [one.title for one in slides(cells)] == ["T"]


@pytest.mark.parametrize("number", modules(root=ROOT))
def test_every_walkthrough_makes_slides(number: str) -> None:
    cells = read_notebook(number, root=ROOT)
    found = slides(cells)
    wanted = [words for cell in cells if cell["kind"] == "markdown"
              for _, words in headings(cell["text"]) if words not in NO_SLIDE]  # fmt: skip
    assert [one.title for one in found] == wanted
    assert found[0].diagram or number == "12"
    page = slides_page(found[0].title, found)
    assert page.count('<section class="slide"') == len(found)
    assert page.count("<h1>") == 1
    assert not re.search(r"<(iframe|link|object|embed)|(src|href)=\"(?!data:image/png)", page)
    assert page.count("<svg") == sum(bool(one.picture) for one in found)
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


def table(*rows: Sequence[str]) -> str:
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"


def test_a_long_table_ends_with_a_count() -> None:
    cells = [text("# T"), code("f()", html(table(*([str(n)] for n in range(30)))))]
    page = slides_page("T", slides(cells))
    assert f"and {30 - ROWS + 1} more rows in the notebook" in page
    assert f"<td>{ROWS - 2}</td>" in page
    assert f"<td>{ROWS - 1}</td>" not in page


def test_a_table_with_high_rows_has_fewer_and_at_least_one() -> None:
    short, long = table(*[["word"] * 2] * 8), table(*[["word " * 40] * 2] * 8)
    assert shortened(short, HALF, 10) == short
    cut = shortened(long, HALF, 25)
    assert lines_of(cut, HALF) <= 25
    shown = cut.count("<tr>") - 1
    assert 1 < shown < 8
    assert f"and {8 - shown} more rows" in cut
    assert "and 7 more rows" in shortened(long, HALF, 3)
    assert lines_of(long, WHOLE) < lines_of(long, HALF)
    assert shortened("<img>", WHOLE, 3) == "<img>"


def test_a_long_name_in_a_table_may_be_broken_at_its_underscores() -> None:
    name = "test_only_results_are_marked_and_only_for_the_model"
    long = table([name, "short_name", "words"], [f'<img alt="{name}">', "", ""])
    assert not fits_half(long)
    broken = breakable(long)
    assert fits_half(broken)
    assert "test_<wbr>only_<wbr>results" in broken
    assert "<td>short_name</td>" in broken
    assert f'alt="{name}"' in broken
    assert broken.replace("<wbr>", "") == long


@pytest.mark.parametrize(("lead", "shown"), [("Short.", True), ("word " * 300, False)])
def test_a_wide_table_has_the_slide_and_its_code_what_is_left(lead: str, shown: bool) -> None:
    wide = table(["x" * 20] * 4)
    assert not fits_half(wide)
    made = [code("longest()\n" + "more()\n" * 6), code("f()", html(wide))]
    page = slides_page("T", slides([text("# T"), text(f"## H\n\n{lead}"), *made]))
    assert ("longest()" in page) is shown
    assert "columns two" not in page


def test_what_a_card_of_the_desk_says_is_no_figure() -> None:
    card = html("<table></table>")
    card["data"]["application/vnd.course.check+json"] = {}
    (_, found) = slides([text("# T"), text("## H"), code("check()", card, printed("1\n"))])
    assert (found.figure, found.printed) == ("", "1")


def test_code_in_a_text_is_trimmed_and_nothing_is_announced_that_is_not_there() -> None:
    fence = "\n".join(["```python", *(f"line_{n}()" for n in range(40)), "```"])
    items = "\n".join(f"- {'word ' * 20}" for _ in range(9))
    below = text(f"## H\n\nFirst.\n\n**Where:**\n\n{items.replace('word', 'word word')}")
    found = slides([text(f"# T\n\n{fence}"), below, code("f()")])
    assert 10 < found[0].lead.count("\n") < LINES
    assert "\n...\n" in found[0].lead
    assert found[1].lead == "First."
    assert room(found[0].lead) < room(found[1].lead)


def test_long_lines_leave_room_for_fewer() -> None:
    lines = [f"f({'long' * 20}, {n})" for n in range(30)]
    cells = [text("# T"), text("## H"), code("\n".join(lines))]
    page = slides_page("T", slides(cells))
    assert f"{lines[0]}\n" in page
    assert f"\n...\n{lines[-1]}" in page
    assert 8 < page.count("longlong") // 19 < 30


@pytest.mark.parametrize(("rows", "alone"), [(3, False), (16, True)])
def test_long_printed_lines_have_the_slide_and_its_code_what_is_left(
    rows: int, alone: bool
) -> None:
    said = "\n".join(f"variant {'0 ' * 25}" for _ in range(rows))
    cells = [text("# T"), text("## H"), code("first()\nsecond()", printed(said))]
    page = slides_page("T", slides(cells))
    assert said in page, "no line is lost or broken"
    assert "columns two" not in page
    assert ("second()" not in page) is alone


def png(width: int, height: int) -> dict[str, Any]:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\3\0\0"
    return html(f'<img alt="P" src="data:image/png;base64,{b64encode(head).decode()}">')


@pytest.mark.parametrize(
    ("size", "lines", "two", "wide"),
    [
        ((1400, 700), 12, True, (24, 26)),  # a half of the slide
        ((1400, 400), 12, False, (45, 52)),  # all of it, below the code
        ((1400, 400), 4, False, (45, 52)),
        ((700, 1400), 4, True, (10, 14)),  # as high as the slide
    ],
)
def test_a_plot_is_as_wide_as_its_shape_allows(
    size: tuple[int, int], lines: int, two: bool, wide: tuple[int, int]
) -> None:
    made = "\n".join(f"f{n}()" for n in range(lines))
    page = slides_page("T", slides([text("# T"), text("## H"), named("a", code(made, png(*size)))],
                                   [note("H", "a")]))  # fmt: skip
    assert ("columns two" in page) is two
    (em,) = re.findall(r'style="--wide: ([\d.]+)em"', page)
    assert wide[0] <= float(em) <= wide[1]


def test_a_title_that_begins_with_a_number_is_no_list() -> None:
    page = slides_page("T", slides([text("# T"), text("## 3. Why?")]))
    assert "<h2>3. Why?</h2>" in page


DRAWN = list(
    dict.fromkeys(
        diagram
        for number in modules(root=ROOT)
        for diagram in diagrams(read_notebook(number, root=ROOT))
    )
)
SVG = "{http://www.w3.org/2000/svg}"
# Shapes and words alone: nothing that runs, loads, refers to another element, or has a style.
TAGS = {"svg", "g", "rect", "path", "polygon", "circle", "text"}
ATTRIBUTES = {
    *("class", "role", "viewBox", "width", "height", "aria-label", "transform", "text-anchor"),
    *("x", "y", "rx", "d", "points", "cx", "cy", "r", "font-family", "font-size"),
    *("fill", "stroke", "stroke-width", "stroke-dasharray"),
}


def test_each_diagram_has_its_picture_and_each_picture_its_diagram() -> None:
    wanted = {picture_name(diagram): diagram for diagram in DRAWN}
    there = {path.name for path in PICTURES.iterdir()}
    wrong = [f"no picture of: {wanted[name]}" for name in wanted.keys() - there]
    wrong += [f"no walkthrough has the diagram of {name}" for name in there - wanted.keys()]
    assert not wrong, "\n".join(["run `python -m tests.browser.pictures`", *wrong])


@pytest.mark.parametrize("diagram", DRAWN, ids=picture_name)
def test_a_picture_is_shapes_and_words_alone(diagram: str) -> None:
    drawn = picture(diagram)
    assert len(drawn) < 10_000
    root = ElementTree.fromstring(drawn)
    for node in root.iter():
        assert node.tag.removeprefix(SVG) in TAGS
        assert node.attrib.keys() <= ATTRIBUTES
        assert not any(re.search(r"url|http|javascript|NaN", one) for one in node.attrib.values())
    assert root.get("role") == "img"
    assert root.get("aria-label") == "; ".join(arrows(diagram) or []) != ""
    words = {word for node in root.iter(f"{SVG}text") for word in (node.text or "").split()}
    assert words
    assert words <= {*re.split(r'[\s"|;{}]|<br\s*/?>|\[\(?|\)?\]|\(\[|\]\)', diagram)}


def test_slides_show_the_picture_or_else_the_arrows() -> None:
    found = slides(read_notebook("01", root=ROOT))
    page = slides_page("T", found)
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img"') == 2
    assert 'class="arrows"' not in page
    assert ">call a tool</text>" in page
    other = slides([text("# T\n\n```mermaid\nflowchart LR\nnever --> drawn\n```")])
    assert other[0].picture == ""
    assert "<li>never \u2192 drawn</li>" in slides_page("T", other)


@pytest.mark.parametrize("lead", ["Short.", "word " * 300])
def test_a_picture_has_a_height_whatever_is_around_it(lead: str) -> None:
    diagram = f"```mermaid\n{DRAWN[0]}\n```"
    cells = [text("# T"), text(f"## H\n\n{lead}\n\n{diagram}"), code("f()", html(table(["x"])))]
    page = slides_page("T", slides(cells))
    (lines,) = re.findall(r'<figure style="--lines: (-?\d+)">', page)
    assert 8 <= int(lines) < 18


def test_a_picture_is_found_by_its_text_whatever_its_directives() -> None:
    body = "flowchart LR\n    a --> b"
    indented = "\n".join(
        f"  {line}" for line in ["```mermaid", "%%{init}%%", *body.split("\n"), "```"]
    )
    shown = {"output_type": "display_data", "data": {"text/markdown": [f"```mermaid\n{body}\n```"]}}
    cells = [text(f"- One\n\n{indented}"), code("```mermaid\nno\n```", shown)]
    assert list(diagrams(cells)) == [body, body]


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
