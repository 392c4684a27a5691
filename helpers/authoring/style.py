"""Measure a notebook against the style page: what it teaches, and in what pieces.

A cell counts as *field* when it uses something of a third-party package, directly or by a name that
was made with one (numpy, pandas, matplotlib, IPython do not count; YAML and shell cells do), and as
*house only* when it uses the course's package and nothing of the field. Cells that only import are
left out of both shares, and cells with the tag `parameters` of everything.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean, median
from typing import Any

from helpers.authoring.cells import Code, code_cells, counted
from helpers.authoring.names import Names

_WORD = re.compile(r"\w[\w'’.-]*")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK_TARGET = re.compile(r"\]\([^)]*\)")
_TAG = re.compile(r"<[^>]+>")
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_HOUSE_COMMAND = re.compile(r"course\b|python3? -m helpers\b")


@dataclass(frozen=True)
class Style:
    """What was measured; without code cells, or without text, the measures of them are 0.

    Attributes:
        cells: all of them.
        code_cells: how many hold code.
        text_cells: how many hold text.
        lines_median: lines of code a code cell, empty lines not counted.
        lines_p90: nine of ten code cells have at most this many (nearest rank).
        lines_max: of the longest code cell.
        words_per_code_cell: words of text for each code cell: without pictures in mermaid, code
            blocks, addresses of links and HTML tags.
        words_per_text_cell: words of text, counted the same way, for each text cell.
        field: share of the cells that use the field, 0 to 1.
        house_only: share of the cells that use the course's package and nothing of the field.
        nodes_per_line: nodes of the syntax tree for each line of Python that is no comment.
        comprehensions_per_cell: comprehensions and generator expressions a cell of Python.
        house_names: names of the course's package that are used, apart from the desk's.
    """

    cells: int
    code_cells: int
    text_cells: int
    lines_median: float
    lines_p90: int
    lines_max: int
    words_per_code_cell: float
    words_per_text_cell: float
    field: float
    house_only: float
    nodes_per_line: float
    comprehensions_per_cell: float
    house_names: int

    @property
    def text_to_code(self) -> float:
        """Text cells for each code cell."""
        return self.text_cells / max(self.code_cells, 1)


def measure(notebook: Mapping[str, Any]) -> Style:
    """Measure a notebook as nbformat reads it.

    Raises:
        SourceError: a code cell is no valid Python.
    """
    cells = counted(notebook)
    lines = sorted(_lines(cell["source"]) for cell in cells if cell["cell_type"] == "code") or [0]
    read = [words(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    code = code_cells(notebook)
    code_count = sum(cell["cell_type"] == "code" for cell in cells)
    field, house_only, house_names = origins(code)
    nodes_per_line, comprehensions = density(code)
    return Style(
        cells=len(cells),
        code_cells=code_count,
        text_cells=len(read),
        lines_median=median(lines),
        lines_p90=lines[-(-9 * len(lines) // 10) - 1],
        lines_max=lines[-1],
        words_per_code_cell=sum(read) / max(code_count, 1),
        words_per_text_cell=fmean(read) if read else 0,
        field=field,
        house_only=house_only,
        nodes_per_line=nodes_per_line,
        comprehensions_per_cell=comprehensions,
        house_names=house_names,
    )


def words(markdown: str) -> int:
    """Words that a reader reads in a text cell."""
    for pattern in (_FENCE, _LINK_TARGET, _TAG):
        markdown = pattern.sub(" ", markdown)
    return len(_WORD.findall(markdown))


def origins(code: list[Code]) -> tuple[float, float, int]:
    """Share of field cells, share of cells of the house alone, and how many names of the house."""
    names = Names()
    kinds: list[tuple[bool, bool]] = []
    for cell in code:
        field, house = names.read(cell.tree)
        for path in cell.files:
            if path.endswith(".py"):
                names.wrote(PurePosixPath(path).stem, with_field=field)
        if not cell.python or cell.commands:
            ours = [bool(_HOUSE_COMMAND.match(line.strip())) for line in cell.commands]
            house |= any(ours)
            field |= not all(ours) if ours else bool(cell.files)
        if not _only_imports(cell):
            kinds.append((field, house))
    count = max(len(kinds), 1)
    return (
        sum(field for field, _ in kinds) / count,
        sum(house and not field for field, house in kinds) / count,
        len(names.house),
    )


def density(code: list[Code]) -> tuple[float, float]:
    """Nodes of the syntax tree a line, and comprehensions a cell, of the cells that hold Python."""
    python = [cell for cell in code if cell.python and not _only_imports(cell)]
    nodes = [node for cell in python for node in ast.walk(cell.tree)]
    lines = sum(_statement_lines(cell.source) for cell in python)
    found = sum(isinstance(node, _COMPREHENSIONS) for node in nodes)
    return len(nodes) / max(lines, 1), found / max(len(python), 1)


def _only_imports(cell: Code) -> bool:
    imports = ast.Import | ast.ImportFrom
    return cell.python and all(isinstance(node, imports) for node in cell.tree.body)


def _lines(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())


def _statement_lines(source: str) -> int:
    """Lines that are neither empty nor a comment nor a magic around the cell."""
    lines = (line.strip() for line in source.splitlines())
    return sum(bool(line) and not line.startswith(("#", "%%")) for line in lines)
