"""From cells to a notebook file, and back to what can be compared."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.authoring.diagrams import coloured
from helpers.authoring.source import SourceCell
from helpers.course.copies import write_whole

# The same on every machine: nothing here names the Python or the kernel that ran the notebook.
METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def assemble(cells: Iterable[SourceCell]) -> nbformat.NotebookNode:
    """A notebook of these cells without outputs."""
    notebook: nbformat.NotebookNode = new_notebook(metadata=METADATA)  # type: ignore[no-untyped-call]
    notebook.cells = [_cell(cell) for cell in cells]
    return notebook


def _cell(cell: SourceCell) -> nbformat.NotebookNode:
    make, source = (
        (new_code_cell, cell.source)
        if cell.kind == "code"
        else (new_markdown_cell, coloured(cell.source))
    )
    metadata: dict[str, Any] = {}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if cell.exercise is not None:
        metadata["exercise"] = cell.exercise
    node: nbformat.NotebookNode = make(  # type: ignore[no-untyped-call]
        source, id=cell.id, metadata=metadata
    )
    return node


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook file as it is, of format 4.5 or newer.

    Raises:
        ValueError: the file is no notebook, or of a format without cell ids.
    """
    text = path.read_text("utf-8")
    try:
        nbformat.validate(json.loads(text))
    except (json.JSONDecodeError, nbformat.ValidationError, LookupError, TypeError) as error:
        raise ValueError(f"{path.name} is not a valid notebook: {error}") from error
    notebook: nbformat.NotebookNode = nbformat.reads(  # type: ignore[no-untyped-call]
        text, as_version=nbformat.NO_CONVERT
    )
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        raise ValueError(f"{path.name} is of a notebook format older than 4.5: build it again.")
    return notebook


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a valid notebook, whole or not at all."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook).rstrip("\n")  # type: ignore[no-untyped-call]
    write_whole(path, f"{text}\n".encode())
