"""Which cells of a lab its checks need, and when a copy of the course is used again."""

from pathlib import Path

import pytest

from helpers.workshop.desks import Desks
from helpers.workshop.labs import Step
from helpers.workshop.needed import needed
from tests.workshop.handed import make_course


def lab(*cells: str) -> list[str]:
    """What is left of a lab with these cells above the exercise `f` and its check."""
    steps = [Step(f"c{n}", source, None, None, {}) for n, source in enumerate(cells)]
    steps.append(Step("its cell", "def f():\n    return given", "98.1", None, {}))
    steps.append(Step("its check", 'check("98.1", f)', None, "98.1", {}))
    return [step.source for step in needed(steps)][:-2]


@pytest.mark.parametrize(
    "cell",
    [
        "given = 1",
        "other = 1\ngiven = other",
        "def given(): pass",
        "os.environ['A'] = 'b'",
        "server.start()",
        "for one in many:\n    store.add(one)",
        "with server:\n    server.post(1)",
        "thing.part = 2",
        "del thing",
        "await server.start()",
        "%run something",
        "@app.get('/')\ndef page(): pass",
        "if x:\n    given = 1",
        "from helpers.course import check",
        "if ready('98.1'):\n    given = 1",
    ],
)
def test_what_stays(cell: str) -> None:
    assert lab(cell) == [cell]


@pytest.mark.parametrize(
    ("cell", "left"),
    [
        ("idle = slow()", []),
        ("print(slow())", []),
        ("show.table(slow())", []),
        ("if ready('98.1'):\n    store.add(slow())", []),
        ("# nothing", []),
        ("import os\nfrom a import b\nidle = slow(b)", ["import os\nfrom a import b"]),
        ("def idle():\n    thing.part = 2", []),
    ],
)
def test_what_goes(cell: str, left: list[str]) -> None:
    assert lab(cell) == left


def test_cells_that_needed_cells_need_stay_in_their_order() -> None:
    assert lab("a = 1", "idle = 2", "b = a", "given = b") == ["a = 1", "b = a", "given = b"]


def test_an_untouched_copy_of_the_course_is_used_again(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    (course / "helpers" / "a.py").write_text("1")
    places = [tmp_path / name for name in "abcd"]
    for place in places:
        place.mkdir()
    with Desks(course) as desks:
        with desks.desk("98_mini", places[0]) as desk:
            first = desk.work
            assert desk.repair() == []
            file = first.parent / "helpers" / "a.py"
            file.write_text("2")  # of the same length
            assert desk.repair() == ["changed the course's files; they were restored"]
            assert file.read_text() == "1"
            assert desk.repair() == []
        with desks.desk("98_mini", places[1]) as desk:
            assert desk.work == first
            (first / "left.txt").write_text("for the next one")
        with desks.desk("98_mini", places[2]) as desk:
            assert desk.work != first
            assert not first.exists()
            (desk.work.parent / "helpers" / "__pycache__").mkdir()  # no note, but not kept either
            assert desk.repair() == []
            second = desk.work
        with desks.desk("98_mini", places[3]) as desk:
            assert desk.work != second
            kept = desk.work
    assert not kept.exists()
