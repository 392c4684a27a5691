"""Measure a notebook against the style page: how much it holds, and in what pieces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

_WORD = re.compile(r"\w[\w'’.-]*")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK_TARGET = re.compile(r"\]\([^)]*\)")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Style:
    """What was measured.

    Attributes:
        cells: all of them.
        code_cells: how many hold code.
        text_cells: how many hold text.
        lines_median: lines of code a code cell, empty lines not counted; 0 without code cells.
        lines_p90: nine of ten code cells have at most this many (nearest rank).
        lines_max: of the longest code cell.
        words_per_code_cell: words of text for each code cell: without pictures in mermaid, code
            blocks, addresses of links and HTML tags.
    """

    cells: int
    code_cells: int
    text_cells: int
    lines_median: float
    lines_p90: int
    lines_max: int
    words_per_code_cell: float

    @property
    def text_to_code(self) -> float:
        """Text cells for each code cell."""
        return self.text_cells / max(self.code_cells, 1)


def measure(notebook: Mapping[str, Any]) -> Style:
    """Measure a notebook as nbformat reads it."""
    code = [_lines(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    text = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    ordered = sorted(code) or [0]
    return Style(
        cells=len(notebook["cells"]),
        code_cells=len(code),
        text_cells=len(text),
        lines_median=median(ordered),
        lines_p90=ordered[-(-9 * len(ordered) // 10) - 1],
        lines_max=ordered[-1],
        words_per_code_cell=sum(map(words, text)) / max(len(code), 1),
    )


def words(markdown: str) -> int:
    """Words that a reader reads in a text cell."""
    for pattern in (_FENCE, _LINK_TARGET, _TAG):
        markdown = pattern.sub(" ", markdown)
    return len(_WORD.findall(markdown))


def _lines(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())
