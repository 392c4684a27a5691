import json
from pathlib import Path

import pytest

from helpers.course import minutes
from helpers.course.minutes import Minutes, MinutesError, before, of_module

# Walkthrough and lab of each module, as the README's table has them (tests/test_project.py holds
# table and notebooks together); upper bounds.
MODULES = {
    "00": Minutes(10, 5, 1),
    "01": Minutes(120, 90, 15),
    "05": Minutes(120, 120, 3),
    "09": Minutes(90, 75, 4),
    "11": Minutes(150, 110, 3),
    "12": Minutes(60, 90, 1),
}


def notebook(file: Path, *texts: str) -> None:
    cells = [{"cell_type": "markdown", "source": text.splitlines(True)} for text in texts]
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"cells": cells}), encoding="utf-8")


@pytest.mark.parametrize("number", MODULES)
def test_the_courses_own(number: str) -> None:
    assert of_module(number) == MODULES[number]


def test_every_module_has_minutes_and_names_modules_that_exist() -> None:
    known = minutes.modules()
    assert known[0] == "00"
    for number in known:
        found = of_module(number)
        assert 0 < found.machine < found.walkthrough
        assert found.lab > 0
        assert set(before(number)) < set(known), number


def test_what_comes_before() -> None:
    assert before("00") == ()
    assert before("04") == ("01", "03")
    assert before("11") == ("02", "04", "05", "08", "09")
    assert before("12") == tuple(f"{number:02}" for number in range(1, 12))


def test_a_line_that_is_broken_anywhere(tmp_path: Path) -> None:
    notebook(
        tmp_path / "notebooks/03_x.ipynb",
        "# Title",
        "Text.\n\n**90 to\n120 minutes (the machine works for about\n20 of them). Before\nit: "
        "module 01.** More.",
    )
    assert of_module("03", root=tmp_path) == Minutes(120, 0, 20)
    assert before("03", root=tmp_path) == ("01",)


def test_nothing_said_of_the_machine(tmp_path: Path) -> None:
    notebook(tmp_path / "notebooks/03_x.ipynb", "**7 minutes. Before it: nothing.**")
    assert of_module("03", root=tmp_path) == Minutes(7, 0, 0)
    assert before("03", root=tmp_path) == ()


@pytest.mark.parametrize("number", ["77", "*", "1", "", "../01", "[0-9][0-9]"])
def test_no_such_module(number: str) -> None:
    with pytest.raises(MinutesError, match=r"There is no module .* The modules are: 00, 01"):
        of_module(number)
    with pytest.raises(MinutesError, match="There is no module"):
        before(number)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "notebooks/03_x.ipynb cannot be read as a notebook"),
        ("[]", "cannot be read as a notebook"),
        ('{"cells": [{"cell_type": "markdown"}]}', "cannot be read as a notebook"),
        ('{"cells": []}', "does not open with a bold line"),
        ('{"cells": [{"cell_type": "markdown", "source": "**soon**"}]}', "has no minutes"),
    ],
)
def test_damaged_notebooks(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/03_x.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(MinutesError, match=said):
        of_module("03", root=tmp_path)
