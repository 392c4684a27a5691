"""`course runs`: the notebook's own cells make the stored run, and what was asked is never lost."""

from pathlib import Path

import pytest

from helpers.authoring import stored
from helpers.authoring.command import COMMANDS
from helpers.authoring.execute import RunError
from helpers.authoring.stored import NoStepError, make, slow_steps
from helpers.evaluate.stored import read
from helpers.paths import ROOT
from tests.authoring import mini

WALKTHROUGH = """\
# %% [markdown] name="title"
# # Walkthrough 01

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")

# %% name="slow" tags=["stored:01-slow"]
from helpers.evaluate.stored import Item, Step
from helpers.evaluate.version import Version

def ask(key):
    if key == os.environ.get("BREAKS_ON"):
        raise RuntimeError(f"{key} breaks")
    if key == os.environ.get("KILLS_ON"):
        os._exit(1)
    return Item({"said": os.environ["SAYS"]}, 1.5, 2.0)

version = Version({"code": os.environ["AGENT"]})
print(Step("01-slow", version=version).answers(["a", "b", "c"], ask))

# %% name="after"
raise RuntimeError("what comes after the last slow step is not run")
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = mini.write(tmp_path / "course", walkthrough=WALKTHROUGH)
    monkeypatch.setattr(stored, "STORED_RUNS", tmp_path / "given")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "own"))
    monkeypatch.setenv("AGENT", "first")
    monkeypatch.setenv("SAYS", "one")
    return root


def run(course: Path, *, store: bool = True, anew: bool = False) -> tuple[list[Path], list[str]]:
    said: list[str] = []
    written = [
        path
        for steps in slow_steps(course, ["01"])
        for path in make(steps, course, store=store, anew=anew, say=said.append)
    ]
    return written, said


def answers(path: Path) -> list[str]:
    found = read(path)
    assert found is not None
    return [str(item.content["said"]) for item in found.items]


def test_the_notebook_is_cut_after_its_last_slow_step(course: Path) -> None:
    (steps,) = slow_steps(course)
    assert steps.names == ("01-slow",)
    assert [cell.id for cell in steps.notebook.cells] == ["title", "parameters", "slow"]
    assert slow_steps(course, ["01-slow"])[0].names == ("01-slow",)


def test_a_name_that_fits_nothing_is_answered_with_those_there_are(course: Path) -> None:
    with pytest.raises(NoStepError, match=r"'02'.*There are: 01-slow"):
        slow_steps(course, ["01", "02"])


@pytest.mark.slow
def test_only_what_is_stale_is_asked_and_replaced(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given" / "01-slow.json.gz"
    assert run(course)[0] == [given]
    assert answers(given) == ["one"] * 3
    monkeypatch.setenv("SAYS", "two")
    (tmp_path / "own" / "01-slow.json.gz").unlink()  # another author's machine
    written, said = run(course)
    assert written == []
    assert "3 answers in 6 s, 4 CPU s (was there, of this version)" in said[-1]
    monkeypatch.setenv("AGENT", "second")
    assert run(course)[0] == [given]
    assert answers(given) == ["two"] * 3
    monkeypatch.setenv("SAYS", "three")
    assert run(course, anew=True)[0] == [given]
    assert answers(given) == ["three"] * 3


@pytest.mark.slow
def test_a_learner_s_run_goes_on_where_it_stopped_and_changes_nothing_of_the_course_s(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAKS_ON", "c")
    with pytest.raises(RunError, match="c breaks"):
        run(course, store=False)
    monkeypatch.setenv("BREAKS_ON", "")
    monkeypatch.setenv("SAYS", "two")
    assert run(course, store=False)[0] == []
    assert answers(tmp_path / "own" / "01-slow.json.gz") == ["one", "one", "two"]
    assert not (tmp_path / "given").exists()


@pytest.mark.slow
def test_a_kernel_that_dies_is_named(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILLS_ON", "b")
    with pytest.raises(RunError, match=r"01_topic\.ipynb, cell 'slow': the kernel died"):
        run(course)


@pytest.mark.parametrize(
    ("words", "told"), [([], "name a step or a module"), (["77"], "There are: 02-agent")]
)
def test_the_command_says_what_to_name(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = COMMANDS["runs"](words)
    except SystemExit as stopped:
        status = int(str(stopped.code))
    assert status == 2
    assert told in capsys.readouterr().err


def test_every_slow_step_is_in_a_walkthrough_or_a_solution() -> None:
    found = {name: steps.edition for steps in slow_steps(ROOT) for name in steps.names}
    assert found["02-agent"] == "walkthrough"
    assert found["02-releases"] == "solution"
