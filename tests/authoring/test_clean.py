"""What counts as run noise in an output, and what does not."""

import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers.authoring.clean import clean

ROOT = Path("/srv/people/ada/agent course")
HOME = Path("/srv/people/ada/agent course/.course")


def cleaned(*outputs: Any) -> list[Any]:
    notebook = new_notebook(cells=[new_code_cell("x", id="x", outputs=list(outputs))])
    clean(notebook, root=ROOT, home=HOME)
    return list(notebook.cells[0].outputs)


def printed(text: str) -> str:
    outputs = cleaned(new_output("stream", name="stdout", text=text))
    return "".join(output.text for output in outputs)


@pytest.fixture(autouse=True)
def _a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/srv/people/ada"))


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (f"{ROOT}/helpers/paths.py", "helpers/paths.py"),
        (f"in {ROOT}.", "in .."),
        (f"in {ROOT}, and", "in ., and"),
        (f"{ROOT}-copy/x", "~/agent course-copy/x"),
        (f"PosixPath('{HOME}/progress.db')", "PosixPath('.course/progress.db')"),
        ("/srv/people/ada/notes.txt", "~/notes.txt"),
        ("/srv/people/adam/notes.txt", "/srv/people/adam/notes.txt"),
        ("/old/srv/people/ada/x", "/old/srv/people/ada/x"),
        (f"{ROOT}/.venv/lib/python3.11/site-packages/pkg/mod.py:3: Warn", "pkg/mod.py:3: Warn"),
        (f"{sysconfig.get_path('stdlib')}/json/decoder.py:9", "json/decoder.py:9"),
        ("/tmp/ipykernel_4242/123456.py:7: UserWarning: odd", "this cell:7: UserWarning: odd"),
        ("<function f at 0x7f3b2c01d940>", "<function f>"),
        ("offset at 0x10", "offset at 0x10"),
        (f"{tempfile.gettempdir()}/tmpab12cd_3/x", f"{tempfile.gettempdir()}/tmp/x"),
        ("http://127.0.0.1:43211/v1", "http://127.0.0.1:PORT/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("took 1.53 s, 82 tok/s, 95% [90% to 97%]", "took 1.53 s, 82 tok/s, 95% [90% to 97%]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("1 of 2\r2 of 2\n", "2 of 2\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("100%|######| 10/10 [00:00<00:00, 9it/s]\nkept\n", "kept\n"),
        ("Asking:  40%|##   | 4.0k/10.0k [00:01<?, ?B/s]", ""),
        ("12it [00:00, 500.1it/s]", ""),
    ],
)
def test_what_is_left_of_a_printed_text(raw: str, left: str) -> None:
    assert printed(raw) == left


def test_streams_are_merged_up_to_the_next_display() -> None:
    def stream(name: str, text: str) -> Any:
        return new_output("stream", name=name, text=text)

    shown = new_output("display_data", data={"text/plain": "a table"})
    outputs = cleaned(
        stream("stderr", "warn 1\n"),
        stream("stdout", "a"),
        stream("stderr", "warn 2\n"),
        stream("stdout", "b\n"),
        shown,
        stream("stdout", "c\n"),
        stream("stderr", "  5%|#   | 1/20 [00:00<00:01, 9it/s]"),
    )
    assert [out.get("text") for out in outputs] == ["ab\n", "warn 1\nwarn 2\n", None, "c\n"]


def test_live_widgets_go_and_what_can_be_read_beside_them_stays() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "8c1f"}}
    bare = new_output("display_data", data={**view, "text/plain": "HBox(children=())"})
    both = new_output("display_data", data={**view, "text/plain": "Q", "text/html": "<p>Q</p>"})
    (left,) = cleaned(bare, both)
    assert left.data == {"text/plain": "Q", "text/html": "<p>Q</p>"}


def test_structured_and_binary_content() -> None:
    data = {
        "application/json": {"path": [f"{ROOT}/labs", 3, None]},
        "text/html": f"<pre>{ROOT}/labs</pre>",
        "image/png": "aXQgaXMgYmluYXJ5IGF0IDB4N2YzYjJjMDFkOTQw",
    }
    (left,) = cleaned(new_output("display_data", data=dict(data)))
    assert left.data["application/json"] == {"path": ["labs", 3, None]}
    assert left.data["text/html"] == "<pre>labs</pre>"
    assert left.data["image/png"] == data["image/png"]


def test_times_of_execution_and_widget_state_go() -> None:
    cell = new_code_cell("x", id="x", metadata={"execution": {"iopub.status.busy": "2026"}})
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}})
    clean(notebook, root=ROOT, home=HOME)
    assert notebook.cells[0].metadata == {}
    assert "widgets" not in notebook.metadata
