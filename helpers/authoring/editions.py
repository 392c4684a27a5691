"""Which files belong to a module: its sources, and the notebooks that are made from them."""

from pathlib import Path

import nbformat

from helpers.authoring.notebook import assemble
from helpers.authoring.source import STEM, Edition, SourceError, cells_of, read_source

# Where an edition's source lies, and where its notebook goes.
FOLDERS: dict[Edition, tuple[str, str]] = {
    "walkthrough": ("notebooks/src", "notebooks"),
    "lab": ("solutions/src", "labs"),
    "solution": ("solutions/src", "solutions"),
}
EXECUTED: tuple[Edition, ...] = ("walkthrough", "solution")


def stems(folder: Path, pattern: str) -> list[str]:
    """The names of a folder's sources (`*.py`) or notebooks (`*.ipynb`), in order."""
    return sorted(path.stem for path in folder.glob(pattern))


def source_path(root: Path, edition: Edition, stem: str) -> Path:
    """The source that this edition of a module is made from."""
    return root / FOLDERS[edition][0] / f"{stem}.py"


def notebook_path(root: Path, edition: Edition, stem: str) -> Path:
    """The notebook that the build writes."""
    return root / FOLDERS[edition][1] / f"{stem}.ipynb"


def generate(root: Path, edition: Edition, stem: str) -> nbformat.NotebookNode:
    """One edition of a module from its source, without outputs.

    Raises:
        SourceError: the source breaks the format, or its file is not called `NN_topic.py`.
    """
    path = source_path(root, edition, stem)
    where = path.relative_to(root).as_posix()
    if not STEM.fullmatch(stem):
        raise SourceError(f"{where} should be called NN_topic.py, in lower case.")
    text = path.read_text("utf-8")
    cells = read_source(text, where=where, solution=edition != "walkthrough")
    return assemble(cells_of(cells, edition))
