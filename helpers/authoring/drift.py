"""Compare sources with what is built: what is missing, left over, or no longer the same."""

from collections.abc import Iterator
from pathlib import Path

import nbformat

from helpers.authoring.editions import EXECUTED, FOLDERS, generate, notebook_path, stems
from helpers.authoring.notebook import read
from helpers.authoring.programs import program_drift
from helpers.authoring.solved import solved_drift
from helpers.authoring.source import Edition, SourceError


def drift(root: Path) -> list[str]:
    """Every difference between the sources below `root` and what is built there, as sentences.

    Outputs are not compared, since a figure may be measured anew. They have to be there: each code
    cell of a walkthrough or a solution was executed, in order and without an error; of a lab, none.
    """
    notebooks = (line for edition in FOLDERS for line in _edition_drift(root, edition))
    # A broken source has one message, though several files are made from it.
    return list(dict.fromkeys([*notebooks, *program_drift(root), *solved_drift(root)]))


def _edition_drift(root: Path, edition: Edition) -> Iterator[str]:
    source_folder, notebook_folder = FOLDERS[edition]
    sources = stems(root / source_folder, "*.py")
    notebooks = stems(root / notebook_folder, "*.ipynb")
    for stem in sorted(set(notebooks) - set(sources)):
        yield f"{notebook_folder}/{stem}.ipynb has no source {source_folder}/{stem}.py."
    for stem in sources:
        if stem not in notebooks:
            yield f"{notebook_folder}/{stem}.ipynb is missing: run `course build {stem}`."
            continue
        try:
            expected = generate(root, edition, stem)
            actual = read(notebook_path(root, edition, stem))
        except (SourceError, ValueError) as error:
            yield str(error)
            continue
        where = f"{notebook_folder}/{stem}.ipynb"
        yield from (f"{where}: {line}" for line in differences(expected, actual))
        if edition in EXECUTED:
            yield from (f"{where}: {line}" for line in not_executed(actual))
        else:
            yield from (f"{where}: {line}" for line in _executed(actual))


def differences(expected: nbformat.NotebookNode, actual: nbformat.NotebookNode) -> list[str]:
    """Where a notebook's cells and metadata are not those that its source gives now."""
    found: list[str] = []
    if expected.metadata != actual.metadata:
        found.append("its metadata is not what the build writes.")
    wanted, present = ([cell.id for cell in notebook.cells] for notebook in (expected, actual))
    found += [f"cell {cell_id!r} is missing." for cell_id in wanted if cell_id not in present]
    found += [
        f"cell {cell_id!r} is not in the source." for cell_id in present if cell_id not in wanted
    ]
    if not found and wanted != present:
        found.append("its cells stand in another order than in the source.")
    cells = {cell.id: cell for cell in actual.cells}
    for cell in expected.cells:
        other = cells.get(cell.id, cell)
        for key in ("cell_type", "source", "metadata"):
            if cell[key] != other[key]:
                found.append(f"cell {cell.id!r} has another {key.replace('_', ' ')}.")
    return found


def not_executed(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """What is missing from an executed notebook: a count, or an end without an error."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        if cell.execution_count != number:
            yield f"cell {cell.id!r} was not executed in its turn."
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"cell {cell.id!r} ends in an error."


def _executed(notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None):
            yield f"cell {cell.id!r} carries the traces of a run."
