"""Bring a learner's cells into a newer version of a notebook.

A cell is known by its id, or by the number of its exercise where an editor has written new ids. The
learner's cell replaces the new version's where the course has not changed that cell; a cell that
the learner added follows the one that it followed before. All else stays out, and is told.
"""

import copy
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Cell = dict[str, Any]
Notebook = dict[str, Any]


@dataclass(frozen=True)
class Merge:
    """A new version with the learner's cells in it, and what became of each changed cell.

    Cells are named as a learner knows them: "exercise 01.2", or "cell imports".
    """

    notebook: Notebook
    put_back: tuple[str, ...]
    added: int  # cells of the learner's own, put back as well
    changed: tuple[str, ...]  # the course has changed the same cell: the learner's stays out
    removed: tuple[str, ...]  # the course has no such cell any more


class NotANotebookError(ValueError):
    """The file cannot be read as a notebook."""


def parse(content: bytes) -> Notebook:
    """A notebook from its file's content.

    Raises:
        NotANotebookError: it is no notebook (an interrupted write, a merge conflict).
    """
    try:
        notebook = json.loads(content.decode("utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = source(cell)
            cell.setdefault("metadata", {})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotANotebookError(str(error)) from error
    result: Notebook = notebook
    return result


def dump(notebook: Notebook) -> bytes:
    """A notebook as file content, as nbformat writes it: lines of a source as a list."""
    written = copy.deepcopy(notebook)
    for cell in written["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    text = json.dumps(written, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def source(cell: Cell) -> str:
    """A cell's source as one string: notebook files also have it as a list of lines."""
    lines = cell["source"]
    return lines if isinstance(lines, str) else "".join(lines)


def exercise_of(cell: Cell) -> str | None:
    """The number of the exercise that this cell is filled for."""
    exercise = cell.get("metadata", {}).get("exercise")
    return exercise if isinstance(exercise, str) else None


def merge(old: Notebook, mine: Notebook, new: Notebook) -> Merge:
    """The new version, with what the learner changed since the old one.

    Args:
        old: the version that the learner started from.
        mine: the learner's.
        new: the version that comes; it is not changed.
    """
    merged = copy.deepcopy(new)
    put_back: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    added = 0
    place: Cell | None = None  # the merged cell after which an added one goes
    for cell, original in _paired(mine["cells"], old["cells"]):
        if original is None:
            if cell["source"].strip():
                place = _add(merged["cells"], cell, place)
                added += 1
            continue
        target = _twin(original, merged["cells"])
        place = target or place
        if cell["source"] == original["source"]:
            continue
        if target is None:
            removed.append(_name(original))
        elif target["source"] == original["source"]:
            target["source"] = cell["source"]
            put_back.append(_name(target))
        elif target["source"] != cell["source"]:
            changed.append(_name(target))
    return Merge(merged, tuple(put_back), added, tuple(changed), tuple(removed))


def _paired(mine: list[Cell], old: list[Cell]) -> Iterator[tuple[Cell, Cell | None]]:
    """Each of the learner's cells with the one that it was made from, None for an added one."""
    by_id = {cell["id"]: cell for cell in old if "id" in cell}
    kept = {cell.get("id") for cell in mine}
    # A copy of an exercise cell carries its number too, so the number counts only where no cell
    # has the id, and once.
    by_exercise = {
        exercise: cell
        for cell in old
        if (exercise := exercise_of(cell)) and cell.get("id") not in kept
    }
    for cell in mine:
        yield cell, by_id.get(cell.get("id", "")) or by_exercise.pop(exercise_of(cell) or "", None)


def _twin(original: Cell, cells: list[Cell]) -> Cell | None:
    """The cell of a newer version that an older version's cell has become."""
    known = original.get("id"), exercise_of(original)
    for number, look in enumerate((_id_of, exercise_of)):
        for cell in cells:
            if known[number] is not None and look(cell) == known[number]:
                return cell
    return None


def _id_of(cell: Cell) -> str | None:
    name = cell.get("id")
    return name if isinstance(name, str) else None


def _name(cell: Cell) -> str:
    exercise = exercise_of(cell)
    return f"exercise {exercise}" if exercise else f"cell {cell.get('id', 'without a name')}"


def _add(cells: list[Cell], cell: Cell, place: Cell | None) -> Cell:
    """Insert a cell of the learner's own, and return the one inserted."""
    added = copy.deepcopy(cell)
    if added["cell_type"] == "code":
        added["outputs"], added["execution_count"] = [], None
    if added.get("id") in {one.get("id") for one in cells}:
        added["id"] = uuid.uuid4().hex[:8]
    # Not an exercise of the course: a copied cell would otherwise be taken for the original.
    added["metadata"].pop("exercise", None)
    at = next((i + 1 for i, one in enumerate(cells) if one is place), 0)
    cells.insert(at, added)
    return added
