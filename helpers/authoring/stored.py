"""Stored runs are made by the notebooks themselves: their cells up to the last slow step are run.

A cell with the tag `stored:NAME` is a slow step, which reads its answers from the stored run NAME
(`helpers.evaluate.stored`). Here it asks, and what it brings is kept in `.course/runs` as it
proceeds, so that an interrupted run goes on where it stopped; notebooks then read it from there.
With `store`, it also replaces the file that comes with the course.
"""

import gzip
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from helpers.authoring.editions import EXECUTED, FOLDERS, generate, notebook_path, stems
from helpers.authoring.execute import execute, kernel_environment
from helpers.authoring.notebook import read
from helpers.authoring.source import Edition, MissingToolError
from helpers.paths import STORED_RUNS, runs_dir

TAG = "stored:"
SAY_EVERY_S = 30.0


class NoStepError(LookupError):
    """A name fits no slow step; the message lists those there are."""


@dataclass(frozen=True)
class Steps:
    """The slow steps of one notebook that are wanted, and its cells as far as the last of them."""

    edition: Edition
    stem: str
    names: tuple[str, ...]
    notebook: nbformat.NotebookNode


def slow_steps(root: Path, wanted: Sequence[str] = ()) -> list[Steps]:
    """The notebooks that have slow steps, each cut after the last wanted one.

    Args:
        root: the course's folder.
        wanted: names of steps (`02-agent`) or numbers of modules (`02`); none means all.

    Raises:
        NoStepError: a name fits no step.
        SourceError: a source breaks the format.
    """
    every = [
        (edition, stem, notebook)
        for edition in EXECUTED
        for stem in stems(root / FOLDERS[edition][0], "*.py")
        for notebook in [_notebook(root, edition, stem)]
    ]
    known = [name for _, _, notebook in every for name in _names(notebook)]
    for word in wanted:
        if not any(word in (name, name[:2]) for name in known):
            raise NoStepError(f"No slow step is called {word!r}. There are: {', '.join(known)}.")
    found = []
    for edition, stem, notebook in every:
        names = [n for n in _names(notebook) if not wanted or n in wanted or n[:2] in wanted]
        if names:
            last = max(place for place, c in enumerate(notebook.cells) if set(names) & _of(c))
            notebook.cells = notebook.cells[: last + 1]
            found.append(Steps(edition, stem, tuple(names), notebook))
    return found


def make(
    steps: Steps, root: Path, *, store: bool, anew: bool, say: Callable[[str], None]
) -> list[Path]:
    """Run the cells of one notebook up to its last wanted step.

    Args:
        steps: what to run.
        root: the course's folder.
        store: begin from the course's stored runs, which are left as they are where they are of
            this version of the agent, and replace those that are not.
        anew: ask everything, also where a run of this version is there.
        say: gets a line on what is going on.

    Returns:
        The stored runs that were replaced.

    Raises:
        RunError: a cell ended in an error. What had been asked is kept.
    """
    folder = runs_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for name in _names(steps.notebook):  # earlier ones are run on the way, as they are
        own, given = folder / f"{name}.json.gz", STORED_RUNS / f"{name}.json.gz"
        if anew and name in steps.names:
            own.unlink(missing_ok=True)
        elif store and given.exists() and not own.exists():
            shutil.copyfile(given, own)
    path = notebook_path(root, steps.edition, steps.stem)
    # A home of its own: the checks of a solution are nobody's progress.
    with (
        tempfile.TemporaryDirectory(prefix="course-runs-", ignore_cleanup_errors=True) as home,
        _telling(folder, steps.names, say),
    ):
        environment = kernel_environment(Path(home), fast=False)
        environment |= {"COURSE_LIVE": "1", "COURSE_RUNS": str(folder.resolve())}
        execute(
            steps.notebook,
            name=path.relative_to(root).as_posix(),
            folder=path.parent,
            environment=environment,
            limit=None,
        )
    return [changed for name in steps.names if store for changed in _stored(folder, name)]


def _stored(folder: Path, name: str) -> Iterator[Path]:
    own, given = folder / f"{name}.json.gz", STORED_RUNS / f"{name}.json.gz"
    if not _json(own)["complete"]:
        raise ValueError(f"{name} was not run to its end: run it again.")
    if not given.exists() or given.read_bytes() != own.read_bytes():
        STORED_RUNS.mkdir(exist_ok=True)
        shutil.copyfile(own, given)
        yield given


def _notebook(root: Path, edition: Edition, stem: str) -> nbformat.NotebookNode:
    """A notebook from its source; the built one where the tool for sources is not installed."""
    try:
        return generate(root, edition, stem)
    except MissingToolError:
        return read(notebook_path(root, edition, stem))


def _of(cell: nbformat.NotebookNode) -> set[str]:
    tags = cell.metadata.get("tags", [])
    return {tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)}


def _names(notebook: nbformat.NotebookNode) -> list[str]:
    return [name for cell in notebook.cells for name in sorted(_of(cell))]


@contextmanager
def _telling(folder: Path, names: Sequence[str], say: Callable[[str], None]) -> Iterator[None]:
    """Say now and then how far the steps are, by their files, and at the end what each took."""
    done = threading.Event()
    before = {name: _progress(folder, name) for name in names}
    begin = time.perf_counter()

    def tell() -> None:
        told = dict(before)
        while not done.wait(SAY_EVERY_S):
            for name in names:
                now = _progress(folder, name)
                if now and now != told[name]:
                    told[name] = now
                    say(f"  {time.perf_counter() - begin:5.0f} s  {name}: {now}")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        for name in names:
            now = _progress(folder, name)
            same = " (was there, of this version)" if now and now == before[name] else ""
            say(f"  {time.perf_counter() - begin:5.0f} s  {name}: {now or 'not run'}{same}")


def _json(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def _progress(folder: Path, name: str) -> str:
    try:
        found = _json(folder / f"{name}.json.gz")
        times = [took for answers in found["sections"].values() for took in answers.values()]
    except (OSError, EOFError, ValueError, KeyError):
        return ""
    cpu, wall = (sum(took[place] for took in times) for place in (1, 2))
    return f"{len(times)} answers in {wall:.0f} s, {cpu:.0f} CPU s"
