"""How the notebooks are run by the tests, and what has to be true of each module.

Nothing here names a module: whatever has a source, an exercise or a commit is found and held to
the same rules.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import nbformat
import papermill

from helpers.authoring.committed import NoCommitError, export
from helpers.authoring.editions import FOLDERS, generate, notebook_path, stems
from helpers.authoring.notebook import write
from helpers.course.card import MIME, statuses

CELL_LIMIT_S = 240


def committed(root: Path, target: Path) -> list[Path]:
    """Write what is committed below `target`; its walkthroughs in order.

    Raises:
        NoCommitError: there is no commit to look at.
    """
    export(root, target)
    return sorted((target / "notebooks").glob("*.ipynb"))


def fresh(root: Path, target: Path) -> Path:
    """Labs and solutions as the sources give them now, below `target`, beside committed files.

    The folders that a lab works with (`labs/07_.../`) come from the commit, never from the
    learner's own copy.
    """
    try:
        export(root, target)
    except NoCommitError:
        target.mkdir(parents=True, exist_ok=True)  # a copy of the files without git
    for edition in ("lab", "solution"):
        for stem in stems(root / FOLDERS[edition][0], "*.py"):
            write(generate(root, edition, stem), notebook_path(target, edition, stem))
    return target


def nbval(notebook: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook with nbval, in lax mode, and in this environment's Python.

    A process of its own: nbval collects notebooks as test files, and this run's options are not
    theirs.
    """
    words = ["-q", "--no-header", "-p", "nbval.plugin", "-p", "no:cacheprovider", "--nbval-lax"]
    words += ["--nbval-current-env", f"--nbval-cell-timeout={CELL_LIMIT_S}"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the others cost 2 CPU seconds to load
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, f"--rootdir={notebook.parent}", notebook.name],
        cwd=notebook.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def checked(notebook: Path) -> dict[str, str]:
    """Run a notebook with papermill in fast mode; the status of each exercise's check.

    Raises:
        papermill.PapermillExecutionError: a cell ended in an error.
    """
    done = executed(notebook)
    # A right answer ends by itself; on a busy machine a check's limit may come before.
    with mock.patch.dict(os.environ, COURSE_TIME_FACTOR="4"):
        papermill.execute_notebook(
            notebook,
            done,
            parameters={"fast": True},
            cwd=notebook.parent,
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=CELL_LIMIT_S,
        )
    ran = nbformat.read(done, as_version=4)
    for cell in ran.cells:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                print(output["data"].get("text/plain"))  # pytest shows it where the test fails
    return statuses(ran)


def executed(notebook: Path) -> Path:
    """Where `checked` puts a notebook with its outputs.

    Not into the notebook's own folder: no cell may come to depend on what a run leaves there.
    """
    return notebook.parent.parent / f"{notebook.parent.name}-{notebook.stem}-done.ipynb"


def totals(notebook: Path) -> dict[str, int]:
    """How many cases each exercise's check has on the cards of a notebook with outputs."""
    return {
        output["data"][MIME]["exercise"]: output["data"][MIME]["total"]
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", ())
        if MIME in output.get("data", {})
    }


def parameters(notebook: Path) -> set[str]:
    """The names that papermill can inject into a notebook; it would not complain of others."""
    return set(papermill.inspect_notebook(notebook))


def modules(root: Path) -> list[str]:
    """The numbers of all modules of which any part is there."""
    found = [path.stem[:2] for folder in PARTS.values() for path in root.glob(folder)]
    return sorted({number for number in found if re.fullmatch(r"\d\d", number)})


# The parts of a module, each one file or folder, as globs.
PARTS = {
    "a walkthrough": "notebooks/src/[0-9][0-9]_*.py",
    "a solution": "solutions/src/[0-9][0-9]_*.py",
    "exercises": "helpers/course/exercises/m[0-9][0-9]",
    "answers": "tests/exercises/m[0-9][0-9]",
    "a quiz": "helpers/course/quizzes/[0-9][0-9].yaml",
}


def missing_parts(root: Path, module: str) -> Iterator[str]:
    """What a module lacks, or has twice, or under two names, as sentences."""
    names: dict[str, set[str]] = {}
    for part, pattern in PARTS.items():
        paths = [path for path in root.glob(pattern) if path.stem.lstrip("m")[:2] == module]
        if len(paths) != 1:
            yield f"module {module} has {len(paths) or 'no'} place for {part} ({pattern})"
        names[part] = {path.stem for path in paths}
    if names["a walkthrough"] != names["a solution"]:
        yield f"module {module}: walkthrough and solution have different names"
