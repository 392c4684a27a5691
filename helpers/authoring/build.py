"""Make notebooks and programs from sources: generate, run, clean, write."""

import contextlib
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat

from helpers.authoring.clean import clean
from helpers.authoring.drift import differences, not_executed
from helpers.authoring.editions import EXECUTED, FOLDERS, generate, notebook_path, stems
from helpers.authoring.execute import execute, kernel_environment
from helpers.authoring.notebook import assemble, read, write
from helpers.authoring.programs import renew
from helpers.authoring.solved import renew_solved
from helpers.authoring.source import Edition
from helpers.authoring.verdicts import not_passed
from helpers.course.copies import keep


class BuildError(Exception):
    """A notebook was not built; the message says which and why."""


def chosen(root: Path, names: Sequence[str]) -> list[str]:
    """The stems that these names mean; no name means all.

    Args:
        names: stems (`01_build_an_agent`), numbers (`01`), or paths of sources or notebooks.

    Raises:
        BuildError: a name fits no source.
    """
    there = sorted(
        {stem for folder, _ in FOLDERS.values() for stem in stems(root / folder, "*.py")}
    )
    if not names:
        return there
    picked: list[str] = []
    for name in names:
        wanted = Path(name).stem
        fitting = [stem for stem in there if stem == wanted or stem.split("_")[0] == wanted]
        if not fitting:
            raise BuildError(
                f"No source is called {name!r}. There are: {', '.join(there) or 'none'}."
            )
        picked += [stem for stem in fitting if stem not in picked]
    return picked


def build(
    root: Path,
    stem: str,
    *,
    changed_only: bool,
    fast: bool = False,
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Build every edition of a module that has a source, its programs and reference solutions.

    Programs come first: a notebook that runs for minutes is not run for cells that make none. So do
    reference solutions: the solution's checks compare with them.

    Args:
        changed_only: leave a notebook whose cells are those of its source, and which was executed;
            where only its text has changed, write that and keep the outputs.
        fast: run with the small samples of the tests; for trying out, not for committing.
        say: gets one line for each notebook.

    Returns:
        The files that were written.

    Raises:
        SourceError: a source breaks the format, or its marked cells make no program.
        RunError: a cell ended in an error; nothing is written for that notebook.
        BuildError: a solution does not pass its own checks; nothing is written for it.
    """
    written = [*renew(root, stem, say=say), *renew_solved(root, stem[:2])]
    for edition, (source_folder, _) in FOLDERS.items():
        if stem not in stems(root / source_folder, "*.py"):
            continue
        path = notebook_path(root, edition, stem)
        name = path.relative_to(root).as_posix()
        notebook = generate(root, edition, stem)
        present = _present(path, edition) if changed_only else None
        if present is not None and not differences(notebook, present):
            continue
        if present is not None and edition in EXECUTED and _outputs_kept(notebook, present):
            say(f"{name}: only its text has changed, the outputs stay")
        elif edition in EXECUTED:
            say(f"running {name} ...")
            run(notebook, root=root, name=name, folder=path.parent, fast=fast)
            if edition == "solution" and (failed := not_passed(notebook)):
                raise BuildError(f"{name} does not pass its own checks: {'; '.join(failed)}.")
        else:
            _keep_work(path, root, say)
        write(notebook, path)
        say(f"wrote {name}")
        written.append(path)
    return written


def run(
    notebook: nbformat.NotebookNode, *, root: Path, name: str, folder: Path, fast: bool
) -> None:
    """Execute a generated notebook with a course folder of its own, and clean its outputs.

    Raises:
        RunError: a cell ended in an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="course-build-", ignore_cleanup_errors=True) as home:
        environment = kernel_environment(Path(home), fast=fast)
        execute(notebook, name=name, folder=folder, environment=environment)
        clean(notebook, root=root, home=Path(home))
    notebook.metadata = assemble([]).metadata  # the run has added this machine's Python


def _outputs_kept(notebook: nbformat.NotebookNode, present: nbformat.NotebookNode) -> bool:
    """Take the outputs over from the built notebook, where every code cell is as it was run."""
    new, old = (
        [cell for cell in one.cells if cell.cell_type == "code"] for one in (notebook, present)
    )
    if [(c.id, c.source, c.metadata) for c in new] != [(c.id, c.source, c.metadata) for c in old]:
        return False
    for cell, run_before in zip(new, old, strict=True):
        cell.update(outputs=run_before.outputs, execution_count=run_before.execution_count)
    return True


def _present(path: Path, edition: Edition) -> nbformat.NotebookNode | None:
    """The built notebook; None where none can be read, or it should have been run and was not."""
    try:
        present = read(path) if path.exists() else None
    except ValueError:
        return None
    if present is not None and edition in EXECUTED and list(not_executed(present)):
        return None
    return present


def _keep_work(path: Path, root: Path, say: Callable[[str], None]) -> None:
    """Keep a dated copy of a lab that somebody has run before the build replaces it."""
    if not path.exists():
        return
    with contextlib.suppress(ValueError, LookupError, AttributeError):  # kept, if unreadable
        cells = json.loads(path.read_text("utf-8"))["cells"]
        if all(cell.get("execution_count") is None for cell in cells):
            return
    say(f"{path.relative_to(root).as_posix()} had been run: a copy is in {keep([path], root=root)}")
