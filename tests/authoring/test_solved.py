"""The reference solutions that the build takes from a solution's source."""

from pathlib import Path

import pytest

from helpers.authoring.solved import EXERCISES, MARK, expected, renew_solved, solved_drift
from helpers.authoring.source import SourceError

SOURCE = """\
# %% name="imports"
import os
from math import ceil, floor

from helpers.course import TODO, check  # noqa: F401

# %% name="parameters" tags=["parameters"]
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")

# %% name="given"
STEP = 10
print("a call that no answer needs")

def unused(): ...

# %% exercise="07.1"
def rounded(value: float) -> int:
    # LAB: return TODO
    # BEGIN SOLUTION
    fast = ceil(value / STEP)
    return fast * STEP
    # END SOLUTION

# %%
check("07.1", rounded)

# %% exercise="07.2"
# LAB: ways = TODO
# BEGIN SOLUTION
ways = {"up": rounded, "down": lambda value: floor(value / STEP) * STEP}
# END SOLUTION

# %%
check("07.2", ways["up"])
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for folder in ("solutions/src", f"{EXERCISES}/m07"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "solutions/src/07_topic.py").write_text(SOURCE)
    return tmp_path


def test_a_reference_has_what_it_needs_of_earlier_cells_and_no_more(course: Path) -> None:
    first, second = expected(course, "07").values()
    assert first.splitlines() == [
        "# Written by `course build` from solutions/src/07_topic.py: change it there.",
        "from math import ceil",
        "STEP = 10",
        MARK,
        "def rounded(value: float) -> int:",
        "    fast = ceil(value / STEP)",
        "    return fast * STEP",
        "ANSWER = rounded",
    ]
    space: dict[str, object] = {}
    exec(second, space)
    answer = space["ANSWER"]
    assert callable(answer)
    assert answer(31) == 40
    assert "unused" not in second
    assert "print" not in second
    assert second.index("def rounded") < second.index(MARK) < second.index("ways =")


def test_what_differs_is_written_and_what_is_left_over_goes(course: Path) -> None:
    written = renew_solved(course, "07")
    assert [path.name for path in written] == ["e1.py", "e2.py"]
    assert renew_solved(course, "07") == []
    assert list(solved_drift(course)) == []
    (written[0].parent / "e9.py").write_text("ANSWER = 1")
    written[1].write_text("ANSWER = 2")
    assert list(solved_drift(course)) == [
        f"{EXERCISES}/m07/solved/e2.py is not the solution's cell: run `course build 07`.",
        f"{EXERCISES}/m07/solved/e9.py has no exercise in the solution's source.",
    ]
    assert renew_solved(course, "07") == [written[1]]
    assert list(solved_drift(course)) == []


def test_a_module_from_before_has_none(course: Path) -> None:
    (course / f"{EXERCISES}/m07").rmdir()
    assert expected(course, "07") == {}
    assert list(solved_drift(course)) == []


def test_an_exercise_without_a_check_is_a_sentence(course: Path) -> None:
    path = course / "solutions/src/07_topic.py"
    path.write_text(SOURCE.replace('check("07.2", ways["up"])', "print(ways)").replace(
        "# %%\nprint", '# %% name="shown"\nprint'
    ))  # fmt: skip
    with pytest.raises(SourceError, match=r'no cell calls check\("07\.2"'):
        expected(course, "07")
