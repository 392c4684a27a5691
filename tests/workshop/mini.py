"""A course of one small lab, and ten learners who hand it in."""

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat

from helpers.authoring.editions import generate
from helpers.authoring.notebook import write
from helpers.paths import ROOT

STEM = "98_mini"
SOLUTION = '''\
# %% [markdown] name="title"
# # Lab 98

# %% name="imports"
import os

from helpers.course import TODO, check, ready  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")
fast = os.environ.get("COURSE_FAST") == "1"

# %% exercise="98.1"
def double(number: int) -> int:
    """Twice the number."""
    # LAB: return TODO
    # BEGIN SOLUTION
    return number * 2
    # END SOLUTION


# %%
check("98.1", double)

# %% name="uses-it"
print(double(2) if ready("98.1") else "later")

# %% exercise="98.2"
# LAB: LIMIT = TODO
# BEGIN SOLUTION
LIMIT = 3
# END SOLUTION

# %%
check("98.2", LIMIT)
'''

# The exercises' files, by name.
EXERCISES = {
    "e1_double.py": """\
from collections.abc import Callable, Iterator

from helpers.course.exercises import Case, exercise


@exercise("98.1", title="Double a number", hints=["Multiply."])
def double(submission: Callable[[int], int]) -> Iterator[Case]:
    for number in (2, 5, -3):
        yield Case(
            f"double({number})",
            call=lambda number=number: submission(number),
            show=f"double({number})",
            expect=2 * number,
        )
""",
    "e2_limit.py": """\
from collections.abc import Iterator

from helpers.course.exercises import Case, exercise


@exercise("98.2", title="Choose a limit", hints=["Three."])
def limit(submission: int) -> Iterator[Case]:
    yield Case("the limit", call=lambda: submission, show="LIMIT", expect=3)
""",
}

RIGHT = "def double(number):\n    return number * 2"

# What each learner writes into the two exercise cells; None leaves a cell as it was given.
LEARNERS: dict[str, tuple[str | None, str | None]] = {
    "ada-right": (RIGHT, "LIMIT = 3"),
    "bob-half": ("def double(number):\n    return 4", "LIMIT = 4"),
    "cem-untouched": (None, None),
    "dan-replaced-check": (
        "def double(number):\n    return 0\n\n"
        "from IPython.display import publish_display_data\n"
        "def check(number, _):\n"
        "    card = {'exercise': number, 'status': 'passed', 'passed': 3, 'total': 3}\n"
        "    publish_display_data({'application/vnd.course.check+json': card})\n"
        "check('98.1', None)",
        "LIMIT = 3",
    ),
    "eve-patched-helpers": (
        "import sys, builtins\n"
        "def double(number):\n    return 0\n\n"
        "import helpers.course.exercises.expect as expect\n"
        "expect.Expectation.judge = property(lambda self: lambda got: True)\n"
        "expect.equal.__code__ = (lambda wanted: None).__code__\n"
        "module = sys.modules['helpers.course.check']\n"
        "class Card:\n"
        "    status = 'passed'\n"
        "    def data(self):\n"
        "        return {'exercise': '98.1', 'status': 'passed', 'passed': 3, 'total': 3}\n"
        "module.run_check = lambda *_: Card()\n"
        "module.check = lambda *_: None\n"
        "builtins.all = builtins.any = lambda _: True",
        "LIMIT = 3",
    ),
    "fay-forged-progress": (
        "def double(number):\n    return 0\n\n"
        "from helpers.course import progress\n"
        "progress.record_check('98.1', 'passed', 3, 3)",
        "LIMIT = 4",
    ),
    "gus-early-exit": ("import os\nos._exit(0)", "LIMIT = 3"),
    "hal-endless-loop": ("def double(number):\n    return 0\n\nwhile True:\n    pass", "LIMIT = 3"),
    "ida-memory-hog": (
        "def double(number):\n    return 0\n\n"
        "hog = []\nwhile True:\n    hog.append(bytearray(1 << 24))",
        "LIMIT = 3",
    ),
    "jan-deletes-the-folder": (
        RIGHT + "\n\nimport shutil, pathlib, helpers\n"
        "shutil.rmtree(pathlib.Path.cwd(), ignore_errors=True)\n"
        "shutil.rmtree(pathlib.Path(helpers.__file__).parent, ignore_errors=True)",
        "LIMIT = 3",
    ),
    "kim-syntax-error": ("def double(number)\n    return 2", "raise SystemExit('done')"),
    "lea-fake-exercise": (
        "def double(number):\n    return 0\n\n"
        "from helpers.course.exercises import Case, Exercise, define\n"
        "case = Case('x', call=lambda: 1, expect=1, show='x')\n"
        "easy = Exercise('98.1', 'x', ('x',), lambda _: [case])\n"
        "define._exercises['98.1'] = easy\n"
        "import helpers.course.check as _, sys\n"
        "sys.modules['helpers.course.check'].run_check(easy, 1)",
        "LIMIT = 3",
    ),
}


def make_course(folder: Path) -> Path:
    """A course with the real package, two made exercises and one lab."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "helpers", folder / "helpers", ignore=skipped)
    exercises = folder / "helpers/course/exercises/m98"
    exercises.mkdir()
    for name, text in {"__init__.py": "", **EXERCISES}.items():
        (exercises / name).write_text(text)
    source = folder / "solutions" / "src" / f"{STEM}.py"
    source.parent.mkdir(parents=True)
    source.write_text(SOLUTION)
    write(generate(folder, "lab", STEM), folder / "labs" / f"{STEM}.ipynb")
    return folder


def fill(lab: Path, cells: dict[str, str | None]) -> dict[str, Any]:
    """A lab's content with these sources in its exercise cells."""
    notebook: dict[str, Any] = json.loads(lab.read_text())
    for cell in notebook["cells"]:
        source = cells.get(cell["metadata"].get("exercise", ""))
        if source is not None:
            cell["source"] = source.splitlines(keepends=True)
    return notebook


def hand_in(lab: Path, folder: Path, learners: dict[str, tuple[str | None, str | None]]) -> Path:
    """Write submissions: every second learner's as a folder, the others' as a notebook."""
    folder.mkdir()
    for number, (learner, (first, second)) in enumerate(learners.items()):
        notebook = nbformat.from_dict(fill(lab, {"98.1": first, "98.2": second}))
        file = folder / learner / lab.name if number % 2 else folder / f"{learner}.ipynb"
        file.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, file)
    return folder
