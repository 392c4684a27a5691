"""Code and printed lines, cut to the rows that a slide has for them."""

import ast
import re
from collections.abc import Sequence
from itertools import product
from math import ceil

_IPYTHON = re.compile(r"^[%!].*", re.MULTILINE)


def rows_of(text: str, width: int) -> int:
    """How many rows a text takes where a longer line than `width` letters is wrapped."""
    return sum(max(1, ceil(len(line) / width)) for line in text.splitlines())


def fitted(code: str, rows: int, width: int) -> str:
    """Code in at most so many rows, as far as its statements allow.

    It loses its blank lines first, then the docstrings, then statements in its middle. "" where
    there is no room for anything that says something.
    """
    bare = _without_docstrings(code)
    for shorter in (code, _close(code), bare, _close(bare)):
        if rows_of(shorter, width) <= rows:
            return shorter
    return _cut(_close(bare).splitlines(), rows, width) if rows > 3 else ""


def ends_of(text: str, rows: int, width: int) -> str:
    """Printed lines: all, or the first and the last that fit."""
    lines = text.splitlines()
    if rows_of(text, width) <= rows:
        return text
    first, last, left = 0, len(lines), rows - 1
    while first < last:
        front = first <= len(lines) - last
        taken = rows_of(lines[first] if front else lines[last - 1], width) or 1
        if taken > left:
            break
        left -= taken
        first, last = (first + 1, last) if front else (first, last - 1)
    return "\n".join([*lines[:first], "...", *lines[last:]])


def _close(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if line.strip())


def _tree(code: str) -> ast.Module | None:
    try:
        return ast.parse(_IPYTHON.sub("#", code))
    except SyntaxError:  # a file in another language
        return None


def _without_docstrings(code: str) -> str:
    lines = code.splitlines()
    for node in ast.walk(_tree(code) or ast.Module([], [])):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            if ast.get_docstring(node) is not None and len(node.body) > 1:
                end = first.end_lineno or first.lineno
                lines[first.lineno - 1 : end] = [""] * (end - first.lineno + 1)
    # The blank line below a docstring goes with it.
    return re.sub(r":\n\n+", ":\n", "\n".join(lines))


def _cut(lines: Sequence[str], rows: int, width: int) -> str:
    """Code with `...` for what is left out, at statements, else at any line."""
    high = [rows_of(line, width) for line in lines]
    for places in (_statements(lines), range(len(lines) + 1)):
        fitting = [
            # An end is worth two rows: it is where the cell shows or prints.
            (kept + 2 * (last < len(lines)), first, last)
            for first, last in product(places, places)
            if 0 < first < last
            and (kept := sum(high[:first]) + sum(high[last:])) < rows
            # What follows the gap belongs to the same block or to one around it.
            and (last == len(lines) or _indent(lines[last]) <= _indent(lines[first]))
        ]
        if fitting and max(fitting)[0] >= rows / 2:
            _, first, last = max(fitting)
            gap = " " * _indent(lines[first]) + "..."
            return "\n".join([*lines[:first], gap, *lines[last:]])
    return ""


def _statements(lines: Sequence[str]) -> list[int]:
    """The lines where a statement begins, with its decorators and the comments above it."""
    starts = {0, len(lines)}
    for node in ast.walk(_tree("\n".join(lines)) or ast.Module([], [])):
        if isinstance(node, ast.stmt):
            above: list[ast.expr] = getattr(node, "decorator_list", [])
            start = min([node.lineno, *(one.lineno for one in above)]) - 1
            while start and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            starts.add(start)
    return sorted(starts)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
