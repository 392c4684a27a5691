"""What the code cells of a notebook say: Python, shell lines and the files that they write.

IPython's own transformation turns magics into calls of `get_ipython()`; here those calls are told
apart again, so that whatever measures a notebook sees Python as Python and YAML as YAML.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.authoring.source import parse

# Cell magics around Python; the body of every other one is text of another kind.
_AROUND_PYTHON = {"time", "timeit", "capture", "prun"}
_SHELLS = {"bash", "sh", "script"}
_SHELL_CALLS = {"system", "getoutput"}


@dataclass(frozen=True)
class Code:
    """One code cell.

    Attributes:
        source: the cell as it is written.
        tree: its Python; also that of a Python file which it writes by `%%writefile`.
        commands: its shell lines, by `!` or `%%bash`.
        files: what it writes by `%%writefile`, path -> text.
        python: False where it holds no Python (YAML, shell).
    """

    source: str
    tree: ast.Module
    commands: tuple[str, ...]
    files: Mapping[str, str]
    python: bool


def counted(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The cells that measures look at: all but those that set the parameters."""
    return [
        cell
        for cell in notebook["cells"]
        if "parameters" not in cell.get("metadata", {}).get("tags", ())
    ]


def code_cells(notebook: Mapping[str, Any]) -> list[Code]:
    """The code cells that count, in order.

    Raises:
        SourceError: a cell is no valid Python.
    """
    return [
        read_code(cell["source"])
        for cell in counted(notebook)
        if cell["cell_type"] == "code" and cell["source"].strip()
    ]


def read_code(source: str) -> Code:
    """One code cell's source, taken apart.

    Raises:
        SourceError: it is no valid Python.
    """
    tree = parse(source, "a cell")
    commands: list[str] = []
    files: dict[str, str] = {}
    python = True
    for name, words in list(_ipython_calls(tree)):
        if name in _SHELL_CALLS:
            commands.append(words[0])
        elif name == "run_cell_magic":
            magic, line, body = words
            if magic in _AROUND_PYTHON:
                tree = parse(body, "a cell")
                commands += [said[0] for each, said in _ipython_calls(tree) if each in _SHELL_CALLS]
            elif magic in _SHELLS:
                commands += [text for text in body.splitlines() if text.strip()]
                python = False
            elif magic in ("writefile", "file"):
                path = line.removeprefix("-a ").strip()
                files[path] = body
                python = path.endswith(".py")
                tree = parse(body, path) if python else ast.Module([], [])
            else:
                python = False
    if not python:
        tree = ast.Module([], [])
    elif commands and all(_is_ipython(node) for node in tree.body):
        python = False
    return Code(source, tree, tuple(commands), files, python)


def _ipython_calls(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Name and words of each call of IPython that stands for a magic or a shell line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = node.func.value
            if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "get_ipython":
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                yield node.func.attr, [str(word) for word in words]


def _is_ipython(node: ast.stmt) -> bool:
    return "get_ipython" in {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
