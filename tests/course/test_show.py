import base64
import io
import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from PIL import Image

from helpers.course import show
from helpers.course.show import plots, tables
from helpers.course.show.output import Output


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Output]:
    outputs: list[Output] = []
    monkeypatch.setattr(plots, "put", outputs.append)
    return outputs


def picture(output: Output) -> Image.Image:
    found = re.search(r'base64,([^"]+)"', output.html)
    assert found
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


# --- tables --------------------------------------------------------------------------------------


def test_table_of_mappings() -> None:
    output = tables.render(
        [
            {"step": "chain", "right": 1200, "share": 0.5},
            {"step": "agent", "right": None, "share": 1},
        ],
        caption="What <you> measured",
        units={"share": "of 60"},
    )
    assert output.text.splitlines() == [
        "What <you> measured",
        "step   right  share (of 60)",
        "-----  -----  -------------",
        "chain  1,200           0.50",
        "agent      -              1",
    ]
    assert '<th scope="col" style="text-align: right">share (of 60)</th>' in output.html
    assert "What &lt;you&gt; measured</caption>" in output.html


def test_table_takes_its_colours_from_the_theme() -> None:
    html = tables.render([{"a": "x"}], caption="c").html
    assert set(re.findall(r'style="([^"]*)"', html)) == {"text-align: left"}


def test_table_escapes_and_keeps_lines() -> None:
    html = tables.render([{"a<b": "<script>\n&"}], caption="c").html
    assert "&lt;script&gt;<br>&amp;" in html
    assert "a&lt;b" in html


def test_frame_with_a_named_index() -> None:
    frame = pd.DataFrame({"kind": ["a", "b", "b"], "ms": [1.0, 2.0, 4.0]}).groupby("kind").mean()
    assert tables.render(frame, caption="c", digits=1).text.splitlines()[1:] == [
        "kind   ms",
        "----  ---",
        "a     1.0",
        "b     3.0",
    ]


def test_frame_with_plain_numbers_hides_them() -> None:
    assert tables.render(pd.DataFrame({"ms": [1]}), caption="c").text.split() == [
        "c",
        "ms",
        "--",
        "1",
    ]


def test_long_text_is_cut_in_the_terminal_alone() -> None:
    output = tables.render([{"answer": "word " * 40}], caption="c")
    assert max(map(len, output.text.splitlines())) <= 72
    assert "word " * 40 in output.html


def test_rows_must_agree() -> None:
    with pytest.raises(ValueError, match="row 2 has the columns b; the first row has a"):
        tables.render([{"a": 1}, {"b": 1}], caption="c")
    with pytest.raises(ValueError, match="no column 'time'"):
        tables.render([{"a": 1}], caption="c", units={"time": "s"})
    with pytest.raises(ValueError, match="no column 'time'"):
        tables.render([{"a": 1}], caption="c", digits={"time": 3})


# --- plots ---------------------------------------------------------------------------------------

