"""Small faults in a reference solution, one at a time: what a check must reject.

The operators are those of mutation testing (comparisons, arithmetic, and/or, constants, conditions,
dropped statements and keywords, a returned None), and one that exercises need: an argument that is
ignored, which keeps the value of the first call. Free text and time limits are not changed.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
_FREE_KEYWORDS = {"timeout", "limit_s", "title", "detail", "caption"}
FIRST = "__first_values__"
"""The name of the dictionary that an ignored argument keeps its first value in."""


@dataclass(frozen=True)
class Mutant:
    """A solution with one fault. `name` says where and what, and stays the same over runs."""

    name: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a solution's cell, in the order of its lines.

    Raises:
        SyntaxError: the source is no valid Python.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    seen: dict[str, int] = {}
    for place, node in enumerate(ast.walk(tree)):
        for what, change in _faults(node, _texts(tree)):
            line = getattr(node, "lineno", 1)
            name = f"line {line}, {what}: {lines[line - 1].strip()}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            other = copy.deepcopy(tree)
            change(next(n for at, n in enumerate(ast.walk(other)) if at == place))
            yield Mutant(name, ast.fix_missing_locations(other))


Change = Callable[[ast.AST], None]


def _faults(node: ast.AST, texts: set[int]) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare():
            for at, operator in enumerate(node.ops):
                for new in _SWAPS.get(type(operator), ()):
                    yield f"{_name(operator)} -> {new.__name__}", _set_item("ops", at, new())
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp():
            for new in _SWAPS.get(type(node.op), ()):
                yield f"{_name(node.op)} -> {new.__name__}", _set("op", new())
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", _set("operand", ast.UnaryOp(ast.Not(), node.operand))
        case ast.Constant() if id(node) not in texts:
            yield from _constants(node.value)
        case ast.Return(value=ast.expr()):
            yield "None returned", _set("value", ast.Constant(None))
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition always true", _set("test", ast.Constant(True))
            yield "condition always false", _set("test", ast.Constant(False))
        case ast.Call():
            for at, keyword in enumerate(node.keywords):
                if keyword.arg not in _FREE_KEYWORDS:
                    yield f"keyword {keyword.arg} dropped", _drop("keywords", at)
    body = getattr(node, "body", None)
    if isinstance(body, list) and not isinstance(node, ast.Module):
        for at, statement in enumerate(body):
            if _droppable(statement):
                yield f"statement {at + 1} dropped", _set_item("body", at, ast.Pass())
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            if argument.arg not in ("self", "cls"):
                yield f"argument {argument.arg} ignored", _ignore(node.name, argument.arg)


def _constants(value: object) -> Iterator[tuple[str, Change]]:
    if isinstance(value, bool):
        yield f"{value} -> {not value}", _set("value", not value)
    elif isinstance(value, int | float):
        for new in (value + 1, value - 1):
            yield f"{value} -> {new}", _set("value", new)
    elif isinstance(value, str) and value and not any(letter.isspace() for letter in value):
        yield f"{value!r} changed", _set("value", f"XX{value}")


def _texts(tree: ast.AST) -> set[int]:
    """The constants that are docstrings, parts of formatted text, or annotations."""
    found: set[int] = set()
    for node in ast.walk(tree):
        free: list[ast.AST | None] = []
        if isinstance(node, ast.Expr | ast.JoinedStr):
            free = [node] if not _calls(node) or isinstance(node, ast.JoinedStr) else []
        elif isinstance(node, ast.arg | ast.AnnAssign):
            free = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            free = [node.returns]
        elif isinstance(node, ast.keyword) and node.arg in _FREE_KEYWORDS:
            free = [node.value]
        found |= {id(part) for one in free if one for part in ast.walk(one)}
    return found


def _calls(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call | ast.Await | ast.Yield) for part in ast.walk(node))


def _droppable(statement: ast.stmt) -> bool:
    kinds = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.If | ast.Raise | ast.For | ast.Delete
    return isinstance(statement, kinds) or (isinstance(statement, ast.Expr) and _calls(statement))


def _name(node: ast.AST) -> str:
    return type(node).__name__


def _set(field: str, value: object) -> Change:
    return lambda node: setattr(node, field, value)


def _set_item(field: str, at: int, value: object) -> Change:
    return lambda node: getattr(node, field).__setitem__(at, value)


def _drop(field: str, at: int) -> Change:
    return lambda node: getattr(node, field).pop(at)


def _ignore(function: str, argument: str) -> Change:
    """The argument keeps the value that it had in the first call."""
    line = f"{argument} = {FIRST}.setdefault({f'{function}.{argument}'!r}, {argument})"

    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        at = int(ast.get_docstring(node) is not None)
        node.body.insert(at, ast.parse(line).body[0])

    return change
