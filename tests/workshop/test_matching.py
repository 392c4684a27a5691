"""Which cells of a submission are graded, and what is said of the others."""

from typing import Any

from helpers.workshop.matching import Matched, match
from helpers.workshop.names import names_in

Cell = dict[str, Any]


def code(name: str | None, source: str, exercise: str | None = None) -> Cell:
    cell: Cell = {"cell_type": "code", "source": source, "metadata": {}}
    if name:
        cell["id"] = name
    if exercise:
        cell["metadata"]["exercise"] = exercise
    return cell


LAB = [
    code("imports", "import math\nfrom helpers.course import TODO, check"),
    code("exercise-98-1", "def double(x):\n    return TODO", "98.1"),
    code("check-98-1", 'check("98.1", double)'),
    code("exercise-98-2", "LIMIT = TODO", "98.2"),
    code("check-98-2", 'check("98.2", LIMIT)'),
]
RIGHT = "def double(x):\n    return x * 2"


def handed_in(*own: tuple[int, Cell], **sources: str) -> Matched:
    """The lab with other sources by id, and with cells put in at places."""
    cells = [
        {**cell, "source": sources.get(cell["id"].replace("-", "_"), cell["source"])}
        for cell in LAB
    ]
    for place, cell in sorted(own, key=lambda one: -one[0]):
        cells.insert(place, cell)
    return match(LAB, [cell for cell in cells if cell["source"] != "DELETED"])


def test_an_untouched_lab() -> None:
    found = handed_in()
    assert found.answers == {"98.1": LAB[1]["source"], "98.2": LAB[3]["source"]}
    assert (found.own, found.notes) == ((), ())


def test_what_an_answer_uses_is_run_and_all_else_is_named() -> None:
    found = handed_in(
        (1, code("aa", "import random\nSEED = 3")),
        (1, code("bb", "def twice(x):\n    return x * FACTOR")),
        (3, code("cc", "FACTOR = 2")),
        (3, code("dd", "# a look around\nprint(double(4))")),
        exercise_98_1="def double(x):\n    return twice(x)",
    )
    assert [(one.source, one.after, one.exercises) for one in found.own] == [
        ("def twice(x):\n    return x * FACTOR", "imports", ("98.1",)),
        ("FACTOR = 2", "imports", ("98.1",)),  # before the check, though it stands behind it
    ]
    assert found.notes == (
        "own cells that were not run, because no exercise needs them: "
        "`import random`, `print(double(4))`",
    )


def test_a_helper_between_exercise_and_check_stays_there() -> None:
    found = handed_in(
        (2, code("aa", "def part(x):\n    return 2 * x")),
        exercise_98_1="def double(x):\n    return part(x)",
    )
    assert [one.after for one in found.own] == ["exercise-98-1"]


def test_an_import_that_the_learner_added_to_a_cell_of_the_lab() -> None:
    found = handed_in(
        imports="import math\nimport operator\nfrom helpers.course import TODO, check\nprint(1)",
        exercise_98_1="def double(x):\n    return operator.mul(x, 2)",
    )
    assert [(one.source, one.after) for one in found.own] == [("import operator", "imports")]
    assert found.notes == ("changed cells of the lab, run as the course has them: imports",)


def test_a_cell_of_the_lab_that_is_gone() -> None:
    found = handed_in(check_98_1="DELETED", exercise_98_1=RIGHT)
    assert found.answers["98.1"] == RIGHT
    assert found.notes == ("missing cells of the lab, put back: check-98-1",)


def test_a_copy_of_an_exercise_cell() -> None:
    copy = code("zz", "def double(x):\n    return 0", "98.1")
    found = handed_in((1, copy), exercise_98_1=RIGHT)
    assert found.answers["98.1"] == RIGHT
    assert found.notes == ("98.1: a copy of its cell was left out",)
    found = handed_in((1, {**copy, "source": RIGHT}))
    assert found.answers["98.1"] == RIGHT
    assert found.notes == ("98.1: its cell is unchanged; a copy of it was graded",)


def test_an_exercise_cell_that_was_written_again() -> None:
    found = handed_in((2, code("zz", RIGHT)), exercise_98_1="DELETED")
    assert found.answers["98.1"] == RIGHT
    assert found.own == ()
    assert found.notes == ("98.1: its cell is missing; the cell that defines double was graded",)


def test_a_notebook_that_has_lost_its_ids() -> None:
    cells = [{**cell, "id": None} for cell in LAB]
    cells[1] = code(None, RIGHT, "98.1")
    found = match(LAB, cells)
    assert found.answers == {"98.1": RIGHT, "98.2": "LIMIT = TODO"}
    assert found.notes == ("98.1: its cell is missing; a copy of it was graded",)


def test_an_untouched_copy_before_the_cell_that_was_filled() -> None:
    found = handed_in((1, code("zz", LAB[1]["source"], "98.1")), exercise_98_1=RIGHT)
    assert (found.answers["98.1"], found.notes) == (RIGHT, ())


def test_names() -> None:
    found = names_in("%time total = sum(x for x in seen)\nclass A:\n    y = 1\n    z = y + w")
    assert found.needed == {"seen", "w"}
    assert {"A"} <= found.defined
    assert names_in("value = await asked()").needed == {"asked"}
    assert names_in("def broken(:").needed == frozenset()
    assert names_in("def make():\n    global made\n    made = other").defined == {"make", "made"}