DRAWINGS: dict[str, Callable[[], None]] = {
    "bars": lambda: show.bars({"a": 1, "b": 2.5}, title="b costs more", x="time (s)"),
    "grouped bars": lambda: show.bars(
        {"day": {"a": 1, "b": 2.5}, "night": {"b": 3}}, title="b costs more", x="time (s)"
    ),
    "intervals": lambda: show.intervals(
        {"a": (3, 60), "b": (57, 60)}, title="b is better", x="right answers"
    ),
    "line": lambda: show.line(
        {"a": ([1, 2], [3, 4]), "b": ([1, 2], [5, 0.5])},
        title="a rises",
        x="load (1/s)",
        y="p95 (ms)",
        marks={"limit": 1.5},
    ),
    "scatter": lambda: show.scatter(
        {"a": ([1, 2], [3, 4])}, title="a rises", x="t (s)", y="p95 (ms)"
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_plots_are_small_and_say_what_they_show(name: str, shown: list[Output]) -> None:
    DRAWINGS[name]()
    (output,) = shown
    image = picture(output)
    assert len(output.html) < 60_000
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert image.width == 1400
    assert 'width="700"' in output.html
    alt = re.search(r'alt="([^"]*)"', output.html)
    assert alt
    assert alt[1] == output.text.removeprefix("[Plot] ")
    assert "a:" in alt[1] or "day:" in alt[1]
    assert re.search(r"\d", alt[1])


def test_same_figures_same_bytes(shown: list[Output]) -> None:
    for _ in range(2):
        DRAWINGS["line"]()
    assert shown[0] == shown[1]


def test_intervals_are_wilson_and_counted(shown: list[Output]) -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263 and 0 of 20, Wilson's method.
    show.intervals({"a": (81, 263), "b": (0, 20), "c": (0, 0)}, title="t", x="share")
    assert "a: 31% (26 to 37%, 81 of 263)" in shown[0].text
    assert "b: 0% (0 to 16%, 0 of 20)" in shown[0].text
    assert "c: nothing to count" in shown[0].text


def test_a_rate_brings_its_own_interval(shown: list[Output]) -> None:
    @dataclass(frozen=True)
    class Given:
        successes: int = 1
        total: int = 2
        interval: tuple[float, float] | None = (0.25, 0.75)

    show.intervals({"BM25": {"a": Given()}, "MiniLM": {"a": (2, 2)}}, title="t", x="share")
    assert "BM25: a: 50% (25 to 75%, 1 of 2)." in shown[0].text


def test_plots_refuse_what_they_cannot_show() -> None:
    with pytest.raises(ValueError, match="nothing to plot"):
        show.bars({}, title="t", x="x")
    with pytest.raises(ValueError, match="nothing to plot"):
        show.line({}, title="t", x="x", y="y")
    with pytest.raises(ValueError, match="61 of 60"):
        show.intervals({"a": (61, 60)}, title="t", x="x")
    with pytest.raises(ValueError, match="2 x values and 1 y values"):
        show.scatter({"a": ([1, 2], [1])}, title="t", x="x", y="y")


def test_a_timeline_has_a_row_for_each_name(shown: list[Output]) -> None:
    spans = {
        "waits": {f"client {n}": (0.0, 0.1 * n) for n in range(1, 21)},
        "reads": {"client 1": (0.1, 0.5), "client 9": (0.9, 1.0)},
    }
    show.timeline(spans, title="One of 20 waits 2 s", x="seconds", marks={"stop": 1.0})
    assert shown[0].text == (
        "[Plot] One of 20 waits 2 s. A row for each of 20. waits: 20 bars of 0.1 to 2. "
        "reads: 2 bars of 0.1 to 0.4. stop at 1 (seconds)."
    )
    assert picture(shown[0]).height > 600


def test_a_timeline_refuses_what_it_cannot_show() -> None:
    with pytest.raises(ValueError, match="no phase has a name"):
        show.timeline({"waits": {}}, title="t", x="x")
    with pytest.raises(ValueError, match="waits of b ends before it starts"):
        show.timeline({"waits": {"a": (0, 1), "b": (2, 1)}}, title="t", x="x")


def test_own_drawing(shown: list[Output]) -> None:
    with show.axes(title="Half are 2", x="value", y="count", alt="Two bars.") as plot:
        plot.hist([1, 1, 2, 2])
    assert shown[0].text == "[Plot] Half are 2. Two bars."


# --- in a kernel and in a terminal ---------------------------------------------------------------


@pytest.mark.slow
def test_what_a_notebook_stores() -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source)
        for source in (
            "from helpers.course import show\n"
            "import time\n"
            "for item in show.progress(range(3), 'Asking'):\n    time.sleep(0.3)",
            "for item in show.progress(iter('abc'), 'Asking', total=3):\n    if item == 'b': break",
            "show.table([{'a': 1}], caption='One')",
            "show.bars({'a': 1}, title='One', x='count')",
        )
    ]
    NotebookClient(notebook, timeout=60).execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert [len(one) for one in outputs] == [1, 1, 1, 1]
    assert outputs[0][0].data == {"text/plain": "Asking: 3 of 3"}
    assert outputs[1][0].data == {"text/plain": "Asking: 1 of 3"}
    assert set(outputs[2][0].data) == set(outputs[3][0].data) == {"text/html", "text/plain"}
    assert outputs[3][0].data["text/plain"].startswith("[Plot] One. ")


def test_terminal_gets_text_and_no_noise() -> None:
    code = (
        "from helpers.course import show\n"
        "print(list(show.progress(range(3), 'Asking')))\n"
        "show.table([{'a': 1}], caption='One')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 1, 2]\nOne\na\n-\n1\n"
    assert done.stderr == ""


def test_labels_of_marks_that_are_close_do_not_cover_each_other(shown: list[Output]) -> None:
    moments = {"new version": 35.0, "agent killed": 64.0, "gateway killed": 75.0, "node lost": 86.0}
    with plots.axes(title="t", x="x", y="y", alt="") as plot:
        plot.scatter([30, 160], [0, 12])
        plots._draw_marks(plot, moments)
        boxes = [text.get_window_extent() for text in plot.texts]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
