"""The reference solutions that checks compare with, taken from the solutions' sources.

For each exercise of a module with one file an exercise, `mNN/solved/eN.py` below the exercises
holds the solution's cell, with what it needs of the cells before it. So checks and grading have it
where `solutions/` is missing.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers.authoring.definitions import bindings, imports, names_used
from helpers.authoring.editions import FOLDERS, stems
from helpers.authoring.source import SourceCell, SourceError, cells_of, parse, read_source
from helpers.course.checked import checked_in

EXERCISES = "helpers/course/exercises"
MARK = "# The exercise's own cell."
"""The line after which a reference solution is the learner's part."""


def expected(root: Path, module: str) -> dict[Path, str]:
    """What the reference solutions of a module should be: path and text.

    Empty for a module without a folder of exercises.

    Raises:
        SourceError: a solution's source breaks the format, or a cell needs what no cell before it
            defines.
    """
    folder = root / EXERCISES / f"m{module}"
    source_folder = FOLDERS["solution"][0]
    found = [stem for stem in stems(root / source_folder, "*.py") if stem[:2] == module]
    if not (folder.is_dir() and found):
        return {}
    where = f"{source_folder}/{found[0]}.py"
    source = read_source((root / where).read_text("utf-8"), where=where, solution=True)
    cells = [cell for cell in cells_of(source, "solution") if cell.kind == "code"]
    return {
        folder / "solved" / f"e{cell.exercise[3:]}.py": _text(cells, cell, where)
        for cell in cells
        if cell.exercise is not None
    }


def renew_solved(root: Path, module: str) -> list[Path]:
    """Write the reference solutions of a module that differ; the paths that were written."""
    wanted = expected(root, module)
    written = [path for path, text in wanted.items() if _read(path) != text]
    for path in written:
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in _left_over(root, module, wanted):
        path.unlink()
    return written


def solved_drift(root: Path) -> Iterator[str]:
    """The reference solutions that are not what their sources give, as sentences."""
    for folder in sorted((root / EXERCISES).glob("m[0-9][0-9]")):
        module = folder.name[1:]
        try:
            wanted = expected(root, module)
        except SourceError:
            continue  # its notebook's own line says so
        for path, text in wanted.items():
            if _read(path) != text:
                name = path.relative_to(root).as_posix()
                yield f"{name} is not the solution's cell: run `course build {module}`."
        for path in _left_over(root, module, wanted):
            yield f"{path.relative_to(root).as_posix()} has no exercise in the solution's source."


def _left_over(root: Path, module: str, wanted: dict[Path, str]) -> list[Path]:
    there = (root / EXERCISES / f"m{module}" / "solved").glob("*.py")
    return sorted(path for path in there if path not in wanted)


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _text(cells: Sequence[SourceCell], cell: SourceCell, where: str) -> str:
    """The file: what the cell needs of those before it, the cell itself, and its answer."""
    place = cells.index(cell)
    before = [node for one in cells[:place] for node in parse(one.source, where).body]
    own = parse(cell.source, where)
    answer = _answer(cells[place:], cell, where)
    wanted = _used([*own.body, ast.Expr(answer)]) - bindings(own).keys()
    parts = [
        f"# Written by `course build` from {where}: change it there.",
        *_needed(before, wanted),
        MARK,
        cell.source,
        f"ANSWER = {ast.unparse(answer)}",
    ]
    return "\n".join(parts) + "\n"


_DEFINES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom),
)


def _needed(before: Sequence[ast.stmt], names: set[str]) -> list[str]:
    """The statements that define these names and what those need, each name's last one."""
    wanted = set(names)
    kept: list[str] = []
    for node in reversed(before):
        bound = bindings(ast.Module([node], [])).keys() & wanted
        if not bound or not isinstance(node, _DEFINES):  # no calls, no prints, no checks
            continue
        wanted -= bound
        if isinstance(node, ast.Import | ast.ImportFrom):
            there = imports(ast.Module([node], []))
            kept += [one.line() for one in there if one.name in bound]
        else:
            kept.append(ast.unparse(node))
            wanted |= _used([node])
    return kept[::-1]


def _used(nodes: Sequence[ast.stmt]) -> set[str]:
    return {name for node in nodes for names in names_used(node) for name in names}


def _answer(after: Sequence[SourceCell], cell: SourceCell, where: str) -> ast.expr:
    """What the solution hands to the check of this exercise."""
    for one in after:
        for found in checked_in(parse(one.source, where)):
            if found.exercise == cell.exercise and found.answer is not None:
                return found.answer
    raise SourceError(f'{where}: no cell calls check("{cell.exercise}", ...) with an answer.')
